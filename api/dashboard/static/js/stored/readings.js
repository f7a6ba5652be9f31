// The results: whole recording first, then parts of it, then what devices measured. A value or the reason.

import { GROUPS, measure, origin, sentence } from "../catalogue.js";
import { make } from "../elements.js";
import { duration, interval, number, times } from "../format.js";
import { showQuality } from "../live/tiles.js";
import { summary } from "./summary.js";

/** @typedef {{title: string, scopes: string[] | null, measures?: string[], lines?: import("../catalogue.js").Line[], limits?: string}} Part */
/** @type {Part[]} */
const PARTS = [
  { scopes: ["recording"], title: "Whole recording" },
  ...GROUPS.map((group) => ({ ...group, scopes: ["recording"] })),
  { scopes: null, title: "Parts of the recording" },
  { scopes: ["spot"], title: "Measured by devices" },
];
const ALIKE = 3; // measures with one reason that share a row
const HEADINGS = ["Measure", "Value", "95 % interval", "Quality", "Source", "Window"];

/** @param {HTMLElement} place @param {any[]} readings @param {string} none what to say when there are none */
export function showReadings(place, readings, none) {
  place.setAttribute("aria-busy", "false");
  if (!readings.length) {
    place.replaceChildren(make("p", { class: "quiet" }, none));
    return;
  }
  const named = PARTS.flatMap((group) => group.scopes ?? []);
  const grouped = GROUPS.flatMap((group) => group.measures);
  const rows = PARTS.flatMap((group) => {
    const own = readings.filter(
      (each) =>
        (group.scopes ? group.scopes.includes(each.scope) : !named.includes(each.scope)) &&
        (each.scope !== "recording" || (group.measures ? group.measures.includes(each.measure) : !grouped.includes(each.measure))),
    );
    if (!own.length) return [];
    const spot = own[0].scope === "spot";
    const title = spot ? group.title : `${group.title} · revision ${own[0].revision}`;
    const limits = group.limits ? make("small", { class: "note" }, group.limits) : null;
    const head = make("tr", { class: "group" }, make("th", { colspan: HEADINGS.length, scope: "rowgroup" }, title, limits));
    if (spot) return [head, ...series(own).map(([newest, ...earlier]) => row(newest, { earlier }))];
    const measures = byMeasure(own);
    const silent = reasons(measures);
    const rows = [
      ...measures
        .filter(([shown]) => !(silent.get(shown.absent) ?? []).includes(shown))
        .map(([shown, ...others]) => row(shown, { others })),
      ...[...silent].map(([reason, missing]) => absent(reason, missing)),
    ];
    const shown = group.lines ? summary(/** @type {import("../catalogue.js").Group} */ (/** @type {unknown} */ (group)), measures.map(([first]) => first), rows) : null;
    return shown ? [head, shown, ...rows] : [head, ...rows];
  });
  const head = make("tr", {}, ...HEADINGS.map((title) => make("th", { scope: "col" }, title)));
  place.replaceChildren(
    make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))),
  );
}

/** Each measure's readings, in the order the measures came: the preferred source first, values before reasons.
 * @param {any[]} readings @returns {any[][]} */
function byMeasure(readings) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const each of readings) groups.set(each.measure, [...(groups.get(each.measure) ?? []), each]);
  const rank = (/** @type {any} */ each) => (each.preferred ? 0 : each.value !== null ? 1 : 2);
  return [...groups.values()].map((group) => group.sort((a, b) => rank(a) - rank(b) || a.start - b.start));
}

/** The reasons that several measures share, with those measures.
 * @param {any[][]} measures @returns {Map<string, any[]>} */
function reasons(measures) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const [shown] of measures) {
    if (shown.value === null && !shown.note) groups.set(shown.absent, [...(groups.get(shown.absent) ?? []), shown]);
  }
  return new Map([...groups].filter(([, missing]) => missing.length >= ALIKE));
}

