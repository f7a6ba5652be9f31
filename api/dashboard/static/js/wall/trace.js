// A small sweep: it draws only what is new since the last picture, a few pixels of its canvas.

const SHOWN = 6; // seconds across a wide card
const LEAST = 2.2; // pixels between two points' buckets
const LAG = 0.45; // seconds behind the newest point: they come four times a second
const AHEAD = 10; // pixels that are wiped before the pen
const MARGIN = 0.1;
const CAPACITY = 256; // buckets that are kept, a power of two

export class Trace {
  /** @param {HTMLCanvasElement} canvas @param {number} buckets a second */
  constructor(canvas, buckets) {
    this.canvas = canvas;
    this.buckets = buckets;
    this.pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: true }));
    this.points = new Float32Array(2 * CAPACITY);
    this.numbers = new Float64Array(CAPACITY).fill(-1);
    this.epoch = -1;
    this.colour = "#888";
    this.width = this.height = 0;
    this.clear();
  }

  clear() {
    this.numbers.fill(-1);
    this.newest = this.oldest = -1;
    this.play = this.drawn = NaN;
    this.low = this.high = NaN;
    this.last = NaN;
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** @param {number} width @param {number} height in CSS pixels */
  size(width, height) {
    const scale = Math.min(2, devicePixelRatio || 1);
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.width = this.canvas.width;
    this.height = this.canvas.height;
    this.span = Math.max(30, Math.min(Math.round(SHOWN * this.buckets), Math.floor(width / LEAST)));
    this.line = 1.25 * scale;
    this.#again();
  }

  /** @param {{epoch: number, at: number, points: (number | null)[]}} piece */
  take(piece) {
    if (piece.epoch !== this.epoch) {
      this.clear();
      this.epoch = piece.epoch;
    }
    for (let i = 0; i < piece.points.length; i += 2) {
      if (piece.points[i] === null) continue;
      const number = piece.at + i / 2;
      const place = number & (CAPACITY - 1);
      this.numbers[place] = number;
      this.points[2 * place] = piece.points[i] ?? NaN;
      this.points[2 * place + 1] = piece.points[i + 1] ?? NaN;
      this.newest = Math.max(this.newest, number);
      if (this.oldest < 0) this.oldest = number;
    }
  }

  /** Draw what is due. @param {number} seconds since the last picture @returns {boolean} whether anything was */
  draw(seconds) {
    if (this.newest < 0 || !this.width) return false;
    const target = this.newest - LAG * this.buckets;
    if (Number.isNaN(this.play) || Math.abs(target - this.play) > 2 * this.buckets) {
      // enough to know how high it goes
      if (this.newest - this.oldest < this.buckets) return false;
      this.play = target;
      this.#again();
      return true;
    }
    // a little faster or slower than time, so that the pen stays where it should be
    this.play = Math.min(this.newest, this.play + seconds * this.buckets * (1 + Math.max(-0.3, Math.min(0.3, (target - this.play) / this.buckets))));
    const to = Math.floor(this.play);
    if (to <= this.drawn) return false;
    const from = this.drawn + 1;
    this.drawn = to;
    if (Math.floor(from / this.span) !== Math.floor((from - 1) / this.span)) this.#scale();
    this.#stroke(from, to);
    return true;
  }

  #again() {
    this.pen.clearRect(0, 0, this.width, this.height);
    if (Number.isNaN(this.play) || !this.width) return;
    const to = Math.floor(this.play);
    this.#scale();
    this.last = NaN;
    this.drawn = to;
    this.#stroke(Math.max(this.oldest, to - this.span + Math.ceil((AHEAD * this.span) / this.width)), to);
  }

  /** The range of what is on the screen, so that spikes stay in. */
  #scale() {
    let low = Infinity;
    let high = -Infinity;
    for (let n = Math.max(0, this.newest - this.span); n <= this.newest; n++) {
      const place = n & (CAPACITY - 1);
      if (this.numbers[place] !== n) continue;
      low = Math.min(low, this.points[2 * place], this.points[2 * place + 1]);
      high = Math.max(high, this.points[2 * place], this.points[2 * place + 1]);
    }
    if (low > high) return;
    const room = Math.max((high - low) * MARGIN, 1e-6);
    this.low = low - room;
    this.high = high + room;
  }

  /** @param {number} from @param {number} to */
  #stroke(from, to) {
    const { pen, width, height, span } = this;
    const step = width / span;
    const left = (from % span) * step;
    const wide = (to - from + 1) * step + AHEAD;
    pen.clearRect(left, 0, wide, height);
    if (left + wide > width) pen.clearRect(0, 0, left + wide - width, height);
    const scale = height / (this.high - this.low);
    pen.strokeStyle = this.colour;
    pen.lineWidth = this.line;
    pen.lineJoin = "round";
    pen.beginPath();
    for (let n = from; n <= to; n++) {
      const place = n & (CAPACITY - 1);
      const x = (n % span) * step;
      if (this.numbers[place] !== n) {
        this.last = NaN;
        continue;
      }
      const first = height - (this.points[2 * place] - this.low) * scale;
      const second = height - (this.points[2 * place + 1] - this.low) * scale;
      if (Number.isNaN(this.last) || n % span === 0) pen.moveTo(x, first);
      else {
        if (n === from) pen.moveTo(x - step / 2, this.last);
        pen.lineTo(x, first);
      }
      pen.lineTo(x + step / 2, second);
      this.last = second;
    }
    pen.stroke();
  }
}
