"use strict";
// The page: what the buttons do, what is said, and what is drawn when.

const LIVE_HOPS = 800; // drawn while the microphone is on
const DRAW_EVERY = 200; // ms
const SLICE = 12; // ms of work between two chances for the page to answer the person
const MOST_ANSWERS = 200; // over one clip
const MOST_ROWS = 50; // of clips and sentences

class Page {
  constructor(recogniser) {
    this.recogniser = recogniser;
    this.traces = new Traces(recogniser.mels);
    this.drawing = new Drawing(this.traces, recogniser);
    this.answer = new AnswerPanel(recogniser.labels);
    this.reasons = new Reasons(recogniser);
    this.player = new Player();
    this.waiting = Promise.resolve(); // files are heard one after the other
    this.sentences = 0;
    this.tellModel();
    this.say("Ready.");
    this.voice = new Voice(recogniser, (text) => this.say(text));
    this.ear = new Ear(recogniser, {
      button: element("microphone"),
      name: "microphone",
      listening: "Listening. Say a sentence, then pause.",
      say: (text, trouble) => this.say(text, trouble),
      start: () => this.listen(),
      stop: () => this.stopListening(),
    });
    this.ear.ready = () => this.waiting;
    this.offerExamples();
    this.connect();
    this.recorder = new Recorder(recogniser, this.player);
    addEventListener("hashchange", () => this.turn());
    this.turn();
  }

  // --- buttons, files, size, colours ---------------------------------------------------------

  connect() {
    const files = element("files");
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
    element("microphone").disabled = files.disabled = false;
  }

  say(text, trouble = false) {
    const status = element("status");
    status.textContent = text;
    status.classList.toggle("trouble", trouble);
  }

  /** Shows the view that the address names; the other's microphone goes off. */
  turn() {
    const records = location.hash === "#record";
    (records ? this.ear : this.recorder.ear).leave();
    this.player.stop();
    for (const [view, shown] of [["try", !records], ["record", records]]) {
      element(view).hidden = !shown;
      if (shown) {
        element(`to-${view}`).setAttribute("aria-current", "page");
      } else {
        element(`to-${view}`).removeAttribute("aria-current");
      }
    }
    this.draw();
  }

  /** A made-up voice per button: it is played, and heard as any clip is. */
  offerExamples() {
    for (const { emotion, who, words, mp3 } of VOICES) {
      const button = create("button", { type: "button", className: "example" });
      const swatch = create("span", { className: "key" });
      swatch.style.background = MODEL.colours[emotion] ?? "var(--line)";
      button.append(swatch, emotion);
      button.title = `A made-up ${who} says, meant to sound ${emotion}: ${words}`;
      button.addEventListener("click", async () => {
        const bytes = Uint8Array.from(atob(mp3), (character) => character.charCodeAt(0));
        const file = new File([bytes], `made-up ${who}, meant to sound ${emotion}`, { type: "audio/mpeg" });
        const heard = await this.hearFiles([file]);
        heard?.play();
      });
      element("examples").append(button);
    }
  }

  // --- clips ---------------------------------------------------------------------------------

  /** Returns a promise: how to play the last of them; undefined where it could not be heard. */
  hearFiles(files) {
    if (files.length === 0) {
      return undefined;
    }
    if (location.hash === "#record") {
      location.hash = "#try";
    }
    this.ear.leave();
    this.player.stop();
    for (const file of files) {
      this.waiting = this.waiting.then(() => this.hearFile(file));
    }
    return this.waiting;
  }

  async hearFile(file) {
    this.say(`Listening to ${file.name} …`);
    this.traces.clear(); // whatever becomes of it, the sound before it is over
    let play;
    try {
      const { samples, remarks } = await readFile(file);
      const known = this.voice.ofClips;
      const answer = await this.hearClip(samples, known);
      const silence = whyNobodySpeaks(samples);
      if (silence || !answer.speech) {
        throw new Trouble(`holds no speech: ${silence}.`);
      }
      this.show(answer, file.name, remarks);
      if (known) {
        this.voice.learn();
      }
      const playhead = (seconds) => this.showPlayhead(samples, seconds);
      this.drawnClip = samples;
      const button = this.player.button(samples, file.name, playhead);
      this.addRow(file.name, answer, button);
      play = { play: () => button.click() };
    } catch (error) {
      const reason = error instanceof Trouble ? error.message : `could not be read (${error.message}).`;
      this.addRow(file.name, null, reason);
      this.answer.none(`${file.name} ${reason}`);
      this.reasons.hide();
      this.say(`${file.name} ${reason}`, true);
    }
    this.draw();
    return play;
  }

  /** The answer to a whole clip: Int16Array. known: whether it is the voice that is known. */
  async hearClip(samples, known) {
    const { hop } = this.recogniser;
    const hops = Math.ceil(samples.length / hop);
    const every = Math.max(ASK_HOPS, Math.ceil(hops / MOST_ANSWERS));
    this.traces.clear();
    this.drawnClip = null;
    const take = new Take(this.recogniser, this.traces, 0);
    let began = performance.now();
    for (let i = 0; i < hops; i++) {
      take.push(samples.subarray(i * hop, (i + 1) * hop));
      if (i % every === every - 1) {
        take.keep(take.ask(known));
      }
      if (performance.now() - began > SLICE) {
        await breathe();
        began = performance.now();
      }
    }
    const answer = take.ask(known);
    take.keep(answer);
    return answer;
  }

  // --- microphone ----------------------------------------------------------------------------

