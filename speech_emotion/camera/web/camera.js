// The camera: its pictures come in, states, boxes, bars and the answer of both channels go out.

const DEAD_PICTURES_MS = 4000; // without a new picture: it says so
const DARK = 30; // mean grey value, 0 to 255: below it nobody could be seen
const NOW = 2; // seconds that the face's bars are of
const GOES_ON = "the voice goes on without it";

class Camera {
  /** say(text, trouble). onOff(): it went off by itself. */
  static async open(say, onOff) {
    return new Camera(await Looker.open(CAMERA.wasm), say, onOff);
  }

  constructor(looker, say, onOff) {
    Object.assign(this, { looker, say, onOff });
    this.video = element("camera-video");
    this.stream = null;
    this.bars = Object.fromEntries(["voice", "face", "both"].map((channel) => [channel, new Bars(channel)]));
    element("answer").addEventListener("heard", ({ detail }) => this.hear(detail));
  }

  get on() {
    return this.stream !== null;
  }

  /** wanted(): whether it still is. Trouble, in words for the person, where there is no camera. */
  async start(wanted) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Trouble("This browser gives no camera to this page. Open it over https or from localhost, in a current browser.");
    }
    let stream;
    try {
      stream = await openCamera();
    } catch (error) {
      throw new Trouble(noCamera(error));
    }
    if (!wanted()) {
      stream.getTracks().forEach((track) => track.stop()); // something else was asked for meanwhile
      return;
    }
    this.stream = stream;
    this.watcher = new Watcher();
    this.began = this.fresh = performance.now();
    this.sentence = null;
    this.frames = null; // how many had come at the last look
    this.muted = false;
    const [track] = stream.getVideoTracks();
    track.onended = () => this.lose("The camera was lost: unplugged, or taken by another program. Press Start camera when it is back");
    track.onmute = () => (this.muted = true);
    track.onunmute = () => {
      this.muted = false;
      this.fresh = performance.now();
    };
    this.video.srcObject = stream;
    element("camera-live").hidden = false;
    this.showVoice(null);
    this.showBoth(null, null, "");
    this.say("Looking …");
    this.video.play().catch(() => {}); // refused where the page went away meanwhile
    this.timer = setInterval(() => this.tick(), 1000 / CAMERA.rate);
  }

  /** Goes off by itself: why is said. */
  lose(why) {
    if (this.on) {
      this.stop();
      this.onOff();
      this.say(`${why}; ${GOES_ON}.`, true);
    }
  }

  stop() {
    clearInterval(this.timer);
    this.stream?.getTracks().forEach((track) => {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    });
    this.stream = null;
    this.video.srcObject = null;
    this.looker.forget();
    this.watcher = null; // and all that it had seen
    this.drawBoxes(null, []);
    element("camera-live").hidden = true;
  }

  get now() {
    return (performance.now() - this.began) / 1000;
  }

  // --- what is seen ----------------------------------------------------------------------------

  async tick() {
    const { video, stream } = this;
    if (this.busy) {
      return;
    }
    const frames = video.getVideoPlaybackQuality?.().totalVideoFrames ?? video.currentTime;
    if (video.readyState < 2 || video.videoWidth === 0 || this.muted || frames === this.frames) {
      if (performance.now() - this.fresh > DEAD_PICTURES_MS) {
        this.say(`No pictures come from the camera: is it switched off, or in use by another program? ${capital(GOES_ON)}.`, true);
        this.drawBoxes(null, []);
      }
      return;
    }
    this.frames = frames;
    this.fresh = performance.now();
    this.busy = true;
    try {
      const at = this.now;
      const seen = await this.looker.see(video);
      if (this.stream === stream) {
        this.show(seen, this.watcher.look(at, seen));
      }
    } catch (error) {
      if (this.stream === stream) {
        this.lose(error instanceof Trouble ? error.message.replace(/\.$/, "") : `The camera's pictures cannot be read here (${error.message})`);
      }
    }
    this.busy = false;
  }

  show(seen, faces) {
    const all = this.watcher.judged(this.now - NOW, this.now + 1);
    const there = all.filter(({ face }) => faces.some(({ number }) => number === face));
    this.drawBoxes(seen, faces, all);
    this.say(...this.state(seen, there));
    const face = there[0] ?? null; // the largest
    const places = CAMERA.shared.face;
    const row = face?.probabilities ? aligned(face.probabilities, places) : null;
    this.bars.face.fill(row);
    element("face-now").textContent = row
      ? there.length > 1 ? `the largest, ${face.where}` : "the last two seconds"
      : face ? face.trouble : "no face";
    element("camera-section").dataset.looks = this.looker.looks;
    element("camera-section").dataset.cost = (this.looker.work / this.looker.looks).toFixed(1);
    if (!this.sentence) {
      this.showBoth(null, there.length === 1 ? row : null, "The face alone: nobody has spoken yet.");
    }
  }

  /** What to tell the person, and whether it is a trouble. */
  state({ mean, width, from }, faces) {
    const smaller = from.width > width ? ` Pictures of ${from.width} × ${from.height} are looked at smaller.` : "";
    if (faces.length === 0) {
      return mean < DARK
        ? [`The picture is black or very dark: is the lens covered, or the light off? ${capital(GOES_ON)}.`, true]
        : [`No face is seen. Look into the camera, with light on your face; ${GOES_ON}.${smaller}`, true];
    }
    if (faces.length > 1) {
      return [`${capital(NUMBERS[faces.length] ?? String(faces.length))} faces: who of them speaks is not known, so the voice answers alone.${smaller}`, true];
    }
    const [{ where, trouble }] = faces;
    return trouble
      ? [`The face is ${trouble}: ${REMEDIES[trouble] ?? "look into the camera"}.${smaller}`, true]
      : [`One face, ${where === "middle" ? "in the middle" : `on the ${where}`}.${smaller}`, false];
  }

  drawBoxes(seen, faces, judged = []) {
    const canvas = element("camera-boxes");
    const context = canvas.getContext("2d");
    const { width, height } = seen ?? { width: 1, height: 1 };
    Object.assign(canvas, { width, height }); // and clears it
    const unit = width / 320;
    faces.forEach(({ x, y, side, number }) => {
      const row = judged.find(({ face }) => face === number)?.probabilities;
      const best = row ? row.indexOf(Math.max(...row)) : -1;
      context.strokeStyle = "#000";
      context.lineWidth = 5 * unit;
      context.strokeRect(x, y, side, side);
      context.strokeStyle = best < 0 ? "#fff" : colourOf(CAMERA.labels[best]);
      context.lineWidth = 3 * unit;
      context.strokeRect(x, y, side, side);
      const text = best < 0 ? `${number}` : `${number} ${CAMERA.labels[best]} ${roundly(row[best])}`;
      context.font = `${14 * unit}px system-ui, sans-serif`;
      const top = y > 20 * unit ? y - 20 * unit : y + side;
      context.fillStyle = "#000";
      context.fillRect(x, top, context.measureText(text).width + 8 * unit, 20 * unit);
      context.fillStyle = "#fff";
      context.fillText(text, x + 4 * unit, top + 15 * unit);
    });
    const section = element("camera-section");
    section.dataset.boxes = JSON.stringify(faces.map(({ x, y, side, number }) => ({ x, y, side, number })));
  }

  // --- what is heard, and both -------------------------------------------------------------------

  /** What the microphone's sentences say while they go on and at their end: type "begin", "so far", "sentence" or
   * "nothing"; seconds: of the sentence so far. Clips from files are not the person before the camera. */
  hear({ type, name, answer, seconds }) {
    if (!this.on) {
      return;
    }
    if (type === "begin" || type === "nothing") {
      element("voice-now").textContent = type === "begin" ? "hearing a sentence" : "";
      return;
    }
    const final = type === "sentence";
    const partner = this.watcher.partner(Math.max(this.now - seconds, 0), this.now);
    const voice = aligned(answer.probabilities, CAMERA.shared.voice);
    const face = partner.face && aligned(partner.face.probabilities, CAMERA.shared.face);
    const what = final ? name : "So far";
    this.sentence = { voice, face };
    this.showVoice(voice, final ? name : "so far");
    this.showBoth(voice, face, face ? what : `${what}: the voice alone, as ${partner.why}.`, final);
  }

  showVoice(row, name = "nobody has spoken yet") {
    this.bars.voice.fill(row);
    element("voice-now").textContent = name;
  }

  /** text: what it is of. final: it stays, and is announced. */
  showBoth(voice, face, text, final = true) {
    const found = voice || face ? this.looker.fuse(voice, face) : null;
    const row = found?.probabilities ?? null;
    this.bars.both.fill(row);
    const { labels } = CAMERA.shared;
    const best = (each) => each.indexOf(Math.max(...each));
    const sure = row && row[best(row)] >= MODEL.threshold;
    element("both-emotion").textContent = !row ? "–" : sure ? labels[best(row)] : "uncertain";
    const detail = element("both-detail");
    detail.setAttribute("aria-live", final && voice ? "polite" : "off");
    const named = (each) => `${labels[best(each)]} ${roundly(each[best(each)])}`;
    const words = voice && face
      ? `${text}: voice ${named(voice)}, face ${named(face)}, both ${named(row)}; ` +
        (best(voice) === best(face) ? "they agree" : "they disagree") + ` (${found.apart.toFixed(2)} apart).`
      : text || "Start the microphone, too, and say a sentence.";
    if (detail.textContent !== words) {
      detail.textContent = words;
    }
    element("both-now").textContent = voice && face ? "fused" : voice ? "the voice alone" : face ? "the face alone" : "";
    const section = element("camera-section");
    section.dataset.both = JSON.stringify({ voice, face, both: row, final: final && Boolean(voice) });
  }
}

