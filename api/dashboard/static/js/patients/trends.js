// Chosen measures over the sessions: value and interval, what is usual for this person, what is published for the age.

import { ask } from "../api.js";
import { measure, sentence } from "../catalogue.js";
import { byId, make } from "../elements.js";
import { interval, number, shortTime, times } from "../format.js";
import { t } from "../texts.js";
import { monthWords, months, svg, text, ticks, title } from "./drawing.js";

const OFFERED = ["heart_rate", "rmssd", "sdnn", "stress", "respiration_rate", "pnn50", "systolic", "diastolic", "spo2", "temperature", "weight", "eeg_alpha_peak"];
const FIRST = ["heart_rate", "rmssd", "stress", "respiration_rate"];
const SPANS = [["months_3", 3], ["months_12", 12], ["all", 0]];
const KEY = "kiosk-trends";
const HEIGHT = 190;

let chosen = kept();
let span = 0;
/** @type {any} */
let found = null;

function kept() {
  try {
    const names = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (Array.isArray(names)) return names.filter((name) => OFFERED.includes(name));
  } catch {
    // what cannot be read was not kept
  }
  return [...FIRST];
}

/** @param {string} path */
export async function showTrends(path) {
  found = await ask(`${path}/trends?limit=500&measures=${OFFERED.join(",")}`);
  const there = new Set(found.series.map((/** @type {any} */ each) => each.measure));
  const picks = OFFERED.filter((name) => there.has(name)).map((name) => {
    const button = make("button", { type: "button", "aria-pressed": String(chosen.includes(name)) }, measure(name).title);
    button.addEventListener("click", () => {
      chosen = chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name];
      button.setAttribute("aria-pressed", String(chosen.includes(name)));
      try {
        localStorage.setItem(KEY, JSON.stringify(chosen));
      } catch {
        // nothing is kept where storage is switched off
      }
      draw();
    });
    return button;
  });
  byId("measures").replaceChildren(...picks);
  const spans = SPANS.map(([name, length]) => {
    const button = make("button", { type: "button", "aria-pressed": String(length === span) }, t(`patient.trends.${name}`));
    button.addEventListener("click", () => {
      span = Number(length);
      for (const each of spans) each.setAttribute("aria-pressed", String(each === button));
      draw();
    });
    return button;
  });
  byId("span").replaceChildren(...spans);
  draw();
  let width = 0;
  new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (width && Math.abs(now - width) > 8) draw();
    width = now;
  }).observe(byId("charts"));
}

function draw() {
  const place = byId("charts");
  place.setAttribute("aria-busy", "false");
  const all = found.times.map(Date.parse);
  const last = Math.max(...all, 0);
  const from = span ? new Date(last).setMonth(new Date(last).getMonth() - span) : Math.min(...all, last);
  const drawn = OFFERED.filter((name) => chosen.includes(name)).flatMap((name) => found.series.filter((/** @type {any} */ each) => each.measure === name));
  if (!drawn.length) {
    place.replaceChildren(make("p", { class: "quiet" }, t(found.series.length ? "patient.trends.choose" : "patient.trends.none")));
    return;
  }
  const columns = place.clientWidth > 760 && drawn.length > 1 ? 2 : 1;
  place.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
  const width = Math.floor((place.clientWidth - (columns - 1) * 20) / columns);
  place.replaceChildren(...drawn.map((/** @type {any} */ each) => chart(each, from, last, width)));
}

/** @param {any} series @param {number} from @param {number} to @param {number} width */
function chart(series, from, to, width) {
  const known = measure(series.measure);
  const write = (/** @type {number | null} */ value) => number(times(value, known), known.decimals);
  const points = series.points.filter((/** @type {any} */ each) => Date.parse(each.time) >= from);
  const valued = points.filter((/** @type {any} */ each) => each.value !== null);
  const last = valued.at(-1);
  const state = !last ? null : last.usual?.low === null || last.usual === null ? "few" : (last.change ?? "within");
  const head = make(
    "figcaption",
    {},
    make("strong", {}, known.title),
    series.scope === "spot" ? make("small", { class: "quiet" }, t("patient.trends.spot")) : null,
    make("span", { class: "figure" }, last ? write(last.value) : "–", known.unit ? make("small", {}, ` ${known.unit}`) : null),
    state ? make("small", { class: "change", "data-change": state }, t(`patient.trends.${state}`)) : null,
  );
  if (!points.length) return make("figure", { class: "chart" }, head, make("p", { class: "quiet" }, t("patient.trends.none")));
  const label = t("patient.trends.chart", { measure: known.title, n: valued.length, last: last ? `${write(last.value)} ${known.unit}`.trim() : "–" });
  return make("figure", { class: "chart" }, head, picture(series, points, from, to, width, label), source(series));
}

/** @param {any} series */
function source(series) {
  if (!series.norm) return "";
  return make("p", { class: "source" }, `${t("patient.trends.norm")}: ${series.norm.source}, doi:${series.norm.doi}`);
}

