// The last seconds of one signal, in order of time. It knows which samples follow each other and where a gap is.

/** @typedef {import("./decode.js").Piece} Piece */

const LONGER = 1.5; // a regular stream: more than half a sample late is a gap
const MUCH_LONGER = 2.5; // a stream with times of its own: its intervals vary by nature
const SWITCH_AFTER = 2000;

export class Trace {
  /** @param {number} keep milliseconds */
  constructor(keep) {
    this.keep = keep;
    /** @type {Piece[]} */
    this.pieces = [];
    /** Milliseconds since the origin up to which something was received. */
    this.end = -Infinity;
    /** Time of the oldest sample that came after younger ones were drawn; the sweep draws anew from there. */
    this.late = Infinity;
    this.typical = 0;
  }

  /** @returns {Piece | undefined} */
  get newest() {
    return this.pieces[this.pieces.length - 1];
  }

  /** Take a piece; a second device with the same signal is shown only once the first has fallen silent.
   * @param {Piece} piece @returns {boolean} whether it was taken */
  add(piece) {
    const shown = this.newest;
    if (shown && (piece.device !== shown.device || piece.channels.join() !== shown.channels.join())) {
      if (piece.end < this.end + SWITCH_AFTER) return false;
      this.pieces = [];
      this.late = -Infinity;
    }
    let place = this.pieces.length;
    while (place > 0 && this.pieces[place - 1].times[0] > piece.times[0]) place--;
    const before = this.pieces[place - 1];
    if (before && before.run === piece.run && before.seq === piece.seq) return false;
    if (place < this.pieces.length) this.late = Math.min(this.late, piece.times[0]);
    this.pieces.splice(place, 0, piece);
    this.end = Math.max(this.end, piece.end);
    this.#learn(piece);
    while (this.pieces.length > 1 && this.pieces[0].end < this.end - this.keep) this.pieces.shift();
    return true;
  }

  /** @param {Piece} piece */
  #learn(piece) {
    if (piece.period !== null || piece.times.length < 3) return;
    const steps = piece.times.slice(1).map((time, i) => time - piece.times[i]).sort();
    const middle = steps[steps.length >> 1];
    this.typical = this.typical ? 0.8 * this.typical + 0.2 * middle : middle;
  }

  /** Whether b's first sample follows a's last one.
   * @param {Piece} a @param {Piece} b */
  #follows(a, b) {
    if (a.run !== b.run || b.seq !== a.seq + 1) return false;
    const step = b.times[0] - a.times[a.times.length - 1];
    if (b.period !== null) return step <= LONGER * b.period;
    return !this.typical || step <= MUCH_LONGER * this.typical;
  }

  /**
   * Visit the samples of a channel with from <= time <= to. `joined`: no gap before it.
   * @param {number} channel @param {number} from @param {number} to
   * @param {(time: number, value: number, joined: boolean) => void} visit
   */
  walk(channel, from, to, visit) {
    let joined = false;
    for (let p = 0; p < this.pieces.length; p++) {
      const piece = this.pieces[p];
      if (piece.end < from || piece.times[0] > to) {
        joined = false;
        continue;
      }
      if (p > 0 && !this.#follows(this.pieces[p - 1], piece)) joined = false;
      const width = piece.channels.length;
      for (let i = 0; i < piece.times.length; i++) {
        const time = piece.times[i];
        if (time < from) continue;
        if (time > to) return;
        if (i > 0 && piece.period === null && this.typical && time - piece.times[i - 1] > MUCH_LONGER * this.typical) {
          joined = false;
        }
        const value = piece.samples[i * width + channel];
        if (Number.isNaN(value)) {
          joined = false;
        } else {
          visit(time, value, joined);
          joined = true;
        }
      }
    }
  }

  /** Finite values of a channel since a time, sorted.
   * @param {number} channel @param {number} from @param {number} to */
  values(channel, from, to) {
    /** @type {number[]} */
    const found = [];
    this.walk(channel, from, to, (_, value) => found.push(value));
    return Float64Array.from(found).sort();
  }
}
