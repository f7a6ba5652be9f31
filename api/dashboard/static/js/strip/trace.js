// One line of samples on a canvas: what its level is, and the path through tiles of any fineness.

/** @typedef {import("./tiles.js").Tiles} Tiles
 * @typedef {import("./tiles.js").Tile} Tile
 * @typedef {import("./rows.js").Row} Row
 * @typedef {{start: number, end: number, left: number, width: number}} Scale from seconds to pixels */

export const MM = 96 / 25.4; // CSS pixels of a millimetre
const TIMED_GAP = 2.5; // usual intervals that make a gap, where samples have times of their own
const ROOM = 0.86; // of a row's height that a fitted line fills

/** @param {Scale} scale @param {number} time */
export function x(scale, time) {
  return scale.left + ((time - scale.start) / (scale.end - scale.start)) * scale.width;
}

/** The least and greatest in what is seen; null where there is nothing.
 * @param {Tiles} tiles @param {Row} row @param {number} level @param {Scale} scale
 * @returns {{low: number, high: number, middle: number} | null} */
export function extent(tiles, row, level, scale) {
  let low = Infinity;
  let high = -Infinity;
  /** @type {number[]} */
  const middles = [];
  tiles.cover(row.track, level, scale.start, scale.end, (tile, from, to) => {
    const [first, last] = places(tile, from, to);
    const every = Math.max(1, (last - first) >> 7);
    for (let i = first; i < last; i++) {
      const at = i * tile.channels + row.channel;
      const least = tile.low[at];
      if (!(least === least)) continue;
      const most = tile.high[at];
      if (least < low) low = least;
      if (most > high) high = most;
      if (i % every === 0) middles.push((least + most) / 2);
    }
  });
  if (!(high >= low)) return null;
  middles.sort((a, b) => a - b);
  return { low, high, middle: middles[middles.length >> 1] ?? (low + high) / 2 };
}

/** Pixels per unit and the value in the middle of the row.
 * @param {Row} row @param {{low: number, high: number, middle: number}} seen
 * @returns {{gain: number, middle: number, fitted: boolean}} */
export function gainOf(row, seen) {
  const span = Math.max(seen.high - seen.low, 1e-9);
  const fit = (ROOM * row.height) / span;
  const wanted = row.gain === "fit" ? NaN : Number(row.gain) * MM;
  if (!(wanted > 0)) return { gain: fit, middle: (seen.low + seen.high) / 2, fitted: true };
  // the paper's scale, shifted so that as much as can be is within the row
  const room = row.height / wanted;
  const middle = span <= room ? (seen.low + seen.high) / 2 : seen.middle + Math.min(0.25 * room, Math.max(0, seen.high - seen.middle - 0.5 * room));
  return { gain: wanted, middle, fitted: false };
}

/** @param {CanvasRenderingContext2D} context @param {Tiles} tiles @param {Row} row @param {number} level
 * @param {Scale} scale @param {number} top @param {{gain: number, middle: number}} by
 * @returns {boolean} whether all of it was as fine as the screen is */
export function draw(context, tiles, row, level, scale, top, by) {
  const perSecond = scale.width / (scale.end - scale.start);
  const base = top + row.height / 2;
  const floor = top + row.height;
  context.beginPath();
  let pen = NaN; // the time up to which the line is drawn
  const whole = tiles.cover(row.track, level, scale.start, scale.end, (tile, from, to) => {
    const { low, high, channels, times } = tile;
    const [first, last] = places(tile, from, to);
    const usual = tile.step * (times ? TIMED_GAP : 1.5);
    const dots = perSecond * tile.step > 9;
    for (let i = first; i < last; i++) {
      const at = i * channels + row.channel;
      const least = low[at];
      if (!(least === least)) {
        pen = NaN;
        continue;
      }
      const time = times ? times[i] : tile.start + i * tile.step;
      const px = scale.left + (time - scale.start) * perSecond;
      const bottom = Math.min(floor, base - (least - by.middle) * by.gain);
      const upper = Math.max(top, base - (high[at] - by.middle) * by.gain);
      if (time - pen <= usual) context.lineTo(px, bottom);
      else context.moveTo(px, bottom);
      if (upper < bottom) context.lineTo(px, upper);
      else if (!(time - pen <= usual)) context.lineTo(px + 0.7, bottom); // a sample between two gaps is a dot
      if (dots) context.rect(px - 1, bottom - 1, 2, 2), context.moveTo(px, bottom);
      pen = time;
    }
  });
  context.stroke();
  return whole;
}

/** Which rows of a tile lie in [from, to], and one beyond at each side so that lines meet.
 * @param {Tile} tile @param {number} from @param {number} to @returns {[number, number]} */
function places(tile, from, to) {
  if (tile.times) {
    let first = 0;
    while (first < tile.count && tile.times[first] < from) first++;
    let last = first;
    while (last < tile.count && tile.times[last] <= to) last++;
    return [Math.max(0, first - 1), Math.min(tile.count, last + 1)];
  }
  const first = Math.max(0, Math.floor((from - tile.start) / tile.step) - 1);
  return [Math.min(first, tile.count), Math.max(0, Math.min(tile.count, Math.ceil((to - tile.start) / tile.step) + 1))];
}

/** The value of a row at a time, as far as it is loaded with all samples; NaN otherwise.
 * @param {Tiles} tiles @param {Row} row @param {number} time */
export function valueAt(tiles, row, time) {
  let found = NaN;
  const { finest } = tiles.range(row.track);
  tiles.cover(row.track, finest, time, time + 1e-6, (tile) => {
    if (tile.form !== "samples") return;
    found = tile.low[Math.round((time - tile.start) / tile.step) * tile.channels + row.channel];
  });
  return found;
}

/** Where the line stands out most near a time: the top of a beat.
 * @param {Tiles} tiles @param {Row} row @param {number} time @param {number} near seconds */
export function peakNear(tiles, row, time, near) {
  const { finest } = tiles.range(row.track);
  /** @type {[number, number][]} */
  const samples = [];
  tiles.cover(row.track, finest, time - near, time + near, (tile, from, to) => {
    if (tile.form !== "samples") return;
    const [first, last] = places(tile, from, to);
    for (let i = first; i < last; i++) {
      const value = tile.low[i * tile.channels + row.channel];
      const at = tile.start + i * tile.step;
      if (value === value && Math.abs(at - time) <= near) samples.push([at, value]);
    }
  });
  if (samples.length < 3) return time;
  const middle = samples.map(([, value]) => value).sort((a, b) => a - b)[samples.length >> 1];
  return samples.reduce((best, each) => (Math.abs(each[1] - middle) > Math.abs(best[1] - middle) ? each : best))[0];
}
