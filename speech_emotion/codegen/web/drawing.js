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
const [LEFT, RIGHT, BOTTOM] = [52, 44, 18]; // CSS pixels around a plot, for its axes
const [QUIETEST, LOUDEST] = [20, 100]; // dB, of the intensity's axis
const MEL_TICKS = [500, 1000, 2000, 4000, 8000]; // Hz

class Drawing {
  constructor(traces, recogniser) {
    this.traces = traces;
    this.labels = recogniser.labels;
    this.gateSteps = recogniser.gateSteps;
    this.hasF0 = recogniser.hasF0;
    this.melCanvas = document.createElement("canvas");
    this.nameCourse();
  }

  /** Whose line is which, beside the probabilities over time. */
  nameCourse() {
    this.labels.forEach((label, i) => {
      const swatch = create("span", { className: "key" });
      swatch.style.background = lineStyle(this.labels, i).colour;
      element("course-key").append(" ", create("span", { className: "label" }, swatch, label));
    });
  }

  /** How many CSS pixels from a plot's left edge a hop lies. */
  place(hop) {
    const width = document.getElementById("wave").clientWidth - LEFT - RIGHT;
    return LEFT + ((hop - this.from) / (this.to - this.from)) * width;
  }

  /** Draws hops [from, to). */
  draw(from, to) {
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(
      ["accent", "warm", "quiet", "panel"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
    this.from = from;
    this.to = Math.max(to, from + 1);
    this.wave();
    this.mel();
    this.contours();
    this.marks();
    this.course();
  }

  /** A canvas, empty, its origin moved to the plot's corner: width and height of the plot in device pixels, and
   * x(hop) in it. time: whether seconds are written below it. */
  open(id, { time = true } = {}) {
    const canvas = document.getElementById(id);
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [all, tall] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    canvas.width = all; // and empties it
    canvas.height = tall;
    const context = canvas.getContext("2d");
    context.lineWidth = 1.5 * ratio;
    context.font = `${11 * ratio}px system-ui, sans-serif`;
    const width = all - (LEFT + RIGHT) * ratio;
    const height = tall - (time ? BOTTOM * ratio : 0);
    context.translate(LEFT * ratio, 0);
    const x = (hop) => ((hop - this.from) / (this.to - this.from)) * width;
    const plot = { context, width, height, ratio, x };
    context.fillStyle = this.colours.panel;
    context.fillRect(0, 0, width, height);
    if (time) {
      this.seconds(plot);
    }
    return plot;
  }

  /** The axis below. */
  seconds({ context, width, height, ratio, x }) {
    context.fillStyle = this.colours.quiet;
    context.textBaseline = "alphabetic";
    const most = width / ratio / 60; // labels that fit
    const perSecond = SOUND.hopsPerSecond;
    const step = TICKS.find((seconds) => (this.to - this.from) / perSecond / seconds <= most) ?? 120;
    for (let tick = Math.ceil(this.from / perSecond / step); tick * step * perSecond <= this.to; tick++) {
      const at = x(tick * step * perSecond);
      context.fillRect(at, height, ratio, 4 * ratio);
      context.textAlign = "center";
      context.fillText(`${Number((tick * step).toFixed(1))} s`, at, height + 15 * ratio);
    }
  }

  /** Labels of a vertical axis: [share of the height from below, text]; at the left or the right, with a line. */
  axis({ context, width, height, ratio }, ticks, right = false) {
    context.fillStyle = this.colours.quiet;
    context.textBaseline = "middle";
    context.textAlign = right ? "left" : "right";
    for (const [share, text] of ticks) {
      const y = height * (1 - share);
      const inside = Math.min(Math.max(y, 6 * ratio), height - 6 * ratio);
      context.fillText(text, right ? width + 5 * ratio : -5 * ratio, inside);
      context.globalAlpha = 0.25;
      if (!right) {
        context.fillRect(0, y, width, ratio);
      }
      context.globalAlpha = 1;
    }
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
    const plot = this.open("wave");
    const { context, width, height, ratio } = plot;
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
    const share = peak >= 0.1 ? peak.toFixed(1) : peak.toPrecision(1);
    this.axis(plot, [[1, `+${share}`], [0.5, "0"], [0, `−${share}`]]);
  }

  mel() {
    const plot = this.open("mel");
    const { context, width, height } = plot;
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
    // band i has its middle at i + 1 of mels + 1 equal steps in mel, and is drawn at i + 0.5
    const share = (hertz) => ((melOf(hertz) / melOf(SOUND.rate / 2)) * (mels + 1) - 0.5) / mels;
    const name = (hertz) => (hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`);
    this.axis(plot, MEL_TICKS.map((hertz) => [share(hertz), name(hertz)]));
  }

  contours() {
    const plot = this.open("contours");
    const { context, height, ratio, x } = plot;
    const { intensity, hertz } = this.traces;
    context.save();
    context.beginPath();
    context.rect(0, 0, plot.width, height); // what is quieter than the axis ends is not drawn
    context.clip();
    context.strokeStyle = this.colours.warm;
    context.beginPath();
    let inside = false;
    for (const [hop] of this.columns(MOST_COLUMNS)) {
      const y = height * (1 - (intensity[hop] - QUIETEST) / (LOUDEST - QUIETEST));
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
    context.restore();
    const decibels = [40, 60, 80].map((level) => [(level - QUIETEST) / (LOUDEST - QUIETEST), `${level} dB`]);
    this.axis(plot, decibels, true);
    if (!this.hasF0) {
      this.absent(context, height, "the model uses no F0");
      return;
    }
    const ticks = [100, 200, 400].filter((hertz) => octave(hertz) > 0 && octave(hertz) < 1);
    this.axis(plot, ticks.map((hertz) => [octave(hertz), `${hertz} Hz`]));
  }

  marks() {
    const { context, height, x } = this.open("marks", { time: false });
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
    const plot = this.open("course");
    const { context, height, ratio, x } = plot;
    this.axis(plot, [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]]);
    const answers = this.traces.answers.filter(({ hop }) => hop >= this.from && hop <= this.to);
    const y = (probability) => height - 3 * ratio - probability * (height - 6 * ratio);
    this.labels.forEach((_, label) => {
      const style = lineStyle(this.labels, label);
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
    context.textAlign = "left";
    context.fillText(text, 8, height / 2);
  }
}

/** Where a frequency lies between the lowest F0 (0) and the highest (1). */
function octave(hertz) {
  return Math.log2(hertz / SOUND.pitchFloor) / Math.log2(SOUND.pitchCeiling / SOUND.pitchFloor);
}

/** Slaney's mel scale, as librosa's: linear up to 1 kHz, then logarithmic. */
function melOf(hertz) {
  return hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
}
