"use strict";
// The page: what the buttons do, what is said, and what is drawn when.

const LIVE_HOPS = 800; // drawn while the microphone is on
const DRAW_EVERY = 200; // ms
const SLICE = 12; // ms of work between two chances for the page to answer the person
const MOST_ANSWERS = 200; // over one clip
const DEAD_MS = 4000; // without a block from the microphone: it says so
const SILENT_HOPS = 400; // until the person is asked whether the microphone is on
const PULLERS = 12; // features named as reasons
const MOST_ROWS = 50; // of clips and sentences

const element = (id) => document.getElementById(id);

function create(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Lets the page answer the person; unlike a timer also quick where the page is not in sight. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

class Page {
  constructor(recogniser) {
    this.recogniser = recogniser;
    this.traces = new Traces(recogniser.mels);
    this.drawing = new Drawing(this.traces, recogniser);
    this.waiting = Promise.resolve(); // files are heard one after the other
    this.microphone = null;
    this.asked = 0; // counts what was asked for: an answer to the microphone's prompt may come too late
    this.sentences = 0;
    this.bars = recogniser.labels.map((label) => this.makeBar(label));
    element("probabilities").append(...this.bars.map(({ row }) => row));
    this.nameCourse();
    this.tellModel();
    this.connect();
    this.draw();
    this.say("Ready.");
  }

  // --- buttons, files, size, colours ---------------------------------------------------------

  connect() {
    const button = element("microphone");
    const files = element("files");
    button.addEventListener("click", () => this.toggleMicrophone());
    files.addEventListener("change", () => {
      this.hearFiles([...files.files]);
      files.value = ""; // the same clip may be chosen again
    });
    let inside = 0; // elements that the dragged files are over
    const over = (change) => (event) => {
      event.preventDefault();
      inside += change;
      document.body.classList.toggle("over", inside > 0);
    };
    addEventListener("dragenter", over(1));
    addEventListener("dragleave", over(-1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      inside = 0;
      document.body.classList.remove("over");
      this.hearFiles([...event.dataTransfer.files]);
    });
    addEventListener("resize", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    element("all").addEventListener("click", () => this.showAllFeatures());
    button.disabled = files.disabled = false;
  }

  say(text, trouble = false) {
    const status = element("status");
    status.textContent = text;
    status.classList.toggle("trouble", trouble);
  }

  // --- clips ---------------------------------------------------------------------------------

  hearFiles(files) {
    if (files.length === 0) {
      return;
    }
    this.asked++;
    this.stopMicrophone();
    for (const file of files) {
      this.waiting = this.waiting.then(() => this.hearFile(file));
    }
  }

  async hearFile(file) {
    this.say(`Listening to ${file.name} …`);
    try {
      const { samples, remarks } = await readFile(file);
      const answer = await this.hearClip(samples);
      const silence = whyNobodySpeaks(samples);
      if (silence || !answer.speech) {
        throw new Trouble(`holds no speech: ${silence}.`);
      }
      this.addRow(file.name, answer);
      this.show(answer, file.name, remarks);
      this.explain(answer);
    } catch (error) {
      const reason = error instanceof Trouble ? error.message : `could not be read (${error.message}).`;
      this.addRow(file.name, null, reason);
      this.say(`${file.name} ${reason}`, true);
    }
    this.draw();
  }

  /** The answer to a whole clip: Int16Array. */
  async hearClip(samples) {
    const { hop } = this.recogniser;
    const hops = Math.ceil(samples.length / hop);
    const every = Math.max(ASK_HOPS, Math.ceil(hops / MOST_ANSWERS));
    this.traces.clear();
    const take = new Take(this.recogniser, this.traces, 0);
    let began = performance.now();
    for (let i = 0; i < hops; i++) {
      take.push(samples.subarray(i * hop, (i + 1) * hop));
      if (i % every === every - 1) {
        take.keep(take.ask());
      }
      if (performance.now() - began > SLICE) {
        await breathe();
        began = performance.now();
      }
    }
    const answer = take.ask();
    take.keep(answer);
    return answer;
  }

  // --- microphone ----------------------------------------------------------------------------

  async toggleMicrophone() {
    const asked = ++this.asked;
    if (this.microphone) {
      this.stopMicrophone();
      this.say("Microphone off.");
      return;
    }
    const button = element("microphone");
    button.disabled = true;
    this.say("Waiting for the microphone …");
    try {
      await this.waiting;
      const microphone = await Microphone.open();
      if (asked === this.asked) {
        this.listen(microphone);
      } else {
        microphone.close(); // a clip was dropped meanwhile
      }
    } catch (error) {
      this.say(error.message, true);
    }
    button.disabled = false;
  }

  listen(microphone) {
    const { hop } = this.recogniser;
    this.microphone = microphone;
    this.traces.clear();
    const sentences = new Sentences(this.recogniser, this.traces, (...answer) => this.hearSentence(...answer));
    let silent = false;
    const listening = "Listening. Say a sentence, then pause.";
    let heard = performance.now();
    const watch = setInterval(() => {
      if (this.microphone !== microphone) {
        clearInterval(watch);
      } else if (!microphone.why && performance.now() - heard > DEAD_MS) {
        microphone.pause("No sound arrives from the microphone. Press Stop, then Start; else reload the page.");
      }
    }, DEAD_MS / 4);
    microphone.onBlock = (block) => {
      heard = performance.now();
      microphone.arrived();
      for (let i = 0; i < block.length; i += hop) {
        sentences.push(block.subarray(i, i + hop));
      }
      if (sentences.quiet >= SILENT_HOPS && !silent) {
        this.say("Only silence for a while. Is the microphone switched on?");
      }
      silent = sentences.quiet >= SILENT_HOPS;
      this.drawSoon();
    };
    microphone.onPause = (why) => this.say(why, true);
    microphone.onResume = () => {
      heard = performance.now();
      this.say(listening);
    };
    microphone.onEnd = (why) => {
      this.stopMicrophone();
      this.say(why, true);
    };
    this.say(microphone.why || listening, Boolean(microphone.why));
    element("microphone").textContent = "Stop microphone";
  }

  stopMicrophone() {
    this.microphone?.close();
    this.microphone = null;
    element("microphone").textContent = "Start microphone";
  }

  hearSentence(answer, final) {
    if (!final) {
      this.show(answer);
      return;
    }
    const name = `Sentence ${++this.sentences}`;
    this.addRow(name, answer);
    this.show(answer, name);
    this.explain(answer);
  }

  // --- the answer ----------------------------------------------------------------------------

  makeBar(label) {
    const fill = create("span");
    const value = create("data", { textContent: "–" });
    const bar = create("span", { className: "bar" }, fill);
    bar.setAttribute("aria-hidden", "true");
    return { row: create("li", {}, create("span", { textContent: label }), bar, value), fill, value };
  }

  /** name: of a sound that is over; announced then, with the remarks on it. */
  show(answer, name, remarks = []) {
    const { verdict, detail } = this.words(answer);
    element("emotion").textContent = verdict;
    element("certainty").textContent = detail;
    this.bars.forEach(({ row, fill, value }, label) => {
      const probability = answer.probabilities[label];
      row.classList.toggle("first", label === answer.label);
      fill.style.width = `${100 * probability}%`;
      value.value = probability;
      value.textContent = percent(probability);
    });
    if (name) {
      this.say([`${name}: ${verdict}, ${detail}`, ...remarks].join("; "));
      this.describe(name, answer);
    }
    element("cost").textContent = this.cost();
  }

  /** What the plots show, for who cannot see them. */
  describe(name, answer) {
    const { hertz, intensity, takes } = this.traces;
    const from = Math.max(takes.at(-1).from, 0);
    const voiced = hertz.subarray(from).filter((each) => each > 0).sort();
    const levels = intensity.subarray(from).filter((each) => each > 0).sort();
    const none = this.recogniser.hasF0 ? "no voiced sound" : "the model uses no F0";
    const f0 = voiced.length
      ? `F0 from ${Math.round(voiced[0])} to ${Math.round(voiced.at(-1))} Hz, ` +
        `median ${Math.round(voiced[voiced.length >> 1])} Hz`
      : none;
    const tell = (id, text) => element(id).setAttribute("aria-label", `${text} of ${name}`);
    tell("wave", `Waveform, ${answer.seconds.toFixed(1)} s,`);
    tell("mel", "Mel spectrogram");
    tell("contours", `${f0}; intensity up to ${Math.round(levels.at(-1) ?? 0)} dB;`);
    tell("marks", `${(voiced.length / 100).toFixed(1)} s voiced`);
    tell("course", "Probabilities over time");
  }

  words(answer) {
    const label = this.recogniser.labels[answer.label];
    const sure = percent(answer.confidence);
    return answer.confidence < MODEL.threshold
      ? { verdict: "uncertain", detail: `perhaps ${label}, ${sure}` }
      : { verdict: label, detail: `${sure} sure` };
  }

  cost() {
    const { work, heard } = this.recogniser;
    const each = work / heard;
    return `${each.toFixed(1)} ms per second of sound, ${(each / 10).toFixed(2)} % of one core`;
  }

  addRow(name, answer, reason) {
    const row = create("tr", {}, create("th", { scope: "row", textContent: name }));
    if (answer) {
      const { verdict, detail } = this.words(answer);
      row.append(
        create("td", { textContent: verdict }),
        create("td", { textContent: detail }),
        create("td", { textContent: `${answer.seconds.toFixed(2)} s` }),
      );
      row.dataset.label = this.recogniser.labels[answer.label];
      row.dataset.probabilities = JSON.stringify(answer.probabilities);
    } else {
      row.append(create("td", { colSpan: 3, textContent: reason }));
    }
    const rows = element("clips");
    rows.prepend(row);
    while (rows.rows.length > MOST_ROWS) {
      rows.lastElementChild.remove();
    }
    element("clips-section").hidden = false;
  }

  // --- why -----------------------------------------------------------------------------------

  /** Occlusion: each feature in turn takes its mean over the training clips, and the model is asked again. */
  explain(answer) {
    const odds = (p) => Math.log(Math.max(p, 1e-6) / Math.max(1 - p, 1e-6));
    const would = this.recogniser.without(answer, MODEL.columns);
    this.reasons = MODEL.columns
      .map((column, i) => ({
        ...column, value: answer.features[column.place], would: would[i],
        pull: odds(answer.confidence) - odds(would[i]),
      }))
      .sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
    const label = this.recogniser.labels[answer.label];
    element("why-text").textContent =
      `The features that pulled most, each with the probability that "${label}" would have had, were this one ` +
      `feature average and the rest as they are (it has ${percent(answer.confidence)}).`;
    element("why-would").textContent = `Were it average: ${label}`;
    this.fillReasons(PULLERS);
    element("why-section").hidden = false;
  }

  fillReasons(count) {
    const rows = this.reasons.slice(0, count).map((reason) => {
      const { name, value, mean, sd, would } = reason;
      const away = sd > 0 ? (value - mean) / sd : 0; // a constant feature moves no model
      const mark = create("span");
      mark.style.left = `${50 + 12.5 * Math.min(Math.max(away, -4), 4)}%`;
      const track = create("span", { className: "track" }, mark);
      track.setAttribute("aria-hidden", "true");
      return create(
        "tr", {},
        create("th", { scope: "row", textContent: name }),
        create("td", { textContent: figure(value) }),
        create("td", { textContent: `${figure(mean)} ± ${figure(sd)}` }),
        create("td", {}, track, ` ${away < 0 ? "−" : "+"}${Math.abs(away).toFixed(1)} sd`),
        create("td", { textContent: percent(would) }),
      );
    });
    element("why").replaceChildren(...rows);
    const all = count >= this.reasons.length;
    element("all").setAttribute("aria-expanded", String(all));
    element("all").textContent = all ? "Show fewer features" : `Show all ${this.reasons.length} features`;
  }

  showAllFeatures() {
    const all = element("all").getAttribute("aria-expanded") === "true";
    this.fillReasons(all ? PULLERS : this.reasons.length);
  }

  // --- drawing -------------------------------------------------------------------------------

  draw() {
    const { hops } = this.traces;
    const from = this.microphone ? Math.max(hops - LIVE_HOPS, 0) : 0;
    this.drawing.draw(from, this.microphone ? from + LIVE_HOPS : hops);
  }

  drawSoon() {
    const now = performance.now();
    if (now - (this.drawn ?? 0) >= DRAW_EVERY) {
      this.drawn = now;
      requestAnimationFrame(() => this.draw());
    }
  }

  /** Whose line is which, under the probabilities over time. */
  nameCourse() {
    const key = element("course-key");
    this.recogniser.labels.forEach((label, i) => {
      const swatch = create("span", { className: "key" });
      swatch.style.background = lineStyle(i).colour;
      key.append(" ", swatch, label);
    });
  }

  tellModel() {
    element("f0-range").textContent = `${SOUND.pitchFloor} to ${SOUND.pitchCeiling} Hz`;
    element("model").textContent = MODEL.about;
    if (MODEL.caution) {
      element("caution").textContent = MODEL.caution;
      element("caution").hidden = false;
    }
  }
}

/** Three digits that count. */
function figure(value) {
  return Math.abs(value) >= 1e5 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

Recogniser.open(MODEL).then(
  (recogniser) => new Page(recogniser),
  (error) => {
    element("status").textContent = `This browser cannot run WebAssembly (${error.message}).`;
    element("status").classList.add("trouble");
  },
);
