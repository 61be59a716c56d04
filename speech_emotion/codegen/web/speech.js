"use strict";
// Whether anybody speaks in a clip: the twin of speech_emotion/features/speech.py, which says why it is so. Sums
// of whole numbers all through, in doubles: the same decisions, to the last bit.

const SPEECH = { ...SOUND.speech, HOP: SOUND.hop };

/** Why nobody speaks in a clip (Int16Array, 16 kHz), in words; "" where somebody does, or may. */
function whyNobodySpeaks(samples) {
  const { HOP, MINIMUM, SHORTEST, TONE, STEADY, VARIES, WANDER, VOICED_SHARE, RUMBLE_SHARE } = SPEECH;
  const [powers, high] = hopPowers(samples);
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  if (loudest === 0) {
    return "digital silence";
  }
  if (loudest <= MINIMUM * HOP ** 2) {
    const level = 10 * Math.log10(loudest / HOP ** 2 / 32768 ** 2);
    return `its loudest 10 ms are at ${level.toFixed(0)} dBFS, and the board's gate opens at -60`;
  }
  const active = activeHops(powers);
  if (active < SHORTEST) {
    return `${(active / 100).toFixed(2)} s of it are loud, and a word takes ${SHORTEST / 100} s`;
  }
  const voice = voicing(samples);
  if (voice.periodic >= TONE) {
    return "a tone or hum, too regular for a voice";
  }
  const spread = levelSpread(powers);
  const steady = spread < STEADY && voice.wander < WANDER;
  const needed = [RUMBLE_SHARE, VOICED_SHARE, 0][(spread >= VARIES) + (levelSpread(high) >= STEADY)];
  if (steady || voice.share < needed) {
    return `a steady sound without a voice, its level within ${(10 * Math.log10(spread)).toFixed(1)} dB`;
  }
  return "";
}

/** HOP^2 times the mean of squares about the mean, of each hop, and of each hop's steps from sample to sample. */
function hopPowers(samples) {
  const { HOP } = SPEECH;
  const hops = Math.floor(samples.length / HOP);
  const [powers, high] = [new Float64Array(hops), new Float64Array(hops)];
  for (let k = 0; k < hops; k++) {
    let [total, squares, stepSquares] = [0, 0, 0];
    let last = samples[Math.max(k * HOP - 1, 0)];
    const before = last;
    for (let i = k * HOP; i < (k + 1) * HOP; i++) {
      const value = samples[i];
      total += value;
      squares += value * value;
      stepSquares += (value - last) * (value - last);
      last = value;
    }
    powers[k] = HOP * squares - total * total;
    high[k] = HOP * stepSquares - (last - before) * (last - before);
  }
  return [powers, high];
}

/** Hops that are loud enough for the gate, CONFIRM in a row or more. */
function activeHops(powers) {
  let [active, run] = [0, 0];
  for (let k = 0; k <= powers.length; k++) {
    if (k < powers.length && powers[k] > SPEECH.MINIMUM * SPEECH.HOP ** 2) {
      run++;
    } else {
      active += run >= SPEECH.CONFIRM ? run : 0;
      run = 0;
    }
  }
  return active;
}

/** The ratio of the two levels below which LOUD and QUIET of the clip are; each level at least 1. */
function levelSpread(powers) {
  const { SMOOTH, LOUD, QUIET } = SPEECH;
  const smooth = new Float64Array(Math.max(powers.length - SMOOTH + 1, 1));
  for (let k = 0; k < smooth.length; k++) {
    for (const power of powers.subarray(k, k + SMOOTH)) {
      smooth[k] += power;
    }
  }
  smooth.sort();
  const last = smooth.length - 1;
  return Math.max(smooth[Math.trunc(LOUD * last)], 1) / Math.max(smooth[Math.trunc(QUIET * last)], 1);
}

