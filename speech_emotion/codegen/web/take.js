"use strict";
// A take: one sound, from its first sample to the answer, with the traces that are drawn. And the sentences in a
// sound that does not end.

const ASK_HOPS = 25; // how often a sound that goes on is judged
const KEEP_HOPS = 60000; // of traces: as long as the longest clip
const WAVE = 4; // extremes of the waveform that are drawn per hop
// from a frame's number to the hop its centre lies in
const { frameAt: FRAME_AT, intensityAt: INTENSITY_AT, pitchAt: PITCH_AT } = SOUND;

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

  /** Room for another hop: where there is none, the older half goes. */
  makeRoom() {
    if (this.hops < KEEP_HOPS) {
      return;
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

  /** The answer so far, against the voice that is known or nobody's; F0 as it stands goes into the traces. */
  ask(known = false) {
    const answer = this.recogniser.ask(known);
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

/** The chip's own gate (ser_listen) on a sound that does not end: cuts sentences out of it. */
class Cut {
  constructor(recogniser) {
    this.recogniser = recogniser;
    this.quiet = 0; // hops since somebody spoke
    this.hops = []; // of the sentence so far
    recogniser.listenAnew();
  }

  /** The next hop (Int16Array): one of HEARD. At BEGIN, SPEECH and END `hops` are the sentence's so far. */
  push(samples) {
    const event = this.recogniser.listen(samples);
    this.quiet = event === HEARD.QUIET ? this.quiet + 1 : 0;
    if (event === HEARD.BEGIN) {
      this.hops = this.recogniser.beginning();
    } else if (event === HEARD.SPEECH || event === HEARD.END) {
      this.hops.push(samples.slice());
    } else {
      this.hops = [];
    }
    return event;
  }

  /** The sentence's samples, one Int16Array. */
  sentence() {
    return joined(this.hops);
  }
}

/** Int16Arrays, one after the other. */
function joined(parts) {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Sentences in a sound that does not end: each is a take. What is between them is heard, too, and drawn, but not
 * judged. Answers are given against the voice that is known. */
class Sentences {
  /** onAnswer(answer, samples): the one that stays, and its sentence. onSoFar(answer): while it goes on. onBegin();
   * onNothing(): what began was no sentence. */
  constructor(recogniser, traces, { onAnswer, onSoFar, onBegin, onNothing }) {
    Object.assign(this, { recogniser, traces, onAnswer, onSoFar, onBegin, onNothing });
    this.cut = new Cut(recogniser);
    this.idle();
  }

  /** Hops since somebody spoke. */
  get quiet() {
    return this.cut.quiet;
  }

  idle() {
    this.take = new Take(this.recogniser, this.traces, this.traces.hops);
    this.take.mark.top = 255; // louder than any frame: nothing in it is marked as speech
  }

  /** The next hop: Int16Array. */
  push(samples) {
    this.traces.makeRoom();
    const event = this.cut.push(samples);
    if (event === HEARD.BEGIN) {
      const from = Math.max(this.traces.hops + 1 - this.cut.hops.length, 0);
      this.take = new Take(this.recogniser, this.traces, from);
      this.cut.hops.forEach((each) => this.take.push(each));
      this.onBegin?.();
      return;
    }
    this.take.push(samples);
    if (event === HEARD.END) {
      this.judge(true);
    } else if (event === HEARD.DISCARD) {
      this.onNothing?.();
    } else if (this.take.hops % ASK_HOPS === 0) {
      if (event === HEARD.SPEECH) {
        this.judge(false);
      } else {
        this.take.ask(); // F0 is drawn between sentences, too
      }
    }
    if (event === HEARD.END || event === HEARD.DISCARD) {
      this.idle();
    }
  }

  judge(final) {
    const answer = this.take.ask(true);
    if (answer.speech) {
      this.take.keep(answer);
      if (final) {
        this.onAnswer?.(answer, this.cut.sentence());
      } else {
        this.onSoFar?.(answer);
      }
    } else if (final) {
      this.onNothing?.();
    }
  }
}
