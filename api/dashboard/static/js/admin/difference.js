// What a text says that another did not, word by word (longest common subsequence).

import { make } from "../elements.js";

const MOST = 4_000_000; // cells: beyond that whole lines are compared

/** @param {string} before @param {string} after @returns {HTMLElement} */
export function difference(before, after) {
  const words = (/** @type {string} */ text) => text.split(/(\s+)/).filter(Boolean);
  const lines = (/** @type {string} */ text) => text.split(/(?<=\n)/);
  const [a, b] = words(before).length * words(after).length < MOST ? [words(before), words(after)] : [lines(before), lines(after)];
  const made = make("p", { class: "wording" });
  for (const [kind, text] of steps(a, b)) made.append(kind === "same" ? text : make(kind, {}, text));
  return made;
}

/** @param {string[]} a @param {string[]} b @returns {[string, string][]} */
export function steps(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const x = a.slice(start, a.length - end);
  const y = b.slice(start, b.length - end);
  const width = y.length + 1;
  const best = new Uint16Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) best[i * width + j] = x[i] === y[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
  }
  /** @type {[string, string][]} */
  const found = [["same", a.slice(0, start).join("")]];
  const add = (/** @type {string} */ kind, /** @type {string} */ text) => {
    const last = found[found.length - 1];
    if (last[0] === kind) last[1] += text;
    else found.push([kind, text]);
  };
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      add("same", x[i]);
      i++;
      j++;
    } else if (j < y.length && (i === x.length || best[i * width + j + 1] > best[(i + 1) * width + j])) add("ins", y[j++]);
    else add("del", x[i++]);
  }
  add("same", a.slice(a.length - end).join(""));
  return found.filter(([, text]) => text);
}
