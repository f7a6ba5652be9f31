// The words that the server knows - measures, signals, reasons, states - as it wrote them into the page.

import { t } from "./texts.js";

/** @typedef {{title: string, unit: string, decimals: number, times: number}} Measure */
/** @typedef {{measure: string, name: string, look: string, beside: string | null}} Line */
/** @typedef {{name: string, title: string, measures: string[], lines: Line[], limits: string, mostly: string, about: string}} Group */
/** @type {{measures: Record<string, Measure>, signals: Record<string, {title: string, unit: string}>, reasons: Record<string, string>,
 *   sources: Record<string, string>, short: Record<string, string>, groups: Group[], states: Record<string, string>, silent: number}} */
const words = JSON.parse(document.getElementById("catalogue")?.textContent ?? "{}");

/** @param {string} name @returns {Measure} */
export function measure(name) {
  return words.measures?.[name] ?? { title: plain(name), unit: "", decimals: 2, times: 1 };
}

/** @param {string} name */
export function signal(name) {
  return words.signals?.[name] ?? { title: plain(name), unit: "" };
}

/** Why a value is absent, as a sentence.
 * @param {string} reason */
export function sentence(reason) {
  return words.reasons?.[reason] ?? t("frame.unavailable", { reason: plain(reason) });
}

/** What a session in the list is doing, in words.
 * @param {string} state */
export function stateWords(state) {
  return words.states?.[state] ?? plain(state);
}

/** Milliseconds after which an open session of which nothing was heard is not called live. */
export const SILENT = 1000 * (words.silent ?? 30);

/** A name without its underscores.
 * @param {string} name */
export function plain(name) {
  return name.replaceAll("_", " ");
}

/** Measures that are read together, with what they cannot say. @type {Group[]} */
export const GROUPS = words.groups ?? [];

/** Signals as people abbreviate them. */
const SHORT = new RegExp(`(?<![\\p{L}\\p{N}])(${Object.keys(words.short ?? {}).join("|") || "-"})(?![\\p{L}\\p{N}])`, "gu");

/** A source as people say it: ECG, simulated ECG, camera.
 * @param {string} source */
export function origin(source) {
  const said = Object.entries(words.sources ?? {}).reduce((text, [name, word]) => text.replaceAll(name, word), source);
  return plain(said.replaceAll("+", " + ")).replaceAll("-", " ").replace(SHORT, (word) => words.short[word]);
}
