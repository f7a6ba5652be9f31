// Which moment of the session is on the screen now. Chunks arrive in bursts; the picture moves evenly a little behind.

const LEAST = 150; // milliseconds behind the newest that can be expected
const MOST = 350;
const REMEMBER = 5000;
const LEAK = 1e-4; // clocks of kiosk and browser may part by 100 ppm without being taken for delay
const JUMP = 1000;
const STEER = 0.05; // at most this much faster or slower than time, which nobody sees

export class Playhead {
  constructor() {
    /** Smallest delay from a sample's time to its arrival: where the kiosk's now is on our clock. */
    this.least = Infinity;
    this.seen = 0;
    /** @type {{at: number, behind: number}[]} */
    this.needs = [];
    this.position = NaN;
    this.moved = 0;
  }

  /** A piece arrived. `covered` is up to when samples were here before it, where it follows them.
   * @param {number} now @param {number} end @param {number | null} covered */
  note(now, end, covered) {
    this.least = Math.min(this.least + LEAK * (now - (this.seen || now)), now - end);
    this.seen = now;
    if (covered !== null) this.needs.push({ at: now, behind: now - covered });
    while (this.needs.length && this.needs[0].at < now - REMEMBER) this.needs.shift();
  }

  /** The session's present, or NaN before anything came.
   * @param {number} now */
  present(now) {
    return now - this.least - LEAK * (now - this.seen);
  }

  /** Move on and say where the picture is; NaN before anything came.
   * @param {number} now */
  move(now) {
    if (this.least === Infinity) return NaN;
    const needed = this.needs.reduce((most, need) => Math.max(most, need.behind), 0) - this.least + 30;
    const target = now - this.least - Math.min(Math.max(needed, LEAST), MOST);
    const passed = now - this.moved;
    this.moved = now;
    const error = target - (this.position + passed);
    if (!(Math.abs(error) < JUMP)) {
      this.position = target;
    } else {
      this.position += passed + Math.max(-STEER * passed, Math.min(STEER * passed, error));
    }
    return this.position;
  }
}
