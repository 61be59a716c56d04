"use strict";
// Recording one's own voice: first the room, then sentence after sentence, cut by the chip's own gate; each is
// listened to, kept or deleted, and all of them are saved as a zip.

const NOISE_SECONDS = 3;
const LOUD_ROOM = -50; // dBFS: of a louder one the gate opens late
const SETTINGS_KEY = "speech-emotion recorder"; // in localStorage: {speaker, labels}

class Recorder {
  constructor(recogniser, player) {
    this.recogniser = recogniser;
    this.player = player;
    this.takes = []; // {id, emotion, speaker, take, when, device, rate, samples}
    this.noise = null; // {samples, level}
    this.sentence = 0;
    this.ear = new Ear(recogniser, {
      button: element("record-start"),
      name: "recording",
      listening: "Be quiet for a moment: first the sound of your room …",
      say: (text, trouble) => this.say(text, trouble),
      start: (microphone) => this.start(microphone),
      stop: () => this.stop(),
    });
    this.connect();
    const restored = this.restore();
    this.ear.ready = () => restored;
  }

  say(text, trouble = false) {
    const status = element("record-status");
    status.textContent = text;
    status.classList.toggle("trouble", trouble);
  }

  connect() {
    const settings = kept(() => JSON.parse(localStorage.getItem(SETTINGS_KEY))) ?? {};
    element("speaker").value = settings.speaker ?? "";
    element("labels").value = settings.labels ?? this.recogniser.labels.map((label) => label.replaceAll(",", " ")).join(", ");
    for (const id of ["speaker", "labels"]) {
      element(id).addEventListener("change", () => this.settle());
    }
    element("save").addEventListener("click", () => this.save());
    element("delete-all").addEventListener("click", () => this.deleteAll());
    addEventListener("beforeunload", (event) => {
      if (this.takes.length > 0 && !this.shelf?.keeps) {
        event.preventDefault();
      }
    });
    this.settle();
  }

  /** Takes what was typed, as it can be written. */
  settle() {
    this.speaker = plainName(element("speaker").value);
    this.labels = labelsOf(element("labels").value);
    element("speaker").value = this.speaker;
    element("labels").value = this.labels.join(", ");
    kept(() => localStorage.setItem(SETTINGS_KEY, JSON.stringify({ speaker: this.speaker, labels: element("labels").value })));
    const can = this.speaker !== "" && this.labels.length > 0;
    if (!can) {
      this.ear.leave();
    }
    element("record-start").disabled = !can;
    if (!this.microphone) {
      this.say(can ? "Choose an emotion, then start." : "First say who speaks, and name the emotions.");
    }
    this.offerLabels();
  }

  offerLabels() {
    const chosen = this.labels.includes(this.emotion) ? this.emotion : this.labels[0];
    this.emotion = chosen;
    this.counts = new Map();
    element("emotions").replaceChildren(
      ...this.labels.map((label) => {
        const radio = create("input", { type: "radio", name: "emotion", value: label, checked: label === chosen });
        radio.addEventListener("change", () => {
          this.emotion = label;
          this.prompt();
        });
        const swatch = create("span", { className: "key" });
        swatch.style.background = lineStyle(this.labels, this.labels.indexOf(label)).colour;
        const count = create("span", { className: "count" });
        this.counts.set(label, count);
        return create("label", { className: "chip" }, radio, swatch, label, count);
      }),
    );
    this.count();
    this.prompt();
  }

  count() {
    for (const [label, count] of this.counts) {
      count.textContent = this.takes.filter((take) => take.emotion === label && take.speaker === this.speaker).length;
    }
    const seconds = this.takes.reduce((sum, take) => sum + take.samples.length / RATE, 0);
    element("save").disabled = element("delete-all").disabled = this.takes.length === 0;
    element("save").textContent =
      this.takes.length === 0 ? "Save as zip" : `Save ${this.takes.length} takes as zip, ${seconds.toFixed(0)} s`;
  }

  prompt() {
    element("prompt").textContent = SENTENCES[this.sentence % SENTENCES.length];
    element("prompt-emotion").textContent = this.emotion ? `Say, sounding ${this.emotion}:` : "Say:";
  }

  // --- the microphone ------------------------------------------------------------------------

  /** Returns what takes its hops: first the room's noise, then sentences. */
  start(microphone) {
    this.microphone = microphone;
    this.player.stop();
    element("record-level").hidden = false;
    const room = [];
    let cut = null;
    return (hop) => {
      this.ear.deaf = this.player.playing;
      if (cut === null) {
        room.push(hop.slice());
        this.showLevel(levels(hop).speech);
        if (room.length >= NOISE_SECONDS * SOUND.hopsPerSecond) {
          cut = new Cut(this.recogniser);
          this.keepNoise(room);
        }
        return;
      }
      const event = cut.push(hop);
      this.showLevel(this.recogniser.level().now);
      if (event === HEARD.BEGIN) {
        this.of = { emotion: this.emotion, when: isoTime(new Date()) };
        this.say("Hearing you … pause when the sentence is over.");
      } else if (event === HEARD.END) {
        this.keep(cut.sentence());
      } else if (event === HEARD.DISCARD) {
        this.say("That was too short for a sentence. Once more.");
      }
    };
  }

