// What face and voice showed over time, and all together: shares stacked, and valence and arousal.

import { measure } from "../catalogue.js";
import { number } from "../format.js";
import { t } from "../texts.js";
import { courseTable, courseTraces, range } from "./courses.js";
import { TIME, date } from "./theme.js";

const NAMES = ["neutral", "happiness", "surprise", "calm", "sadness", "boredom", "fear", "anger", "disgust", "contempt"];
const KINDS = ["emotion", "face", "voice"];

const EMOTIONS = {
  name: "emotions",
  wide: true,
  timed: true,
  height: 320,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const all = NAMES.flatMap((name) => KINDS.map((kind) => `${kind}_${name}`));
    const { absent, items } = await data.courses(...all);
    const there = KINDS.filter((kind) => items.some((/** @type {any} */ each) => each.measure.startsWith(`${kind}_`)));
    if (!there.length) return { absent: absent ?? (await data.why("emotion_neutral", "face_neutral", "voice_neutral")) };
    const chosen = choice ?? there[0];
    const source = items.find((/** @type {any} */ each) => each.measure.startsWith(`${chosen}_`)).source;
    return {
      items: NAMES.map((name) => items.find((/** @type {any} */ each) => each.measure === `${chosen}_${name}` && each.source === source)).filter(Boolean),
      choices: there.map((value) => ({ value, label: t(`analysis.emotions.${value}`) })),
      chosen,
    };
  },
  plot: (/** @type {any} */ { items }, /** @type {any} */ seen) => ({
    traces: stacked(items, seen, (each) => name(each), (each) => `emotion-${plainName(each)}`),
    layout: stackedLayout(),
  }),
  summary: (/** @type {any} */ { items, chosen }) => {
    const means = items.map((/** @type {any} */ each) => {
      const there = each.values.filter((/** @type {number | null} */ value) => value !== null);
      return { name: name(each), mean: there.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0) / there.length };
    });
    means.sort((/** @type {any} */ a, /** @type {any} */ b) => b.mean - a.mean);
    const most = means.slice(0, 3).map((/** @type {any} */ each) => `${each.name} ${number(100 * each.mean, 0)} %`).join(", ");
    return `${t("analysis.emotions.told", { most })} ${t(`analysis.emotions.limits_${chosen}`)}`;
  },
  table: (/** @type {any} */ { items }) => courseTable(items, (each) => `${name(each)}, %`, 100),
};

const AXES = {
  name: "axes",
  timed: true,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const { absent, items } = await data.courses("valence", "arousal", "face_valence", "face_arousal", "voice_valence", "voice_arousal");
    const kindOf = (/** @type {any} */ each) => (each.measure.includes("_") ? each.measure.split("_")[0] : "emotion");
    const there = KINDS.filter((kind) => items.some((/** @type {any} */ each) => kindOf(each) === kind));
    if (!there.length) return { absent: absent ?? (await data.why("valence", "arousal")) };
    const chosen = choice ?? there[0];
    return {
      items: items.filter((/** @type {any} */ each) => kindOf(each) === chosen),
      choices: there.map((value) => ({ value, label: t(`analysis.emotions.${value}`) })),
      chosen,
    };
  },
  plot: (/** @type {any} */ { items }, /** @type {any} */ seen) => ({
    traces: courseTraces(items, seen, (each) => ({
      name: measure(each.measure).title,
      line: { color: seen.colour(each.measure.endsWith("valence") ? "of-ppg" : "of-eda"), width: 2, dash: each.measure.endsWith("valence") ? "solid" : "dash" },
    })),
    layout: { xaxis: TIME, yaxis: { range: [-1, 1], fixedrange: true, zeroline: true } },
  }),
  summary: (/** @type {any} */ { items, chosen }) =>
    [
      ...items.map((/** @type {any} */ each) => t("analysis.axes.told", { measure: measure(each.measure).title, ...range(each) })),
      t(`analysis.emotions.limits_${chosen}`),
    ].join(" "),
  table: (/** @type {any} */ { items }) => courseTable(items, (each) => measure(each.measure).title),
};

export const EXPRESSED = [AXES, EMOTIONS];

/** Shares as bars on each other, one for each step, so that a gap is a gap.
 * @param {any[]} items @param {import("./theme.js").Look} seen @param {(course: any) => string} named @param {(course: any) => string} coloured */
export function stacked(items, seen, named, coloured) {
  const [first, second] = items[0].times;
  const step = 1000 * (second - first || items[0].window);
  return items.map((each) => ({
    type: "bar", name: named(each), x: each.times.map(date), width: step, y: each.values.map((/** @type {number | null} */ value) => (value === null ? null : 100 * value)),
    marker: { color: seen.colour(coloured(each)), opacity: 0.82, line: { width: 0 } }, hovertemplate: "%{y:.0f} %",
  }));
}

export function stackedLayout() {
  return { barmode: "stack", bargap: 0, xaxis: TIME, yaxis: { title: "%", range: [0, 100], fixedrange: true } };
}

/** @param {any} course */
function plainName(course) {
  return course.measure.slice(course.measure.indexOf("_") + 1);
}

/** @param {any} course */
function name(course) {
  return t(`analysis.emotion.${plainName(course)}`);
}

