// Courses as lines, words and tables.

import { origin } from "../catalogue.js";
import { duration, number } from "../format.js";
import { t } from "../texts.js";
import { date, lineOf } from "./theme.js";

const UNITS = ["ms", "uS", "uV2", "ms2", "Hz"];

/** @param {string} unit in UCUM */
export function unitOf(unit) {
  if (unit === "/min") return t("analysis.per_minute");
  if (unit === "1") return "";
  return UNITS.includes(unit) ? t(`analysis.unit.${unit}`) : unit;
}

/** A source at the beginning of a sentence. @param {string} source */
export function named(source) {
  const said = origin(source);
  return said.charAt(0).toLocaleUpperCase() + said.slice(1);
}

/** @param {import("./data.js").Course[]} items @param {import("./theme.js").Look} seen @param {(course: any) => any} [more] */
export function courseTraces(items, seen, more = () => ({})) {
  return items.map((each) => ({
    type: "scatter",
    mode: "lines",
    // names come from devices, and plotly would read markup in them
    name: plain(origin(each.source)),
    x: each.times.map(date),
    y: each.values,
    connectgaps: false,
    line: lineOf(seen, each.source),
    hovertemplate: `%{y:.${each.decimals}f}`,
    ...more(each),
  }));
}

/** @param {string} text */
export function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** From, to and how much of it is there. @param {import("./data.js").Course} course */
export function range(course, times = 1) {
  const there = /** @type {number[]} */ (course.values.filter((each) => each !== null)).map((each) => times * each);
  const decimals = times === 1 ? course.decimals : 0;
  return {
    low: number(Math.min(...there), decimals),
    high: number(Math.max(...there), decimals),
    unit: unitOf(course.unit),
    window: number(course.window, 0),
    count: course.values.length,
    missing: course.values.length - there.length,
  };
}

/** A column for each course. @param {import("./data.js").Course[]} items @param {(course: any) => string} [name] */
export function courseTable(items, name = (each) => origin(each.source), times = 1) {
  const moments = [...new Set(items.flatMap((each) => each.times))].sort((a, b) => a - b);
  const columns = items.map((each) => new Map(each.times.map((at, i) => [at, each.values[i]])));
  return {
    head: [t("analysis.time"), ...items.map((each) => [name(each), unitOf(each.unit)].filter(Boolean).join(", "))],
    rows: moments.map((at) => [
      duration(at),
      ...columns.map((column, i) => {
        const value = column.get(at);
        return value === null || value === undefined ? null : number(times * value, times === 1 ? Math.max(1, items[i].decimals) : 1);
      }),
    ]),
  };
}
