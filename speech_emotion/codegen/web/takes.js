"use strict";
// Takes of one's own voice: their names, their table (recordings.csv), and their zip, as dataset_generator.py reads
// it: <emotion>/<speaker>_<take>.wav.

const TABLE = [
  "path", "emotion", "speaker", "take", "when", "device", "rate", "seconds", "peak_dbfs", "clipped_samples",
  "sentence_of",
]; // corpora/recordings.py says what they mean
const FULL = 32768;
const MOST_BYTES = 90; // of a name, in UTF-8

/** A name that can be a folder's or a file's on every system, and no formula in a spreadsheet; "" of none. */
function plainName(text) {
  const name = text
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, "")
    .replace(/[/\\:*?"<>|%]/g, "-")
    .replace(/\s+/gu, " ")
    .replace(/^[\s.=+@-]+|[\s.]+$/gu, "");
  const letters = [...name];
  while (new TextEncoder().encode(letters.join("")).length > MOST_BYTES) {
    letters.pop();
  }
  const whole = letters.join("").replace(/[\s.]+$/u, "");
  return whole.replace(/^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?=\s*(\.|$))/i, "$1-"); // names of Windows' own
}

/** Labels in a text, between commas: small letters, as folders are read; each once. */
function labelsOf(text) {
  const found = text.split(",").map((each) => plainName(each.toLowerCase()));
  return [...new Set(found.filter(Boolean))];
}

/** Of samples (Int16Array): the largest, in dB below full scale, and how many stand at its ends. */
function levels(samples) {
  let [peak, clipped] = [0, 0];
  for (const sample of samples) {
    const size = Math.abs(sample);
    peak = Math.max(peak, size);
    clipped += size >= FULL - 1 ? 1 : 0;
  }
  return { peak: 20 * Math.log10(Math.max(peak / FULL, 1e-5)), clipped };
}

/** What is wrong with a take's level, in words; "" where nothing is. */
function levelFlaw({ peak, clipped }) {
  if (clipped > 0) {
    return `${clipped} samples clipped: too loud, go farther away`;
  }
  return peak < -30 ? "very soft: go nearer, or speak up" : "";
}

/** Local time with its offset, ISO 8601, whole seconds. */
function isoTime(date) {
  const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + 60000 * offset).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

/** The number of the next take of a speaker and an emotion. */
function nextTake(takes, emotion, speaker) {
  const mine = takes.filter((each) => each.emotion === emotion && each.speaker === speaker);
  return 1 + Math.max(0, ...mine.map((each) => each.take));
}

const pathOf = ({ emotion, speaker, take }) => `${emotion}/${speaker}_${String(take).padStart(2, "0")}.wav`;

function csvOf(takes) {
  const cell = (value) => (/[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const rows = takes.map((take) => {
    const { peak, clipped } = levels(take.samples);
    return [
      pathOf(take), take.emotion, take.speaker, take.take, take.when, plainName(take.device) || "unknown", take.rate,
      (take.samples.length / RATE).toFixed(3), peak.toFixed(1), clipped, "",
    ];
  });
  return [TABLE, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** The zip, a Blob. noise: the latest sound of the room (Int16Array), or null. */
function zipOfTakes(takes, noise) {
  const now = new Date();
  const files = takes.map((take) => ({ name: pathOf(take), bytes: wavFile(take.samples), when: new Date(take.when) }));
  files.push({ name: "recordings.csv", bytes: new TextEncoder().encode(csvOf(takes)), when: now });
  if (noise) {
    files.push({ name: "background_noise.wav", bytes: wavFile(noise), when: now });
  }
  return zipOf(files);
}