  stop() {
    this.microphone = null;
    element("record-level").hidden = true;
  }

  showLevel(decibels) {
    const now = performance.now();
    if (now - (this.shown ?? 0) > 80) {
      this.shown = now;
      element("record-meter").style.width = `${100 * meterShare(decibels)}%`;
    }
  }

  keepNoise(room) {
    const samples = joined(room);
    const powers = hopPowers(samples)[0].sort();
    const level = inDecibels(powers[powers.length >> 1] / (SPEECH.HOP * FULL) ** 2); // a cough is not the room
    this.noise = { samples, level };
    const loud = level > LOUD_ROOM;
    element("noise").textContent =
      `Room: ${level.toFixed(0)} dBFS, ` + (loud ? "loud. A quieter room, or a nearer microphone, is worth more than many takes." : "quiet enough.");
    this.say(`Now say the sentence above, sounding ${this.emotion}. Then pause.`);
  }

  // --- takes ---------------------------------------------------------------------------------

  async restore() {
    this.shelf = await Shelf.open();
    for (const take of await this.shelf.all()) {
      if (this.takes.some((each) => pathOf(each) === pathOf(take))) {
        take.take = nextTake(this.takes, take.emotion, take.speaker); // recorded in two tabs at a time
      }
      this.takes.push(take);
      this.addRow(take);
    }
    this.count();
    element("shelf").textContent = this.shelf.keeps
      ? "Takes stay in this browser until you delete them; save them as a zip to use them."
      : "This browser keeps nothing for this page: save the zip before you leave it.";
  }

  async keep(samples) {
    const { emotion, when } = this.of;
    const { speaker } = this;
    const take = {
      id: 1000 * Date.now() + Math.floor(1000 * Math.random()), // another tab may record, too
      emotion, speaker, when, samples,
      take: nextTake(this.takes, emotion, speaker),
      device: this.microphone.name,
      rate: this.microphone.rate,
    };
    this.takes.push(take);
    this.addRow(take);
    this.sentence++;
    this.prompt();
    this.count();
    const flaw = flawOf(samples);
    const left = SOUND.takes.enough - this.takes.filter((each) => each.emotion === emotion && each.speaker === speaker).length;
    const more = left > 0 ? `${left} more of ${emotion} make a good start.` : `Enough of ${emotion}, if you like.`;
    this.say(flaw ? `Kept, but ${flaw}. Delete it, and say it again.` : `Kept. ${more}`, Boolean(flaw));
    await this.shelf.put(take);
    if (this.takes.length === 1) {
      navigator.storage?.persist?.().catch(() => {}); // asks the browser not to make room with them
    }
    if (!this.shelf.keeps) {
      element("shelf").textContent = "This browser cannot keep more: save the zip before you leave the page.";
    }
  }

  addRow(take) {
    const { peak } = levels(take.samples);
    const name = `${take.emotion}, ${take.speaker}, take ${take.take}`;
    const swatch = create("span", { className: "key" });
    const labels = this.labels.includes(take.emotion) ? this.labels : [...this.labels, take.emotion];
    swatch.style.background = lineStyle(labels, labels.indexOf(take.emotion)).colour;
    const remove = create("button", { type: "button", className: "quiet", textContent: "delete" });
    remove.setAttribute("aria-label", `Delete ${name}`);
    const deaf = () => (this.ear.deaf = this.player.playing);
    const row = create(
      "li", {},
      this.player.button(take.samples, name, deaf),
      create("span", { className: "what" }, swatch, create("strong", { textContent: take.emotion }), ` ${take.speaker} ${take.take}`),
      create("span", { className: "seconds", textContent: `${(take.samples.length / RATE).toFixed(1)} s, peak ${peak.toFixed(0)} dBFS` }),
    );
    const flaw = flawOf(take.samples);
    if (flaw) {
      row.append(create("span", { className: "flaw", textContent: flaw }));
    }
    row.append(remove);
    remove.addEventListener("click", () => {
      this.takes = this.takes.filter(({ id }) => id !== take.id);
      this.shelf.remove(take.id);
      row.remove();
      this.count();
      this.say(`Deleted: ${name}.`);
    });
    element("takes").prepend(row);
  }

  deleteAll() {
    if (confirm(`Delete all ${this.takes.length} takes? There is no way back.`)) {
      this.takes = [];
      this.shelf.clear();
      element("takes").replaceChildren();
      this.count();
      this.say("All takes are deleted.");
    }
  }

  save() {
    const address = URL.createObjectURL(zipOfTakes(this.takes, this.noise?.samples));
    create("a", { href: address, download: "recordings.zip" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    this.say("Saved as recordings.zip. Unpack it, then train on it as it says below.");
    element("next").hidden = false;
  }
}
