// The whole recording in one narrow bar, with the stretch that the strip shows: dragged, or clicked at.

import { hatch, stamp } from "./marks.js";
import { colourOf } from "./colours.js";
import { draw, extent, x } from "./trace.js";

const HEIGHT = 46;
const EDGE = 7; // pixels by which an edge of the stretch is caught

export class Overview {
  /** @param {import("./strip.js").Strip} strip @param {HTMLCanvasElement} canvas */
  constructor(strip, canvas) {
    this.strip = strip;
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.width = 0;
    this.held = "";
    this.offset = 0;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.held = ""));
  }

  /** @param {number} ratio */
  resize(ratio) {
    this.width = this.canvas.clientWidth;
    this.canvas.style.height = `${HEIGHT}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(HEIGHT * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  get scale() {
    const [start, end] = this.strip.window.whole;
    return { start, end, left: 0, width: this.width };
  }

  paint() {
    const { strip, context, scale } = this;
    const row = strip.heart ?? strip.rows[0];
    if (!row || !this.width) return;
    const { ours, tiles } = strip;
    context.fillStyle = ours.soft;
    context.fillRect(0, 0, this.width, HEIGHT);
    const level = tiles.level(row.track, (scale.end - scale.start) / this.width);
    const low = { ...row, height: HEIGHT - 6, gain: "fit" };
    const seen = extent(tiles, low, level, scale);
    hatch(context, scale, 0, HEIGHT, strip.holes.get(row.track) ?? [], ours);
    if (seen) {
      const gain = (0.9 * low.height) / Math.max(1e-9, seen.high - seen.low);
      context.strokeStyle = colourOf(ours, row.track.signal);
      context.lineWidth = 1;
      context.globalAlpha = 0.75;
      draw(context, tiles, low, level, scale, 3, { gain, middle: (seen.low + seen.high) / 2 });
      context.globalAlpha = 1;
    }
    context.fillStyle = ours.poor;
    for (const beat of strip.beats) if (beat.kind === "ectopic") context.fillRect(x(scale, beat.time) - 0.5, HEIGHT - 5, 1.5, 5);
    context.fillStyle = ours.accent;
    for (const flag of strip.flags) context.fillRect(x(scale, flag.time) - 0.5, 0, 1.5, 6);
    const [left, right] = this.#edges();
    context.globalAlpha = 0.55;
    context.fillStyle = ours.paper;
    context.fillRect(0, 0, left, HEIGHT);
    context.fillRect(right, 0, this.width - right, HEIGHT);
    context.globalAlpha = 1;
    context.strokeStyle = ours.accent;
    context.lineWidth = 2;
    context.strokeRect(left, 1, Math.max(3, right - left), HEIGHT - 2);
    context.lineWidth = 1;
    this.canvas.title = `${stamp(scale.start, 1)} – ${stamp(scale.end, 1)}`;
  }

  /** @param {number} needed seconds per pixel of the whole, for the strip to fetch */
  view() {
    const { scale, strip } = this;
    const row = strip.heart ?? strip.rows[0];
    const level = strip.tiles.level(row.track, (scale.end - scale.start) / Math.max(1, this.width));
    return { track: row.track, level, start: scale.start, end: scale.end };
  }

  #edges() {
    const { window } = this.strip;
    return this.strip.paged ? this.strip.pages.range().map((each) => x(this.scale, each)) : [x(this.scale, window.start), x(this.scale, window.end)];
  }

  /** @param {PointerEvent} event */
  #press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const [left, right] = this.#edges();
    const px = event.offsetX;
    const near = Math.min(EDGE, (right - left) / 3);
    this.held = Math.abs(px - left) < near ? "start" : Math.abs(px - right) < near ? "end" : "all";
    if (this.strip.paged) this.held = "all";
    this.offset = px > left && px < right ? px - (left + right) / 2 : 0;
    this.#drag(event);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.held) return;
    const { window } = this.strip;
    const time = this.#time(event.offsetX - (this.held === "all" ? this.offset : 0));
    if (this.held === "start") window.show(Math.min(time, window.end - 0.05), window.end);
    else if (this.held === "end") window.show(window.start, Math.max(time, window.start + 0.05));
    else if (this.strip.paged) this.strip.pages.to(time);
    else window.centre(time);
    this.strip.changed();
  }

  /** @param {number} px */
  #time(px) {
    const { start, end } = this.scale;
    return start + (px / this.width) * (end - start);
  }
}
