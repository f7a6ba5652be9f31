// Everything about one number, on demand: how it was made and from what, what is usual, what others say, why it is absent.

import { measure, origin, sentence } from "../catalogue.js";
import { make } from "../elements.js";
import { duration, interval, number, times } from "../format.js";
import { language, t } from "../texts.js";

/** @typedef {{items: any[], age: number | null, sex: string | null}} Usual */

/** What drove a number, in the reader's language. @param {any} reading @returns {string} */
export function noteOf(reading) {
  return (language === "ru" && reading.note_ru) || reading.note || "";
}

/** A value with its unit as its measure is written. @param {any} reading */
export function written(reading) {
  const known = measure(reading.measure);
  const decimals = known.times > 1 ? known.decimals : (reading.decimals ?? known.decimals);
  return `${number(known.times * reading.value, decimals)} ${known.unit}`.trim();
}

/** What is usual for this person of this measure. @param {Usual | null} usual @param {any} reading */
export function usualOf(usual, reading) {
  return reading.scope === "recording" ? (usual?.items.find((each) => each.measure === reading.measure) ?? null) : null;
}

/** @param {any} reading @param {{earlier: any[], others: any[], usual: Usual | null}} beside @returns {HTMLElement} */
export function about(reading, { earlier, others, usual }) {
  const known = measure(reading.measure);
  const decimals = known.times > 1 ? known.decimals : (reading.decimals ?? known.decimals);
  const spot = reading.scope === "spot";
  const range = usualOf(usual, reading);
  const band = interval(times(reading.low, known), times(reading.high, known), decimals);
  const note = noteOf(reading);
  const instant = spot || reading.start === reading.end;
  return make(
    "dl",
    { class: "about-reading" },
    note ? line(t("session.about.note"), note, true) : null,
    reading.value === null ? line(t("session.about.absent"), sentence(reading.absent), true) : null,
    reading.value === null ? null : line(t("session.about.interval"), band ? `95 %: ${band} ${known.unit}` : t("session.about.no_interval")),
    line(t("session.about.source"), origin(reading.source)),
    line(t("session.about.window"), instant ? t("session.at", { time: duration(reading.end) }) : `${duration(reading.start)} – ${duration(reading.end)} (${duration(reading.end - reading.start)})`),
    reading.method === "none" ? null : line(t("session.about.method"), reading.method.replaceAll("+", " + ")),
    spot ? null : line(t("session.about.version"), reading.version),
    reading.model ? line(t("session.about.model"), `SHA-256 ${reading.model.slice(0, 16)}…`, false, reading.model) : null,
    spot ? line(t("session.about.revision"), t("session.about.device")) : line(t("session.about.revision"), String(reading.revision)),
    line(t("session.about.code"), `${reading.code.system.replace(/^https?:\/\//, "")} ${reading.code.code}`),
    range ? line(t("session.about.usual"), ...rangeWords(range, known, decimals)) : spot ? null : line(t("session.about.usual"), usual?.age == null ? t("session.about.no_age") : t("session.about.no_norm")),
    others.length ? line(t("session.about.preferred"), reading.preferred ? t("session.about.is_preferred") : t("session.about.not_preferred")) : null,
    others.length ? line(t("session.about.others"), list(others.map((each) => `${origin(each.source)}: ${each.value === null ? sentence(each.absent) : answer(each)}`)), true) : null,
    earlier.length ? line(t("session.about.earlier"), list(earlier.map((each) => `${duration(each.end)}: ${each.value === null ? sentence(each.absent) : written(each)}`)), true) : null,
  );
}

/** @param {any} reading */
function answer(reading) {
  const quality = reading.quality === null ? "" : `, ${t("session.quality", { percent: Math.round(100 * reading.quality) })}`;
  return `${written(reading)}${quality}`;
}

/** @param {any} range @param {any} known @param {number} decimals @returns {(Node | string)[]} */
function rangeWords(range, known, decimals) {
  const words = t("session.about.range", {
    range: `${interval(times(range.low, known), times(range.high, known), decimals)} ${known.unit}`,
    sex: t(`session.sex.${range.sex}`),
    ages: range.ages.join("–"),
    people: range.people,
  });
  return [words, make("small", { class: "quiet" }, ` ${range.source}, doi:${range.doi}; ${range.window}.`)];
}

/** @param {string} name @param {...any} rest value, whether it takes the whole width, title */
function line(name, ...rest) {
  const nodes = rest.filter((each) => typeof each === "string" || each instanceof Node);
  const whole = rest.includes(true);
  const title = whole || nodes.length < 2 || typeof rest[rest.length - 1] !== "string" || nodes[1] instanceof Node ? null : nodes.pop();
  return make("div", { class: whole ? "whole" : null }, make("dt", {}, name), make("dd", { title: /** @type {string | null} */ (title) }, ...nodes));
}

/** @param {string[]} texts */
function list(texts) {
  return make("ul", {}, ...texts.map((text) => make("li", {}, text)));
}
