"use strict";
// Takes of one's own voice: their names, their table (recordings.csv), and their zip, as dataset_generator.py reads
// it: <emotion>/<speaker>_<take>.wav.

const TABLE = [
  "path", "emotion", "speaker", "take", "when", "device", "rate", "seconds", "peak_dbfs", "clipped_samples",
  "sentence_of",
]; // corpora/recordings.py says what they mean
const FULL = 32768;
const AROUND = 0.7; // s of a sentence that are none: kept before the gate opened, and the silence that closed it
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

/** Of samples (Int16Array): the largest, in dB below full scale; how many stand at its ends; and the level of the
 * speech, the mean of the hops 6 dB above the room, as speech_emotion/features/speech.py has it. */
function levels(samples) {
  let [peak, clipped] = [0, 0];
  for (const sample of samples) {
    const size = Math.abs(sample);
    peak = Math.max(peak, size);
    clipped += size >= FULL - 1 ? 1 : 0;
  }
  const powers = hopPowers(samples)[0];
  const room = powers.slice().sort()[Math.trunc(SPEECH.QUIET * (powers.length - 1))] ?? 0;
  const heard = powers.filter((power) => power > SPEECH.VARIES * room);
  const of = heard.length > 0 ? heard : powers;
  const mean = of.reduce((sum, power) => sum + power, 0) / Math.max(of.length, 1) / SPEECH.HOP ** 2;
  return { peak: inDecibels((peak / FULL) ** 2), clipped, speech: inDecibels(mean / FULL ** 2) };
}

const inDecibels = (power) => 10 * Math.log10(Math.max(power, 1e-10));

/** What is wrong with a take, in words; "" where nothing is. As speech_emotion/recording/session.py judges it. */
function flawOf(samples) {
  const { quietest, loudest, mostClipped, shortest } = SOUND.takes;
  const { clipped, speech } = levels(samples);
  const seconds = samples.length / RATE - AROUND;
  const found = [];
  if (clipped > mostClipped * samples.length) {
    found.push(`clipped (${clipped} samples): go farther away, or lower the microphone's level`);
  }
  if (speech < quietest) {
    found.push(`too quiet (${speech.toFixed(0)} dBFS): come nearer`);
  } else if (speech > loudest) {
    found.push(`very loud (${speech.toFixed(0)} dBFS): go back a little`);
  }
  if (seconds < shortest) {
    found.push(`only ${seconds.toFixed(1)} s: say the whole sentence`);
  }
  return found.join("; ");
}

/** Local time with its offset, ISO 8601, whole seconds. */
function isoTime(date) {
  const two = (number) => String(Math.floor(Math.abs(number))).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + 60000 * offset).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

/** The number of the next take of a speaker and an emotion. Small and capital letters are one file's on some
 * systems. */
function nextTake(takes, emotion, speaker) {
  const same = (each) => each.emotion === emotion && each.speaker.toLowerCase() === speaker.toLowerCase();
  return 1 + Math.max(0, ...takes.filter(same).map((each) => each.take));
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
