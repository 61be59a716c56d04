"use strict";
// Sound of any rate to the recogniser's, block by block: a windowed sinc, one set of weights per phase.
// The page uses it for files, the audio worklet for the microphone.

const ZERO_CROSSINGS = 74; // of the sinc to each side, in samples of the lower rate
const KAISER = 10; // about 100 dB down (Kaiser 1974)
const CUTOFF = 0.9565; // of half the lower rate: all passes up to 0.913, as in soxr's HQ, nothing from 1 on

class Resampler {
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    this.cutoff = CUTOFF * Math.min(1, to / from); // in halves of the input rate
    this.half = Math.ceil((ZERO_CROSSINGS * Math.max(from, to)) / to);
    this.phases = new Map();
    this.kept = new Float32Array(this.half); // silence before the first sample
    this.start = -this.half; // number of kept[0]
    this.made = 0;
    this.taken = 0;
  }

  /** The samples (Float32Array) that the next ones make known. */
  push(samples) {
    if (this.up === this.down) {
      return samples;
    }
    this.taken += samples.length;
    return this.make(samples, Infinity);
  }

  /** The last ones: as many as the sound is long. */
  end() {
    if (this.up === this.down) {
      return new Float32Array(0);
    }
    return this.make(new Float32Array(this.half + 1), Math.round((this.taken * this.up) / this.down));
  }

  make(more, most) {
    const all = new Float32Array(this.kept.length + more.length);
    all.set(this.kept);
    all.set(more, this.kept.length);
    const known = this.start + all.length;
    const result = new Float32Array(Math.ceil((more.length * this.up) / this.down) + 1);
    let count = 0;
    let at = Math.floor((this.made * this.down) / this.up);
    while (at + this.half < known && this.made < most) {
      const weights = this.weights((this.made * this.down) % this.up);
      const first = at - this.half + 1 - this.start;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        sum += weights[i] * all[first + i];
      }
      result[count++] = sum;
      this.made++;
      at = Math.floor((this.made * this.down) / this.up);
    }
    const oldest = Math.max(at - this.half + 1 - this.start, 0);
    this.kept = all.slice(oldest);
    this.start += oldest;
    return result.subarray(0, count);
  }

  /** Weights of the 2 half samples around an output sample that lies phase / up after an input sample. */
  weights(phase) {
    let weights = this.phases.get(phase);
    if (!weights) {
      weights = new Float64Array(2 * this.half);
      let sum = 0;
      for (let i = 0; i < weights.length; i++) {
        const distance = i - this.half + 1 - phase / this.up;
        const x = Math.PI * this.cutoff * distance;
        const inside = Math.max(1 - (distance / this.half) ** 2, 0);
        weights[i] = (x === 0 ? 1 : Math.sin(x) / x) * bessel(KAISER * Math.sqrt(inside));
        sum += weights[i];
      }
      weights = weights.map((weight) => weight / sum);
      this.phases.set(phase, weights);
    }
    return weights;
  }
}

function gcd(a, b) {
  return b === 0 ? a : gcd(b, a % b);
}

/** Modified Bessel function of the first kind, order 0: its power series. */
function bessel(x) {
  let sum = 1;
  for (let k = 1, term = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** Channels (Float32Array each) to one, by their mean. */
function mix(channels) {
  if (channels.length === 1) {
    return channels[0];
  }
  return channels[0].map((_, i) => {
    let sum = 0;
    for (const channel of channels) {
      sum += channel[i];
    }
    return sum / channels.length;
  });
}

/** [-1, 1] to int16, halves to even, as speech_emotion/features/audio.py does it. */
function toInt16(samples) {
  const result = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i] * 32768;
    let whole = Math.round(value);
    if (whole - value === 0.5 && whole % 2 !== 0) {
      whole -= 1;
    }
    result[i] = Math.min(Math.max(whole, -32768), 32767);
  }
  return result;
}
