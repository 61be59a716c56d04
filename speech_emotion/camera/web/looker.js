// Pictures to faces and probabilities by the C code, as WebAssembly. Each picture is overwritten by the next, and
// forgotten at the end.

const SLICES = ["I420", "I420A", "I422", "I422A", "I444", "I444A", "NV12"]; // whose first plane is the grey values

class Looker {
  static async open(wasm) {
    const bytes = Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes);
    return new Looker(instance.exports);
  }

  constructor(c) {
    this.c = c;
    this.work = 0; // milliseconds that C has taken
    this.looks = 0;
  }

  /** What a <video> shows: {width, height, mean, faces}; faces as `look` has them. Trouble where it cannot be read. */
  async see(video) {
    const grey = (await this.plane(video)) ?? this.painted(video);
    return this.look(grey);
  }

  /** The camera's own grey values, where the browser gives them; else null. */
  async plane(video) {
    if (!globalThis.VideoFrame) {
      return null;
    }
    const frame = new VideoFrame(video);
    try {
      const { width, height } = frame.visibleRect;
      const upright = !frame.rotation && !frame.flip && width === video.videoWidth && height === video.videoHeight;
      if (!SLICES.includes(frame.format) || !upright) {
        return null;
      }
      const room = this.room(frame.allocationSize(), width, height);
      const [{ offset, stride }] = await frame.copyTo(room);
      return { offset, stride, width, height, limited: frame.colorSpace.fullRange !== true };
    } finally {
      frame.close();
    }
  }

  /** The same from a canvas: colours to grey by BT.601. */
  painted(video) {
    const longer = Math.max(video.videoWidth, video.videoHeight);
    const scale = Math.min(1, CAMERA.largest / longer);
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.max(2, Math.round(side * scale)));
    this.canvas ??= create("canvas").getContext("2d", { willReadFrequently: true });
    Object.assign(this.canvas.canvas, { width, height });
    this.canvas.drawImage(video, 0, 0, width, height);
    const { data } = this.canvas.getImageData(0, 0, width, height);
    const room = this.room(width * height, width, height);
    for (let i = 0; i < width * height; i++) {
      room[i] = (19595 * data[4 * i] + 38470 * data[4 * i + 1] + 7471 * data[4 * i + 2] + 32768) >> 16;
    }
    return { offset: 0, stride: width, width, height, limited: false };
  }

  room(bytes, width, height) {
    const address = width * height > CAMERA.mostPixels ? 0 : this.c.room(bytes, height);
    if (!address) {
      throw new Trouble(`The camera's pictures are too large to be looked at: ${width} × ${height}. Choose smaller ones in its settings.`);
    }
    return new Uint8Array(this.c.memory.buffer, address, bytes);
  }

  /** Faces: {x, y, side, trouble, probabilities}, the largest first, in a picture of {width, height}. trouble: "" or
   * why it is not fit to be judged; probabilities: then null. */
  look({ offset, stride, width, height, limited }) {
    const { c } = this;
    const began = performance.now();
    const count = c.look(offset, stride, width, height, Number(limited));
    this.work += performance.now() - began;
    this.looks++;
    const faces = Array.from({ length: count }, (_, i) => {
      const trouble = c.trouble(i) === 0 ? "" : CAMERA.troubles[c.trouble(i) - 1];
      const row = new Float32Array(c.memory.buffer, c.probabilities(i), CAMERA.labels.length);
      return { x: c.x(i), y: c.y(i), side: c.side(i), trouble, probabilities: trouble ? null : Array.from(row) };
    });
    return { width: c.width(), height: c.height(), mean: c.mean(), from: { width, height }, faces };
  }

  forget() {
    this.c.forget();
    if (this.canvas) {
      this.canvas.canvas.width = 0;
    }
  }

  /** Probabilities of the shared labels by one channel or both (null: there is none), and how far they are apart. */
  fuse(voice, face) {
    const { c } = this;
    const count = CAMERA.shared.labels.length;
    const write = (address, row) => row && new Float32Array(c.memory.buffer, address, count).set(row);
    write(c.voice(), voice);
    write(c.face(), face);
    const { voice: a, face: b } = CAMERA.weights;
    const both = c.fuse(count, Number(Boolean(voice)), Number(Boolean(face)), a, b);
    return {
      probabilities: Array.from(new Float32Array(c.memory.buffer, both, count)),
      apart: voice && face ? c.apart(count) : 0,
    };
  }
}

/** One channel's probabilities in the order of the shared labels. places: for each of its labels the shared one's
 * number, -1 where it is left out; null where all are the same already. */
function aligned(probabilities, places) {
  if (!places) {
    return probabilities;
  }
  const shares = new Array(CAMERA.shared.labels.length).fill(0);
  probabilities.forEach((share, i) => {
    if (places[i] >= 0) {
      shares[places[i]] += share;
    }
  });
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => (total > 0 ? share / total : 1 / shares.length));
}
