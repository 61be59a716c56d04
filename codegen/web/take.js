"use strict";
// A take: one sound, from its first sample to the answer, with the traces that are drawn. And where the
// sentences lie in a sound that does not end.

const ASK_HOPS = 25; // how often a sound that goes on is judged
const KEEP_HOPS = 60000; // of traces: as long as the longest clip
const WAVE = 4; // extremes of the waveform that are drawn per hop
const FRAME_AT = 1; // hops from a spectral frame's number to the hop its centre lies in: (160 j + 256) / 160
const INTENSITY_AT = 4; // (160 k + 760) / 160
const PITCH_AT = 2; // (160 k + 360) / 160

/** What is drawn, hop by hop. */
class Traces {
  constructor(mels) {
    this.mels = mels;
    this.low = new Float32Array(KEEP_HOPS * WAVE); // of each part of a hop, the least sample
    this.high = new Float32Array(KEEP_HOPS * WAVE); // and the greatest
    this.mel = new Float32Array(KEEP_HOPS * mels);
    this.step = new Uint8Array(KEEP_HOPS); // level of the frame
    this.intensity = new Float32Array(KEEP_HOPS); // dB
    this.hertz = new Float32Array(KEEP_HOPS); // F0; 0 unvoiced, NaN not known
    this.clear();
  }

  clear() {
    this.hops = 0;
    this.takes = []; // {from: hop, top: the loudest frame's step}
    this.answers = []; // {hop, take, probabilities}
    this.blank(0, KEEP_HOPS);
  }

  blank(from, to) {
    this.low.fill(0, from * WAVE, to * WAVE);
    this.high.fill(0, from * WAVE, to * WAVE);
    this.mel.fill(-200, from * this.mels, to * this.mels);
    this.step.fill(0, from, to);
    this.intensity.fill(NaN, from, to);
    this.hertz.fill(NaN, from, to);
  }

  /** Room for another hop: where there is none, the older half goes. Returns how many went. */
  makeRoom() {
    if (this.hops < KEEP_HOPS) {
      return 0;
    }
    const gone = KEEP_HOPS / 2;
    for (const [each, width] of [
      [this.low, WAVE], [this.high, WAVE], [this.mel, this.mels], [this.step, 1], [this.intensity, 1], [this.hertz, 1],
    ]) {
      each.copyWithin(0, gone * width);
    }
    this.hops -= gone;
    this.blank(this.hops, KEEP_HOPS);
    for (const each of this.takes) {
      each.from -= gone;
    }
    for (const each of this.answers) {
      each.hop -= gone;
    }
    this.answers = this.answers.filter((each) => each.hop >= 0);
    return gone;
  }
}

class Take {
  /** Starts one at hop `from` of the traces. */
  constructor(recogniser, traces, from) {
    this.recogniser = recogniser;
    this.traces = traces;
    this.mark = { from, top: 0 };
    this.hops = 0;
    traces.takes = traces.takes.filter((each) => each.from < from).concat(this.mark);
    recogniser.reset();
  }

  /** The next hop: Int16Array, shorter only at the end. */
  push(samples) {
    const { recogniser, traces } = this;
    recogniser.push(samples);
    const from = this.mark.from;
    const hop = from + this.hops++;
    traces.hops = Math.max(traces.hops, hop + 1);
    traces.low.fill(0, hop * WAVE, (hop + 1) * WAVE);
    traces.high.fill(0, hop * WAVE, (hop + 1) * WAVE);
    samples.forEach((sample, i) => {
      const part = hop * WAVE + Math.floor((i * WAVE) / recogniser.hop);
      traces.low[part] = Math.min(traces.low[part], sample / 32768);
      traces.high[part] = Math.max(traces.high[part], sample / 32768);
    });
    const frame = recogniser.frame();
    if (frame.number >= 0) {
      const at = from + frame.number + FRAME_AT;
      traces.step[at] = frame.step;
      traces.mel.set(frame.mel, at * traces.mels);
      this.mark.top = Math.max(this.mark.top, frame.step);
    }
    const intensity = recogniser.intensity();
    if (intensity.number >= 0) {
      traces.intensity[from + intensity.number + INTENSITY_AT] = intensity.level;
    }
  }

  /** The answer so far; F0 as it stands goes into the traces. */
  ask() {
    const answer = this.recogniser.ask();
    const f0 = this.recogniser.f0();
    if (f0) {
      this.traces.hertz.set(f0.hertz, this.mark.from + f0.first + PITCH_AT);
    }
    return answer;
  }

