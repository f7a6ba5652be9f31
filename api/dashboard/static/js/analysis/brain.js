// The EEG: shares of its bands over time, and its spectrum with the peak of alpha.

import { origin } from "../catalogue.js";
import { number } from "../format.js";
import { t } from "../texts.js";
import { courseTable, unitOf } from "./courses.js";
import { stacked, stackedLayout } from "./expressed.js";
import { date } from "./theme.js";

const NAMES = ["delta", "theta", "alpha", "beta", "gamma"];

const BANDS = {
  name: "bands",
  wide: true,
  timed: true,
  height: 320,
  async load(/** @type {any} */ data) {
    const { absent, items } = await data.courses(...NAMES.map((name) => `eeg_${name}_relative`), "eeg_usable");
    const shares = items.filter((/** @type {any} */ each) => each.measure !== "eeg_usable" && each.source === items[0].source);
    if (!shares.length) return { absent: absent ?? (await data.why("eeg_alpha")) };
    const usable = items.find((/** @type {any} */ each) => each.measure === "eeg_usable" && each.source === shares[0].source);
    return { shares, usable };
  },
  plot(/** @type {any} */ { shares, usable }, /** @type {any} */ seen) {
    const traces = stacked(shares, seen, (each) => t(`analysis.band.${band(each)}`), (each) => `band-${band(each)}`);
    if (usable) {
      traces.push({
        type: "scatter", mode: "lines", name: t("analysis.bands.usable"), x: usable.times.map(date), y: usable.values,
        line: { color: seen.colour("ink"), width: 2, dash: "dot" }, hovertemplate: "%{y:.0f} %",
      });
    }
    return { traces, layout: stackedLayout() };
  },
  summary({ shares, usable }) {
    const means = shares.map((/** @type {any} */ each) => {
      const there = each.values.filter((/** @type {number | null} */ value) => value !== null);
      return `${t(`analysis.band.${band(each)}`)} ${number((100 * there.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0)) / there.length, 0)} %`;
    });
    const told = usable?.values.filter((/** @type {number | null} */ each) => each !== null) ?? [];
    const least = told.length ? t("analysis.bands.least", { least: number(Math.min(...told), 0) }) : "";
    return [t("analysis.bands.told", { means: means.join(", ") }), least].filter(Boolean).join(" ");
  },
  table: (/** @type {any} */ { shares }) => courseTable(shares, (each) => `${t(`analysis.band.${band(each)}`)}, %`, 100),
};

const SPECTRUM = {
  name: "eeg_spectrum",
  wide: true,
  height: 300,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const said = await data.get(`spectrum?of=eeg${choice ? `&source=${encodeURIComponent(choice)}` : ""}`);
    return said.absent ? said : { ...said, choices: said.sources.map((/** @type {string} */ value) => ({ value, label: origin(value) })), chosen: said.source };
  },
  plot(/** @type {any} */ said, /** @type {any} */ seen) {
    const shapes = said.bands.map((/** @type {any} */ each) => ({
      type: "rect", yref: "paper", x0: each.low, x1: each.high, y0: 0, y1: 1, line: { width: 0 }, fillcolor: seen.faint(`band-${each.name}`, 0.12), layer: "below",
    }));
    const names = said.bands.map((/** @type {any} */ each) => ({
      x: (each.low + each.high) / 2, y: 1, yref: "paper", yanchor: "top", showarrow: false, text: t(`analysis.band.${each.name}`), font: { color: seen.colour("quiet") },
    }));
    const traces = [
      { type: "scatter", mode: "lines", name: t("analysis.eeg_spectrum.measured"), x: said.hertz, y: said.density, line: { color: seen.colour("of-eeg"), width: 2 },
        hovertemplate: "%{x:.1f}: %{y:.2f}<extra></extra>" },
      ...(said.beside ? [{ type: "scatter", mode: "lines", name: t("analysis.eeg_spectrum.background"), x: said.hertz, y: said.beside,
        line: { color: seen.colour("quiet"), width: 1.5, dash: "dash" }, hoverinfo: "skip" }] : []),
    ];
    if (said.peak !== null) {
      const near = said.hertz.reduce((/** @type {number} */ best, /** @type {number} */ hertz, /** @type {number} */ i) => (Math.abs(hertz - said.peak) < Math.abs(said.hertz[best] - said.peak) ? i : best), 0);
      traces.push(/** @type {any} */ ({ type: "scatter", mode: "markers+text", name: t("analysis.eeg_spectrum.peak", { hertz: number(said.peak, 1) }), x: [said.peak], y: [said.density[near]],
        marker: { size: 10, symbol: "diamond", color: seen.colour("band-alpha"), line: { width: 1, color: seen.colour("ink") } }, hoverinfo: "skip" }));
    }
    return {
      traces,
      layout: { hovermode: "closest", shapes, annotations: names, xaxis: { title: unitOf("Hz"), range: [1, 45], fixedrange: true }, yaxis: { type: "log", title: t("analysis.eeg_spectrum.axis"), fixedrange: true } },
    };
  },
  summary: (/** @type {any} */ said) =>
    [
      said.peak === null ? t("analysis.eeg_spectrum.no_peak") : t("analysis.eeg_spectrum.told", { hertz: number(said.peak, 1) }),
      t("analysis.method", { method: said.method }),
    ].join(" "),
  table: (/** @type {any} */ said) => ({
    head: [unitOf("Hz"), t("analysis.eeg_spectrum.axis"), t("analysis.eeg_spectrum.background")],
    rows: said.hertz.map((/** @type {number} */ hertz, /** @type {number} */ i) => [number(hertz, 1), number(said.density[i], 3), said.beside ? number(said.beside[i], 3) : null]),
  }),
};

export const BRAIN = [BANDS, SPECTRUM];

/** @param {any} course */
function band(course) {
  return course.measure.split("_")[1];
}
