// The beats of one analysis, each with what became of it: measured, mended, ectopic, set or taken away by hand.

import { ask } from "../api.js";
import { first } from "./marks.js";

/** @typedef {import("./marks.js").Beat} Beat */

const NEAR = 0.05; // seconds within which two beats are one, as for the server
const SAME = 0.001; // and within which it stands where it stood
/** In the order of a legend. */
export const KINDS = ["measured", "moved", "added", "removed", "ectopic", "by_hand", "removed_by_hand"];

/** @param {string} path of the session @param {number} revision
 * @returns {Promise<{beats: Beat[], absent: string | null, source: string | null}>} */
export async function beatsOf(path, revision) {
  const used = await ask(`${path}/intervals?revision=${revision}`);
  const beats = merged(used);
  // what people took out is seen among those that the signal's own analysis had used
  const own = used.source === "manual" ? used.sources.find((/** @type {string} */ name) => name !== "manual") : null;
  if (own) {
    const before = await ask(`${path}/intervals?revision=${revision}&source=${encodeURIComponent(own)}`);
    /** @type {Beat[]} */
    const gone = []; // apart, as what is searched must stay in order
    for (const beat of merged(before)) {
      const at = near(beats, beat.time);
      // what stands where the analysis had put it, no hand has set
      if (at && at.kind === "by_hand" && Math.abs(at.time - beat.time) < SAME) at.kind = beat.kind;
      if (!at) gone.push(beat.kind.startsWith("removed") || beat.kind === "ectopic" ? beat : { time: beat.time, kind: "removed_by_hand" });
      else if (at.kind === "measured") at.kind = beat.kind;
    }
    beats.push(...gone);
    beats.sort((a, b) => a.time - b.time);
  }
  return { beats, absent: used.absent, source: used.source };
}

/** @param {any} told intervals as the server says them @returns {Beat[]} */
export function merged(told) {
  /** @type {Beat[]} */
  const beats = told.times.map((/** @type {number} */ time, /** @type {number} */ n) => ({ time, kind: told.states[n] }));
  const used = beats.slice();
  told.found.times.forEach((/** @type {number} */ time, /** @type {number} */ n) => {
    const at = near(used, time);
    const ectopic = told.found.kinds[n] === "ectopic";
    if (at && ectopic && at.kind === "measured") at.kind = "ectopic";
    else if (!at || (ectopic && at.kind !== "by_hand")) beats.push({ time, kind: ectopic ? "ectopic" : "removed" });
  });
  return beats.sort((a, b) => a.time - b.time);
}

/** The nearest of these that is the same beat.
 * @param {Beat[]} beats sorted @param {number} time @param {number} [within] @returns {Beat | null} */
export function near(beats, time, within = NEAR) {
  const place = first(beats, time);
  const found = [beats[place - 1], beats[place]].filter((each) => each && Math.abs(each.time - time) <= within);
  return found.sort((a, b) => Math.abs(a.time - time) - Math.abs(b.time - time))[0] ?? null;
}
