// One figure: drawn when it comes into view, told in words, and as a table for whoever wants the numbers.

import { sentence } from "../catalogue.js";
import { make, say } from "../elements.js";
import { t } from "../texts.js";
import { listen, tell, tellMoment } from "./cursor.js";
import { plotly } from "./plotly.js";
import { CONFIG, date, layout, look, seconds } from "./theme.js";

const OWN = ["not_kept", "not_analysed", "not_present", "not_kept_both", "no_other", "few_windows"];
const MOST_ROWS = 2000; // of a table
const SETTLE = 120; // milliseconds without a word of the strip after which its stretch is shaded: a figure is slower than a strip

/** What a figure is. `load` answers {absent} or whatever the others take; `plot` answers {traces, layout}.
 * @typedef {{name: string, wide?: boolean, timed?: boolean, height?: number, title?: (loaded: any) => string,
 *   load: (data: any, choice: string | null) => Promise<any>, plot: (loaded: any, seen: import("./theme.js").Look) => any,
 *   summary: (loaded: any) => string, table: (loaded: any) => {head: string[], rows: (string | null)[][]}}} Kind */

/** Why there is nothing to draw. @param {string} reason */
export function reasonOf(reason) {
  return OWN.includes(reason) ? t(`analysis.absent.${reason}`) : sentence(reason);
}

export class Figure {
  /** @param {Kind} kind @param {any} data */
  constructor(kind, data) {
    this.kind = kind;
    this.data = data;
    /** @type {string | null} */
    this.choice = null;
    this.seen = false;
    this.turn = 0;
    this.window = /** @type {number[] | null} */ (null);
    /** The figure's own, once it is drawn. @type {any[] | null} */
    this.shapes = null;
    this.waiting = 0;
    const id = `figure-${kind.name}`;
    this.chart = make("div", { class: "chart", role: "img" });
    this.chart.style.minHeight = `${this.height}px`;
    this.told = make("p", { class: "told" });
    this.choices = make("span", { class: "choices" });
    this.table = make("details", { class: "more" }, make("summary", {}, t("analysis.table")));
    this.table.addEventListener("toggle", () => this.#fill());
    this.table.hidden = true;
    this.element = make(
      "section",
      { class: `card plotted${kind.wide ? " wide" : ""}`, "aria-labelledby": id, "data-figure": kind.name },
      make("header", {}, make("h3", { id }, t(`analysis.${kind.name}.title`)), this.choices),
      make("p", { class: "help" }, t(`analysis.${kind.name}.about`)),
      this.chart,
      this.told,
      this.table,
    );
    document.addEventListener("themechange", () => this.#redraw());
    if (kind.timed) listen((start, end, whole) => this.#shade(whole ? null : [start, end]));
    addEventListener("beforeprint", () => this.show());
  }

  get height() {
    return this.kind.height ?? 280;
  }

  /** Ask for what it is made of: what cannot be drawn is known at once. */
  async prepare() {
    const turn = ++this.turn;
    this.element.setAttribute("aria-busy", "true");
    try {
      const loaded = await this.kind.load(this.data, this.choice);
      if (turn !== this.turn) return;
      this.loaded = loaded;
      if (loaded.absent) this.#without(reasonOf(loaded.absent));
      else await this.#ready();
    } catch (error) {
      if (turn === this.turn) this.#without(/** @type {Error} */ (error).message);
    } finally {
      if (turn === this.turn) this.element.removeAttribute("aria-busy");
    }
  }

  /** It is in view: draw it, if that has not been done. */
  async show() {
    if (this.seen) return;
    this.seen = true;
    if (this.loaded && !this.loaded.absent) await this.#draw();
  }

  /** There is another revision. */
  async renew() {
    await this.prepare();
  }

  /** @param {string} words */
  #without(words) {
    this.chart.hidden = true;
    this.table.hidden = true;
    this.element.classList.add("without");
    say(this.told, words);
  }

  async #ready() {
    this.element.classList.remove("without");
    this.chart.hidden = false;
    this.table.hidden = false;
    const words = this.kind.summary(this.loaded);
    say(this.told, words);
    this.chart.setAttribute("aria-label", `${t(`analysis.${this.kind.name}.title`)}. ${words}`);
    this.#offer();
    if (this.table.open) this.#fill();
    if (this.seen) await this.#draw();
  }

  async #draw() {
    await this.#paint(await plotly());
    if (this.kind.timed && !this.linked) {
      this.linked = true;
      const chart = /** @type {any} */ (this.chart);
      chart.on("plotly_click", (/** @type {any} */ event) => tellMoment(seconds(event.points[0].x)));
      chart.on("plotly_relayout", (/** @type {any} */ change) => {
        if ("xaxis.range[0]" in change) tell(seconds(change["xaxis.range[0]"]), seconds(change["xaxis.range[1]"]));
      });
    }
  }

