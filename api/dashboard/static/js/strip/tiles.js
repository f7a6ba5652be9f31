// Samples of a track in tiles of 2^k seconds: the newest few thousand are kept, the neighbours are fetched ahead, and
// what nobody looks at any more is not waited for. A tile holds all its samples, or the least and greatest of each of
// its buckets, so that no peak is lost at any scale.

import { renew } from "../api.js";

/** @typedef {import("./rows.js").Track} Track */
/** @typedef {{form: string, start: number, seconds: number, count: number, channels: number, step: number,
 *   low: Float32Array, high: Float32Array, times: Float64Array | null, bytes: number}} Tile
 * `step` is the seconds of a bucket or sample; of samples, low and high are the same. */

export const BUCKETS = 1024;
const SCANNED = 64e6; // values that the server goes through for one tile
const SHOWN = 400_000; // numbers that it answers
const LONGEST = 14; // 2^14 s: the longest window is six hours
const SHORTEST = -4;
const KEPT = 96e6; // bytes
const AT_ONCE = 5;
const AGAIN = 4000; // milliseconds after which what failed is tried again

/** Seconds of a tile of this level.
 * @param {number} level */
export const secondsOf = (level) => 2 ** level;

export class Tiles {
  /** @param {string} path of the session, below /api/v1 @param {() => void} arrived called when there is more to be drawn */
  constructor(path, arrived) {
    this.path = path;
    this.arrived = arrived;
    /** In the order of their last use. @type {Map<string, Tile>} */
    this.kept = new Map();
    this.bytes = 0;
    /** @type {Map<string, AbortController>} */
    this.asked = new Map();
    /** @type {Map<string, number>} */
    this.failed = new Map();
    /** @type {{key: string, track: Track, level: number, index: number}[]} */
    this.waiting = [];
    this.told = "";
  }

  /** Between which levels a track has tiles; at the lowest all samples are there.
   * @param {Track} track */
  range(track) {
    const points = bucketsOf(track);
    const finest = Math.max(SHORTEST, Math.floor(Math.log2((2 * points) / track.rate)));
    const most = Math.floor(Math.log2(SCANNED / track.rate / track.channels.length));
    return { finest, coarsest: Math.max(finest, Math.min(LONGEST, most)) };
  }

  /** The level whose buckets are at most a pixel wide.
   * @param {Track} track @param {number} secondsPerPixel */
  level(track, secondsPerPixel) {
    const { finest, coarsest } = this.range(track);
    return Math.min(coarsest, Math.max(finest, Math.floor(Math.log2(bucketsOf(track) * secondsPerPixel))));
  }

  /** @param {Track} track @param {number} level @param {number} index @returns {Tile | null} */
  get(track, level, index) {
    const key = keyOf(track, level, index);
    const tile = this.kept.get(key);
    if (!tile) return null;
    this.kept.delete(key);
    this.kept.set(key, tile);
    return tile;
  }

  /** The pieces that show [start, end] best: of this level, else of a coarser one, else of finer ones.
   * @param {Track} track @param {number} level @param {number} start @param {number} end
   * @param {(tile: Tile, from: number, to: number) => void} visit @returns {boolean} whether all of it was of the level */
  cover(track, level, start, end, visit) {
    const long = secondsOf(level);
    const { finest, coarsest } = this.range(track);
    let whole = true;
    for (let index = Math.floor(start / long); index * long < end; index++) {
      const from = Math.max(start, index * long);
      const to = Math.min(end, (index + 1) * long);
      if (to <= track.start || from >= track.end) continue;
      const tile = this.get(track, level, index);
      if (tile) {
        visit(tile, from, to);
        continue;
      }
      whole = false;
      if (!this.#coarser(track, level, coarsest, from, to, visit)) this.#finer(track, level, finest, from, to, visit);
    }
    return whole;
  }

  /** @param {Track} track @param {number} level @param {number} coarsest @param {number} from @param {number} to
   * @param {(tile: Tile, from: number, to: number) => void} visit */
  #coarser(track, level, coarsest, from, to, visit) {
    for (let above = level + 1; above <= coarsest; above++) {
      const tile = this.get(track, above, Math.floor(from / secondsOf(above)));
      if (!tile) continue;
      visit(tile, from, to);
      return true;
    }
    return false;
  }

