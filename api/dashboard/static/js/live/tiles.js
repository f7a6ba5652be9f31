// The numbers. Each says its interval and quality, or why it is absent; an old one is struck out, never left standing.
// What was measured once holds, and says when that was.

import { measure, origin, sentence } from "../catalogue.js";
import { byId, say } from "../elements.js";
import { clock, duration, interval, number } from "../format.js";
import { t } from "../texts.js";

const OLD = 5000;
const PATIENT = 30_000;
const RANKS = ["ecg", "ppg", "rgb", "camera", "respiration", "face_scores", "face_units", "face_motion"];

/** @typedef {{reading: any, arrived: number}} Heard */

export class Tiles {
  /** @param {HTMLElement} container
   * @param {(milliseconds: number) => number | null} wall session time -> since 1970 */
  constructor(container, wall) {
    this.container = container;
    this.wall = wall;
    /** @type {number | undefined} */
    this.began = undefined;
    /** @type {Map<string, Map<string, Heard>>} measure -> source -> newest */
    this.heard = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.tiles = new Map();
    for (const tile of container.querySelectorAll(".tile")) {
      const element = /** @type {HTMLElement} */ (tile);
      for (const name of measures(element)) this.tiles.set(name, element);
    }
  }

  /** @param {any} reading @param {number} arrived */
  take(reading, arrived) {
    const sources = this.heard.get(reading.measure) ?? new Map();
    const known = sources.get(reading.source);
    if (known && known.reading.end > reading.end) return;
    sources.set(reading.source, { reading, arrived });
    this.heard.set(reading.measure, sources);
    const tile = this.tiles.get(reading.measure) ?? this.#add(reading.measure);
    if (!tile.hidden) return;
    tile.hidden = false;
    this.container.append(tile); // after those that are seen: nothing moves
  }

  /** A plain tile for a measure of which the page did not know.
   * @param {string} name */
  #add(name) {
    const { title, unit } = measure(name);
    const template = /** @type {HTMLTemplateElement} */ (byId("tile"));
    const tile = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
    tile.dataset.measures = name;
    tile.hidden = true;
    say(part(tile, "h2"), title);
    say(part(tile, ".unit"), unit);
    this.tiles.set(name, tile);
    return tile;
  }

  /** Show what holds at this moment.
   * @param {number} now @param {number} present session time, or NaN @param {boolean} silent no signal comes at all */
  refresh(now, present, silent) {
    this.began ??= now;
    const words = t(silent ? "live.silent" : now - this.began > PATIENT ? "live.none_so_far" : "live.measuring");

    for (const tile of new Set(this.tiles.values())) {
      const shown = measures(tile).map((name) => pick([...(this.heard.get(name)?.values() ?? [])], now, present));
      if (shown.every((each) => each !== null)) this.#fill(tile, shown, now, present);
      else if (tile.dataset.live !== undefined) say(part(tile, ".note"), words);
    }
  }

  /** @param {HTMLElement} tile @param {Heard[]} shown @param {number} now @param {number} present */
  #fill(tile, shown, now, present) {
    const readings = shown.map((each) => each.reading);
    const old = shown.some((each) => isOld(each, now, present));
    const absent = readings.find((reading) => reading.value === null);
    const first = readings[0];
    tile.title = `${origin(first.source)}, ${first.method}`;
    tile.dataset.state = old ? "old" : absent ? "absent" : "good";
    const numbers = readings.map((reading) => number(reading.value, measure(reading.measure).decimals));
    say(part(tile, ".value"), absent ? "–" : numbers.join("/"));
    const band = readings.length === 1 ? interval(first.low, first.high, measure(first.measure).decimals) : "";
    say(part(tile, ".interval"), band && !old ? `95 %: ${band}` : "");
    say(part(tile, ".note"), this.#note(first, absent, old));
    const others = readings.length === 1 ? this.#others(shown[0], now, present) : [];
    say(part(tile, ".also"), others.join(" · "));
    const qualities = readings.map((reading) => reading.quality).filter((quality) => typeof quality === "number");
    showQuality(part(tile, ".quality"), old || !qualities.length ? null : Math.min(...qualities));
  }

  /** What the other sources say of the same measure at this moment.
   * @param {Heard} shown @param {number} now @param {number} present */
  #others(shown, now, present) {
    const heard = [...(this.heard.get(shown.reading.measure)?.values() ?? [])];
    return heard
      .filter((each) => each !== shown && !isOld(each, now, present) && each.reading.scope === shown.reading.scope)
      .sort((a, b) => rank(a) - rank(b))
      .map(({ reading }) => `${capital(origin(reading.source))}: ${said(reading)}`);
  }

  /** @param {any} reading @param {any} absent @param {boolean} old */
  #note(reading, absent, old) {
    const wall = this.wall(reading.end / 1e6);
    const since = wall === null ? "" : clock(wall);
    if (old) return since ? t("live.none_since", { time: since }) : t("live.none_any_more");
    const spot = reading.scope === "spot";
    if (absent) {
      if (!spot && absent.absent === "too_short") return t("live.not_enough");
      return spot && since ? `${since}: ${sentence(absent.absent)}` : sentence(absent.absent);
    }
    return spot ? t("live.at", { time: since || duration(reading.end / 1e9) }) : t("live.from", { source: origin(reading.source) });
  }
}

