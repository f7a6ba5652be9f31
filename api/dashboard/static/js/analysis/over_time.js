// How breath, variability, strain and skin conductance went.

import { measure } from "../catalogue.js";
import { t } from "../texts.js";
import { courseTable, courseTraces, named, range, unitOf } from "./courses.js";
import { TIME } from "./theme.js";

/** A figure of one measure by its sources. @param {string} name @param {string} of @param {any} [more] */
function lines(name, of, more = {}) {
  return {
    name,
    timed: true,
    async load(/** @type {any} */ data) {
      const { absent, items } = await data.courses(of);
      return items.length ? { items } : { absent: absent ?? (await data.why(...(more.why ?? [of]))) };
    },
    plot: (/** @type {any} */ { items }, /** @type {any} */ seen) => ({
      traces: courseTraces(items, seen),
      layout: { xaxis: TIME, yaxis: { title: unitOf(items[0].unit), ...more.axis }, showlegend: items.length > 1, ...(more.layout?.(seen) ?? {}) },
    }),
    summary: (/** @type {any} */ { items }) =>
      items.map((/** @type {any} */ each) => t("analysis.went", { source: named(each.source), ...range(each) })).join(" "),
    table: (/** @type {any} */ { items }) => courseTable(items),
  };
}

const STRAIN = {
  ...lines("strain", "stress"),
  async load(/** @type {any} */ data) {
    const { absent, items } = await data.courses("stress", "physiological_arousal");
    // the two are one score on two scales, but for the brain's part
    const chosen = items.filter((/** @type {any} */ each) => each.measure === "stress");
    return items.length ? { items: chosen.length ? chosen : items } : { absent: absent ?? "too_short" };
  },
  plot(/** @type {any} */ { items }, /** @type {any} */ seen) {
    const [low, usual, high] = items[0].measure === "stress" ? [0, 50, 100] : [-1, 0, 1];
    const middle = { type: "line", xref: "paper", x0: 0, x1: 1, y0: usual, y1: usual, line: { color: seen.colour("quiet"), width: 1, dash: "dot" } };
    return {
      traces: courseTraces(items, seen, (each) => ({ name: measure(each.measure).title, line: { color: seen.colour("of-eeg"), width: 2 } })),
      layout: { xaxis: TIME, shapes: [middle], showlegend: false, yaxis: { title: measure(items[0].measure).title, range: [low, high] } },
    };
  },
  summary: (/** @type {any} */ { items }) =>
    [
      ...items.map((/** @type {any} */ each) => t("analysis.strain.told", { measure: measure(each.measure).title, ...range(each) })),
      t("analysis.strain.limits"),
    ].join(" "),
  table: (/** @type {any} */ { items }) => courseTable(items, (each) => measure(each.measure).title),
};

export const OVER_TIME = [
  lines("variability", "rmssd"),
  lines("breath", "respiration_rate"),
  lines("sweat", "eda_level", { why: ["eda_slope"] }),
  STRAIN,
];