/** One row for all that is absent for one reason.
 * @param {string} reason @param {any[]} missing */
function absent(reason, missing) {
  const names = missing.map((each) => make("li", { "data-measure": each.measure }, each.title ?? measure(each.measure).title));
  return make(
    "tr",
    { class: "absent" },
    make("th", { scope: "row" }, `${missing.length} without a value`),
    make("td", { colspan: HEADINGS.length - 1 }, make("em", { class: "why" }, sentence(reason)), make("ul", {}, ...names)),
  );
}

/** What one device measured of one measure, newest first.
 * @param {any[]} readings */
function series(readings) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const each of readings) {
    const key = `${each.measure} ${each.source}`;
    groups.set(key, [each, ...(groups.get(key) ?? [])]);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => b.end - a.end));
}

/** One reading; beneath it, folded, what the same device said before and what other sources say.
 * @param {any} reading @param {{earlier?: any[], others?: any[]}} beside */
function row(reading, { earlier = [], others = [] }) {
  const known = measure(reading.measure);
  const title = reading.title ?? known.title;
  const decimals = known.times > 1 ? known.decimals : (reading.decimals ?? known.decimals);
  const spot = reading.scope === "spot";
  const window = spot || reading.start === reading.end
    ? `at ${duration(reading.end)}`
    : `${duration(reading.start)} – ${duration(reading.end)}`;
  const version = spot ? null : reading.version; // a device's method is not of our making
  const value = reading.value === null
    ? [make("td", { colspan: 3 }, make("em", { class: "why" }, sentence(reading.absent)))]
    : [
        make("td", { class: "figure" }, number(known.times * reading.value, decimals), " ", make("small", {}, known.unit)),
        make("td", {}, interval(times(reading.low, known), times(reading.high, known), decimals) || "–"),
        make("td", { class: "how" }, ...quality(reading.quality)),
      ];
  return make(
    "tr",
    { "data-measure": reading.measure },
    make("th", { scope: "row" }, title, reading.note ? make("small", { class: "note" }, reading.note) : null),
    ...value,
    make(
      "td",
      {},
      origin(reading.source),
      reading.method === "none" ? null : how([reading.method.replaceAll("+", " + "), version].filter(Boolean).join(" · ")),
      others.length ? elsewhere(others, decimals, known.unit) : null,
    ),
    make("td", { class: "window" }, window, earlier.length ? before(earlier, decimals) : null),
  );
}

/** How a number was made, folded.
 * @param {string} method */
function how(method) {
  return make("details", {}, make("summary", {}, "Method"), make("p", { class: "method" }, method));
}

/** What other sources say of the same measure, folded.
 * @param {any[]} others @param {number} decimals @param {string} unit */
function elsewhere(others, decimals, unit) {
  const lines = others.map((each) => {
    const what = each.value === null ? sentence(each.absent) : `${number(each.value * measure(each.measure).times, decimals)} ${unit}`;
    return make("li", {}, `${origin(each.source)}: ${what}`);
  });
  return make("details", {}, make("summary", {}, `${others.length} more`), make("ul", {}, ...lines));
}

/** What the same device said before, folded.
 * @param {any[]} earlier @param {number} decimals */
function before(earlier, decimals) {
  const lines = earlier.map((each) => {
    const what = each.value === null ? sentence(each.absent) : number(each.value, decimals);
    return make("li", {}, `${what} at ${duration(each.end)}`);
  });
  return make("details", {}, make("summary", {}, `${earlier.length} earlier`), make("ul", {}, ...lines));
}

/** @param {number | null | undefined} value @returns {(Node | string)[]} */
function quality(value) {
  if (value === null || value === undefined) return ["–"];
  const bar = make("span", { class: "bar quality", role: "meter", "aria-label": "Quality", "aria-valuemin": 0, "aria-valuemax": 100 }, make("span"));
  showQuality(bar, value);
  return [bar, `${Math.round(100 * value)} %`];
}
