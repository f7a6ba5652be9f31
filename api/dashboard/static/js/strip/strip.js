// The full-disclosure strip: every signal of a recording on one canvas, from a whole day to milliseconds.

import { listen, tell } from "../analysis/cursor.js";
import { say } from "../elements.js";
import { t } from "../texts.js";
import { colourOf, colours } from "./colours.js";
import { Calipers } from "./calipers.js";
import { FONT, LANE, first, flagged, hatch, paper, scaleWords, shape, stamp, stepOf, ticks, times } from "./marks.js";
import { Overview } from "./overview.js";
import { Pages } from "./pages.js";
import { Pointing } from "./pointing.js";
import { label, tracksOf, usual } from "./rows.js";
import { Tiles } from "./tiles.js";
import { MM, draw, extent, gainOf } from "./trace.js";
import { Window } from "./window.js";

/** @typedef {import("./rows.js").Row} Row
 * @typedef {import("./marks.js").Flag} Flag
 * @typedef {import("./marks.js").Beat} Beat
 * @typedef {import("./marks.js").Hole} Hole
 * @typedef {{row: Row, top: number, bottom: number, by: {gain: number, middle: number, fitted: boolean} | null}} Laid */

const FLAGS = 22; // pixels at the top
const AXIS = 26; // and at the bottom
const BETWEEN = 8;
const PAPER = 25; // mm/s of a standard strip
const SETTLE = 250; // milliseconds after which a reader is told where they are

export class Strip {
  /** @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} overview @param {HTMLElement} where says what is seen
   * @param {string} path of the session, below /api/v1 */
  constructor(canvas, overview, where, path) {
    this.canvas = canvas;
    this.where = where;
    this.path = path;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.tiles = new Tiles(path, () => this.redraw());
    this.window = new Window(0, 1);
    /** @type {import("./rows.js").Track[]} */
    this.tracks = [];
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Laid[]} */
    this.laid = [];
    /** @type {Flag[]} */
    this.flags = [];
    /** @type {Beat[]} */
    this.beats = [];
    /** @type {Map<import("./rows.js").Track, Hole[]>} */
    this.holes = new Map();
    /** @type {import("./editor.js").Editor | null} */
    this.editor = null;
    this.paged = false;
    /** Whether the reader has moved since the last picture. */
    this.moved = false;
    this.width = 0;
    this.height = 0;
    this.frame = 0;
    this.drawn = 0;
    this.timer = 0;
    this.ours = colours(canvas);
    this.calipers = new Calipers(this);
    this.pages = new Pages(this);
    this.overview = new Overview(this, overview);
    this.pointing = new Pointing(this);
    new ResizeObserver(() => this.resize()).observe(canvas);
    listen((start, end) => this.#led(start, end), "strip");
    document.addEventListener("themechange", () => this.#recolour());
    addEventListener("beforeprint", () => this.#print(true));
    addEventListener("afterprint", () => this.#print(false));
  }

  /** @param {any} session with its streams */
  load(session) {
    this.tracks = tracksOf(session.streams ?? []);
    this.rows = usual(this.tracks);
    const ends = this.tracks.map((each) => each.end);
    const start = Math.min(0, ...this.tracks.map((each) => each.start));
    const end = Math.max(session.duration ?? 0, ...ends);
    this.window = new Window(start, end);
    for (const track of this.tracks) {
      const edges = [];
      if (track.start - start > 0.5) edges.push({ start, end: track.start, reason: "outside" });
      if (end - track.end > 0.5) edges.push({ start: track.end, end, reason: "outside" });
      this.holes.set(track, edges);
    }
    this.resize();
  }

  /** The row that beats belong to: the first ECG, else the first pulse.
   * @returns {Row | undefined} */
  get heart() {
    return ["ecg", "ppg", "rgb"].map((name) => this.rows.find((row) => row.track.signal === name)).find((row) => row);
  }

  /** @returns {import("./trace.js").Scale} */
  get scale() {
    return { start: this.window.start, end: this.window.end, left: 0, width: this.width };
  }

  /** @param {number} px @returns {number} seconds */
  timeAt(px) {
    return this.window.start + (px / this.width) * this.window.span;
  }

  /** @param {number} y @returns {Laid | undefined} */
  rowAt(y) {
    return this.laid.find((each) => y >= each.top && y < each.bottom);
  }

  /** The speed of a standard strip about a time.
   * @param {number} [time] */
  standard(time = (this.window.start + this.window.end) / 2) {
    this.paged = false;
    this.window.centre(time, this.width / MM / PAPER);
    this.changed();
  }

  /** The reader has moved. */
  changed() {
    this.moved = true;
    this.redraw();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.#tell(), SETTLE);
  }

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
      // the figures follow
      if (this.moved && !this.paged) tell(this.window.start, this.window.end, "strip", this.window.span >= this.window.all);
      this.moved = false;
    });
  }

