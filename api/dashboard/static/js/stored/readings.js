// The results: whole recording first, then parts of it, then what devices measured. A value or the reason.

import { measure, origin, sentence } from "../catalogue.js";
import { make } from "../elements.js";
import { duration, interval, number } from "../format.js";
import { showQuality } from "../live/tiles.js";

const GROUPS = [
  { scopes: ["recording"], title: "Whole recording" },
  { scopes: null, title: "Parts of the recording" },
  { scopes: ["spot"], title: "Measured by devices" },
];
const HEADINGS = ["Measure", "Value", "95 % interval", "Quality", "Method", "Source", "Window"];

/** @param {HTMLElement} place @param {any[]} readings @param {string} none what to say when there are none */
export function showReadings(place, readings, none) {
  place.setAttribute("aria-busy", "false");
  if (!readings.length) {
    place.replaceChildren(make("p", { class: "quiet" }, none));
    return;
  }
  const named = GROUPS.flatMap((group) => group.scopes ?? []);
  const rows = GROUPS.flatMap((group) => {
    const own = readings.filter((each) => (group.scopes ? group.scopes.includes(each.scope) : !named.includes(each.scope)));
    if (!own.length) return [];
    const spot = own[0].scope === "spot";
    const title = spot ? group.title : `${group.title} · revision ${own[0].revision}`;
    const head = make("tr", { class: "group" }, make("th", { colspan: HEADINGS.length, scope: "rowgroup" }, title));
    if (spot) return [head, ...series(own).map(([newest, ...earlier]) => row(newest, false, earlier))];
    return [head, ...ordered(own).map((each) => row(each, overruled(each, own)))];
  });
  const head = make("tr", {}, ...HEADINGS.map((title) => make("th", { scope: "col" }, title)));
  place.replaceChildren(
    make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))),
  );
}

/** Measures in the order they came, the preferred source of each first, values before reasons.
 * @param {any[]} readings */
function ordered(readings) {
  const first = new Map();
  readings.forEach((each, index) => first.has(each.measure) || first.set(each.measure, index));
  const rank = (/** @type {any} */ each) => (each.preferred ? 0 : each.value !== null ? 1 : 2);
  return [...readings].sort(
    (a, b) => first.get(a.measure) - first.get(b.measure) || rank(a) - rank(b) || a.start - b.start,
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

/** Whether another source of the same measure is to be preferred.
 * @param {any} reading @param {any[]} others */
function overruled(reading, others) {
  return !reading.preferred && others.some((each) => each.preferred && each.measure === reading.measure);
}

/** @param {any} reading @param {boolean} aside @param {any[]} [earlier] by the same device */
function row(reading, aside, earlier = []) {
  const known = measure(reading.measure);
  const title = reading.title ?? known.title;
  const decimals = reading.decimals ?? known.decimals;
  const spot = reading.scope === "spot";
  const window = spot || reading.start === reading.end
    ? `at ${duration(reading.end)}`
    : `${duration(reading.start)} – ${duration(reading.end)}`;
  const version = spot ? null : reading.version; // a device's method is not of our making
  const value = reading.value === null
    ? [make("td", { colspan: 3 }, make("em", { class: "why" }, sentence(reading.absent)))]
    : [
        make("td", { class: "figure" }, number(reading.value, decimals), " ", make("small", {}, known.unit)),
        make("td", {}, interval(reading.low, reading.high, decimals) || "–"),
        make("td", { class: "how" }, ...quality(reading.quality)),
      ];
  return make(
    "tr",
    { class: aside ? "other" : "", "data-measure": reading.measure },
    make("th", { scope: "row" }, title),
    ...value,
    make("td", {}, reading.method === "none" ? "–" : [reading.method, version].filter(Boolean).join(" · ")),
    make("td", {}, origin(reading.source) + (reading.preferred ? " (preferred)" : "")),
    make("td", { class: "window" }, window, earlier.length ? before(earlier, decimals) : null),
  );
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
