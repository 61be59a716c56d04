"use strict";
// The traces on their canvases, over the same stretch of time. Colours come from style.css.

const MOST_COLUMNS = 500; // drawn, of more hops every second and so on
const TICKS = [0.2, 0.5, 1, 2, 5, 10, 30, 60]; // seconds
const DECIBELS = 70; // below the loudest band, the darkest colour
// matplotlib's magma (CC0), every 32nd colour
const MAGMA = [
  [0, 0, 4], [24, 15, 61], [68, 15, 118], [114, 31, 129], [158, 47, 127], [205, 64, 113], [241, 96, 93],
  [253, 150, 104], [254, 202, 141], [252, 253, 191],
];
// After Okabe and Ito (2008), of a lightness that shows on white and on black; dashes tell further labels
const HUES = ["#2F86CC", "#DD6A1F", "#149B73", "#C970A6", "#A98518", "#57ACE0", "#8F74CC", "#858585"];
const DASHES = [[], [6, 3], [2, 2]];

class Drawing {
  constructor(traces, recogniser) {
    this.traces = traces;
    this.labels = recogniser.labels;
    this.gateSteps = recogniser.gateSteps;
    this.hasF0 = recogniser.hasF0;
    this.melCanvas = document.createElement("canvas");
  }

  /** Draws hops [from, to). */
  draw(from, to) {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(
      ["accent", "warm", "quiet"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this.from = from;
    this.to = Math.max(to, from + 1);
    this.wave();
    this.mel();
    this.contours();
    this.marks();
    this.course();
  }

  /** A canvas in device pixels, empty; x(hop) on it. */
  open(id) {
    const canvas = document.getElementById(id);
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.lineWidth = 1.5 * ratio;
    const x = (hop) => ((hop - this.from) / (this.to - this.from)) * width;
    return { context, width, height, ratio, x };
  }

  /** The stretches of hops that share a column: [first hop, one past the last], at most `most` of them. */
  *columns(most) {
    const hops = this.to - this.from;
    const count = Math.min(hops, Math.max(Math.floor(most), 1));
    for (let i = 0; i < count; i++) {
      const first = this.from + Math.floor((i * hops) / count);
      yield [first, Math.max(this.from + Math.floor(((i + 1) * hops) / count), first + 1)];
    }
  }

  wave() {
    const { context, width, height, ratio, x } = this.open("wave");
    const [begin, end] = [this.from * WAVE, this.to * WAVE];
    const low = this.traces.low.subarray(begin, end);
    const high = this.traces.high.subarray(begin, end);
    const peak = high.reduce((most, value, i) => Math.max(most, value, -low[i]), 0.02);
    const y = (value) => height / 2 - (value / peak) * (height / 2 - 2);
    const bars = Math.min(low.length, width);
    context.fillStyle = this.colours.accent;
    context.beginPath();
    for (let bar = 0; bar < bars; bar++) {
      let [least, most] = [0, 0];
      const last = Math.floor(((bar + 1) * low.length) / bars);
      for (let i = Math.floor((bar * low.length) / bars); i < last; i++) {
        least = Math.min(least, low[i]);
        most = Math.max(most, high[i]);
      }
      const top = y(most);
      context.rect((bar * width) / bars, top, width / bars, Math.max(y(least) - top, ratio));
    }
    context.fill();
    context.fillStyle = this.colours.quiet;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    const most = width / ratio / 60; // labels that fit
    const perSecond = SOUND.hopsPerSecond;
    const step = TICKS.find((seconds) => (this.to - this.from) / perSecond / seconds <= most) ?? 120;
    for (let tick = Math.ceil(this.from / perSecond / step); tick * step * perSecond < this.to; tick++) {
      const at = x(tick * step * perSecond);
      context.fillRect(at, height - 4 * ratio, ratio, 4 * ratio);
      context.fillText(`${Number((tick * step).toFixed(1))} s`, at + 3 * ratio, height - 2 * ratio);
    }
  }

  mel() {
    const { context, width, height } = this.open("mel");
    const { mel, mels } = this.traces;
    if (mels === 0) {
      this.absent(context, height, "the model uses no spectrum");
      return;
    }
    const columns = [...this.columns(Math.min(width, MOST_COLUMNS))];
    const image = new ImageData(columns.length, mels);
    let top = -40;
    for (let i = this.from * mels; i < this.to * mels; i++) {
      top = Math.max(top, mel[i]);
    }
    columns.forEach(([hop], column) => {
      for (let band = 0; band < mels; band++) {
        const level = (mel[hop * mels + band] - top) / DECIBELS + 1;
        const place = Math.min(Math.max(level, 0), 1) * (MAGMA.length - 1);
        const below = Math.min(Math.floor(place), MAGMA.length - 2);
        const at = ((mels - 1 - band) * columns.length + column) * 4;
        for (let k = 0; k < 3; k++) {
          image.data[at + k] = MAGMA[below][k] + (place - below) * (MAGMA[below + 1][k] - MAGMA[below][k]);
        }
        image.data[at + 3] = 255;
      }
    });
    if (this.melCanvas.width !== columns.length || this.melCanvas.height !== mels) {
      this.melCanvas.width = columns.length;
      this.melCanvas.height = mels;
    }
    this.melCanvas.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.melCanvas, 0, 0, width, height);
  }

  contours() {
    const { context, height, ratio, x } = this.open("contours");
    const { intensity, hertz } = this.traces;
    context.strokeStyle = this.colours.warm;
    context.beginPath();
    let inside = false;
    for (const [hop] of this.columns(MOST_COLUMNS)) {
      const y = height * (1 - (intensity[hop] - 20) / 80);
      if (Number.isNaN(y)) {
        inside = false;
      } else if (inside) {
        context.lineTo(x(hop), y);
      } else {
        context.moveTo(x(hop), y);
        inside = true;
      }
    }
    context.stroke();
    context.fillStyle = this.colours.accent;
    const size = 2.5 * ratio;
    context.beginPath();
    for (const [hop] of this.columns(MOST_COLUMNS)) {
      if (hertz[hop] > 0) {
        context.rect(x(hop), height * (1 - octave(hertz[hop])) - size / 2, size, size);
      }
    }
    context.fill();
    if (!this.hasF0) {
      this.absent(context, height, "the model uses no F0");
      return;
    }
    const ticks = [100, 200, 400].filter((hertz) => octave(hertz) > 0 && octave(hertz) < 1);
    context.fillStyle = this.colours.quiet;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    for (const tick of ticks) {
      context.fillText(`${tick} Hz`, 3 * ratio, height * (1 - octave(tick)) + 4 * ratio);
    }
  }

  marks() {
    const { context, height, x } = this.open("marks");
    const { step, hertz, takes } = this.traces;
    let take = -1;
    let run = { kind: "", from: 0 };
    const endRun = (kind, hop) => {
      if (run.kind) {
        context.fillStyle = this.colours[run.kind];
        context.fillRect(x(run.from), 0, x(hop) - x(run.from), height);
      }
      run = { kind, from: hop };
    };
    for (const [hop] of this.columns(MOST_COLUMNS)) {
      while (take + 1 < takes.length && takes[take + 1].from <= hop) {
        take++;
      }
      const top = take < 0 ? 0 : takes[take].top;
      const speech = step[hop] > 0 && step[hop] + this.gateSteps >= top;
      const kind = hertz[hop] > 0 ? "accent" : speech ? "warm" : "";
      if (kind !== run.kind) {
        endRun(kind, hop);
      }
    }
    endRun("", this.to);
  }

  course() {
    const { context, height, ratio, x } = this.open("course");
    const answers = this.traces.answers.filter(({ hop }) => hop >= this.from && hop <= this.to);
    const y = (probability) => height - 3 * ratio - probability * (height - 6 * ratio);
    this.labels.forEach((_, label) => {
      const style = lineStyle(label);
      context.strokeStyle = context.fillStyle = style.colour;
      context.setLineDash(style.dash.map((length) => length * ratio));
      context.beginPath();
      let before = null;
      for (const { hop, take, probabilities } of answers) {
        const place = [x(hop), y(probabilities[label])];
        if (take === before) {
          context.lineTo(...place);
        } else {
          context.moveTo(...place);
        }
        context.fillRect(place[0] - 1.5 * ratio, place[1] - 1.5 * ratio, 3 * ratio, 3 * ratio);
        before = take;
      }
      context.stroke();
    });
    context.setLineDash([]);
  }

  absent(context, height, text) {
    context.fillStyle = this.colours.quiet;
    context.font = "16px system-ui, sans-serif";
    context.fillText(text, 8, height / 2);
  }
}

/** Where a frequency lies between the lowest F0 (0) and the highest (1). */
function octave(hertz) {
  return Math.log2(hertz / SOUND.pitchFloor) / Math.log2(SOUND.pitchCeiling / SOUND.pitchFloor);
}

/** Colour and dashes of a label's line. */
function lineStyle(label) {
  return { colour: HUES[label % HUES.length], dash: DASHES[Math.floor(label / HUES.length) % DASHES.length] };
}
