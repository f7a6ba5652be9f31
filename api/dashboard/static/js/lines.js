// A measure as a line: its name, a bar where it is a share or lies about zero, and its number.

import { measure } from "./catalogue.js";
import { make, say } from "./elements.js";
import { number } from "./format.js";

/** @typedef {import("./catalogue.js").Measure} Measure */
/** @typedef {import("./catalogue.js").Line} Line */

/** Looks that stand together: shares, then what lies about zero, then numbers. */
export const BLOCKS = [["share", "percent"], ["axis"], ["number"]];

/** @param {Line} line @returns {HTMLElement} as the server writes it for the live page */
export function lineOf(line) {
  const { unit } = measure(line.measure);
  return make(
    "li",
    {},
    make("span", { class: "name" }, line.name),
    line.look === "number" ? null : make("span", { class: line.look === "axis" ? "bar axis" : "bar", "aria-hidden": "true" }, make("span")),
    make("span", { class: "figure" }, "–"),
    unit ? make("span", { class: "unit" }, unit) : null,
    line.beside ? make("span", { class: "beside" }) : null,
  );
}

/** @param {HTMLElement} line @param {number | null} value @param {Measure} known @param {number} decimals */
export function fill(line, value, known, decimals) {
  say(/** @type {HTMLElement} */ (line.querySelector(".figure")), number(value === null ? null : known.times * value, decimals));
  const bar = /** @type {HTMLElement | null} */ (line.querySelector(".bar"));
  if (!bar) return;
  const inner = /** @type {HTMLElement} */ (bar.firstElementChild);
  if (bar.classList.contains("axis")) {
    const far = 50 * Math.min(1, Math.max(-1, value ?? 0));
    inner.style.left = `${Math.round(Math.min(50, 50 + far))}%`;
    inner.style.width = `${Math.round(Math.abs(far))}%`;
  } else {
    inner.style.width = `${Math.round(100 * Math.min(1, Math.max(0, value ?? 0)))}%`;
  }
}

/** A second number as small as its weight: two or three figures are plenty.
 * @param {any} reading */
export function small(reading) {
  if (!reading || reading.value === null) return "";
  const { value } = reading;
  return `${number(value, Math.abs(value) >= 10 ? 0 : 1)} ${measure(reading.measure).unit}`;
}
