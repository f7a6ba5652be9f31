// Beats set by hand. What is done waits here, can be taken back step by step, and goes to the server as one batch.

import { ask } from "../api.js";
import { near } from "./beats.js";
import { LANE, first } from "./marks.js";
import { peakNear, x } from "./trace.js";

/** @typedef {import("./marks.js").Beat} Beat
 * @typedef {{kind: "add" | "remove" | "move", time: number, to?: number}} Step */

const GRASP = 9; // pixels from a beat
const SNAP = 0.06; // seconds from a click to the peak that was meant
const CLOSEST = 0.2; // seconds between two beats: 300 per minute

export class Editor {
  /** @param {import("./strip.js").Strip} strip @param {string[]} beats
   * @param {() => void} changed @param {(text: string) => void} refused called with the key of a text */
  constructor(strip, changed, refused) {
    this.strip = strip;
    this.changed = changed;
    this.refused = refused;
    /** @type {Step[]} */
    this.steps = [];
    /** @type {Step[]} */
    this.undone = [];
    this.chosen = NaN;
    /** Where a beat is held while it is dragged. */
    this.held = NaN;
    this.at = NaN;
  }

  /** Beats as they would be. @returns {Beat[]} */
  shown() {
    let beats = this.strip.beats.slice();
    for (const step of this.steps) beats = applied(beats, step);
    if (Number.isFinite(this.held) && this.at !== this.held) beats = applied(beats, { kind: "move", time: this.held, to: this.at });
    return beats;
  }

  /** @param {Step} step @returns {boolean} */
  do(step) {
    const target = step.kind === "move" ? step.to : step.kind === "add" ? step.time : NaN;
    const others = this.shown().filter((beat) => !beat.kind.startsWith("removed") && !(step.kind === "move" && Math.abs(beat.time - step.time) < 1e-6));
    if (target !== undefined && near(others, target, CLOSEST)) {
      this.refused("strip.too_close");
      this.strip.redraw();
      return false;
    }
    this.steps.push(step);
    this.undone = [];
    this.#told();
    return true;
  }

  undo() {
    const step = this.steps.pop();
    if (step) this.undone.push(step);
    this.#told();
  }

  redo() {
    const step = this.undone.pop();
    if (step) this.steps.push(step);
    this.#told();
  }

  remove() {
    if (!Number.isFinite(this.chosen)) return;
    this.do({ kind: "remove", time: this.chosen });
    this.chosen = NaN;
    this.strip.redraw();
  }

  /** The chosen beat with the keyboard, or none: the next one.
   * @param {number} direction */
  next(direction) {
    const beats = this.shown().filter((beat) => !beat.kind.startsWith("removed"));
    const from = Number.isFinite(this.chosen) ? this.chosen : (this.strip.window.start + this.strip.window.end) / 2;
    const place = direction > 0 ? first(beats, from + 1e-6) : first(beats, from - 1e-6) - 1;
    if (!beats[place]) return;
    this.chosen = beats[place].time;
    const { start, end } = this.strip.window;
    if (this.chosen < start || this.chosen > end) this.strip.window.centre(this.chosen);
    this.strip.changed();
  }

  /** The chosen beat by some samples, with the keyboard.
   * @param {number} seconds */
  nudge(seconds) {
    if (!Number.isFinite(this.chosen)) return;
    const to = Math.max(0, round(this.chosen + seconds));
    if (this.do({ kind: "move", time: this.chosen, to })) this.chosen = to;
    this.strip.redraw();
  }

  #told() {
    if (!near(this.shown().filter((beat) => !beat.kind.startsWith("removed")), this.chosen, 1e-6)) this.chosen = NaN;
    this.changed();
    this.strip.redraw();
  }

  /** Whether this is the row of the heart, or its beats.
   * @param {number} y */
  #mine(y) {
    const laid = this.strip.laid.find((each) => each.row === this.strip.heart);
    return laid !== undefined && y >= laid.top && y < laid.top + laid.row.height + LANE;
  }

  /** @param {number} px */
  #under(px) {
    const { scale } = this.strip;
    const beats = this.shown().filter((beat) => !beat.kind.startsWith("removed"));
    const beat = near(beats, this.strip.timeAt(px), 5);
    return beat && Math.abs(x(scale, beat.time) - px) <= GRASP ? beat : null;
  }

  /** @param {number} px @param {number} y @returns {boolean} whether a beat is held now */
  press(px, y) {
    const beat = this.#mine(y) ? this.#under(px) : null;
    if (!beat) return false;
    this.held = this.at = this.chosen = beat.time;
    this.strip.redraw();
    return true;
  }

  /** @param {number} px @param {number} y */
  over(px, y) {
    this.strip.canvas.style.cursor = !this.#mine(y) ? "" : this.#under(px) ? "ew-resize" : "copy";
  }

  /** @param {number} px */
  drag(px) {
    this.at = Math.max(0, round(this.strip.timeAt(px)));
    this.strip.redraw();
  }

  /** @param {boolean} click */
  release(click) {
    const { held, at } = this;
    this.held = this.at = NaN;
    if (click || at === held) return this.strip.redraw();
    if (this.do({ kind: "move", time: held, to: at })) this.chosen = at;
  }

  /** @param {number} px @param {number} y */
  click(px, y) {
    const { strip } = this;
    if (!strip.heart || !this.#mine(y)) {
      this.chosen = NaN;
      return strip.redraw();
    }
    // from too far away a click means no beat
    if (strip.window.span / strip.width > SNAP / 4) return this.refused("strip.too_far");
    const time = round(peakNear(strip.tiles, strip.heart, strip.timeAt(px), SNAP));
    if (this.do({ kind: "add", time })) this.chosen = time;
  }

  /** @param {import("./trace.js").Scale} scale */
  paint(scale) {
    if (!Number.isFinite(this.held)) return;
    const laid = this.strip.laid.find((each) => each.row === this.strip.heart);
    if (!laid) return;
    const { context, ours } = this.strip;
    context.strokeStyle = ours.accent;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x(scale, this.at), laid.top);
    context.lineTo(x(scale, this.at), laid.top + laid.row.height);
    context.stroke();
  }

  /** Send all of it: the server takes the whole batch or nothing.
   * @returns {Promise<any>} */
  async save() {
    const items = this.steps.map((step) => ({ ...step }));
    const state = await ask(`${this.strip.path}/corrections`, { method: "POST", body: { items } });
    this.steps = [];
    this.undone = [];
    return state;
  }
}

/** @param {Beat[]} beats @param {Step} step @returns {Beat[]} */
export function applied(beats, step) {
  const made = beats.filter((beat) => step.kind === "add" || beat.kind.startsWith("removed") || Math.abs(beat.time - step.time) > 1e-6);
  if (step.kind === "remove") made.push({ time: step.time, kind: "removed_by_hand" });
  else made.push({ time: step.kind === "move" ? /** @type {number} */ (step.to) : step.time, kind: "pending" });
  return made.sort((a, b) => a.time - b.time);
}

/** To the tenth of a millisecond. @param {number} seconds */
function round(seconds) {
  return Math.round(1e4 * seconds) / 1e4;
}