  /** Keeps an answer for the drawing of probabilities over time. */
  keep(answer) {
    if (answer.speech) {
      const { mark, hops } = this;
      this.traces.answers.push({ hop: mark.from + hops, take: mark, probabilities: answer.probabilities });
    }
  }
}

/** Cuts an endless sound into sentences: each a take of its own, from a little before its first loud hop to
 * the pause after it. What is between them is heard, too, and drawn, but not judged. */
class Sentences {
  static BEFORE = 30; // hops of sound that a sentence gets from before its beginning
  static START = 5; // loud hops among the latest 8 that begin one
  static SHORT_PAUSE = 30; // hops: the answer is given
  static PAUSE = 70; // hops: the sentence is over
  static LEAST = 20; // loud hops in a sentence
  static LONGEST = 1000; // hops
  static ABOVE = 10; // dB above the quietest second of the latest few
  static QUIET = -60; // dB of full scale, below which nothing is loud

  /** onAnswer(answer, final): answers while a sentence goes on, and the one that stays. */
  constructor(recogniser, traces, onAnswer) {
    this.recogniser = recogniser;
    this.traces = traces;
    this.onAnswer = onAnswer;
    this.latest = []; // samples of the latest hops
    this.loud = []; // of the latest 8 hops: 1 or 0
    this.floors = []; // quietest smoothed level of each of the latest seconds
    this.level = -100;
    this.count = 0;
    this.idle();
  }

  get speaking() {
    return this.loudHops > 0;
  }

  idle() {
    this.take = new Take(this.recogniser, this.traces, this.traces.hops);
    this.take.mark.top = 255; // louder than any frame: nothing in it is marked as speech
    this.loudHops = 0;
    this.pause = 0;
    this.answer = null;
  }

  push(samples) {
    this.traces.makeRoom();
    const loud = this.isLoud(samples);
    this.latest.push(samples.slice());
    this.loud.push(loud);
    if (this.latest.length > Sentences.BEFORE) {
      this.latest.shift();
    }
    if (this.loud.length > 8) {
      this.loud.shift();
    }
    if (!this.speaking && this.loud.reduce((a, b) => a + b, 0) >= Sentences.START) {
      this.begin();
      return;
    }
    this.take.push(samples);
    if (this.speaking) {
      this.goOn(loud);
    } else if (this.take.hops % ASK_HOPS === 0) {
      this.take.ask(); // F0 is drawn between sentences, too
    }
  }

  begin() {
    this.take = new Take(
      this.recogniser, this.traces, Math.max(this.traces.hops + 1 - this.latest.length, 0),
    );
    for (const samples of this.latest) {
      this.take.push(samples);
    }
    this.loudHops = Sentences.START;
    this.pause = 0;
    this.answer = null;
  }

  goOn(loud) {
    this.loudHops += loud;
    this.pause = loud ? 0 : this.pause + 1;
    const enough = this.loudHops >= Sentences.LEAST;
    const over = this.pause >= Sentences.PAUSE || this.take.hops >= Sentences.LONGEST;
    // what is said of a sentence is said of it with a short pause at its end, as clips have one
    if (this.pause === Sentences.SHORT_PAUSE || (this.pause === 0 && (over || this.take.hops % ASK_HOPS === 0))) {
      this.answer = this.take.ask();
      if (enough && this.answer.speech) {
        this.take.keep(this.answer);
        this.onAnswer(this.answer, false);
      }
    }
    if (over) {
      if (enough && this.answer?.speech) {
        this.onAnswer(this.answer, true);
      }
      this.idle();
    }
  }

  /** 1 where a hop is well above the quietest of late. */
  isLoud(samples) {
    let sum = 1e-3;
    for (const sample of samples) {
      sum += sample * sample;
    }
    const level = 10 * Math.log10(sum / samples.length / 32768 ** 2);
    this.level += 0.3 * (level - this.level);
    if (this.count++ % 100 === 0) {
      this.floors.push(Infinity);
      if (this.floors.length > 8) {
        this.floors.shift();
      }
    }
    const last = this.floors.length - 1;
    this.floors[last] = Math.min(this.floors[last], this.level);
    const floor = Math.max(Math.min(...this.floors), Sentences.QUIET - Sentences.ABOVE);
    return level > floor + Sentences.ABOVE ? 1 : 0;
  }
}
