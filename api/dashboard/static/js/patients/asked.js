// Questionnaires over time: each one's last score, what was published about it, and the scores before.

import { ask } from "../api.js";
import { measure } from "../catalogue.js";
import { make } from "../elements.js";
import { number, shortTime } from "../format.js";
import { language, t } from "../texts.js";

const BEFORE = 5;

/** @param {HTMLElement} place @param {string} path */
export async function answered(place, path) {
  const known = (await ask("questionnaires")).items;
  const measures = known.map((/** @type {any} */ each) => each.measure);
  const found = await ask(`${path}/trends?limit=200&measures=${measures.join(",")}`);
  const rows = found.series.flatMap((/** @type {any} */ series) => {
    const asked = known.find((/** @type {any} */ each) => each.measure === series.measure);
    const points = series.points.filter((/** @type {any} */ each) => each.value !== null);
    return asked && points.length ? [row(asked, points)] : [];
  });
  place.replaceChildren(rows.length ? make("ul", { class: "asked" }, ...rows) : make("p", { class: "quiet" }, t("patient.asked.none")));
}

/** @param {any} asked @param {any[]} points */
function row(asked, points) {
  const { decimals } = measure(asked.measure);
  const last = points[points.length - 1];
  const band = asked.bands.find((/** @type {any} */ each) => each.low <= last.value && last.value <= each.high);
  const before = points.slice(-1 - BEFORE, -1).reverse().map((each) => number(each.value, decimals));
  const inner = make("span");
  inner.style.width = `${Math.round((100 * (last.value - asked.low)) / (asked.high - asked.low))}%`;
  const words = (/** @type {any} */ said) => said[language] ?? said.en;
  return make(
    "li",
    {},
    make("p", { class: "name" }, make("strong", {}, words(asked.title)), make("a", { href: `/sessions/${encodeURIComponent(last.session_id)}` }, shortTime(Date.parse(last.time)))),
    make("p", {}, make("span", { class: "figure" }, t("patient.asked.of", { score: number(last.value, decimals), high: number(asked.high, 0) })), " ", make("span", { class: "bar", "aria-hidden": "true" }, inner), before.length ? make("small", { class: "quiet" }, t("patient.asked.was", { values: before.join(" · ") })) : null),
    band ? make("p", { class: "help" }, `${words(band.text)} (${band.citation})`) : null,
  );
}
