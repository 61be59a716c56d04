"use strict";
// The chip's C code, as WebAssembly. One hop of samples in, what its stages have just measured out; and, when
// asked, the answer for the sound so far.

const HEARD = { QUIET: 0, BEGIN: 1, SPEECH: 2, END: 3, DISCARD: 4 }; // ser_listen_event

class Recogniser {
  /** model: MODEL, as codegen wrote it. */
  static async open(model) {
    const bytes = Uint8Array.from(atob(model.wasm), (character) => character.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes);
    return new Recogniser(instance.exports, model);
  }

  constructor(c, model) {
    this.c = c;
    this.labels = model.labels;
    this.hop = c.hop();
    this.mels = c.mels(); // 0: the model does without
    this.hasF0 = c.f0_first() >= 0;
    this.gateSteps = c.gate_steps();
    this.features = model.features;
    this.columns = model.columns; // {name, place, mean, sd}
    this.stepsPerSd = model.steps;
    this.knowsVoices = c.voice_columns() > 0;
    this.forgetVoice();
    this.work = 0; // milliseconds that C has taken
    this.heard = 0; // seconds it has heard
    this.reset();
  }

  reset() {
    this.c.reset();
  }

  /** Int16Array, a hop at most. */
  push(samples) {
    const began = performance.now();
    this.samples(this.c.pcm(), samples.length).set(samples);
    this.c.push(samples.length);
    this.work += performance.now() - began;
    this.heard += samples.length / RATE;
  }

  /** Forgets the room that it listens to. */
  listenAnew() {
    this.c.listen_reset();
  }

  /** What a hop (Int16Array) is to the chip's gate: one of HEARD. */
  listen(samples) {
    const began = performance.now();
    this.samples(this.c.pcm(), samples.length).set(samples);
    const event = this.c.listen();
    this.work += performance.now() - began;
    return event;
  }

  /** At HEARD.BEGIN: the hops that belong to the beginning, that one the last. */
  beginning() {
    return Array.from({ length: this.c.listen_kept() }, (_, i) =>
      this.samples(this.c.listen_block(i), this.hop).slice(),
    );
  }

  /** Number (-1: none), level step and mel levels (a view, dB) of the latest spectral frame. */
  frame() {
    const { c } = this;
    return { number: c.frame(), step: c.frame_step(), mel: this.floats(c.mel(), this.mels) };
  }

  /** Number (-1: none) and level (dB) of the latest intensity frame. */
  intensity() {
    return { number: this.c.intensity_frame(), level: this.c.intensity() };
  }

  /** dB below full scale: what the microphone hears just now, and the room's noise. */
  level() {
    return { now: this.c.level(), noise: this.c.floor() };
  }

  /** Samples at full scale in the sentence that the gate is in, or was in last. */
  clipped() {
    return this.c.clipped();
  }

  /** The answer for the sound so far; against the voice that is known, or nobody's. */
  ask(known = false) {
    const { c } = this;
    const began = performance.now();
    const speech = c.ask(Number(known)) === 1;
    this.work += performance.now() - began;
    const probabilities = Array.from(this.floats(c.probabilities(), this.labels.length));
    const label = c.label();
    return {
      speech, label, probabilities,
      confidence: probabilities[label],
      seconds: c.seconds(),
      known: c.known(), // sentences of this voice that it stands on
      features: this.floats(c.features(), this.features).slice(),
    };
  }

  /** F0 of the frames that are kept, as the latest answer has it: first's number and Hz (a view), 0 unvoiced;
   * null where the model does without. */
  f0() {
    return this.hasF0
      ? { hertz: this.floats(this.c.f0(), this.c.f0_frames()), first: this.c.f0_first() }
      : null;
  }

  /** How far each column of the latest answer (`ask`'s) lies from what is usual: in standard deviations of the
   * training clips, beside `columns`. Usual is the training voices' mean, or this voice's where it is known. */
  away(answer) {
    return this.knowsVoices
      ? Array.from(this.samples(this.c.steps(), this.columns.length), (steps) => steps / this.stepsPerSd)
      : this.columns.map(({ place, mean, sd }) => (sd > 0 ? (answer.features[place] - mean) / sd : 0));
  }

  /** The probability that the latest answer's label would have, had some of `columns` been as usual: one for each
   * group of column numbers. */
  without(answer, groups) {
    const { c, columns } = this;
    const [seen, usual] = this.knowsVoices
      ? [this.samples(c.steps(), columns.length), columns.map(() => 0)]
      : [this.floats(c.what_if(), this.features), columns.map(({ mean }) => mean)];
    if (!this.knowsVoices) {
      seen.set(answer.features);
    }
    const kept = seen.slice();
    return groups.map((group) => {
      for (const i of group) {
        seen[this.knowsVoices ? i : columns[i].place] = usual[i];
      }
      const [probability] = this.floats(c.would_be() + 4 * answer.label, 1);
      seen.set(kept);
      return probability;
    });
  }

  // --- whose voice it is -----------------------------------------------------------------------

  forgetVoice() {
    this.c.voice_forget();
  }

  /** {known: sentences that answers stand on, strange: whether somebody else seems to speak}. */
  voice() {
    return { known: this.c.voice_known(), strange: this.c.voice_strange() === 1 };
  }

  /** The profile's bytes, to be kept. */
  voiceBytes() {
    return this.voiceView().slice();
  }

  /** Takes up kept bytes; false, and nobody is known, where they are of another model or damaged. */
  takeVoice(bytes) {
    const view = this.voiceView();
    if (bytes.length === view.length) {
      view.set(bytes);
      if (this.c.voice_belongs() === 1) {
        return true;
      }
    }
    this.forgetVoice();
    return false;
  }

  /** The sound of the latest answer is learnt from. */
  learnVoice() {
    return this.c.voice_learn() === 1;
  }

  /** Whether the sentence that the gate has just ended tells enough of a voice. */
  isClear() {
    return this.c.clear() === 1;
  }

  voiceView() {
    return new Uint8Array(this.c.memory.buffer, this.c.voice(), this.c.voice_bytes());
  }

  samples(address, count) {
    return new Int16Array(this.c.memory.buffer, address, count);
  }

  floats(address, count) {
    return new Float32Array(this.c.memory.buffer, address, count);
  }
}
