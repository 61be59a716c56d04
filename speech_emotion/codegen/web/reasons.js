"use strict";
// Why it said so. Occlusion: some columns in turn take the value that is usual, and the model is asked again.

const MOST_REASONS = 4; // in words
const LEAST_CLEAR = 2; // reasons that are more or less of something: with these, vague ones are left out
const PULLS = 0.15; // of the log-odds: less is no reason
const MUCH = 0.3; // standard deviations: nearer to what is usual is not called more or less

class Reasons {
  constructor(recogniser) {
    this.recogniser = recogniser;
    element("all").addEventListener("toggle", () => this.fillColumns());
  }

  /** Of the recogniser's latest answer. */
  explain(answer) {
    const { recogniser } = this;
    const odds = (p) => Math.log(Math.max(p, 1e-6) / Math.max(1 - p, 1e-6));
    const away = recogniser.away(answer);
    const pull = (would) => odds(answer.confidence) - odds(would);
    const label = recogniser.labels[answer.label];

    const found = recogniser
      .without(answer, MODEL.aspects.map(({ columns }) => columns))
      .map((would, i) => ({ ...inWords(MODEL.aspects[i], away), would, pull: pull(would) }))
      .filter((reason) => reason.pull > PULLS)
      .sort((a, b) => b.pull - a.pull);
    const clear = found.filter(({ direction }) => direction);
    const aspects = (clear.length >= LEAST_CLEAR ? clear : found).slice(0, MOST_REASONS);
    const usual = answer.known ? "your voice" : "the voices that it learnt from";
    element("why-text").textContent = aspects.length
      ? `What spoke for "${label}", against what is usual for ${usual}:`
      : `No part of the sound by itself: only together do they speak for "${label}".`;
    element("why").replaceChildren(
      ...aspects.map(({ words, would }) =>
        create(
          "li", {},
          create("strong", { textContent: words }),
          create("span", {
            textContent: `were it as usual, "${label}" would have ${roundly(would)}, not ${roundly(answer.confidence)}`,
          }),
        ),
      ),
    );

    this.columns = recogniser
      .without(answer, MODEL.columns.map((_, i) => [i]))
      .map((would, i) => ({
        ...MODEL.columns[i], value: answer.features[MODEL.columns[i].place], away: away[i], would, pull: pull(would),
      }))
      .sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
    element("columns-text").textContent =
      `What the model looks at, what pulled most first: its value; mean ± standard deviation in training; how far it ` +
      `lies from what is usual; the probability of "${label}", were this one as usual and the rest as they are.`;
    this.fillColumns();
    element("why-section").hidden = false;
  }

  hide() {
    element("why-section").hidden = true;
  }

  /** Hundreds of rows: only where the fold is open. */
  fillColumns() {
    const shown = element("all").open ? (this.columns ?? []) : [];
    element("columns").replaceChildren(
      ...shown.map(({ name, value, mean, sd, away, would }) => {
        const mark = create("span");
        mark.style.left = `${50 + 12.5 * Math.min(Math.max(away, -4), 4)}%`;
        const track = create("span", { className: "track" }, mark);
        track.setAttribute("aria-hidden", "true");
        return create(
          "li", {},
          create("strong", { textContent: name }),
          create("span", { textContent: figure(value) }),
          create("span", { textContent: `usual ${figure(mean)} ± ${figure(sd)}` }),
          create("span", {}, track, ` ${away < 0 ? "−" : "+"}${Math.abs(away).toFixed(1)} sd`),
          create("span", { className: "would", textContent: percent(would) }),
        );
      }),
    );
  }
}

/** {words, direction}: more, less, or only different (0). */
function inWords({ more, less, other, signs }, away) {
  const mean = signs.reduce((sum, [i, sign]) => sum + sign * away[i], 0) / Math.max(signs.length, 1);
  const direction = Math.abs(mean) < MUCH ? 0 : Math.sign(mean);
  return { words: { 1: more, 0: other, [-1]: less }[direction], direction };
}
