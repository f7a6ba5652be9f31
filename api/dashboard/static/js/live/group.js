// What a face shows, as one group: bars that glide, a sentence, and what such a reading cannot say. Seen once it comes.

import { measure, origin, sentence } from "../catalogue.js";
import { say } from "../elements.js";
import { number } from "../format.js";
import { isOld, pick } from "./tiles.js";

const CLEAR = 0.5; // below, several expressions are as likely as the rest

/** @typedef {import("./tiles.js").Heard} Heard */

export class Face {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    /** @type {Map<string, Map<string, Heard>>} measure -> source -> newest */
    this.heard = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    for (const row of section.querySelectorAll("[data-measure]")) {
      const element = /** @type {HTMLElement} */ (row);
      this.rows.set(element.dataset.measure ?? "", element);
    }
  }

  /** Whether this reading is one of a face.
   * @param {any} reading @param {number} arrived @returns {boolean} */
  take(reading, arrived) {
    if (!this.rows.has(reading.measure) || reading.scope === "spot") return false;
    const sources = this.heard.get(reading.measure) ?? new Map();
    const known = sources.get(reading.source);
    if (!known || known.reading.end <= reading.end) sources.set(reading.source, { reading, arrived });
    this.heard.set(reading.measure, sources);
    this.section.hidden = false;
    return true;
  }

  /** Show what holds at this moment.
   * @param {number} now @param {number} present session time, or NaN */
  refresh(now, present) {
    if (this.section.hidden) return;
    /** @type {Heard[]} */
    const fresh = [];
    for (const [name, row] of this.rows) {
      const best = pick([...(this.heard.get(name)?.values() ?? [])], now, present);
      const shown = best && !isOld(best, now, present) ? best : null;
      if (shown) fresh.push(shown);
      fill(row, shown?.reading.value ?? null, name);
    }
    const valued = fresh.filter((each) => each.reading.value !== null);
    this.section.dataset.state = valued.length ? "good" : fresh.length ? "absent" : "old";
    say(this.#part(".note"), summary(fresh, valued));
    say(this.#part(".from"), valued.length ? `From ${origin(valued[0].reading.source)}` : "");
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.section.querySelector(selector));
  }
}

/** @param {HTMLElement} row @param {number | null} value @param {string} name */
function fill(row, value, name) {
  say(/** @type {HTMLElement} */ (row.querySelector(".figure")), number(value, measure(name).decimals));
  const bar = /** @type {HTMLElement | null} */ (row.querySelector(".bar span"));
  if (bar) bar.style.width = `${Math.round(100 * Math.min(1, Math.max(0, value ?? 0)))}%`;
  else row.hidden = value === null; // what only some networks and sensors tell
}

/** @param {Heard[]} fresh @param {Heard[]} valued */
function summary(fresh, valued) {
  if (!fresh.length) return "No face reading any more";
  if (!valued.length) return sentence(fresh[0].reading.absent);
  const likely = valued.filter((each) => each.reading.measure.startsWith("face_") && each.reading.value >= CLEAR);
  const first = likely.find((each) => !AXES.includes(each.reading.measure));
  return first ? `Shows mostly ${title(first.reading.measure)}` : "No expression stands out";
}

const AXES = ["face_valence", "face_arousal"];

/** @param {string} name */
function title(name) {
  return measure(name).title.replace(/^Face: /, "").toLowerCase();
}
