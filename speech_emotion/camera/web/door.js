// The camera's button and the person's consent. What looks at faces (camera.js) is loaded when both were given,
// and not before.

class CameraDoor {
  constructor() {
    this.on = false;
    this.agreed = false; // for as long as the page is open
    this.asked = 0; // counts what was asked for: an answer may come too late
    this.camera = null;
    this.button = element("camera");
    this.button.addEventListener("click", () => this.toggle());
    element("camera-agree").addEventListener("click", () => this.agree());
    element("camera-refuse").addEventListener("click", () => this.refuse());
    addEventListener("hashchange", () => location.hash === "#record" && this.leave());
    this.button.disabled = false;
  }

  toggle() {
    if (this.on) {
      this.leave();
      this.say("Camera off.");
      this.button.focus();
    } else if (this.agreed) {
      this.start();
    } else {
      element("camera-section").hidden = element("camera-consent").hidden = false;
      this.say("");
      element("camera-agree").focus();
    }
  }

  agree() {
    this.agreed = true;
    element("camera-consent").hidden = true;
    this.button.focus();
    this.start();
  }

  refuse() {
    element("camera-section").hidden = true;
    this.button.focus();
  }

  say(text, trouble = false) {
    const state = element("camera-state");
    if (state.textContent !== text) {
      state.textContent = text; // said again, it would be read again
    }
    state.classList.toggle("trouble", trouble);
  }

  async start() {
    const asked = ++this.asked;
    this.show(true);
    this.say("Waiting for the camera …");
    try {
      await this.load();
      this.camera ??= await Camera.open((text, trouble) => this.say(text, trouble), () => this.show(false));
      await this.camera.start(() => asked === this.asked);
    } catch (error) {
      if (asked === this.asked) {
        this.show(false);
        this.say(error.message, true);
      }
    }
  }

  /** Turns it off, and whatever was asked for is not wanted any more. */
  leave() {
    this.asked++;
    this.camera?.stop();
    this.show(false);
  }

  show(on) {
    this.on = on;
    this.button.textContent = `${on ? "Stop" : "Start"} camera`;
    this.button.classList.toggle("on", on);
  }

  /** camera.js, once. */
  load() {
    this.loaded ??= new Promise((resolve, reject) => {
      const script = create("script", { src: "camera.js" });
      script.onload = resolve;
      script.onerror = () => {
        script.remove();
        this.loaded = null;
        reject(
          new Trouble("The camera's part of the page could not be loaded. Where there is no network, try again later; the voice goes on without it."),
        );
      };
      document.head.append(script);
    });
    return this.loaded;
  }
}

globalThis.cameraDoor = new CameraDoor();
