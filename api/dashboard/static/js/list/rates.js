// Heart rates of live sessions for the list, as their sockets say them.

import { Feed } from "../live/feed.js";

const FRESH = 5000;
const MOST = 6; // sockets

export class LiveRates {
  constructor() {
    /** @type {Map<string, {feed: Feed, value: number | null, heard: number}>} */
    this.sessions = new Map();
  }

  /** @param {string} id @returns {number | null} null: not known */
  of(id) {
    const known = this.sessions.get(id);
    return known && performance.now() - known.heard < FRESH ? known.value : null;
  }

  /** Listen to these sessions, and to no others any more.
   * @param {string[]} ids */
  watch(ids) {
    const wanted = new Set(ids.slice(0, MOST));
    for (const [id, { feed }] of this.sessions) {
      if (wanted.has(id)) continue;
      feed.stop();
      this.sessions.delete(id);
    }
    for (const id of wanted) if (!this.sessions.has(id)) this.#listen(id);
  }

  /** @param {string} id */
  #listen(id) {
    const take = (/** @type {any} */ message) => {
      if (message.kind !== "reading" || message.measure !== "heart_rate" || message.scope !== "live") return;
      entry.value = message.value;
      entry.heard = performance.now();
    };
    // the numbers alone: no waveform is asked for
    const feed = new Feed(`/api/v1/sessions/${encodeURIComponent(id)}/live?signals=`, take, () => {});
    const entry = { feed, value: /** @type {number | null} */ (null), heard: -Infinity };
    this.sessions.set(id, entry);
    feed.start();
  }
}
