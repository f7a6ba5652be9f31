// The first look: a few numbers, large, beside what is usual for such a person.

import { measure, sentence } from "../catalogue.js";
import { make } from "../elements.js";
import { interval, number, times } from "../format.js";
import { t } from "../texts.js";
import { usualOf } from "./about.js";
import { quality } from "./readings.js";

const KEY = ["heart_rate", "sdnn", "rmssd", "pnn50", "respiration_rate", "stress", "systolic", "spo2", "temperature"];
const MOST = 8;

/** @param {HTMLElement} place @param {any[]} readings @param {import("./about.js").Usual | null} usual */
export function showKey(place, readings, usual) {
  const found = KEY.map((name) => readings.find((each) => each.measure === name && (each.preferred || each.scope === "spot")) ?? readings.find((each) => each.measure === name));
  const shown = found.filter(Boolean).slice(0, MOST);
  place.hidden = !shown.length;
  place.replaceChildren(...shown.map((reading) => tile(reading, readings, usual)));
}

/** @param {any} reading @param {any[]} readings @param {import("./about.js").Usual | null} usual */
function tile(reading, readings, usual) {
  const known = measure(reading.measure);
  const decimals = reading.decimals ?? known.decimals;
  const below = reading.measure === "systolic" ? readings.find((each) => each.measure === "diastolic" && each.value !== null) : null;
  if (reading.value === null) {
    return make("div", { "data-key": reading.measure }, make("h2", {}, known.title), make("p", { class: "value" }, "–"), make("p", { class: "absent" }, sentence(reading.absent)));
  }
  const value = `${number(reading.value, decimals)}${below ? `/${number(below.value, 0)}` : ""}`;
  const band = interval(times(reading.low, known), times(reading.high, known), decimals);
  const range = usualOf(usual, reading);
  return make(
    "div",
    { "data-key": reading.measure },
    make("h2", {}, known.title),
    make("p", { class: "value" }, `${value} `, make("small", {}, known.unit)),
    make("div", {}, band ? make("p", {}, `95 %: ${band}`) : null, range ? make("p", {}, t("session.usual", { range: interval(range.low, range.high, decimals) })) : null, range ? scale(reading, range) : null),
    make("p", {}, ...quality(reading.quality)),
  );
}

/** Where a value lies about the usual range, which is the middle three fifths. @param {any} reading @param {any} range */
function scale(reading, range) {
  const mark = make("span");
  const share = 20 + (60 * (reading.value - range.low)) / (range.high - range.low);
  mark.style.left = `${Math.min(98, Math.max(1, share))}%`;
  return make("div", { class: "range", "aria-hidden": "true" }, mark);
}
