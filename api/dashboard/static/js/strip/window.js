// What a strip shows: a stretch of the recording, moved and zoomed about a point, never outside of the whole.

export const NARROWEST = 0.05; // seconds

export class Window {
  /** @param {number} start @param {number} end seconds */
  constructor(start, end) {
    this.whole = [start, Math.max(end, start + NARROWEST)];
    this.start = this.whole[0];
    this.end = this.whole[1];
  }

  get span() {
    return this.end - this.start;
  }

  get all() {
    return this.whole[1] - this.whole[0];
  }

  /** @param {number} start @param {number} end */
  show(start, end) {
    const [first, last] = this.whole;
    const span = Math.min(Math.max(end - start, NARROWEST), last - first);
    const middle = (start + end) / 2;
    this.start = Math.min(Math.max(span === end - start ? start : middle - span / 2, first), last - span);
    this.end = this.start + span;
  }

  /** @param {number} factor above one: closer @param {number} at the time that stays where it is */
  zoom(factor, at) {
    const span = Math.min(Math.max(this.span / factor, NARROWEST), this.all);
    const share = (at - this.start) / this.span;
    this.show(at - share * span, at + (1 - share) * span);
  }

  /** @param {number} share of what is seen */
  move(share) {
    this.show(this.start + share * this.span, this.end + share * this.span);
  }

  /** @param {number} time */
  centre(time, span = this.span) {
    this.show(time - span / 2, time + span / 2);
  }
}
