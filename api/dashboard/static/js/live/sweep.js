// Draws one signal like a monitor: the picture stands, a bar moves over it, erases the old and leaves the new behind.

import { fit } from "./fit.js";

const BAR = 26; // CSS pixels that are erased ahead
const LINE = 1.8;
const FIT_EVERY = 1000;
const FIT_OVER = 100; // millimetres: four seconds of a heart, sixteen of a breath
const FIT_FIRST = 700; // less than a beat says nothing about the scale

/** @typedef {import("./trace.js").Trace} Trace */

export class Sweep {
  /** @param {HTMLCanvasElement} canvas @param {number} speed millimetres per second @param {number | null} standard */
  constructor(canvas, speed, standard) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.speed = speed;
    this.standard = standard;
    this.channel = 0;
    /** @type {import("./fit.js").Scale | null} */
    this.scale = null;
    this.fitted = -Infinity;
    this.head = NaN;
    /** Time of the last sample that is on the screen. */
    this.drawn = -Infinity;
    this.resize();
  }

  /** Take the size that the style sheet gives; the picture is drawn anew. */
  resize() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const sharp = window.devicePixelRatio || 1;
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.canvas.width = Math.round(this.width * sharp);
    this.canvas.height = Math.round(this.height * sharp);
    this.context.setTransform(sharp, 0, 0, sharp, 0, 0);
    const style = getComputedStyle(this.canvas);
    this.mm = parseFloat(style.getPropertyValue("--mm")) || 4;
    this.colour = style.color;
    this.head = NaN;
  }

  /** Milliseconds that fit on the screen. */
  get span() {
    return (1000 * this.width) / (this.speed * this.mm);
  }

  /** @param {number} channel */
  choose(channel) {
    this.channel = channel;
    this.scale = null;
    this.fitted = -Infinity;
    this.head = NaN;
  }

  /** Bring the picture to the moment `head`.
   * @param {Trace} trace @param {number} head milliseconds since the origin */
  draw(trace, head) {
    const due = head - this.fitted >= (this.scale ? FIT_EVERY : FIT_EVERY / 2) || head < this.fitted;
    let anew = !(head >= this.head) || head - this.head > this.span / 2 || trace.late <= this.drawn;
    const oldest = trace.pieces[0]?.times[0] ?? head;
    // nothing new: nothing to fit, and what is left on the screen keeps its place
    if (due && trace.end > this.fitted && (this.scale || head - oldest > FIT_FIRST)) {
      this.fitted = head;
      const values = trace.values(this.channel, head - (1000 * FIT_OVER) / this.speed, head);
      const scale = fit(values, this.height / this.mm, this.scale, this.standard);
      if (scale) {
        this.scale = scale;
        anew = true;
      }
    }
    const from = head - this.span + (1000 * BAR) / (this.speed * this.mm);
    if (anew) {
      this.context.clearRect(0, 0, this.width, this.height);
      this.drawn = from;
    } else {
      this.#erase(this.head, head);
    }
    trace.late = Infinity;
    this.head = head;
    if (this.scale) this.#line(trace, Math.max(this.drawn, from), head);
  }

  /** @param {number} time */
  #turns(time) {
    return time / this.span;
  }

  /** Clear what the bar moves over.
   * @param {number} before @param {number} after */
  #erase(before, after) {
    const left = ((this.#turns(before) % 1) + 1) % 1 * this.width;
    const broad = ((after - before) / this.span) * this.width + BAR;
    const begin = Math.floor(left) + 1; // not the pixel that the line has just reached
    this.context.clearRect(begin, 0, Math.ceil(broad), this.height);
    const over = begin + broad - this.width;
    if (over > 0) this.context.clearRect(0, 0, Math.ceil(over), this.height);
  }

  /** @param {Trace} trace @param {number} from @param {number} to */
  #line(trace, from, to) {
    const { context, scale, width, height, mm } = this;
    if (!scale) return;
    let turn = NaN;
    context.strokeStyle = this.colour;
    context.lineWidth = LINE;
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    trace.walk(this.channel, from, to, (time, value, joined) => {
      const turns = this.#turns(time);
      const x = (turns - Math.floor(turns)) * width;
      const y = height / 2 - (value - scale.middle) * scale.gain * mm;
      if (joined && Math.floor(turns) === turn) {
        context.lineTo(x, y);
      } else {
        context.moveTo(x, y);
        context.lineTo(x, y); // a sample between two gaps is a dot
      }
      turn = Math.floor(turns);
      this.drawn = time;
    });
    context.stroke();
  }
}
