"use strict";
// Whose voice is known: the line that says so, and the profile, which stays in this browser. It is the chip's own
// (ser_profile.c), and knows which model it was learnt with.

const VOICE_KEY = "speech-emotion voice"; // in localStorage: {model, state: the profile's bytes, base64}

class Voice {
  /** The line is hidden for a model that knows no voices. onSay: is told what the person should know. */
  constructor(recogniser, onSay) {
    this.recogniser = recogniser;
    this.onSay = onSay;
    element("voice").hidden = !recogniser.knowsVoices;
    if (!recogniser.knowsVoices) {
      return;
    }
    this.restore();
    element("forget").addEventListener("click", () => this.forget());
    this.tell();
  }

  /** Whether clips from files are this voice, too. */
  get ofClips() {
    return this.recogniser.knowsVoices && element("same-voice").checked;
  }

  /** The latest answer's sound was this voice. */
  learn() {
    if (this.recogniser.knowsVoices) {
      this.recogniser.learnVoice();
      this.keep(); // also where it did not fit: that is counted
      this.tell();
    }
  }

  forget() {
    this.recogniser.forgetVoice();
    kept(() => localStorage.removeItem(VOICE_KEY));
    this.tell();
    this.onSay("Your voice is forgotten.");
  }

  tell() {
    if (!this.recogniser.knowsVoices) {
      return;
    }
    const { known, strange } = this.recogniser.voice();
    const sentences = known === 1 ? "1 sentence" : `${known} sentences`;
    element("voice-known").textContent = strange
      ? "somebody else seems to speak: answered as to a voice not known"
      : known > 0
        ? `knows your voice from ${sentences}`
        : "does not know your voice yet: it learns from each sentence";
    element("forget").hidden = known === 0 && !strange;
  }

  keep() {
    const state = btoa(String.fromCharCode(...this.recogniser.voiceBytes()));
    kept(() => localStorage.setItem(VOICE_KEY, JSON.stringify({ model: MODEL.voice, state })));
  }

  restore() {
    const text = kept(() => localStorage.getItem(VOICE_KEY));
    if (!text) {
      return;
    }
    let bytes = new Uint8Array(0);
    try {
      const { model, state } = JSON.parse(text);
      if (model === MODEL.voice) {
        bytes = Uint8Array.from(atob(state), (character) => character.charCodeAt(0));
      }
    } catch {
      // damaged: forgotten below
    }
    if (!this.recogniser.takeVoice(bytes)) {
      kept(() => localStorage.removeItem(VOICE_KEY));
      this.onSay("The voice that was kept here was learnt with another model, or is damaged: it is forgotten.");
    }
  }
}

/** What localStorage gives; null where the browser keeps nothing for this page. */
function kept(use) {
  try {
    return use() ?? null;
  } catch {
    return null;
  }
}
