"use strict";
// The big answer: one word, how sure it is, and all probabilities. Calm while it listens; what may still change
// looks so.

class AnswerPanel {
  constructor(labels) {
    this.labels = labels;
    this.bars = labels.map((label, i) => this.makeBar(label, i));
    element("probabilities").append(...this.bars.map(({ row }) => row));
    this.idle();
  }

  makeBar(label, place) {
    const fill = create("span");
    fill.style.background = lineStyle(this.labels, place).colour;
    const value = create("data", { textContent: "–" });
    const bar = create("span", { className: "bar" }, fill);
    bar.setAttribute("aria-hidden", "true");
    return { row: create("li", {}, create("span", { textContent: label }), bar, value), fill, value };
  }

  /** Nothing was heard yet. */
  idle() {
    this.set("idle", "Say something", "or press one of the made-up voices above");
    this.clear();
  }

  /** The microphone is on, and nobody speaks yet: the last answer stays, if there is one. */
  listen() {
    if (!this.last) {
      this.set("waiting", "Listening", "Say a sentence, then pause.");
    }
  }

  /** A sentence has begun. */
  hear() {
    this.guess = -1;
    this.set("hearing", "…", "hearing a sentence");
    this.fill(null);
  }

  /** An answer that may still change: named once it has stood twice. */
  provisional(answer) {
    const stood = this.guess === answer.label;
    this.guess = answer.label;
    this.set("hearing", "…", stood ? `so far: perhaps ${this.labels[answer.label]}` : "hearing a sentence");
    this.fill(answer);
  }

  /** What had begun was no sentence: back to what was. */
  again() {
    if (this.last) {
      this.final(this.last);
    } else {
      this.clear();
      this.listen();
    }
  }

  /** The answer that stays. */
  final(answer) {
    this.last = answer;
    const { verdict, detail } = this.words(answer);
    const uncertain = answer.confidence < MODEL.threshold;
    this.set(uncertain ? "final uncertain" : "final", verdict, detail);
    if (!uncertain) {
      element("answer").style.setProperty("--emotion", lineStyle(this.labels, answer.label).colour);
    }
    this.fill(answer);
  }

  /** A sound without an answer: the old one leaves. */
  none(why) {
    this.set("none", "No answer", why);
    this.clear();
  }

  clear() {
    this.last = null;
    this.fill(null);
  }

  set(state, verdict, detail) {
    element("answer").className = `answer ${state}`;
    element("answer").style.removeProperty("--emotion");
    element("emotion").textContent = verdict;
    element("certainty").textContent = detail;
  }

  /** All probabilities of an answer; null: none. */
  fill(answer) {
    this.bars.forEach(({ row, fill, value }, label) => {
      const probability = answer?.probabilities[label] ?? 0;
      row.classList.toggle("first", label === answer?.label);
      fill.style.width = `${100 * probability}%`;
      value.value = probability;
      value.textContent = answer ? percent(probability) : "–";
    });
  }

  words(answer) {
    const label = this.labels[answer.label];
    return answer.confidence < MODEL.threshold
      ? {
          verdict: "uncertain",
          detail:
            `Perhaps ${label}: ${roundly(answer.confidence)} sure. Below ${Math.round(100 * MODEL.threshold)} % this model ` +
            "names no emotion, as it was too often wrong there.",
        }
      : { verdict: label, detail: `${roundly(answer.confidence)} sure` };
  }

  /** The same, short: for a list. */
  brief(answer) {
    const label = this.labels[answer.label];
    const sure = percent(answer.confidence);
    return answer.confidence < MODEL.threshold
      ? { verdict: "uncertain", detail: `perhaps ${label}, ${sure}` }
      : { verdict: label, detail: `${sure} sure` };
  }
}
