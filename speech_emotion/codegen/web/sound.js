"use strict";
// Where sound comes from: a file, whole, or the microphone, block by block. Both as the chip gets it: int16,
// one channel, RATE samples per second. SOUND, here and elsewhere, is what codegen says of the schema.

// without what codegen says, this file can be loaded by itself, for the microphone alone
const given = (fact) => (typeof SOUND === "undefined" ? undefined : fact());
const RATE = given(() => SOUND.rate);
const LEAST_RATE = given(() => SOUND.leastRate); // Hz; below, a file holds no speech
const OTHER_RATE = 48000; // at which files of unknown rate are decoded
const LEAST_SECONDS = given(() => SOUND.leastSeconds);
const MOST_SECONDS = 600; // decoded, a longer file may be more than a browser's memory
const FARTHEST = 8; // times full scale: beyond, a file counts in other units
const MOST_LIMITED = 0.01; // of the samples
const CANCELLED = 1e-3; // of the channels' power, less of which their average has where they oppose each other
const BLOCK = Math.round(RATE / 20); // samples: 20 messages per second from the microphone

/** What is wrong, in words for the person who dropped the file or pressed the button. */
class Trouble extends Error {}

/** Of a File: its samples (Int16Array), and remarks (strings). Throws Trouble. */
async function readFile(file) {
  if (file.size === 0) {
    throw new Trouble("is empty (0 bytes). Record it again.");
  }
  const head = new DataView(await file.slice(0, 4096).arrayBuffer());
  const facts = wavFacts(head, file.size) ?? flacFacts(head) ?? (await otherFacts(file, head));
  if (facts.seconds > MOST_SECONDS) {
    throw new Trouble(
      `is ${duration(facts.seconds)} long; ${duration(MOST_SECONDS)} is the most. ` +
        "Cut out the part with the voice.",
    );
  }
  if (facts.rate < LEAST_RATE) {
    throw new Trouble(`is sampled at ${facts.rate} Hz; speech needs ${LEAST_RATE} Hz or more.`);
  }
  let sound;
  try {
    // at the file's own rate, where it is known: the decoder's samples stay as they are
    const context = new OfflineAudioContext(1, 1, facts.rate);
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Trouble(NOT_A_SOUND);
  }
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  if (facts.full) {
    channels.forEach((channel) => undoScaling(channel, facts.full));
  }
  if (!channels.every((channel) => channel.every(Number.isFinite))) {
    throw new Trouble("holds NaN or infinite samples. Export it again.");
  }
  const remarks = [...rescale(channels)];
  const heard = channels.filter((channel) => channel.some((sample) => sample !== channel[0]));
  if (heard.length > 0 && heard.length < channels.length) {
    remarks.push("a channel that holds nothing is left out");
  }
  const mono = mix(heard.length > 0 ? heard : channels);
  const power = (sounds) => sounds.reduce((sum, sound) => sum + sound.reduce((all, x) => all + x * x, 0), 0);
  if (heard.length > 1 && power([mono]) * heard.length < CANCELLED * power(heard)) {
    throw new Trouble("has channels that cancel each other out (opposite polarity). Export one of them.");
  }
  const resampler = new Resampler(sound.sampleRate, RATE);
  const parts = [resampler.push(mono), resampler.end()];
  const limited = parts.reduce((sum, part) => sum + part.filter((x) => Math.abs(x) > 1).length, 0);
  if (limited > 0) {
    remarks.push(`${limited} samples beyond full scale are limited to it`);
  }
  const [most, last] = parts.map(toInt16);
  const samples = new Int16Array(most.length + last.length);
  samples.set(most);
  samples.set(last, most.length);
  if (samples.length < LEAST_SECONDS * RATE) {
    throw new Trouble(
      `is too short, ${(samples.length / RATE).toFixed(3)} s; at least ${LEAST_SECONDS} s are needed.`,
    );
  }
  return { samples, remarks };
}

/** Makes floats that count 16-bit steps a share of full scale, as speech_emotion/features/audio.py does. Returns
 * what is to be said of it; throws Trouble where full scale is another, or far too little. */
