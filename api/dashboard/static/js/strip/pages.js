// Pages like a Holter's full disclosure: one signal in rows of a minute, five minutes or an hour, small. A click leads there.

import { t } from "../texts.js";
import { colourOf } from "./colours.js";
import { FONT, first, hatch, shape, stamp } from "./marks.js";
import { label } from "./rows.js";
import { draw, extent, x } from "./trace.js";

const ROW = 34; // pixels
const MOST = 24;
const MARGIN = 62;
const TOP = 26;
export const LENGTHS = [60, 300, 3600];

export class Pages {
  /** @param {import("./strip.js").Strip} strip */
  constructor(strip) {
    this.strip = strip;
    this.length = LENGTHS[0];
    this.start = 0;
  }

  get count() {
    const { all } = this.strip.window;
    return Math.max(1, Math.min(MOST, Math.ceil(all / this.length)));
  }

  get height() {
    return TOP + this.count * ROW + 10;
  }

  get row() {
    return this.strip.heart ?? this.strip.rows[0];
  }

  /** @returns {number[]} */
  range() {
    return [this.start, Math.min(this.start + this.count * this.length, this.strip.window.whole[1])];
  }

  /** The page that holds this time.
   * @param {number} time */
  to(time) {
    const [first, last] = this.strip.window.whole;
    const page = this.count * this.length;
    const begin = Math.floor((time - page / 2 - first) / this.length) * this.length + first;
    this.start = Math.max(first, Math.min(begin, first + Math.ceil((last - first - page) / this.length) * this.length));
    if (this.start < first) this.start = first;
  }

  /** @param {number} rows */
  move(rows) {
    this.to(this.start + (this.count * this.length) / 2 + rows * this.length);
    this.strip.changed();
  }

  words() {
    const [from, to] = this.range();
    return t("strip.page", { from: stamp(from, 60), to: stamp(to, 60), signal: label(this.row), of: stamp(this.strip.window.whole[1], 60) });
  }

  /** The time under a point.
   * @param {number} px @param {number} py */
  timeAt(px, py) {
    const line = Math.max(0, Math.min(this.count - 1, Math.floor((py - TOP) / ROW)));
    const share = (px - MARGIN) / (this.strip.width - MARGIN);
    return this.start + (line + Math.min(1, Math.max(0, share))) * this.length;
  }

  /** @returns {boolean} */
  paint() {
    const { strip } = this;
    const { context, ours, tiles } = strip;
    const row = { ...this.row, height: ROW - 6, gain: "fit" };
    const width = strip.width - MARGIN - 4;
    const level = tiles.level(row.track, this.length / width);
    const [from, to] = this.range();
    tiles.want([{ track: row.track, level, start: from, end: to }]);
    // one scale for the page, so that rows compare; a few wild samples do not flatten all others
    const seen = extent(tiles, row, level, { start: from, end: to, left: 0, width });
    let sharp = true;
    context.font = FONT;
    context.fillStyle = ours.quiet;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillText(`${label(this.row)} · ${t("strip.rows", { length: t(`strip.length.${this.length}`) })}`, MARGIN, 13);
    for (let line = 0; line < this.count; line++) {
      const start = this.start + line * this.length;
      if (start >= strip.window.whole[1]) break;
      const scale = { start, end: start + this.length, left: MARGIN, width };
      const top = TOP + line * ROW;
      if (line % 2) {
        context.globalAlpha = 0.45;
        context.fillStyle = ours.soft;
        context.fillRect(0, top - 3, strip.width, ROW);
        context.globalAlpha = 1;
      }
      context.fillStyle = ours.quiet;
      context.font = FONT;
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(stamp(start, 60), MARGIN - 8, top + ROW / 2 - 3);
      hatch(context, scale, top, row.height, strip.holes.get(this.row.track) ?? [], ours);
      if (seen) {
        const gain = row.height / Math.max(1e-9, Math.min(seen.high - seen.low, 6 * spread(seen)));
        context.strokeStyle = colourOf(ours, row.track.signal);
        context.lineWidth = 0.8;
        context.save();
        context.beginPath();
        context.rect(MARGIN, top - 2, width, row.height + 4);
        context.clip();
        sharp = draw(context, tiles, row, level, scale, top - 1, { gain, middle: (seen.low + seen.high) / 2 }) && sharp;
        context.restore();
      } else sharp = false;
      this.#marks(scale, top);
    }
    return sharp;
  }

  /** Beats that are not as the others, and events.
   * @param {import("./trace.js").Scale} scale @param {number} top */
  #marks(scale, top) {
    const { context, ours, beats, flags } = this.strip;
    for (let n = first(beats, scale.start); n < beats.length && beats[n].time < scale.end; n++) {
      if (beats[n].kind === "measured" || this.length > 300) continue;
      context.save();
      context.translate(x(scale, beats[n].time), top + 2);
      context.scale(0.6, 0.6);
      shape(context, beats[n].kind, 0, 0, ours);
      context.restore();
    }
    context.fillStyle = ours.accent;
    for (const flag of flags) {
      if (flag.time >= scale.start && flag.time < scale.end) context.fillRect(x(scale, flag.time) - 1, top - 2, 2, ROW - 4);
    }
  }
}

/** @param {{low: number, high: number, middle: number}} seen */
function spread({ low, high, middle }) {
  return Math.max(high - middle, middle - low);
}