  /** @param {any} library */
  async #paint(library) {
    const seen = look(this.chart);
    const made = this.kind.plot(this.loaded, seen);
    const own = { height: this.height, ...made.layout };
    this.shapes = own.shapes ?? [];
    if (this.window) own.shapes = [...this.shapes, this.#band(seen)];
    await library.react(this.chart, made.traces, layout(seen, own), CONFIG);
  }

  async #redraw() {
    if (this.seen && this.loaded && !this.loaded.absent) await this.#paint(await plotly());
  }

  /** Where the strip is looking: a stretch, or the whole, which needs no shade.
   * @param {number[] | null} stretch */
  #shade(stretch) {
    this.window = stretch;
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(async () => {
      if (!this.shapes || this.loaded?.absent) return;
      const library = await plotly();
      library.relayout(this.chart, { shapes: this.window ? [...this.shapes, this.#band(look(this.chart))] : this.shapes });
    }, SETTLE);
  }

  /** @param {import("./theme.js").Look} seen */
  #band(seen) {
    const [start, end] = /** @type {number[]} */ (this.window);
    return {
      type: "rect", xref: "x", yref: "paper", x0: date(start), x1: date(end), y0: 0, y1: 1,
      line: { width: 0 }, fillcolor: seen.faint("accent", 0.13), layer: "below",
    };
  }

  #offer() {
    const offered = this.loaded.choices ?? [];
    if (offered.length < 2 || this.offered === JSON.stringify(offered)) return;
    this.offered = JSON.stringify(offered);
    const list = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": t(`analysis.${this.kind.name}.choice`) }));
    list.append(...offered.map((/** @type {any} */ each) =>
      make("option", { value: each.value, selected: each.value === this.loaded.chosen }, each.label)));
    list.addEventListener("change", () => {
      this.choice = list.value;
      this.prepare();
    });
    this.choices.replaceChildren(list);
  }

  #fill() {
    if (!this.table.open || !this.loaded || this.loaded.absent) return;
    const { head, rows } = this.kind.table(this.loaded);
    const shown = rows.slice(0, MOST_ROWS);
    const cells = (/** @type {string} */ tag, /** @type {(string | null)[]} */ row) =>
      row.map((each, place) => make(tag, { class: place ? "right" : null, scope: tag === "th" ? "col" : null }, each ?? "–"));
    const table = make(
      "table",
      { class: "table" },
      make("thead", {}, make("tr", {}, ...cells("th", head))),
      make("tbody", {}, ...shown.map((row) => make("tr", {}, ...cells("td", row)))),
    );
    const rest = rows.length > shown.length ? make("p", { class: "quiet" }, t("analysis.first_rows", { count: MOST_ROWS })) : null;
    const label = t(`analysis.${this.kind.name}.title`);
    const scroll = make("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": label }, table);
    this.table.replaceChildren(make("summary", {}, t("analysis.table")), scroll, ...(rest ? [rest] : []));
  }
}
