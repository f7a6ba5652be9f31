// Figures of two sessions in one: both from their own beginning.

import { named, unitOf } from "./courses.js";
import { number } from "../format.js";
import { t } from "../texts.js";
import { TIME, date } from "./theme.js";

const COLOURS = ["of-ppg", "of-eda"];
const DASHES = ["solid", "dash"];

/** @param {any} seen @param {number} place */
function line(seen, place) {
  return { color: seen.colour(COLOURS[place]), width: 2, dash: DASHES[place] };
}

/** @param {number} place */
function nameOf(place) {
  return t(place ? "compare.second" : "compare.first");
}

/** A course of one measure, the preferred source of each. @param {string} name @param {string} of */
function course(name, of) {
  return {
    name,
    async load(/** @type {any} */ data) {
      const both = await Promise.all([data.first, data.second].map(async (each) => (await each.courses(of)).items[0] ?? null));
      return both.some(Boolean) ? { both } : { absent: "not_kept_both" };
    },
    plot: (/** @type {any} */ { both }, /** @type {any} */ seen) => ({
      traces: both.flatMap((/** @type {any} */ each, /** @type {number} */ i) => (each ? [{
        type: "scatter", mode: "lines", name: `${nameOf(i)} (${named(each.source)})`, x: each.times.map(date), y: each.values, connectgaps: false,
        line: line(seen, i), hovertemplate: `%{y:.${each.decimals}f}`,
      }] : [])),
      layout: { xaxis: TIME, yaxis: { title: unitOf(both.find(Boolean).unit) } },
    }),
    summary: (/** @type {any} */ { both }) => both.map((/** @type {any} */ each, /** @type {number} */ i) => {
      if (!each) return t("compare.course_none", { which: nameOf(i) });
      const there = each.values.filter((/** @type {number | null} */ value) => value !== null);
      return t("compare.course_told", { which: nameOf(i), low: number(Math.min(...there), each.decimals), high: number(Math.max(...there), each.decimals), unit: unitOf(each.unit) });
    }).join(" "),
    table: (/** @type {any} */ { both }) => ({
      head: [t("analysis.time"), nameOf(0), nameOf(1)],
      rows: [...new Set(both.flatMap((/** @type {any} */ each) => each?.times ?? []))].sort((a, b) => a - b).map((at) => [
        `${number(at, 1)} s`,
        ...both.map((/** @type {any} */ each) => {
          const value = each?.values[each.times.indexOf(at)];
          return value === null || value === undefined ? null : number(value, Math.max(1, each.decimals));
        }),
      ]),
    }),
  };
}

const TACHOGRAM = {
  name: "overlaid_tachogram",
  wide: true,
  async load(/** @type {any} */ data) {
    const both = await Promise.all([data.first.get("intervals"), data.second.get("intervals")]);
    return both.some((each) => !each.absent) ? { both } : { absent: both[0].absent };
  },
  plot: (/** @type {any} */ { both }, /** @type {any} */ seen) => ({
    traces: both.flatMap((/** @type {any} */ each, /** @type {number} */ i) => (each.absent ? [] : [{
      type: "scatter", mode: "lines", name: nameOf(i), x: each.times.map(date), y: each.intervals, connectgaps: false,
      line: { ...line(seen, i), width: 1.3, dash: "solid" }, hovertemplate: "%{y:.0f}",
    }])),
    layout: { xaxis: TIME, yaxis: { title: unitOf("ms") } },
  }),
  summary: (/** @type {any} */ { both }) => both.map((/** @type {any} */ each, /** @type {number} */ i) =>
    t(each.absent ? "compare.course_none" : "compare.beats_told", { which: nameOf(i), count: each.times.length })).join(" "),
  table: (/** @type {any} */ { both }) => ({
    head: [t("compare.beat"), nameOf(0), nameOf(1)],
    rows: Array.from({ length: Math.max(...both.map((/** @type {any} */ each) => each.times.length)) }, (_, i) => [
      String(i + 1), ...both.map((/** @type {any} */ each) => (each.intervals[i] == null ? null : number(each.intervals[i], 0))),
    ]),
  }),
};

const SPECTRUM = {
  name: "overlaid_spectrum",
  async load(/** @type {any} */ data) {
    const both = await Promise.all([data.first.get("spectrum"), data.second.get("spectrum")]);
    return both.some((each) => !each.absent) ? { both } : { absent: both[0].absent };
  },
  plot: (/** @type {any} */ { both }, /** @type {any} */ seen) => ({
    traces: both.flatMap((/** @type {any} */ each, /** @type {number} */ i) => (each.absent ? [] : [{
      type: "scatter", mode: "lines", name: nameOf(i), x: each.hertz.filter(fast), y: each.density.filter((/** @type {number} */ _, /** @type {number} */ j) => fast(each.hertz[j])),
      line: { ...line(seen, i), width: 1.6 }, fill: "tozeroy", fillcolor: seen.faint(COLOURS[i], 0.12), hovertemplate: "%{y:.0f}",
    }])),
    layout: { xaxis: { title: unitOf("Hz"), range: [0.04, 0.4] }, yaxis: { title: t("analysis.spectrum.axis") } },
  }),
  summary: (/** @type {any} */ { both }) => both.map((/** @type {any} */ each, /** @type {number} */ i) => {
    if (each.absent) return t("compare.course_none", { which: nameOf(i) });
    const bands = each.bands.filter((/** @type {any} */ band) => band.name !== "vlf" && band.value !== null);
    return t("compare.spectrum_told", { which: nameOf(i), bands: bands.map((/** @type {any} */ band) => `${band.name.toUpperCase()} ${number(band.value, 0)} ${unitOf("ms2")}`).join(", ") });
  }).join(" "),
  table: (/** @type {any} */ { both }) => {
    const hertz = (both.find((/** @type {any} */ each) => !each.absent) ?? both[0]).hertz.filter(fast);
    const at = (/** @type {any} */ each, /** @type {number} */ where) => each.density[each.hertz.indexOf(where)];
    return { head: [unitOf("Hz"), nameOf(0), nameOf(1)], rows: hertz.map((/** @type {number} */ where) => [number(where, 4), ...both.map((/** @type {any} */ each) => (at(each, where) === undefined ? null : number(at(each, where), 1)))]) };
  },
};

export const OVERLAID = [TACHOGRAM, course("overlaid_rates", "heart_rate"), SPECTRUM, course("overlaid_variability", "rmssd"), course("overlaid_breath", "respiration_rate")];

/** From LF on. @param {number} hertz */
function fast(hertz) {
  return hertz >= 0.04;
}
