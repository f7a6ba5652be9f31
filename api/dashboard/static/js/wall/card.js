// One kiosk's card. It changes only what changed.

import { say } from "../elements.js";
import { duration, number } from "../format.js";
import { sentence } from "../catalogue.js";
import { plural, t } from "../texts.js";
import { Trace } from "./trace.js";

const GOOD = 0.7; // below that a number is fair, below half of it poor
const COLOURS = { ecg: "--ecg", ppg: "--ppg", rgb: "--ppg", respiration: "--breath" };

export class Card {
  /** @param {HTMLTemplateElement} template @param {{kiosk: string, place: string}} listed @param {number} buckets */
  constructor(template, listed, buckets) {
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    this.kiosk = listed.kiosk;
    this.link = /** @type {HTMLAnchorElement} */ (this.#part("a"));
    this.canvas = /** @type {HTMLCanvasElement} */ (this.#part("canvas"));
    this.trace = new Trace(this.canvas, buckets);
    this.signal = "";
    this.inView = false;
    /** @type {any} */
    this.told = null;
    this.element.dataset.kiosk = listed.kiosk;
    say(this.#part(".name"), listed.kiosk);
    this.place(listed.place);
  }

  /** @param {string} selector @returns {HTMLElement} */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.element.querySelector(selector));
  }

  /** @param {string} place */
  place(place) {
    say(this.#part(".place"), place);
    this.#part(".name").title = place;
  }

  get state() {
    return this.told?.state === "revoked" ? "offline" : (this.told?.state ?? "offline");
  }

  /** @param {any} told what the server says @param {number} now */
  show(told, now) {
    const before = this.told;
    this.told = told;
    const { link } = this;
    link.dataset.state = this.state;
    const href = told.session ? `/sessions/${encodeURIComponent(told.session)}` : `/devices?kiosk=${encodeURIComponent(this.kiosk)}`;
    if (link.getAttribute("href") !== href) link.setAttribute("href", href);
    if (before?.session !== told.session) this.trace.clear();
    say(this.#part(".state"), told.session || told.state === "offline" ? "" : t(`wall.state.${told.state}`));
    const person = this.#part(".person");
    say(person, told.session ? (told.person ?? t("wall.unknown_person")) : "");
    person.title = told.person ?? "";
    person.classList.toggle("quiet", !told.person);
    link.classList.toggle("simulated", told.simulated);
    this.#number(".heart", told.heart, told.session);
    this.#number(".breath", told.breath, told.session);
    const quality = this.#part(".quality");
    const share = told.heart && !told.heart.old ? told.heart.quality : null;
    quality.hidden = share === null || share === undefined;
    if (!quality.hidden) {
      quality.dataset.word = share >= GOOD ? "good" : share >= GOOD / 2 ? "fair" : "poor";
      /** @type {HTMLElement} */ (quality.firstElementChild).style.transform = `scaleX(${share})`;
    }
    const alert = this.#part(".alert");
    alert.hidden = !told.alert;
    if (told.alert) {
      alert.dataset.kind = told.alert.severity;
      say(alert, String(told.alert.count));
      alert.title = plural("wall.alerts", told.alert.count);
      alert.setAttribute("aria-label", alert.title);
    }
    this.#note(told);
    this.tick(now);
  }

  /** @param {string} selector @param {any} heard @param {string | null} session */
  #number(selector, heard, session) {
    const place = this.#part(selector);
    place.hidden = !session;
    const known = heard && heard.value !== undefined;
    say(/** @type {Element} */ (place.querySelector("b")), known ? number(heard.value, 0) : "–");
    place.classList.toggle("old", Boolean(heard?.old));
  }

  /** @param {any} told */
  #note(told) {
    const lines = told.troubles.map(sayTrouble).filter(Boolean);
    const absent = told.heart?.absent;
    if (!lines.length && told.session && absent) lines.push(sentence(absent));
    const note = this.#part(".note");
    say(note, lines.join(" · "));
    this.link.classList.toggle("noted", lines.length > 0);
    note.title = lines.join("\n");
  }

  /** What passes by itself. @param {number} now */
  tick(now) {
    const { told } = this;
    const since = this.#part(".since");
    if (!told) return;
    if (told.state === "offline") say(since, told.heard === null ? t("wall.never") : t("wall.away", { time: ago(now - told.heard) }));
    else say(since, told.session && told.since !== null ? duration(Math.max(0, (now - told.since) / 1000)) : "");
  }

  /** @param {any} piece */
  take(piece) {
    if (piece.signal !== this.signal) {
      this.signal = piece.signal;
      say(this.#part(".signal"), t(`wall.signal.${piece.signal}`));
      this.colour();
    }
    this.trace.take(piece);
  }

  /** As the theme has it. */
  colour() {
    this.trace.colour = getComputedStyle(this.element).getPropertyValue(COLOURS[this.signal] ?? "--ecg").trim() || "#0a0";
    this.canvas.style.color = this.trace.colour;
  }
}

/** @param {{what: string, device: string, detail: string, count: number}} trouble */
function sayTrouble({ what, device, detail, count }) {
  if (what === "away") return "";
  if (what === "lost" || what === "waiting") return plural(`wall.what.${what}`, count);
  const words = t(`wall.what.${what}`, { device: device || t("wall.what.service") });
  return detail ? `${words}: ${detail}` : words;
}

/** @param {number} milliseconds */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return t("wall.ago.seconds", { n: seconds });
  if (seconds < 5400) return t("wall.ago.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 172_800) return t("wall.ago.hours", { n: Math.round(seconds / 3600) });
  return t("wall.ago.days", { n: Math.round(seconds / 86_400) });
}
