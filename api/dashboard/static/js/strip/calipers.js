// Two marks on the strip: what lies between them in milliseconds, as a rate, and in the unit of the row.

import { number } from "../format.js";
import { t } from "../texts.js";
import { FONT } from "./marks.js";
import { x } from "./trace.js";

/** @typedef {{time: number, value: number}} Mark */

export class Calipers {
  /** @param {import("./strip.js").Strip} strip */
  constructor(strip) {
    this.strip = strip;
    this.on = false;
    /** @type {Mark[]} */
    this.marks = [];
    /** @type {import("./rows.js").Row | null} */
    this.row = null;
    this.held = -1;
  }

  /** @param {boolean} on */
  turn(on) {
    this.on = on;
    if (!on) this.marks = [];
    this.strip.redraw();
  }

  /** Take hold of a mark that is near, or set one. A third begins anew.
   * @param {number} px @param {number} py */
  press(px, py) {
    const laid = this.strip.rowAt(py);
    if (!laid?.by) return;
    const near = this.marks.findIndex((mark) => Math.abs(x(this.strip.scale, mark.time) - px) < 10);
    if (near >= 0 && laid.row === this.row) {
      this.held = near;
      return;
    }
    if (this.marks.length === 2 || laid.row !== this.row) this.marks = [];
    this.row = laid.row;
    this.held = this.marks.push(this.#at(px, py)) - 1;
    this.strip.redraw();
  }

  /** @param {number} px @param {number} py */
  drag(px, py) {
    if (this.held < 0) return;
    this.marks[this.held] = this.#at(px, py);
    this.strip.redraw();
  }

  release() {
    this.held = -1;
  }

  /** With the keyboard: two marks within what is seen, moved by arrows.
   * @param {number} pixels */
  nudge(pixels) {
    const { strip } = this;
    if (this.marks.length < 2) {
      this.row = strip.laid[0]?.row ?? null;
      const { start, span } = strip.window;
      this.marks = [0.4, 0.6].map((share) => ({ time: start + share * span, value: strip.laid[0]?.by?.middle ?? 0 }));
    } else {
      this.marks[1] = { ...this.marks[1], time: this.marks[1].time + pixels * (strip.window.span / strip.width) };
    }
    strip.redraw();
  }

  /** @param {number} px @param {number} py @returns {Mark} */
  #at(px, py) {
    const laid = this.strip.laid.find((each) => each.row === this.row);
    const by = laid?.by;
    if (!laid || !by) return { time: this.strip.timeAt(px), value: 0 };
    const value = by.middle + (laid.top + laid.row.height / 2 - py) / by.gain;
    return { time: this.strip.timeAt(px), value };
  }

  /** What lies between them, in words. */
  words() {
    if (this.marks.length < 2 || !this.row) return "";
    const [a, b] = this.marks;
    const seconds = Math.abs(b.time - a.time);
    const unit = this.row.track.unit;
    const height = `${number(b.value - a.value, Math.abs(b.value - a.value) < 10 ? 2 : 0)} ${unit}`;
    const rate = seconds > 0 ? number(60 / seconds, 0) : "–";
    return t("strip.between", { ms: number(1000 * seconds, 0), rate, height });
  }

  /** @param {import("./trace.js").Scale} scale */
  paint(scale) {
    const laid = this.strip.laid.find((each) => each.row === this.row);
    if (!this.on || !this.marks.length || !laid?.by) return;
    const { context, ours } = this.strip;
    const { by, top, row } = laid;
    const at = this.marks.map((mark) => x(scale, mark.time));
    const ys = this.marks.map((mark) => top + row.height / 2 - (mark.value - by.middle) * by.gain);
    context.strokeStyle = context.fillStyle = ours.poor;
    context.lineWidth = 1.5;
    context.setLineDash([5, 3]);
    context.beginPath();
    at.forEach((each, index) => {
      context.moveTo(each, top);
      context.lineTo(each, top + row.height);
      context.moveTo(each - 14, ys[index]);
      context.lineTo(each + 14, ys[index]);
    });
    if (at.length === 2) {
      context.moveTo(at[0], ys[0]);
      context.lineTo(at[1], ys[0]);
    }
    context.stroke();
    context.setLineDash([]);
    if (at.length < 2) return;
    context.font = FONT.replace("12px", "600 13px");
    const text = this.words();
    const room = context.measureText(text).width + 14;
    const left = Math.min(Math.max(2, (at[0] + at[1] - room) / 2), scale.width - room - 2);
    context.fillStyle = ours.paper;
    context.fillRect(left, top + row.height - 24, room, 21);
    context.strokeRect(left, top + row.height - 24, room, 21);
    context.fillStyle = ours.ink;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(text, left + 7, top + row.height - 13);
  }
}