/** @param {any} reading */
function said(reading) {
  if (reading.value !== null) return number(reading.value, measure(reading.measure).decimals);
  return reading.absent === "too_short" ? t("live.measuring_small") : sentence(reading.absent);
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {HTMLElement} tile */
function measures(tile) {
  return (tile.dataset.measures ?? "").split(" ");
}

/** @param {HTMLElement} tile @param {string} selector @returns {HTMLElement} */
function part(tile, selector) {
  return /** @type {HTMLElement} */ (tile.querySelector(selector));
}

/** A spot measurement has its time beside it and holds; a live one must keep coming.
 * @param {Heard} heard @param {number} now @param {number} present */
export function isOld(heard, now, present) {
  if (heard.reading.scope === "spot") return false;
  const behind = Number.isNaN(present) ? 0 : present - heard.reading.end / 1e6;
  return Math.max(now - heard.arrived, behind) > OLD;
}

/** @param {Heard} heard */
function rank(heard) {
  const place = RANKS.findIndex((name) => heard.reading.source.includes(name));
  return place < 0 ? RANKS.length : place;
}

/** The best of what the sources say: a fresh value, else a fresh reason, else the newest of the old.
 * @param {Heard[]} heard @param {number} now @param {number} present @returns {Heard | null} */
export function pick(heard, now, present) {
  const fresh = heard.filter((each) => !isOld(each, now, present));
  const valued = fresh.filter((each) => each.reading.value !== null);
  if (valued.length) return valued.sort((a, b) => rank(a) - rank(b))[0];
  if (fresh.length) return fresh.sort((a, b) => rank(a) - rank(b))[0];
  return heard.sort((a, b) => b.reading.end - a.reading.end)[0] ?? null;
}

/** @param {HTMLElement} meter @param {number | null} quality */
export function showQuality(meter, quality) {
  meter.hidden = quality === null;
  if (quality === null) return;
  const percent = Math.round(100 * quality);
  const word = quality >= 0.8 ? "good" : quality >= 0.5 ? "fair" : "poor";
  meter.dataset.word = word;
  meter.setAttribute("aria-valuenow", String(percent));
  meter.setAttribute("aria-valuetext", t(`live.quality.${word}`, { percent }));
  meter.title = `${t("live.signal_quality")}: ${t(`live.quality.${word}`, { percent })}`;
  /** @type {HTMLElement} */ (meter.firstElementChild).style.width = `${percent}%`;
}
