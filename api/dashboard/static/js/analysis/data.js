// What the figures of one session are made of: asked once, when the first figure needs it.

import { ask } from "../api.js";

/** @typedef {{measure: string, title: string, unit: string, decimals: number, source: string, method: string, window: number,
 *   times: number[], values: (number | null)[]}} Course */

export class Data {
  /** @param {string} session */
  constructor(session) {
    this.session = session;
    this.path = `sessions/${encodeURIComponent(session)}`;
    /** @type {Map<string, Promise<any>>} */
    this.asked = new Map();
    /** @type {number | null} the newest */
    this.revision = null;
  }

  /** Of this analysis from now on. @param {number | null} revision */
  turnTo(revision) {
    this.revision = revision;
    this.asked.clear();
  }

  /** @param {string} what below the session, with its query */
  get(what) {
    let answer = this.asked.get(what);
    if (!answer) {
      const which = this.revision === null ? "" : `${what.includes("?") ? "&" : "?"}revision=${this.revision}`;
      answer = ask(`${this.path}/${what}${which}`);
      answer.catch(() => this.asked.delete(what));
      this.asked.set(what, answer);
    }
    return answer;
  }

  /** The courses of some measures. @param {...string} measures @returns {Promise<{absent: string | null, items: Course[]}>} */
  async courses(...measures) {
    const { absent, items } = await this.get("courses");
    return { absent, items: items.filter((/** @type {Course} */ each) => measures.includes(each.measure)) };
  }

  /** The readings of a measure, the preferred one first. @param {string} measure @returns {Promise<any[]>} */
  async readings(measure) {
    const { items } = await this.get("readings");
    return items.filter((/** @type {any} */ each) => each.measure === measure);
  }

  /** Why a measure has no value, in one word. @param {...string} measures */
  async why(...measures) {
    for (const measure of measures) {
      const absent = (await this.readings(measure)).find((each) => each.absent);
      if (absent) return absent.absent;
    }
    return "not_present";
  }
}