  /** Returns what takes the microphone's hops. */
  listen() {
    this.player.stop();
    this.traces.clear();
    this.drawnClip = null;
    this.answer.again();
    this.answer.listen();
    element("level").hidden = false;
    this.showAnswer();
    const sentences = new Sentences(this.recogniser, this.traces, {
      onBegin: () => {
        this.answer.hear();
        this.tell("begin");
      },
      onSoFar: (answer) => {
        this.answer.provisional(answer);
        this.tell("so far", { answer, seconds: answer.seconds });
      },
      onNothing: () => {
        this.answer.again();
        this.tell("nothing");
      },
      onAnswer: (answer, samples) => this.hearSentence(answer, samples),
    });
    let told = false; // what arrives instead of a sentence
    return (hop) => {
      sentences.push(hop);
      this.ear.deaf = this.player.playing;
      if (sentences.quiet === 0) {
        told = true; // somebody speaks: nothing that contradicts it is said from now on
      } else if (sentences.quiet >= SILENT_HOPS && !told) {
        told = true;
        this.say(whatArrives(this.recogniser.level()));
      }
      this.drawSoon();
    };
  }

  stopListening() {
    element("level").hidden = true;
    if (this.answer.last) {
      this.answer.again();
    } else {
      this.answer.idle();
    }
  }

  hearSentence(answer, samples) {
    const name = `Sentence ${++this.sentences}`;
    const clear = this.recogniser.isClear();
    this.show(answer, name);
    this.tell("sentence", { name, answer, seconds: samples.length / RATE });
    if (clear) {
      this.voice.learn();
    }
    const button = this.player.button(samples, name, () => (this.ear.deaf = this.player.playing));
    this.addRow(name, answer, button);
  }

  /** Other parts of the page may want to know what the microphone heard: "begin", "so far", "sentence", "nothing". */
  tell(type, facts = {}) {
    element("answer").dispatchEvent(new CustomEvent("heard", { detail: { type, ...facts } }));
  }

  // --- the answer ----------------------------------------------------------------------------

  /** The recogniser's latest answer, which stays. name: of the sound; announced, with the remarks on it. */
  show(answer, name, remarks = []) {
    const { verdict, detail } = this.answer.brief(answer);
    this.answer.final(answer);
    this.reasons.explain(answer);
    this.showAnswer();
    this.say([`${name}: ${verdict}, ${detail}`, ...remarks].join("; "));
    this.describe(name, answer);
    element("cost").textContent = this.cost();
  }

  /** On a phone the answer may be below what is in sight. */
  showAnswer() {
    element("answer").scrollIntoView({ block: "nearest" });
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

  cost() {
    const { work, heard } = this.recogniser;
    const each = work / heard;
    return `${each.toFixed(1)} ms per second of sound, ${(each / 10).toFixed(2)} % of one core`;
  }

  /** A line in the list of what was heard. more: a button that plays it; without an answer, the reason. */
  addRow(name, answer, more) {
    const row = create("li");
    if (answer) {
      const { verdict, detail } = this.answer.brief(answer);
      const swatch = create("span", { className: "key" });
      const uncertain = answer.confidence < MODEL.threshold;
      swatch.style.background = uncertain ? "none" : lineStyle(this.recogniser.labels, answer.label).colour;
      row.append(
        more,
        create("span", { className: "what", textContent: name }),
        create("span", {}, swatch, create("strong", { textContent: verdict }), ` ${detail}`),
        create("span", { className: "seconds", textContent: `${answer.seconds.toFixed(2)} s` }),
      );
      row.dataset.label = this.recogniser.labels[answer.label];
      row.dataset.probabilities = JSON.stringify(answer.probabilities);
      row.dataset.known = answer.known;
    } else {
      row.className = "failed";
      row.append(create("span", { className: "what", textContent: name }), create("span", { textContent: more }));
    }
    const rows = element("clips");
    rows.prepend(row);
    while (rows.children.length > MOST_ROWS) {
      rows.lastElementChild.remove();
    }
    element("clips-section").hidden = false;
  }

  // --- drawing -------------------------------------------------------------------------------

  draw() {
    const { hops } = this.traces;
    element("plots-section").hidden = hops === 0 && !this.ear?.microphone;
    if (element("plots-section").hidden) {
      return;
    }
    const live = Boolean(this.ear?.microphone);
    const from = live ? Math.max(hops - LIVE_HOPS, 0) : 0;
    this.drawing.draw(from, live ? from + LIVE_HOPS : hops);
  }

  drawSoon() {
    const now = performance.now();
    if (now - (this.drawn ?? 0) >= DRAW_EVERY) {
      this.drawn = now;
      requestAnimationFrame(() => {
        element("meter").style.width = `${100 * meterShare(this.recogniser.level().now)}%`;
        this.draw();
      });
    }
  }

  /** Where in the clip that is drawn the player is; null: nowhere. */
  showPlayhead(samples, seconds) {
    const head = element("playhead");
    head.hidden = seconds === null || this.drawnClip !== samples;
    if (!head.hidden) {
      head.style.left = `${this.drawing.place(seconds * SOUND.hopsPerSecond)}px`;
    }
  }

  tellModel() {
    element("model").textContent = MODEL.about;
    if (MODEL.caution) {
      element("caution").textContent = MODEL.caution;
      element("caution").hidden = false;
    }
  }
}

Recogniser.open(MODEL).then(
  (recogniser) => {
    globalThis.page = new Page(recogniser);
    tellOffline();
  },
  (error) => {
    element("status").textContent = `This browser cannot run WebAssembly (${error.message}).`;
    element("status").classList.add("trouble");
  },
);