/** A list of bars of one channel, over the shared labels. */
class Bars {
  constructor(channel) {
    this.bars = CAMERA.shared.labels.map((label) => {
      const fill = create("span");
      fill.style.background = colourOf(label);
      const bar = create("span", { className: "bar" }, fill);
      bar.setAttribute("aria-hidden", "true");
      const value = create("data", { textContent: "–" });
      const row = create("li", {}, create("span", { textContent: label }), bar, value);
      return { row, fill, value };
    });
    element(`bars-${channel}`).replaceChildren(...this.bars.map(({ row }) => row));
  }

  /** row: probabilities; null: none. */
  fill(row) {
    const first = row ? row.indexOf(Math.max(...row)) : -1;
    this.bars.forEach((bar, label) => {
      bar.row.classList.toggle("first", label === first);
      bar.fill.style.width = `${100 * (row?.[label] ?? 0)}%`;
      bar.value.value = row?.[label] ?? 0;
      bar.value.textContent = row ? percent(row[label]) : "–";
    });
  }
}

const REMEDIES = {
  "too small": "come nearer",
  "too dark or too pale": "it needs light from the front",
  blurred: "hold still, and wipe the lens",
  "turned away": "look into the camera",
};
const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const colourOf = (label) => CAMERA.colours[label] ?? "#8c8c8c";

/** In a size that the camera has itself: what a browser makes larger or smaller is another picture. */
async function openCamera() {
  const size = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 15 } };
  const ask = (video) => navigator.mediaDevices.getUserMedia({ video });
  try {
    return await ask({ ...size, facingMode: "user", resizeMode: { exact: "none" } });
  } catch (error) {
    if (error.name !== "OverconstrainedError") {
      throw error;
    }
    return ask({ ...size, facingMode: "user" }); // one that always makes them another size
  }
}

function noCamera(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The camera was denied. Allow it for this page in the browser's settings, then press Start camera again; the voice goes on without it.";
    case "NotFoundError":
      return "No camera was found. Plug one in, then press Start camera again; the voice goes on without it.";
    case "NotReadableError":
    case "AbortError":
      return "The camera is in use by another program, or broken. Close that, then press Start camera again; the voice goes on without it.";
    default:
      return `The camera could not be started (${error.message}); the voice goes on without it.`;
  }
}
