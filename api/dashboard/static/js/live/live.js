// The live view: socket -> traces, tiles and events; drawn evenly, and marked as soon as something stops.

import { ask, everyPage } from "../api.js";
import { GROUPS } from "../catalogue.js";
import { byId, make, warn } from "../elements.js";
import { clock, duration } from "../format.js";
import { decode } from "./decode.js";
import { Feed } from "./feed.js";
import { Group } from "./group.js";
import { Panel } from "./panel.js";
import { Playhead } from "./playhead.js";
import { Tiles } from "./tiles.js";
import { eventWords } from "../stored/events.js";
import { t } from "../texts.js";

const CHECK_EVERY = 250;
const MOST_EVENTS = 40;
const PATIENCE = 1500;
const STORED_AFTER = 3000; // what was said just before the socket opened is stored by then

export class Live {
  /**
   * @param {HTMLElement} root
   * @param {string} session its path below /api/v1
   * @param {{ended: () => void, heard: (message: any) => void}} hooks `heard`: session and hello messages
   */
  constructor(root, session, hooks) {
    this.session = session;
    this.hooks = hooks;
    /** @type {Set<string>} */
    this.known = new Set();
    /** Milliseconds since 1970 of the session's origin, once known. @type {number | null} */
    this.origin = null;
    this.playhead = new Playhead();
    this.panels = [...root.querySelectorAll(".sweep")].map((each) => new Panel(/** @type {HTMLElement} */ (each)));
    this.tiles = new Tiles(byId("tiles"), (time) => this.wall(time));
    this.groups = GROUPS.map((group) => new Group(group));
    this.events = byId("live-events");
    this.trouble = byId("trouble");
    /** @type {Map<string, string>} */
    this.failing = new Map();
    this.connected = true;
    const signals = this.panels.map((panel) => panel.signal).join(",");
    const path = `/api/v1/${session}/live?signals=${signals}`;
    this.feed = new Feed(path, (message) => this.#take(message), (connected) => this.#changed(connected));
    this.resized = new ResizeObserver(() => this.#resize());
    this.onTheme = () => this.#resize();
    this.frame = 0;
    this.timer = 0;
    this.patience = 0;
    this.later = 0;
  }

  start() {
    for (const panel of this.panels) this.resized.observe(panel.sweep.canvas);
    document.addEventListener("themechange", this.onTheme);
    const paint = () => {
      const head = this.playhead.move(performance.now());
      if (!Number.isNaN(head)) for (const panel of this.panels) panel.draw(head);
      this.frame = requestAnimationFrame(paint);
    };
    this.frame = requestAnimationFrame(paint);
    this.timer = window.setInterval(() => this.#check(), CHECK_EVERY);
    this.feed.start();
  }

  /** What was measured once, and marked, while nobody listened here: before the page was opened, or the link broken. */
  async #recall() {
    const [earlier, events] = await Promise.all([
      // not every role reads what is stored
      byId("session").dataset.results === undefined ? null : ask(`${this.session}/readings?scope=spot`).catch(() => null),
      everyPage(`${this.session}/events`).catch(() => []),
    ]);
    for (const reading of earlier?.items ?? []) this.tiles.take({ ...reading, end: reading.end * 1e9 }, performance.now());
    for (const event of events) this.#showEvent(event.event, event.time * 1000, event.detail);
  }

  stop() {
    this.feed.stop();
    cancelAnimationFrame(this.frame);
    clearInterval(this.timer);
    clearTimeout(this.patience);
    clearTimeout(this.later);
    this.resized.disconnect();
    document.removeEventListener("themechange", this.onTheme);
    warn(this.trouble, "");
  }

  /** Session time -> milliseconds since 1970.
   * @param {number} time */
  wall(time) {
    return this.origin === null ? null : this.origin + time;
  }

  /** @param {any} message */
  #take(message) {
    const now = performance.now();
    if (message.kind === "chunk") {
      this.#takeChunk(message, now);
    } else if (message.kind === "reading") {
      if (!this.groups.some((group) => group.take(message, now))) this.tiles.take(message, now);
    } else if (message.kind === "event") {
      this.#showEvent(message.event, message.time / 1e6, message.detail ?? "");
    } else if (message.kind === "status") {
      this.#takeStatus(message);
    } else if (message.kind === "session") {
      this.hooks.heard(message);
      if (message.state === "ended") this.hooks.ended();
    } else if (message.kind === "hello") {
      this.hooks.heard(message);
      this.#recall();
      clearTimeout(this.later);
      this.later = window.setTimeout(() => this.#recall(), STORED_AFTER);
      if (message.state !== "open") this.hooks.ended();
    } else if (message.kind === "problem") {
      warn(this.trouble, message.detail);
    }
  }

  /** @param {any} message @param {number} now */
  #takeChunk(message, now) {
    const panel = this.panels.find((each) => each.signal === message.stream.signal);
    if (!panel || !message.samples) return;
    const piece = decode(message);
    const before = panel.trace.end;
    if (!panel.take(piece)) return;
    const follows = Math.abs(piece.times[0] - before) < 1000;
    if (piece.end > before) this.playhead.note(now, piece.end, follows ? before : null);
  }

  /** Newest first, each once: the store and the socket may both tell of it.
   * @param {string} name @param {number} time milliseconds since the origin @param {string} detail */
  #showEvent(name, time, detail) {
    const key = `${name} ${Math.round(time)} ${detail}`;
    if (this.known.has(key)) return;
    this.known.add(key);
    const wall = this.wall(time);
    const line = make(
      "li",
      { "data-time": time },
      make("time", {}, wall === null ? duration(time / 1000) : clock(wall)),
      make("strong", {}, eventWords(name)),
      make("span", { class: "detail" }, detail),
    );
    const later = [...this.events.children].findIndex((each) => Number(each.getAttribute("data-time")) < time);
    this.events.insertBefore(line, this.events.children[later] ?? null);
    while (this.events.children.length > MOST_EVENTS) this.events.lastElementChild?.remove();
  }

  /** @param {any} status */
  #takeStatus(status) {
    if (status.state === "failed" || status.state === "gone") {
      const whose = status.device === "sensors" ? "kiosk" : "device";
      const what = t(`live.${whose}_${status.state}`, { device: status.device });
      this.failing.set(status.device, `${what}${status.detail ? `: ${status.detail}` : ""}.`);
    } else {
      this.failing.delete(status.device);
    }
    this.#say();
  }

  /** @param {boolean} connected */
  #changed(connected) {
    clearTimeout(this.patience);
    this.connected = connected;
    // a connection that is back at once was never missed
    this.patience = window.setTimeout(() => this.#say(), connected ? 0 : PATIENCE);
  }

  #say() {
    const link = this.connected ? [] : [t("live.interrupted")];
    warn(this.trouble, [...link, ...this.failing.values()].join(" "));
  }

  #check() {
    const now = performance.now();
    const present = this.playhead.present(now);
    for (const panel of this.panels) panel.check(present, (time) => this.wall(time));
    const silent = this.panels.every((panel) => panel.silent);
    this.tiles.refresh(now, present, silent);
    for (const group of this.groups) group.refresh(now, present);
  }

  #resize() {
    for (const panel of this.panels) panel.sweep.resize();
  }
}
