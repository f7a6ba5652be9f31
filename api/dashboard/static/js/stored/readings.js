// The results: whole recording first, then what is read together, parts of it, what devices measured. A value or the reason.

import { GROUPS, measure, origin, sentence } from "../catalogue.js";
import { make } from "../elements.js";
import { duration, interval, number, times } from "../format.js";
import { showQuality } from "../live/tiles.js";
import { t } from "../texts.js";
import { about, noteOf, usualOf } from "./about.js";
import { summary } from "./summary.js";

/** @typedef {import("./about.js").Usual} Usual
 * @typedef {{title: string, scopes: string[] | null, measures?: string[], lines?: import("../catalogue.js").Line[], limits?: string}} Part */
const ALIKE = 3; // measures with one reason that share a row
const HEADINGS = ["measure", "value", "interval", "quality", "source", "window"];

/** @returns {Part[]} */
function parts() {
  return [
    { scopes: ["recording"], title: t("session.whole") },
    ...GROUPS.map((group) => ({ ...group, scopes: ["recording"] })),
    { scopes: null, title: t("session.parts") },
    { scopes: ["spot"], title: t("session.spot") },
  ];
}

/** @param {HTMLElement} place @param {any[]} readings @param {Usual | null} usual @param {string} none what to say when there are none */
export function showReadings(place, readings, usual, none) {
  place.setAttribute("aria-busy", "false");
  if (!readings.length) {
    place.replaceChildren(make("p", { class: "quiet" }, none));
    return;
  }
  const grouping = parts();
  const named = grouping.flatMap((group) => group.scopes ?? []);
  const grouped = GROUPS.flatMap((group) => group.measures);
  const rows = grouping.flatMap((group) => {
    const own = readings.filter(
      (each) =>
        (group.scopes ? group.scopes.includes(each.scope) : !named.includes(each.scope)) &&
        (each.scope !== "recording" || (group.measures ? group.measures.includes(each.measure) : !grouped.includes(each.measure))),
    );
    if (!own.length) return [];
    const spot = own[0].scope === "spot";
    const title = spot ? group.title : `${group.title} · ${t("session.revision_n", { n: own[0].revision })}`;
    const limits = group.limits ? make("small", { class: "note" }, group.limits) : null;
    const head = make("tr", { class: "group" }, make("th", { colspan: HEADINGS.length, scope: "rowgroup" }, title, limits));
    if (spot) return [head, ...series(own).flatMap(([newest, ...earlier]) => row(newest, { earlier, others: [], usual }))];
    const measures = byMeasure(own);
    const silent = reasons(measures);
    const rows = [
      ...measures
        .filter(([shown]) => !(silent.get(shown.absent) ?? []).includes(shown))
        .flatMap(([shown, ...others]) => row(shown, { earlier: [], others, usual })),
      ...[...silent].map(([reason, missing]) => absent(reason, missing)),
    ];
    const shown = group.lines ? summary(/** @type {import("../catalogue.js").Group} */ (/** @type {unknown} */ (group)), measures.map(([first]) => first), rows) : null;
    return shown ? [head, shown, ...rows] : [head, ...rows];
  });
  const head = make("tr", {}, ...HEADINGS.map((name) => make("th", { scope: "col" }, t(`session.column.${name}`))));
  place.replaceChildren(
    make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))),
  );
}

/** Each measure's readings, in the order the measures came: the preferred source first, values before reasons.
 * @param {any[]} readings @returns {any[][]} */
export function byMeasure(readings) {
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
  const names = missing.map((each) => make("li", { "data-measure": each.measure }, measure(each.measure).title));
  return make(
    "tr",
    { class: "absent" },
    make("th", { scope: "row" }, t("session.without", { n: missing.length })),
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

/** One reading, and all about it in a row below that its name unfolds. That row is made when it is first wanted.
 * @param {any} reading @param {{earlier: any[], others: any[], usual: Usual | null}} beside @returns {HTMLElement[]} */
function row(reading, beside) {
  const known = measure(reading.measure);
  const decimals = known.times > 1 ? known.decimals : (reading.decimals ?? known.decimals);
  const instant = reading.scope === "spot" || reading.start === reading.end;
  const window = instant ? t("session.at", { time: duration(reading.end) }) : `${duration(reading.start)} – ${duration(reading.end)}`;
  const range = usualOf(beside.usual, reading);
  const outside = range && reading.value !== null && (reading.value < range.low || reading.value > range.high);
  const value = reading.value === null
    ? [make("td", { colspan: 3 }, make("em", { class: "why" }, sentence(reading.absent)))]
    : [
        make("td", { class: "figure" }, number(known.times * reading.value, decimals), " ", make("small", {}, known.unit), outside ? make("small", { class: "outside" }, ` ${t(reading.value < range.low ? "session.below" : "session.above")}`) : null),
        make("td", {}, interval(times(reading.low, known), times(reading.high, known), decimals) || "–"),
        make("td", { class: "how" }, ...quality(reading.quality)),
      ];
  const open = make("button", { type: "button", class: "open", "aria-expanded": "false", title: t("session.more") }, known.title);
  const note = noteOf(reading);
  const shown = make(
    "tr",
    { "data-measure": reading.measure },
    make("th", { scope: "row" }, open, note ? make("small", { class: "note" }, note) : null),
    ...value,
    make("td", {}, origin(reading.source), beside.others.length ? make("small", { class: "quiet" }, ` +${beside.others.length}`) : null),
    make("td", { class: "window" }, window, beside.earlier.length ? make("small", { class: "quiet" }, ` ${t("session.earlier", { n: beside.earlier.length })}`) : null),
  );
  /** @type {HTMLElement | null} */
  let below = null;
  open.addEventListener("click", () => {
    const wanted = open.getAttribute("aria-expanded") !== "true";
    open.setAttribute("aria-expanded", String(wanted));
    below ??= make("tr", { class: "about" }, make("td", { colspan: HEADINGS.length }, about(reading, beside)));
    if (wanted) shown.after(below);
    else below.remove();
  });
  return [shown];
}

/** @param {number | null | undefined} value @returns {(Node | string)[]} */
export function quality(value) {
  if (value === null || value === undefined) return ["–"];
  const bar = make("span", { class: "bar quality", role: "meter", "aria-label": t("session.column.quality"), "aria-valuemin": 0, "aria-valuemax": 100 }, make("span"));
  showQuality(bar, value);
  return [bar, `${Math.round(100 * value)} %`];
}
