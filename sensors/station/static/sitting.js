// How the visitor sits: the browser's camera, its socket, and the one advice of the moment.
import { Camera } from "./camera.js";
import { Link, TAKEN } from "./link.js";
import { picture } from "./pictures.js";
import { has } from "./texts.js";

export class Sitting {
  #link = null;
  #video;
  #changed;
  #asked = { width: 640, height: 480, rate: 30 };
  state = "waiting";
  near = 0;
  going = false;

  // `changed` is told that what is to be seen is another
  constructor(video, token, changed) {
    [this.#video, this.#changed] = [video, changed];
    this.camera = new Camera(video);
    if (!token) return;
    this.#link = new Link(token, (word) => this.#hear(word), (code) => this.#closed(code));
    setInterval(() => this.#link.now(this.camera.held), 1000);
    const each = (now, seen) => {
      video.requestVideoFrameCallback(each);
      if (this.going) this.#link.picture((number) => picture(video, number, now, seen));
    };
    video.requestVideoFrameCallback(each);
  }

  get present() {
    return this.#link !== null;
  }

  get failed() {
    return this.state === "denied" || this.state === "missing";
  }

  show(state) {
    this.state = state;
    this.#changed();
  }

  async start() {
    try {
      await this.camera.start(this.#asked, () => this.show("missing"));
      this.#visit(this.going);
    } catch (error) {
      this.show(error.name === "NotAllowedError" ? "denied" : "missing");
    }
  }

  #visit(going) {
    this.going = going;
    if (this.camera.open) {
      this.camera.visit(going);
      this.near = 0;
      this.state = going ? "nobody" : "seat";
    }
    this.#changed();
  }

  #hear(word) {
    if (word.kind === "welcome") {
      this.#asked = word;
      this.#link.clock();
      if (this.camera.open) this.#visit(this.going);
      else this.start();
    } else if (word.kind === "visit") {
      this.#visit(word.going);
    } else if (word.kind === "guide" && this.going && this.camera.open) {
      this.near = word.near;
      this.show(has(`position.${word.advice}.title`) ? word.advice : "nobody");
    }
  }

  #closed(code) {
    this.going = false;
    this.show(code === TAKEN ? "taken" : "lost");
  }
}
