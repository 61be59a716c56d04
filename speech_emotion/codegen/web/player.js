"use strict";
// Sounds that were heard, heard again; and sounds as WAV files.

/** A WAV file, mono, 16 bits, of samples (Int16Array) at RATE. */
function wavFile(samples) {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const put = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  put(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // whole numbers
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, sample, true));
  return bytes;
}

/** Plays one sound at a time. */
class Player {
  constructor() {
    this.audio = null;
  }

  get playing() {
    return this.audio !== null;
  }

  /** onTime gets the seconds that have sounded, again and again; onEnd is called when it is over or stopped. */
  play(samples, { onTime = () => {}, onEnd = () => {} } = {}) {
    this.stop();
    const address = URL.createObjectURL(new Blob([wavFile(samples)], { type: "audio/wav" }));
    const audio = new Audio(address);
    this.audio = audio;
    this.end = () => {
      this.audio = null;
      this.end = null;
      audio.pause();
      URL.revokeObjectURL(address);
      onEnd();
    };
    const tick = () => {
      if (this.audio === audio) {
        onTime(audio.currentTime);
        requestAnimationFrame(tick);
      }
    };
    audio.onended = () => this.audio === audio && this.end();
    audio.onerror = audio.onended;
    audio.play().then(tick, audio.onended);
  }

  stop() {
    this.end?.();
  }

  /** A button that plays samples, and stops them. name: what they are. */
  button(samples, name, onTime) {
    const made = create("button", { type: "button", className: "play" });
    const show = (playing) => {
      made.textContent = playing ? "■" : "▶";
      made.setAttribute("aria-label", `${playing ? "Stop" : "Play"} ${name}`);
    };
    show(false);
    made.addEventListener("click", () => {
      const mine = made.textContent === "■";
      this.stop();
      if (!mine) {
        this.play(samples, { onTime, onEnd: () => (show(false), onTime?.(null)) });
        show(true);
      }
    });
    return made;
  }
}
