"use strict";
// A button that turns the microphone on and off, and hands on what it hears, hop by hop; what goes wrong with it
// is said.

const DEAD_MS = 4000; // without a block from the microphone: it says so
const SILENT_HOPS = 600; // from the start without a sentence: the person is told what arrives
const ROOM_DB = -60; // the gate never opens below

class Ear {
  /** button: an element. say(text, trouble). start(microphone): returns what takes the hops. stop(). */
  constructor(recogniser, { button, name, say, start, stop, listening }) {
    Object.assign(this, { recogniser, button, name, say, start, stop, listening });
    this.microphone = null;
    this.asked = 0; // counts what was asked for: an answer to the browser's prompt may come too late
    this.deaf = false; // while a sound is played, the microphone would hear that
    button.addEventListener("click", () => this.toggle());
    this.show();
  }

  show() {
    this.button.textContent = `${this.microphone ? "Stop" : "Start"} ${this.name}`;
    this.button.classList.toggle("on", Boolean(this.microphone));
  }

  /** ready: a promise to wait for before it starts. */
  async toggle() {
    const asked = ++this.asked;
    if (this.microphone) {
      this.close();
      this.say("Microphone off.");
      return;
    }
    this.button.disabled = true;
    this.say("Waiting for the microphone …");
    try {
      await this.ready?.();
      const microphone = await Microphone.open();
      if (asked === this.asked) {
        this.listen(microphone);
      } else {
        microphone.close(); // something else was asked for meanwhile
      }
    } catch (error) {
      this.say(error.message, true);
    }
    this.button.disabled = false;
  }

  listen(microphone) {
    const { hop } = this.recogniser;
    this.microphone = microphone;
    const take = this.start(microphone);
    let heard = performance.now();
    const watch = setInterval(() => {
      if (this.microphone !== microphone) {
        clearInterval(watch);
      } else if (!microphone.why && performance.now() - heard > DEAD_MS) {
        microphone.pause("No sound arrives from the microphone. Press Stop, then Start; else reload the page.");
      }
    }, DEAD_MS / 4);
    microphone.onBlock = (block) => {
      heard = performance.now();
      microphone.arrived();
      if (this.deaf) {
        return;
      }
      for (let i = 0; i < block.length; i += hop) {
        take(block.subarray(i, i + hop));
      }
    };
    microphone.onPause = (why) => this.say(why, true);
    microphone.onResume = () => {
      heard = performance.now();
      this.say(this.listening);
    };
    microphone.onEnd = (why) => {
      this.close();
      this.say(why, true);
    };
    this.say(microphone.why || this.listening, Boolean(microphone.why));
    this.show();
  }

  /** Turns it off, and whatever was asked for is not wanted any more. */
  leave() {
    this.asked++;
    this.close();
  }

  close() {
    if (this.microphone) {
      this.microphone.close();
      this.microphone = null;
      this.stop();
    }
    this.show();
  }
}

/** What to tell somebody from whom no sentence came: what arrives instead. level: `Recogniser.level`. */
function whatArrives({ now, noise }) {
  if (Math.max(now, noise) < ROOM_DB - 20) {
    return "Only silence arrives. Is the microphone switched on, and the right one chosen in the system's settings?";
  }
  if (noise > -35) {
    return `It is loud here, ${Math.round(noise)} dB below full scale: speak louder than that, nearer to the microphone.`;
  }
  return "It hears the room, and no sentence yet. Speak up, or nearer to the microphone.";
}

/** How far a meter goes for a level in dB below full scale: from -70 to 0. */
function meterShare(decibels) {
  return Math.min(Math.max(1 + decibels / 70, 0), 1);
}