/** Of the loud frames: the share that is voiced, the periodicity of the median one, how far the periods wander. */
function voicing(samples) {
  const { STEP, LOUD_FRAMES, MOST_FRAMES, VOICED, WANDER_SHARE } = SPEECH;
  const low = decimated(samples);
  const energies = frameEnergies(low);
  if (energies.length === 0) {
    return { share: 0, periodic: 0, wander: 0 };
  }
  const least = LOUD_FRAMES * energies.reduce((most, energy) => Math.max(most, energy), 0);
  const loud = [...energies.keys()].filter((frame) => energies[frame] >= least);
  const count = Math.min(loud.length, MOST_FRAMES);
  const found = Array.from({ length: count }, (_, i) =>
    periodicity(low, loud[Math.floor((i * loud.length) / count)] * STEP),
  );
  const peaks = Float64Array.from(found, ([peak]) => peak).sort();
  const voiced = found.filter(([peak]) => peak >= VOICED);
  const periods = Float64Array.from(voiced, ([, period]) => period).sort();
  let wander = 0;
  if (periods.length >= WANDER_SHARE * count) {
    const [first, middle, third] = [1, 2, 3].map((k) => periods[Math.floor((periods.length * k) / 4)]);
    wander = (third - first) / middle;
  }
  return { share: voiced.length / count, periodic: peaks[Math.floor(count / 2)], wander };
}

function decimated(samples) {
  const { DECIMATE } = SPEECH;
  return Float64Array.from({ length: Math.floor(samples.length / DECIMATE) }, (_, i) => {
    let total = 0;
    for (let k = i * DECIMATE; k < (i + 1) * DECIMATE; k++) {
      total += samples[k];
    }
    return total;
  });
}

function frameEnergies(low) {
  const { WINDOW, STEP, LAGS } = SPEECH;
  const length = Math.max(0, Math.floor((low.length - WINDOW - LAGS[1] - 1) / STEP) + 1);
  return Float64Array.from({ length }, (_, k) => {
    let [total, squares] = [0, 0];
    for (let i = k * STEP; i < k * STEP + WINDOW; i++) {
      total += low[i];
      squares += low[i] * low[i];
    }
    return WINDOW * squares - total * total;
  });
}

/** The highest peak of a frame's normalised autocorrelation, and its period; [0, 0] where there is none. */
function periodicity(low, start) {
  const { WINDOW, LAGS, OCTAVE } = SPEECH;
  let [total, squares] = [0, 0];
  for (let i = start; i < start + WINDOW; i++) {
    total += low[i];
    squares += low[i] * low[i];
  }
  const energy = WINDOW * squares - total * total;
  const atLag = new Float64Array(LAGS[1] + 2);
  let [shifted, shiftedSquares] = [total, squares];
  for (let lag = 1; lag <= LAGS[1] + 1; lag++) {
    const [old, next] = [low[start + lag - 1], low[start + lag + WINDOW - 1]];
    shifted += next - old;
    shiftedSquares += next * next - old * old;
    if (lag >= LAGS[0] - 1) {
      let product = 0;
      for (let i = start; i < start + WINDOW; i++) {
        product += low[i] * low[i + lag];
      }
      product = WINDOW * product - total * shifted;
      const scale = Math.sqrt(energy * (WINDOW * shiftedSquares - shifted * shifted));
      atLag[lag] = scale > 0 ? product / scale : 0;
    }
  }
  const isPeak = (lag) => atLag[lag] >= atLag[lag - 1] && atLag[lag] >= atLag[lag + 1];
  let best = 0;
  for (let lag = LAGS[0]; lag <= LAGS[1]; lag++) {
    best = atLag[lag] > best && isPeak(lag) ? atLag[lag] : best;
  }
  for (let lag = LAGS[0]; lag <= LAGS[1]; lag++) {
    const [before, value, after] = [atLag[lag - 1], atLag[lag], atLag[lag + 1]];
    if (value > 0 && value >= OCTAVE * best && isPeak(lag)) {
      const bend = before - 2 * value + after;
      return [best, lag + (bend < 0 ? (0.5 * (before - after)) / bend : 0)];
    }
  }
  return [best, 0];
}
