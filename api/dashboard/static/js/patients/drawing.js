// Pictures in SVG, built element by element; their colours are the sheet's.

import { language } from "../texts.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

/** @param {string} tag @param {Record<string, string | number | null>} [attributes] @param {...(Node | null)} children
 * @returns {SVGElement} */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A text that a pointer, and a screen reader, are told. @param {string} text */
export function title(text) {
  const element = svg("title");
  element.textContent = text;
  return element;
}

/** @param {string} words @param {Record<string, string | number | null>} attributes */
export function text(words, attributes) {
  const element = svg("text", attributes);
  element.textContent = words;
  return element;
}

/** Round steps between two numbers, about as many as asked for. @param {number} low @param {number} high @param {number} count */
export function ticks(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((each) => each * power >= raw) ?? 10) * power;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
  return { found, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

const MONTH = new Intl.DateTimeFormat(language, { month: "short" });

/** "Jul 26", "июль 26". @param {number} time */
export function monthWords(time) {
  return `${MONTH.format(time)} ${String(new Date(time).getFullYear()).slice(2)}`;
}

/** First days of months, or of years where there are many, within a span. @param {number} from @param {number} to @param {number} most */
export function months(from, to, most) {
  const found = [];
  const at = new Date(from);
  const steps = [1, 2, 3, 6, 12, 24, 60].find((each) => (to - from) / (each * 30.4 * 86_400_000) <= most) ?? 120;
  const day = new Date(at.getFullYear(), steps >= 12 ? 0 : at.getMonth() + 1, 1);
  while (day.getTime() <= to) {
    if (day.getTime() >= from) found.push(day.getTime());
    day.setMonth(day.getMonth() + steps);
  }
  return { found, years: steps >= 12 };
}