  /** A figure was pointed at: show that stretch.
   * @param {number} start @param {number} end */
  #led(start, end) {
    if (!this.rows.length) return;
    const paged = this.paged;
    this.paged = false;
    this.window.show(start, end);
    this.changed();
    this.moved = false;
    if (!paged) return;
    this.resize();
    this.canvas.dispatchEvent(new CustomEvent("modechange"));
  }

  resize() {
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.paged ? this.pages.height : this.#layout();
    if (!this.width) return;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.overview.resize(ratio);
    this.paint();
    this.#tell();
  }

  /** Places of the rows; how high all of them are. */
  #layout() {
    let top = FLAGS;
    const heart = this.heart;
    this.laid = this.rows.map((row) => {
      const bottom = top + row.height + (row === heart && (this.beats.length || this.editor) ? LANE : 0) + BETWEEN;
      const laid = { row, top, bottom, by: null };
      top = bottom;
      return laid;
    });
    return top + AXIS;
  }

  paint() {
    if (!this.width || !this.rows.length) return;
    const { context, ours } = this;
    context.fillStyle = ours.paper;
    context.fillRect(0, 0, this.width, this.height);
    const sharp = this.paged ? this.pages.paint() : this.#detail();
    this.overview.paint();
    this.canvas.dataset.frame = String(++this.drawn);
    this.canvas.dataset.sharp = String(sharp);
  }

  /** @returns {boolean} whether all is as fine as the screen is */
  #detail() {
    const { context, ours, scale, tiles } = this;
    const perPixel = (scale.end - scale.start) / scale.width;
    const views = this.rows.map((row) => ({ track: row.track, level: tiles.level(row.track, perPixel), start: scale.start, end: scale.end }));
    tiles.want(views.filter((each, index) => views.findIndex((other) => other.track === each.track) === index));
    let sharp = true;
    times(context, scale, FLAGS - 2, this.height - AXIS, ours);
    this.laid.forEach((laid, index) => {
      const { row, top } = laid;
      const { level } = views[index];
      const seen = extent(tiles, row, level, scale);
      laid.by = seen ? gainOf(row, seen) : null;
      if (laid.by && row.track.signal === "ecg") paper(context, scale, top, row.height, laid.by, ours);
      hatch(context, scale, top, row.height, this.holes.get(row.track) ?? [], ours);
      if (laid.by) {
        context.strokeStyle = colourOf(ours, row.track.signal);
        context.lineWidth = row.track.signal === "ecg" ? 1.25 : 1.1;
        context.lineJoin = "bevel";
        context.save();
        context.beginPath();
        context.rect(0, top, this.width, row.height);
        context.clip();
        sharp = draw(context, tiles, row, level, scale, top, laid.by) && sharp;
        context.restore();
      } else {
        sharp = tiles.cover(row.track, level, scale.start, scale.end, () => undefined) && sharp;
      }
      this.#margin(laid);
      if (row === this.heart && (this.beats.length || this.editor)) {
        ticks(context, scale, top + row.height + 3, this.editor?.shown() ?? this.beats, ours, this.editor?.chosen ?? NaN);
      }
    });
    flagged(context, scale, 2, this.height - AXIS, this.flags, ours);
    this.calipers.paint(scale);
    this.editor?.paint(scale);
    return sharp;
  }

  /** What a row is, and its scale, over its left end.
   * @param {Laid} laid */
  #margin({ row, top, by }) {
    const { context, ours } = this;
    const title = label(row);
    const words = by ? scaleWords(this.scale, by, row.track.unit) : this.tiles.busy ? t("strip.loading") : t("strip.nothing");
    context.textAlign = "left";
    context.textBaseline = "top";
    context.font = FONT.replace("12px", "600 12px");
    const wide = context.measureText(title).width;
    context.font = FONT.replace("12px", "11px");
    const beside = row.height > 60 ? context.measureText(words).width + 8 : 0;
    context.globalAlpha = 0.85;
    context.fillStyle = ours.paper;
    context.fillRect(2, top + 1, wide + beside + 10, 17);
    context.globalAlpha = 1;
    if (beside) {
      context.fillStyle = ours.quiet;
      context.fillText(words, wide + 14, top + 4);
    }
    context.font = FONT.replace("12px", "600 12px");
    context.fillStyle = ours.ink;
    context.fillText(title, 6, top + 3);
  }

  /** Say where the reader is: to a screen reader, too. */
  #tell() {
    if (!this.rows.length) return;
    const { start, end, span, whole } = this.window;
    const step = stepOf(this.scale) / 10;
    const text = this.paged
      ? this.pages.words()
      : t("strip.where", { from: stamp(start, step), to: stamp(end, step), span: lasting(span), of: lasting(whole[1] - whole[0]) });
    say(this.where, this.tiles.told || text);
  }

  /** To the next beat that is not as all others are, or the next event.
   * @param {number} direction 1 or -1 */
  seek(direction) {
    const { start, end } = this.window;
    const middle = (start + end) / 2;
    const marked = [...this.beats.filter((beat) => beat.kind !== "measured"), ...this.flags].map((each) => each.time);
    const further = marked.filter((time) => (direction > 0 ? time > middle + 0.01 : time < middle - 0.01));
    if (!further.length) return;
    this.window.centre(direction > 0 ? Math.min(...further) : Math.max(...further));
    this.changed();
  }

  /** @param {Beat[]} beats */
  setBeats(beats) {
    this.beats = beats;
    this.resize();
  }

  #recolour() {
    this.ours = colours(this.canvas);
    this.redraw();
  }

  /** Paper is white, whatever the screen is.
   * @param {boolean} on */
  #print(on) {
    this.canvas.closest(".strip")?.classList.toggle("printing", on);
    this.ours = colours(this.canvas);
    this.paint();
  }

  /** Draws a sign for the legend.
   * @param {HTMLCanvasElement} place @param {string} kind */
  legend(place, kind) {
    place.width = place.height = 32;
    const context = /** @type {CanvasRenderingContext2D} */ (place.getContext("2d"));
    context.scale(2, 2);
    context.lineWidth = 1.5;
    shape(context, kind, 8, 8.5, this.ours);
  }

  /** Beats within what is seen, for whoever corrects them. @returns {Beat[]} */
  get visible() {
    return this.beats.slice(first(this.beats, this.window.start), first(this.beats, this.window.end));
  }
}

/** How long something is, in the unit that suits it.
 * @param {number} seconds */
export function lasting(seconds) {
  if (seconds < 1) return `${Math.round(1000 * seconds)} ${t("strip.unit.ms")}`;
  if (seconds < 90) return `${Number(seconds.toPrecision(3))} ${t("strip.unit.s")}`;
  return stamp(seconds, 1);
}
