// Measures that are read together - a face, a voice, a brain: bars that glide, a sentence, and what such readings
// cannot say. Seen once one comes. Not all have a line here: some are for the results.

import { measure, origin, sentence } from "../catalogue.js";
import { byId, say } from "../elements.js";
import { fill, small } from "../lines.js";
import { isOld, pick } from "./tiles.js";
import { t } from "../texts.js";

const CLEAR = 0.5; // below, several emotions are as likely as the rest
const EMOTION = /^(face|voice|emotion)_(neutral|happiness|sadness|surprise|anger|fear|disgust|contempt|boredom|calm)$/;

/** @typedef {import("./tiles.js").Heard} Heard */

export class Group {
  /** @param {import("../catalogue.js").Group} group */
  constructor(group) {
    this.group = group;
    this.section = byId(group.name);
    this.measures = new Set(group.measures);
    /** @type {Map<string, Map<string, Heard>>} measure -> source -> newest */
    this.heard = new Map();
    /** Of which a value came: they keep their place. @type {Set<string>} */
    this.told = new Set();
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    for (const row of this.section.querySelectorAll("[data-measure]")) {
      const element = /** @type {HTMLElement} */ (row);
      this.rows.set(element.dataset.measure ?? "", element);
    }
  }

  /** Whether this reading is one of them.
   * @param {any} reading @param {number} arrived @returns {boolean} */
  take(reading, arrived) {
    if (!this.measures.has(reading.measure) || reading.scope === "spot") return false;
    const sources = this.heard.get(reading.measure) ?? new Map();
    const known = sources.get(reading.source);
    if (!known || known.reading.end <= reading.end) sources.set(reading.source, { reading, arrived });
    this.heard.set(reading.measure, sources);
    if (reading.value !== null) this.told.add(reading.measure);
    if (this.rows.has(reading.measure)) this.section.hidden = false;
    return true;
  }

  /** Show what holds at this moment.
   * @param {number} now @param {number} present session time, or NaN */
  refresh(now, present) {
    if (this.section.hidden) return;
    /** @type {Heard[]} */
    const fresh = [];
    for (const [name, row] of this.rows) {
      const shown = this.#now(name, now, present);
      if (shown) fresh.push(shown);
      const beside = /** @type {HTMLElement | null} */ (row.querySelector(".beside"));
      if (beside) say(beside, small(this.#now(beside.dataset.beside ?? "", now, present)?.reading));
      const known = measure(name);
      // of the last seconds: a tenth of a percent would only flicker
      fill(row, shown?.reading.value ?? null, known, known.times > 1 ? 0 : known.decimals);
      row.hidden = !this.told.has(name);
    }
    const valued = fresh.filter((each) => each.reading.value !== null);
    this.section.dataset.state = valued.length ? "good" : fresh.length ? "absent" : "old";
    say(this.#part(".note"), this.#summary(fresh, valued));
    const sources = new Set(valued.map((each) => origin(each.reading.source)));
    say(this.#part(".from"), sources.size ? t("live.from", { source: [...sources].join(", ") }) : "");
  }

  /** What holds of a measure.
   * @param {string} name @param {number} now @param {number} present @returns {Heard | null} */
  #now(name, now, present) {
    const best = pick([...(this.heard.get(name)?.values() ?? [])], now, present);
    return best && !isOld(best, now, present) ? best : null;
  }

  /** @param {Heard[]} fresh @param {Heard[]} valued */
  #summary(fresh, valued) {
    if (!fresh.length) return t(`live.no_more.${this.group.name}`);
    if (!valued.length) return sentence(fresh[0].reading.absent);
    if (!this.group.mostly) return "";
    const emotions = valued.filter(({ reading }) => EMOTION.test(reading.measure));
    if (!emotions.length) return "";
    const likely = emotions.find(({ reading }) => reading.value >= CLEAR);
    return likely ? `${this.group.mostly} ${title(likely.reading.measure)}` : t("live.nothing_stands_out");
  }

  /** @param {string} selector */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.section.querySelector(selector));
  }
}

/** @param {string} name */
function title(name) {
  return measure(name).title.replace(/^[^:]*: /, "").toLowerCase();
}