function rescale(channels) {
  let [peak, beyond, count, whole] = [0, 0, 0, true];
  for (const channel of channels) {
    for (const sample of channel) {
      const size = Math.abs(sample);
      peak = Math.max(peak, size);
      beyond += size > 1 ? 1 : 0;
      whole = whole && Number.isInteger(sample);
    }
    count += channel.length;
  }
  if (peak <= 1) {
    return [];
  }
  if (whole && peak <= 32768) {
    channels.forEach((channel) => channel.forEach((sample, i) => (channel[i] = sample / 32768)));
    return ["its samples are whole numbers, taken as 16-bit"];
  }
  if (peak > FARTHEST || beyond > MOST_LIMITED * count) {
    throw new Trouble(
      `reaches ${Number(peak.toPrecision(3))} times full scale. Export it at a lower level, as 16-bit WAV.`,
    );
  }
  return [];
}

const NOT_A_SOUND = "is not a sound that this browser can read. WAV, FLAC and MP3 are safe choices.";

/** Whole numbers n of 8 or 16 bits as n / full. Chromium decodes those above 0 to n / (full - 1), and loud ones
 * would round wrong. */
function undoScaling(samples, full) {
  if (!samples.every((sample) => Number.isInteger(sample * full))) {
    samples.forEach((sample, i) => {
      samples[i] = Math.round(sample * (sample > 0 ? full - 1 : full)) / full;
    });
  }
}

/** Of a RIFF WAVE file: rate, greatest possible length, full scale of whole numbers. Or undefined. */
function wavFacts(head, size) {
  if (head.byteLength < 12 || text(head, 0) !== "RIFF" || text(head, 8) !== "WAVE") {
    return undefined;
  }
  for (let at = 12; at + 24 <= head.byteLength; at += 8 + head.getUint32(at + 4, true)) {
    if (text(head, at) === "fmt ") {
      const field = (offset) => head.getUint16(at + 8 + offset, true);
      const extensible = field(0) === 0xfffe && at + 34 <= head.byteLength;
      const format = extensible ? field(24) : field(0); // 1: whole numbers
      const full = format === 1 ? { 8: 128, 16: 32768 }[field(14)] : undefined;
      const [rate, bytesPerSecond] = [head.getUint32(at + 12, true), head.getUint32(at + 16, true)];
      return { rate, full, seconds: size / Math.max(bytesPerSecond, 1) };
    }
  }
  return undefined;
}

/** Of a FLAC file, the same, from its STREAMINFO block (RFC 9639, section 8.2). Or undefined. */
function flacFacts(head) {
  if (head.byteLength < 26 || text(head, 0) !== "fLaC") {
    return undefined;
  }
  const rate = head.getUint32(18) >>> 12;
  const bits = ((head.getUint16(20) >>> 4) & 31) + 1;
  const count = (head.getUint8(21) & 15) * 2 ** 32 + head.getUint32(22);
  return { rate, full: bits <= 16 ? 32768 : undefined, seconds: count / Math.max(rate, 1) };
}

/** Rate of an MP3 file, from its first frame's header, or of an Ogg Vorbis file; of others a high one. */
async function otherRate(file, head) {
  if (head.byteLength < 64) {
    return OTHER_RATE;
  }
  if (text(head, 0) === "OggS" && text(head, 29) === "vorb") {
    return head.getUint32(40, true);
  }
  let at = 0;
  if (text(head, 0).startsWith("ID3")) {
    at = [6, 7, 8, 9].reduce((size, i) => (size << 7) | head.getUint8(i), 0) + 10; // seven bits to a byte
  }
  const frame = new Uint8Array(await file.slice(at, at + 3).arrayBuffer());
  const rate = [44100, 48000, 32000][(frame[2] >> 2) & 3];
  const divisor = { 3: 1, 2: 2, 0: 4 }[(frame[1] >> 3) & 3]; // MPEG 1, 2, 2.5
  const isFrame = frame[0] === 0xff && frame[1] >> 5 === 7 && rate && divisor;
  return isFrame ? rate / divisor : OTHER_RATE;
}

/** Rate and length of any other file that the browser plays. */
async function otherFacts(file, head) {
  return { rate: await otherRate(file, head), seconds: await playingTime(file) };
}

function playingTime(file) {
  return new Promise((resolve, reject) => {
    const player = new Audio();
    const address = URL.createObjectURL(file);
    const end = (settle) => {
      URL.revokeObjectURL(address);
      settle();
    };
    player.onloadedmetadata = () =>
      end(() =>
        Number.isFinite(player.duration)
          ? resolve(player.duration)
          : reject(new Trouble("does not say how long it is. Save it as WAV.")),
      );
    player.onerror = () => end(() => reject(new Trouble(NOT_A_SOUND)));
    player.preload = "metadata";
    player.src = address;
  });
}

