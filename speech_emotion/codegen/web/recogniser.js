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

  /** The answer for the sound so far. */
  ask() {
    const { c } = this;
    const began = performance.now();
    const speech = c.ask() === 1;
    this.work += performance.now() - began;
    const probabilities = Array.from(this.floats(c.probabilities(), this.labels.length));
    const label = c.label();
    return {
      speech, label, probabilities,
      confidence: probabilities[label],
      seconds: c.seconds(),
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

  /** The probability of a label, had each of some features been average: an array beside `columns`. */
  without(answer, columns) {
    const what_if = this.floats(this.c.what_if(), this.features);
    what_if.set(answer.features);
    return columns.map(({ place, mean }) => {
      what_if[place] = mean;
      const [probability] = this.floats(this.c.would_be() + 4 * answer.label, 1);
      what_if[place] = answer.features[place];
      return probability;
    });
  }

  samples(address, count) {
    return new Int16Array(this.c.memory.buffer, address, count);
  }

  floats(address, count) {
    return new Float32Array(this.c.memory.buffer, address, count);
  }
}
