// Signals as they come, drawn as one calm line that moves with the screen's own rate.
const AHEAD = 60; // milliseconds of the signal kept back beyond one message's length, so that the line never waits
const LOST = 1500; // milliseconds by which the clocks may part before the line begins anew
const MOST = 4000; // samples kept
const still = matchMedia("(prefers-reduced-motion: reduce)");

const traces = new Set();
let drawing = 0;

function draw(now) {
  drawing = traces.size ? requestAnimationFrame(draw) : 0;
  for (const each of traces) each.draw(now);
}

export class Trace {
  #canvas;
  #pen;
  #seconds;
  #times = [];
  #values = [];
  #offset = null;
  #low = null;
  #high = null;
  #drawn = 0;
  #colour;

  constructor(canvas, { seconds = 5, colour = "--wave" } = {}) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.#seconds = seconds;
    this.colour(colour);
    traces.add(this);
    drawing ||= requestAnimationFrame(draw);
  }

  colour(name) {
    this.#colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#0b5c6b";
  }

  get there() {
    return this.#times.length > 1;
  }

  stop() {
    traces.delete(this);
    this.#times = [];
    this.#values = [];
    this.#pen.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  push({ at, step, values }) {
    const last = this.#times.at(-1);
    if (last !== undefined && at < last - LOST) [this.#times, this.#values] = [[], []];
    if (last !== undefined && at > last + 3 * step) this.#add(last + step, null);
    values.forEach((value, index) => this.#add(at + index * step, value));
    const extra = this.#times.length - MOST;
    if (extra > 0) [this.#times, this.#values] = [this.#times.slice(extra), this.#values.slice(extra)];
    // what is drawn lags by one message and a little, and follows the signal's clock slowly
    const behind = at + values.length * step - performance.now() - values.length * step * 1.2 - AHEAD;
    if (this.#offset === null || Math.abs(behind - this.#offset) > LOST) this.#offset = behind;
    else this.#offset += (behind - this.#offset) * 0.05;
  }

  #add(time, value) {
    // what comes twice, or late, is drawn already
    if (time <= (this.#times.at(-1) ?? -Infinity)) return;
    this.#times.push(time);
    this.#values.push(value);
  }

  draw(now) {
    if (this.#offset === null || (still.matches && now - this.#drawn < 1000)) return;
    this.#drawn = now;
    const canvas = this.#canvas;
    const scale = devicePixelRatio;
    const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
    if (!width || !height) return;
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const pen = this.#pen;
    pen.clearRect(0, 0, width, height);
    const head = now + this.#offset;
    const edge = width - 10 * scale;
    const begin = this.#from(head - this.#seconds * 1000);
    const end = this.#from(head);
    if (end - begin < 2) return;
    this.#fit(begin, end);
    const span = this.#high - this.#low || 1;
    const x = (index) => edge - ((head - this.#times[index]) / (this.#seconds * 1000)) * edge;
    const y = (value) => height * 0.88 - ((value - this.#low) / span) * height * 0.76;
    const fade = pen.createLinearGradient(0, 0, edge, 0);
    fade.addColorStop(0, `${this.#colour}00`);
    fade.addColorStop(0.35, this.#colour);
    pen.strokeStyle = fade;
    pen.lineWidth = 2.4 * scale;
    pen.lineJoin = pen.lineCap = "round";
    pen.beginPath();
    let broken = true;
    let tip = null;
    for (let index = begin; index < end; index += 1) {
      const value = this.#values[index];
      if (value === null) {
        broken = true;
        continue;
      }
      tip = [x(index), y(value)];
      if (broken) pen.moveTo(...tip);
      else pen.lineTo(...tip);
      broken = false;
    }
    pen.stroke();
    if (!tip || broken) return;
    pen.fillStyle = this.#colour;
    pen.beginPath();
    pen.arc(...tip, 4.5 * scale, 0, 2 * Math.PI);
    pen.fill();
  }

  // The first sample at or after a time.
  #from(time) {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // The range that is drawn follows what is seen, without a jump.
  #fit(begin, end) {
    let [low, high] = [Infinity, -Infinity];
    for (let index = begin; index < end; index += 1) {
      const value = this.#values[index];
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return;
    if (this.#low === null) [this.#low, this.#high] = [low, high];
    this.#low += (low - this.#low) * (low < this.#low ? 0.25 : 0.02);
    this.#high += (high - this.#high) * (high > this.#high ? 0.25 : 0.02);
  }
}