  /** @param {Track} track @param {number} level @param {number} finest @param {number} from @param {number} to
   * @param {(tile: Tile, from: number, to: number) => void} visit */
  #finer(track, level, finest, from, to, visit) {
    for (let below = level - 1; below >= Math.max(finest, level - 3); below--) {
      const long = secondsOf(below);
      for (let index = Math.floor(from / long); index * long < to; index++) {
        const tile = this.get(track, below, index);
        if (tile) visit(tile, Math.max(from, index * long), Math.min(to, (index + 1) * long));
      }
    }
  }

  /** What is looked at now: fetched at once; then what is beside it and a level below. Everything else is given up.
   * @param {{track: Track, level: number, start: number, end: number}[]} views */
  want(views) {
    /** @type {Map<string, {key: string, track: Track, level: number, index: number}>} */
    const wanted = new Map();
    const add = (/** @type {Track} */ track, /** @type {number} */ level, /** @type {number} */ index) => {
      const long = secondsOf(level);
      if ((index + 1) * long <= track.start || index * long >= track.end) return;
      const key = keyOf(track, level, index);
      if (!this.kept.has(key) && !((this.failed.get(key) ?? 0) > performance.now())) wanted.set(key, { key, track, level, index });
    };
    for (const { track, level, start, end } of views) {
      const long = secondsOf(level);
      for (let index = Math.floor(start / long); index * long < end; index++) add(track, level, index);
    }
    for (const { track, level, start, end } of views) {
      const long = secondsOf(level);
      add(track, level, Math.floor(start / long) - 1);
      add(track, level, Math.floor(end / long) + 1);
      const { finest, coarsest } = this.range(track);
      const middle = (start + end) / 2;
      if (level > finest) add(track, level - 1, Math.floor(middle / secondsOf(level - 1)));
      if (level < coarsest) add(track, level + 1, Math.floor(middle / secondsOf(level + 1)));
    }
    for (const [key, asked] of this.asked) {
      if (wanted.has(key)) continue;
      asked.abort();
      // it may be wanted again before its fetch has noticed
      this.asked.delete(key);
    }
    this.waiting = [...wanted.values()].filter(({ key }) => !this.asked.has(key));
    this.#next();
  }

  /** Whether something that was wanted is not here yet. */
  get busy() {
    return this.asked.size > 0 || this.waiting.length > 0;
  }

  #next() {
    while (this.asked.size < AT_ONCE && this.waiting.length) {
      const next = this.waiting.shift();
      if (next) this.#fetch(next);
    }
  }

  /** @param {{key: string, track: Track, level: number, index: number}} wanted */
  async #fetch({ key, track, level, index }) {
    const abort = new AbortController();
    this.asked.set(key, abort);
    try {
      this.#keep(key, await fetched(this.path, track, level, index, abort.signal));
      this.told = "";
    } catch (error) {
      if (!abort.signal.aborted) {
        this.failed.set(key, performance.now() + AGAIN);
        this.told = /** @type {Error} */ (error).message;
        setTimeout(this.arrived, AGAIN);
      }
    } finally {
      if (this.asked.get(key) === abort) this.asked.delete(key);
      this.#next();
      if (!abort.signal.aborted) this.arrived();
    }
  }

  /** @param {string} key @param {Tile} tile */
  #keep(key, tile) {
    this.kept.set(key, tile);
    this.bytes += tile.bytes;
    for (const [old, { bytes }] of this.kept) {
      if (this.bytes <= KEPT) break;
      this.kept.delete(old);
      this.bytes -= bytes;
    }
  }
}

/** @param {Track} track */
function bucketsOf(track) {
  let points = BUCKETS;
  while (2 * points * track.channels.length > SHOWN) points /= 2;
  return points;
}

/** @param {Track} track @param {number} level @param {number} index */
function keyOf(track, level, index) {
  return `${track.signal} ${track.device} ${track.run ?? ""} ${level} ${index}`;
}

/** @param {string} path @param {Track} track @param {number} level @param {number} index @param {AbortSignal} signal
 * @returns {Promise<Tile>} */
async function fetched(path, track, level, index, signal) {
  const seconds = secondsOf(level);
  const start = index * seconds;
  const query = new URLSearchParams({ device: track.device, format: "drawn", points: String(bucketsOf(track)) });
  query.set("start", String(start));
  query.set("end", String(start + seconds));
  if (track.run) query.set("run", track.run);
  const address = `/api/v1/${path}/waveforms/${track.signal}?${query}`;
  let response = await fetch(address, { signal });
  if (response.status === 401 && (await renew())) response = await fetch(address, { signal });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? problem.title ?? String(response.status));
  }
  return decoded(await response.arrayBuffer(), response.headers, start, seconds, track.rate);
}

/** @param {ArrayBuffer} body @param {Headers} headers @param {number} start @param {number} seconds @param {number} rate
 * @returns {Tile} */
export function decoded(body, headers, start, seconds, rate) {
  const form = headers.get("kiosk-form") ?? "";
  const [count, channels] = (headers.get("kiosk-shape") ?? "0,1").split(",").map(Number);
  const made = { form, start, seconds, count, channels, bytes: body.byteLength };
  if (form === "buckets") {
    const half = 4 * count * channels;
    const low = new Float32Array(body, 0, count * channels);
    return { ...made, step: seconds / count, low, high: new Float32Array(body, half, count * channels), times: null };
  }
  const times = form === "timed" ? new Float64Array(body, 0, count) : null;
  const low = new Float32Array(body, times ? 8 * count : 0, count * channels);
  return { ...made, start: Number(headers.get("kiosk-start") ?? start), step: 1 / rate, low, high: low, times };
}