function text(view, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

class Microphone {
  /** Starts it. From then on `onBlock` gets Int16Array(BLOCK) again and again; `onPause` is called, with the
   * reason in words, when the sound stops for a while by itself, `onResume` when it is back, and `onEnd`, with the
   * reason, when it is gone for good. Throws Trouble, with nothing left on. */
  static async open() {
    if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode) {
      throw new Trouble(
        "This browser gives no microphone to this page. Open it over https or from localhost, in a current browser.",
      );
    }
    const microphone = new Microphone();
    try {
      await microphone.start();
    } catch (error) {
      microphone.close();
      throw error instanceof Trouble ? error : new Trouble(refusal(error));
    }
    return microphone;
  }

  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({
      // loudness is a cue: the browser must not level it
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    const [track] = this.stream.getAudioTracks();
    this.name = track.label ?? "";
    try {
      await this.connect();
    } catch (error) {
      // Firefox joins no microphone to a context of another rate; one at the microphone's own it may
      const rate = track.getSettings?.().sampleRate;
      if (error.name !== "NotSupportedError" || !rate || rate === this.context.sampleRate) {
        throw error;
      }
      this.disconnect();
      await this.connect(rate);
    }
    track.onended = () => this.end("The microphone went away.");
    track.onmute = () => {
      this.muted = true; // and gives blocks of zeros
      this.pause("The microphone is muted, by its own switch or by the system.");
    };
    track.onunmute = () => {
      this.muted = false;
      this.resume();
    };
    if (track.muted) {
      track.onmute();
    }
  }

  /** From the stream to `onBlock`, by a context at the output's rate or a given one. */
  async connect(sampleRate) {
    const context = new AudioContext({ latencyHint: "playback", ...(sampleRate && { sampleRate }) }); // fewer wake-ups
    this.context = context;
    this.rate = context.sampleRate; // Hz, at which the sound comes, before it is resampled
    const address = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(address);
    } finally {
      URL.revokeObjectURL(address);
    }
    await context.resume();
    const source = context.createMediaStreamSource(this.stream);
    this.listener = new AudioWorkletNode(context, "listener", {
      numberOfOutputs: 0,
      processorOptions: { rate: RATE, block: BLOCK },
    });
    this.listener.port.onmessage = ({ data }) => this.onBlock?.(data);
    this.listener.onprocessorerror = () =>
      this.end("The sound could not be processed any more. Press Start again; should it come back, reload the page.");
    source.connect(this.listener);
    context.onstatechange = () => this.stateChanged();
  }

  stateChanged() {
    switch (this.context.state) {
      case "running":
        this.resume();
        break;
      case "closed":
        this.end("The browser has ended the sound. Press Start again.");
        break;
      default: // suspended; interrupted: a call, or another program that took the microphone
        this.pause("The sound is interrupted, by a call or another program. It goes on afterwards; else press Stop, then Start.");
        this.context.resume().catch(() => {}); // where the browser permits it at once
    }
  }

  pause(why) {
    this.why = why;
    this.onPause?.(why);
  }

  /** A block is there: what was said to be gone is not. */
  arrived() {
    if (this.why && this.context.state === "running" && !this.muted) {
      this.resume();
    }
  }

  resume() {
    if (this.why) {
      this.why = "";
      this.onResume?.();
    }
  }

  end(why) {
    this.close();
    this.onEnd?.(why);
  }

  disconnect() {
    if (this.listener) {
      this.listener.port.onmessage = null;
      this.listener.onprocessorerror = null;
    }
    if (this.context) {
      this.context.onstatechange = null;
      if (this.context.state !== "closed") {
        this.context.close().catch(() => {});
      }
    }
  }

  close() {
    this.disconnect();
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
  }
}

function refusal(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The microphone was denied. Allow it for this page in the browser's settings, then press Start again; clips work without it.";
    case "NotFoundError":
      return "No microphone was found. Plug one in, then press Start again; clips work without it.";
    case "NotReadableError":
      return "The microphone is in use by another program. Close that, then press Start again.";
    case "NotSupportedError":
      return "The microphone and the loudspeaker run at different rates, and this browser cannot join them. Set both to the same rate, say 48 kHz, in the system's sound settings, or use another browser; clips work without it.";
    case "AbortError":
      return "This browser could not load the page's sound processing. Reload the page; clips work without it.";
    default:
      return `The microphone could not be started (${error.message}). Reload the page; clips work without it.`;
  }
}