/** @param {any} series @param {any[]} points @param {number} from @param {number} to @param {number} width @param {string} label */
function picture(series, points, from, to, width, label) {
  const known = measure(series.measure);
  const left = 46;
  const bottom = HEIGHT - 22;
  const values = points.flatMap((each) => [each.value, each.low, each.high, each.usual?.low, each.usual?.high]).filter((each) => Number.isFinite(each));
  if (series.norm && values.length) {
    // a norm is drawn where it lies near: far away it would press the values together
    const reach = 0.6 * (Math.max(...values) - Math.min(...values) || Math.abs(values[0]) || 1);
    if (series.norm.low > Math.min(...values) - reach) values.push(series.norm.low);
    if (series.norm.high < Math.max(...values) + reach) values.push(series.norm.high);
  }
  let low = Math.min(...values, Infinity);
  let high = Math.max(...values, -Infinity);
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  const pad = 0.08 * (high - low) || Math.abs(high) * 0.1 || 1;
  [low, high] = [low - pad, high + pad];
  const reach = to - from || 1;
  const x = (/** @type {number} */ time) => left + 8 + ((width - left - 20) * (time - from)) / reach;
  const y = (/** @type {number} */ value) => 6 + ((bottom - 6) * (high - value)) / (high - low);
  const shown = ticks(times(low, known) ?? 0, times(high, known) ?? 1, 4);
  const { found: marks, years } = months(from, to, Math.max(2, Math.floor(width / 95)));
  const step = points.length > 40 ? 3 : 4;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "group", "aria-label": label },
    ...shown.found.flatMap((value) => [
      svg("path", { class: "grid", d: `M${left} ${y(value / known.times).toFixed(1)}H${width}` }),
      text(number(value, shown.decimals), { class: "label", x: left - 6, y: y(value / known.times) + 4, "text-anchor": "end" }),
    ]),
    ...marks.flatMap((time) => [
      svg("path", { class: "tick", d: `M${x(time).toFixed(1)} ${bottom}v4` }),
      text(years ? String(new Date(time).getFullYear()) : monthWords(time), { class: "label", x: x(time), y: HEIGHT - 4, "text-anchor": "middle" }),
    ]),
    svg("path", { class: "axis", d: `M${left} ${bottom}H${width}` }),
    ...band(points, x, y),
    ...[series.norm?.low, series.norm?.high].filter((each) => each !== undefined && each > low && each < high).map((each) => svg("path", { class: "norm", d: `M${left} ${y(each).toFixed(1)}H${width}` })),
    ...lines(series, points, x, y),
    ...points.map((each) => point(each, series, x, y, bottom, step)),
  );
}

/** What is usual for this person, as it was known before each session.
 * @param {any[]} points @param {(time: number) => number} x @param {(value: number) => number} y */
function band(points, x, y) {
  /** @type {any[][]} */
  const runs = [[]];
  for (const each of points) {
    if (each.usual?.low === null || !each.usual) runs.push([]);
    else runs[runs.length - 1].push(each);
  }
  return runs.filter((run) => run.length > 1).map((run) => {
    const at = (/** @type {any} */ each, /** @type {"low" | "high"} */ side) => `${x(Date.parse(each.time)).toFixed(1)} ${y(each.usual[side]).toFixed(1)}`;
    const d = `M${run.map((each) => at(each, "high")).join("L")}L${[...run].reverse().map((each) => at(each, "low")).join("L")}Z`;
    return svg("path", { class: "usual", d });
  });
}

/** Lines between neighbours; nothing is drawn across a session that has no value.
 * @param {any} series @param {any[]} points @param {(time: number) => number} x @param {(value: number) => number} y */
function lines(series, points, x, y) {
  const order = new Map(found.sessions.map((/** @type {string} */ id, /** @type {number} */ index) => [id, index]));
  let d = "";
  let before = -2;
  for (const each of points) {
    const index = /** @type {number} */ (order.get(each.session_id));
    if (each.value !== null) {
      d += `${index === before + 1 || (series.scope === "spot" && before >= 0) ? "L" : "M"}${x(Date.parse(each.time)).toFixed(1)} ${y(each.value).toFixed(1)}`;
      before = index;
    } else before = -2;
  }
  return d ? [svg("path", { class: "trace", d })] : [];
}

/** @param {any} each @param {any} series @param {(time: number) => number} x @param {(value: number) => number} y
 * @param {number} bottom @param {number} size */
function point(each, series, x, y, bottom, size) {
  const known = measure(series.measure);
  const at = x(Date.parse(each.time));
  const when = shortTime(Date.parse(each.time)).textContent ?? "";
  const words = [when];
  const shapes = [];
  if (each.value === null) {
    words.push(sentence(each.absent ?? ""));
    shapes.push(svg("path", { class: "absent", d: `M${at - 4} ${bottom - 12}l8 8M${at + 4} ${bottom - 12}l-8 8` }));
  } else {
    words.push(`${number(times(each.value, known), known.decimals)} ${known.unit}`.trim());
    const range = interval(times(each.low, known), times(each.high, known), known.decimals);
    if (range) {
      words.push(range);
      shapes.push(svg("path", { class: "whisker", d: `M${at} ${y(each.low)}V${y(each.high)}` }));
    }
    if (each.change) words.push(t(`patient.trends.${each.change}`));
    if (each.quality !== null) words.push(t("patient.trends.quality", { percent: Math.round(100 * each.quality) }));
    words.push(each.method);
    shapes.push(svg("circle", { class: "dot", cx: at, cy: y(each.value), r: size, "data-change": each.change }));
  }
  const said = words.join(" · ");
  const cy = each.value === null ? bottom - 8 : y(each.value);
  return svg("a", { href: `/sessions/${encodeURIComponent(each.session_id)}`, class: "point", "aria-label": said }, title(said), svg("rect", { class: "target", x: at - 8, y: cy - 12, width: 16, height: 24 }), ...shapes);
}
