// The live socket. It comes back by itself, each time a little more patiently.

import { renew } from "../api.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
const NO_LOGIN = 4401;
const SILENCE = 20_000; // a half-open connection says nothing: better a new one

export class Feed {
  /**
   * @param {string} path
   * @param {(message: any) => void} take
   * @param {(connected: boolean) => void} changed
   */
  constructor(path, take, changed) {
    this.path = path;
    this.take = take;
    this.changed = changed;
    this.wait = FIRST_WAIT;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.timer = 0;
    this.watch = 0;
    this.stopped = true;
  }

  start() {
    this.stopped = false;
    this.#connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    this.socket?.close();
  }

  #connect() {
    const address = new URL(this.path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.socket = socket;
    this.#heard();
    socket.onmessage = (event) => {
      if (this.stopped || socket !== this.socket) return;
      this.#heard();
      const message = understand(event.data);
      if (message?.kind === "hello") {
        this.wait = FIRST_WAIT;
        this.changed(true);
      }
      if (message) this.take(message);
    };
    socket.onclose = async (event) => {
      if (event.code === NO_LOGIN) await renew();
      this.#lost(socket);
    };
  }

  #heard() {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.watch = window.setTimeout(() => {
      // close() of a dead connection may take a minute to be answered
      socket?.close();
      if (socket) this.#lost(socket);
    }, SILENCE);
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (this.stopped || socket !== this.socket) return;
    this.socket = null;
    clearTimeout(this.watch);
    this.changed(false);
    this.timer = window.setTimeout(() => this.#connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
  }
}

/** @param {unknown} text */
function understand(text) {
  try {
    return JSON.parse(String(text));
  } catch {
    return null; // one broken frame is no reason to show nothing
  }
}
