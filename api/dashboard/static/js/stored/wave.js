// The recorded signals: an overview in which no peak vanishes, and the exact samples where one looks closer.

import { ask } from "../api.js";
import { byId, make, say } from "../elements.js";
import { moment } from "../format.js";
import { FAVOURITES } from "../live/panel.js";
import { draw } from "./figure.js";
import { plotly } from "./plot.js";

const SHOWN_FIRST = ["ecg", "ppg", "respiration"];
const NARROWEST = 1; // seconds
const SETTLE = 150; // milliseconds until a movement counts as finished

/** @typedef {{signal: string, device: string, run: string | null, title: string, unit: string, channels: string[], channel: number, shown: boolean}} Row */

export class Wave {
  /** @param {string} path of the session, below /api/v1 */
  constructor(path) {
    this.path = path;
    this.place = byId("plot");
    /** @type {Row[]} */
    this.rows = [];
    this.whole = [0, 1];
    this.range = [0, 1];
    this.turn = 0;
    this.timer = 0;
    this.known = "";
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.#move(/** @type {HTMLElement} */ (button).dataset.move ?? ""));
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#load());
  }

  /** @param {any} session */
  async show(session) {
    const streams = (session.streams ?? []).filter((/** @type {any} */ each) => each.channels && each.samples);
    const known = JSON.stringify(streams.map((/** @type {any} */ each) => [each.device, each.signal, each.run, each.end]));
    if (known === this.known) return;
    this.known = known;
    byId("plot").hidden = !streams.length;
    if (!streams.length) {
      say(byId("window"), "No signal was recorded.");
      return;
    }
    this.rows = rows(streams);
    this.whole = [
      Math.min(...streams.map((/** @type {any} */ each) => each.start)),
      Math.max(...streams.map((/** @type {any} */ each) => each.end)),
    ];
    this.range = [...this.whole];
    this.#offer();
    await this.#load();
  }

  /** Boxes for the signals, and a list where one has several channels. */
  #offer() {
    byId("choices").replaceChildren(
      ...this.rows.map((row) => {
        const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", checked: row.shown }));
        box.onchange = () => {
          row.shown = box.checked;
          this.#load();
        };
        const label = make("label", {}, box, row.title, make("small", { class: "quiet" }, row.device));
        if (row.channels.length === 1) return label;
        const list = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": `Channel of ${row.title}` }));
        list.append(...row.channels.map((name, i) => make("option", { value: i, selected: i === row.channel }, name)));
        list.onchange = () => {
          row.channel = Number(list.value);
          this.#load();
        };
        return make("span", {}, label, " ", list);
      }),
    );
  }

  /** Fetch what the window shows, as fine as the screen can, and draw it. */
  async #load() {
    const turn = ++this.turn;
    const [start, end] = this.range;
    const shown = this.rows.filter((row) => row.shown);
    const points = Math.max(200, Math.min(4000, Math.round(this.place.clientWidth)));
    try {
      const [library, ...windows] = await Promise.all([
        plotly(),
        ...shown.map((row) => this.#window(row, start, end, points)),
      ]);
      if (turn !== this.turn) return; // the viewer has moved on
      const fresh = !this.place.classList.contains("js-plotly-plot");
      await draw(library, this.place, shown, windows, this.range);
      if (fresh) /** @type {any} */ (this.place).on("plotly_relayout", (/** @type {any} */ change) => this.#moved(change));
      const fine = windows.every((each) => !each || !each.decimated);
      const what = fine ? "every sample" : "least and greatest value per point; zoom in for every sample";
      say(byId("window"), `${moment(start)} to ${moment(end)} of ${moment(this.whole[1])} · ${what}`);
    } catch (error) {
      if (turn === this.turn) say(byId("window"), /** @type {Error} */ (error).message);
    }
  }

  /** @param {Row} row @param {number} start @param {number} end @param {number} points */
  async #window(row, start, end, points) {
    const query = new URLSearchParams({ device: row.device, points: String(points) });
    query.set("start", start.toFixed(6));
    query.set("end", end.toFixed(6));
    if (row.run) query.set("run", row.run);
    return ask(`${this.path}/waveforms/${row.signal}?${query}`);
  }

  /** The viewer dragged or double-clicked.
   * @param {any} change */
  #moved(change) {
    const range = /** @type {any} */ (this.place).layout.xaxis.range;
    const all = Object.keys(change).some((key) => key.endsWith("autorange"));
    if (!all && !Object.keys(change).some((key) => key.startsWith("xaxis.range"))) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => (all ? this.#go(...this.whole) : this.#go(seconds(range[0]), seconds(range[1]))), SETTLE);
  }

  /** @param {string} where */
  #move(where) {
    const [start, end] = this.range;
    const length = end - start;
    if (where === "all") this.#go(...this.whole);
    if (where === "earlier") this.#go(start - 0.8 * length, end - 0.8 * length);
    if (where === "later") this.#go(start + 0.8 * length, end + 0.8 * length);
    if (where === "in") this.#go(start + 0.3 * length, end - 0.3 * length);
    if (where === "out") this.#go(start - length, end + length);
  }

  /** @param {number[]} range */
  #go(...[start, end]) {
    const [first, last] = this.whole;
    const length = Math.min(Math.max(end - start, NARROWEST), last - first);
    const begin = Math.min(Math.max(start, first), last - length);
    this.range = [begin, begin + length];
    this.#load();
  }
}

/** One row per device and signal; runs that differ in shape would be rows of their own.
 * @param {any[]} streams @returns {Row[]} */
function rows(streams) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const stream of streams) {
    const key = [stream.signal, stream.device].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), stream]);
  }
  const place = (/** @type {string} */ signal) => (SHOWN_FIRST.includes(signal) ? SHOWN_FIRST.indexOf(signal) : 9);
  const made = [...groups.values()].flatMap((group) => {
    const alike = group.every((each) => each.channels.join() === group[0].channels.join() && each.rate === group[0].rate);
    return (alike ? [group[0]] : group).map((each) => ({
      signal: each.signal,
      device: each.device,
      run: alike ? null : each.run,
      title: each.title ?? each.signal,
      unit: each.unit ?? "",
      channels: each.channels,
      channel: Math.max(0, each.channels.findIndex((/** @type {string} */ name) => FAVOURITES.includes(name))),
      shown: SHOWN_FIRST.includes(each.signal),
    }));
  });
  made.sort((a, b) => place(a.signal) - place(b.signal));
  if (!made.some((row) => row.shown)) made[0].shown = true;
  return made;
}

/** Of plotly's date axis, on which a session begins in 1970.
 * @param {string | number} date */
function seconds(date) {
  return (typeof date === "number" ? date : Date.parse(`${date.replace(" ", "T")}Z`)) / 1000;
}
