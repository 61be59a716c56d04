"use strict";
// The page: what the service says, drawn. Names and titles come from outside: they are only ever text, never HTML.

const MINUTES = 60;
const OLD_MS = 60_000; // an emotion from before that is not "now"
const TONES = { angry: 196, disgust: 233, fear: 277, sad: 262, neutral: 330, calm: 392, happy: 523, surprise: 659 };

const at = (id) => document.getElementById(id);
const places = new Map(); // name -> {title, last, strip: Map(minute -> [emotion, share]), parts}
const devices = new Map(); // name -> {facts, row}
let ahead = 0; // the service's clock less the browser's, ms
let sounding = null;

const now = () => Date.now() + ahead;
// an emotion may be called "constructor", too
const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);
const colour = (emotion) => own(COLOURS, emotion) ?? OTHER;
const percent = (share) => `${Math.round(100 * share)} %`;
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

// --- places ------------------------------------------------------------------------------------

function place(name, title) {
  let found = places.get(name);
  if (!found) {
    const item = make("li", "place");
    const parts = {
      item, title: make("h3"), emotion: make("p", "emotion", "–"), certainty: make("p", "certainty"),
      channels: make("p", "channels"),
      strip: make("div", "strip"), who: make("p", "who"),
    };
    parts.strip.setAttribute("role", "img");
    item.dataset.place = name;
    parts.channels.hidden = true;
    item.append(parts.title, parts.emotion, parts.certainty, parts.channels, parts.strip, parts.who);
    found = { name, title: name, last: null, strip: new Map(), parts, drawn: "" };
    places.set(name, found);
    const next = [...at("places").children].find((other) => other.dataset.place > name);
    at("places").insertBefore(item, next ?? null);
    at("no-places").hidden = true;
  }
  if (title !== undefined && (title !== found.title || !found.parts.title.textContent)) {
    found.title = title;
  }
  found.parts.title.textContent = found.title;
  return found;
}

function drawPlace(it) {
  const { last, parts } = it;
  if (last) {
    const shown = last.uncertain ? `perhaps ${last.emotion}` : last.emotion;
    const passed = now() - last.end;
    parts.emotion.textContent = shown;
    parts.certainty.textContent = `${percent(last.confidence)} sure, ${ago(passed)}`;
    drawChannels(parts.channels, last.channels);
    parts.item.style.borderLeftColor = passed < OLD_MS ? colour(last.emotion) : "";
    parts.item.classList.toggle("old", passed >= OLD_MS);
  }
  drawStrip(it);
}

/** What voice and face say by themselves, where both took part: that they differ is not hidden. */
function drawChannels(line, channels) {
  line.hidden = !channels;
  if (!channels) return;
  const { voice, face } = channels;
  const words = Object.entries(channels).map(([name, it]) => `${name}: ${it.emotion} ${percent(it.confidence)}`);
  line.textContent = words.join(", ") + (voice.emotion === face.emotion ? "" : " – they differ");
}

/** The last hour as one gradient of sixty steps, oldest left. */
function drawStrip(it) {
  const newest = Math.floor(now() / 60000);
  const steps = [];
  const counts = new Map();
  for (let i = 0; i < MINUTES; i++) {
    const cell = it.strip.get(newest - MINUTES + 1 + i);
    const paint = cell ? colour(cell[0]) : "transparent";
    steps.push(`${paint} ${(100 * i) / MINUTES}% ${(100 * (i + 1)) / MINUTES}%`);
    if (cell) explain(cell[0]);
    if (cell) counts.set(cell[0], (counts.get(cell[0]) ?? 0) + 1);
  }
  for (const minute of it.strip.keys()) if (minute <= newest - MINUTES) it.strip.delete(minute);
  const gradient = `linear-gradient(to right, ${steps.join(", ")})`;
  if (gradient === it.drawn) return;
  it.drawn = gradient;
  it.parts.strip.style.backgroundImage = gradient;
  const words = [...counts].sort((a, b) => b[1] - a[1]).map(([emotion, n]) => `${emotion} ${n} min`);
  it.parts.strip.setAttribute("aria-label", `Last hour: ${words.join(", ") || "nothing"}`);
}

/** The colours of the emotions that have been heard, in words. */
const keyed = new Set();
function explain(emotion) {
  if (keyed.has(emotion)) return;
  keyed.add(emotion);
  const item = make("li");
  const swatch = make("span");
  swatch.style.background = colour(emotion);
  item.append(swatch, emotion);
  item.dataset.emotion = emotion;
  const next = [...at("key").children].find((other) => other.dataset.emotion > emotion);
  at("key").insertBefore(item, next ?? null);
}

function decide(decision, minutes) {
  const it = place(decision.place);
  const before = it.last;
  if (!before || decision.end >= before.end || decision.key === before.key) it.last = decision;
  for (const [minute, emotion, share] of minutes ?? []) it.strip.set(minute, [emotion, share]);
  drawPlace(it);
  it.parts.item.dataset.key = it.last.key;
  if (it.last === decision && decision.emotion !== before?.emotion) cue(it, decision);
}

/** An emotion that was not there before: for ears, where they asked for it. */
function cue(it, decision) {
  const wanted = at("announce").value;
  if (wanted === "*" || wanted === it.name) {
    at("spoken").textContent = `${it.title}: ${decision.uncertain ? "perhaps " : ""}${decision.emotion}, ${percent(decision.confidence)}`;
  }
  if (sounding && !decision.uncertain) {
    const oscillator = sounding.createOscillator();
    const gain = sounding.createGain();
    const start = sounding.currentTime;
    oscillator.frequency.value = own(TONES, decision.emotion) ?? 440;
    gain.gain.setValueAtTime(0.15, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.35);
    oscillator.connect(gain).connect(sounding.destination);
    oscillator.start(start);
    oscillator.stop(start + 0.4);
  }
}

at("sound").addEventListener("change", (event) => {
  if (event.target.checked) {
    sounding = new AudioContext();
  } else {
    sounding.close();
    sounding = null;
  }
});

// --- devices -----------------------------------------------------------------------------------

function device(facts) {
  let found = devices.get(facts.name);
  if (!found) {
    const row = make("tr");
    const head = make("th", "", facts.name);
    head.scope = "row";
    row.append(head, ...Array.from({ length: 5 }, () => make("td")));
    row.dataset.device = facts.name;
    found = { row };
    devices.set(facts.name, found);
    const next = [...at("devices").children].find((other) => other.dataset.device > facts.name);
    at("devices").insertBefore(row, next ?? null);
  }
  found.facts = facts;
  place(facts.place);
  drawDevice(found);
}

function drawDevice({ facts, row }) {
  const [, where, state, seen, lost, refused] = row.children;
  where.textContent = places.get(facts.place)?.title ?? facts.place;
  state.textContent = facts.online === null ? "not heard of" : facts.online ? "online" : "offline";
  if (facts.out) state.textContent = "put out: it says too much";
  state.className = facts.online === false || facts.out ? "offline" : "";
  seen.textContent = facts.seen ? ago(now() - facts.seen) : "never";
  lost.textContent = facts.lost;
  refused.textContent = facts.refused + facts.flood;
}

function drawPlaceDevices() {
  const away = new Map();
  for (const { facts } of devices.values()) {
    if (facts.online === false) away.set(facts.place, [...(away.get(facts.place) ?? []), facts.name]);
  }
  for (const [name, it] of places) {
    const text = away.has(name) ? `offline: ${away.get(name).join(", ")}` : "";
    if (it.parts.who.textContent !== text) it.parts.who.textContent = text;
    it.parts.who.classList.toggle("offline", text !== "");
  }
}

// --- the service -------------------------------------------------------------------------------

function health(service) {
  const words = [];
  if (service.broker) words.push(`No news from the devices: ${service.broker}.`);
  if (service.history) {
    words.push(`History has stopped (${service.history}): ${service.unkept} decisions are not kept.`);
  }
  if (service.dropped) words.push(`The broker had no room for ${service.dropped} messages.`);
  at("trouble").textContent = words.join(" ");
  at("trouble").hidden = words.length === 0;
}

function offerPlaces() {
  const select = at("announce");
  const known = new Set([...select.options].map((option) => option.value));
  for (const [name, it] of places) if (!known.has(name)) select.append(new Option(it.title, name));
}

function everything(state) {
  ahead = state.now - Date.now();
  places.clear();
  devices.clear();
  at("places").replaceChildren();
  at("devices").replaceChildren();
  at("no-places").hidden = false;
  for (const each of state.places) {
    const it = place(each.name, each.title);
    it.last = each.last;
    it.strip = new Map(each.strip.map(([minute, emotion, share]) => [minute, [emotion, share]]));
    drawPlace(it);
  }
  state.devices.forEach(device);
  drawPlaceDevices();
  health(state.service);
  offerPlaces();
  at("connection").textContent = "Live.";
  document.body.dataset.ready = "yes";
}

const source = new EventSource("events");
source.addEventListener("state", (event) => everything(JSON.parse(event.data)));
source.addEventListener("news", (event) => {
  const news = JSON.parse(event.data);
  ahead = news.now - Date.now();
  for (const decision of news.decisions) decide(decision, news.minutes?.[decision.place]);
  news.devices.forEach(device);
  if (news.devices.length) drawPlaceDevices();
  health(news.service);
  offerPlaces();
});
source.addEventListener("error", () => {
  at("connection").textContent = "The service does not answer; trying again …";
});

setInterval(() => {
  for (const it of places.values()) drawPlace(it);
  for (const it of devices.values()) drawDevice(it);
}, 5000);
