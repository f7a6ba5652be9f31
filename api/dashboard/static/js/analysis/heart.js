// Figures of the heart: its rate by every source, its intervals, their spectrum and plot, and how sources agree.

import { origin } from "../catalogue.js";
import { duration, number } from "../format.js";
import { t } from "../texts.js";
import { courseTable, courseTraces, named, range, unitOf } from "./courses.js";
import { TIME, date, lineOf } from "./theme.js";

const RATES = {
  name: "rates",
  wide: true,
  timed: true,
  async load(/** @type {any} */ data) {
    const { absent, items } = await data.courses("heart_rate");
    return items.length ? { items } : { absent: absent ?? (await data.why("heart_rate")) };
  },
  plot: (/** @type {any} */ { items }, /** @type {any} */ seen) => ({
    traces: courseTraces(items, seen),
    layout: { xaxis: TIME, yaxis: { title: unitOf(items[0].unit) } },
  }),
  summary: (/** @type {any} */ { items }) =>
    items.map((/** @type {any} */ each) => t("analysis.rates.told", { source: named(each.source), ...range(each) })).join(" "),
  table: (/** @type {any} */ { items }) => courseTable(items),
};

const TACHOGRAM = {
  name: "tachogram",
  wide: true,
  timed: true,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const said = await data.get(choice ? `intervals?source=${encodeURIComponent(choice)}` : "intervals");
    return said.absent ? said : { ...said, ...sources(said) };
  },
  plot(/** @type {any} */ said, /** @type {any} */ seen) {
    const at = said.times.map(date);
    const mended = places(said, (state) => state === "moved" || state === "added");
    const hands = places(said, (state) => state === "by_hand");
    const early = said.found.times.filter((/** @type {number} */ _, /** @type {number} */ i) => said.found.kinds[i] === "ectopic");
    const used = said.intervals.filter((/** @type {number | null} */ each) => each !== null);
    const floor = Math.min(...used) - 0.06 * (Math.max(...used) - Math.min(...used) + 50);
    const dots = (/** @type {number[]} */ which, /** @type {string} */ name, /** @type {string} */ symbol, /** @type {string} */ colour) => ({
      type: "scatter", mode: "markers", name, x: which.map((i) => at[i]), y: which.map((i) => said.intervals[i]),
      marker: { symbol, size: 9, color: seen.colour("paper"), line: { width: 2, color: seen.colour(colour) } },
    });
    const line = lineOf(seen, said.source);
    return {
      traces: [
        { type: "scatter", mode: used.length > 1500 ? "lines" : "lines+markers", name: t("analysis.tachogram.interval"), x: at, y: said.intervals,
          connectgaps: false, line: { ...line, width: 1.2, dash: "solid" }, marker: { size: 3.5, color: line.color } },
        ...(mended.length ? [dots(mended, t("analysis.tachogram.corrected"), "circle", "fair")] : []),
        ...(hands.length ? [dots(hands, t("analysis.tachogram.by_hand"), "diamond", "sim")] : []),
        ...(early.length ? [{ type: "scatter", mode: "markers", name: t("analysis.tachogram.ectopic"), x: early.map(date), y: early.map(() => floor),
          hovertemplate: "%{x}", marker: { symbol: "triangle-up", size: 9, color: seen.colour("poor") } }] : []),
      ],
      layout: { xaxis: { ...TIME, range: [at[0], at[at.length - 1]] }, yaxis: { title: t("analysis.tachogram.axis") } },
    };
  },
  summary(/** @type {any} */ said) {
    const used = said.intervals.filter((/** @type {number | null} */ each) => each !== null);
    const count = (/** @type {(state: string) => boolean} */ test) => said.states.filter(test).length;
    const ectopic = said.found.kinds.filter((/** @type {string} */ each) => each === "ectopic").length;
    return [
      t("analysis.tachogram.told", {
        source: named(said.source), count: said.times.length, low: number(Math.min(...used), 0), high: number(Math.max(...used), 0),
      }),
      t("analysis.tachogram.changed", {
        corrected: count((each) => each === "moved" || each === "added"), hands: count((each) => each === "by_hand"), ectopic,
        unused: said.intervals.length - used.length - 1,
      }),
    ].join(" ");
  },
  table: (/** @type {any} */ said) => ({
    head: [t("analysis.time"), t("analysis.tachogram.axis"), t("analysis.tachogram.state")],
    rows: said.times.map((/** @type {number} */ at, /** @type {number} */ i) => [
      `${number(at, 3)} s`, said.intervals[i] === null ? null : number(said.intervals[i], 0), t(`analysis.state.${said.states[i]}`),
    ]),
  }),
};

const POINCARE = {
  name: "poincare",
  height: 380,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const said = await data.get(choice ? `intervals?source=${encodeURIComponent(choice)}` : "intervals");
    if (said.absent) return said;
    const of = async (/** @type {string} */ name) => (await data.readings(name)).find((/** @type {any} */ each) => each.source === said.source);
    const pairs = said.intervals.slice(1).map((/** @type {number} */ next, /** @type {number} */ i) => [said.intervals[i], next])
      .filter((/** @type {any[]} */ [one, next]) => one !== null && next !== null);
    const [across, along] = [await of("sd1"), await of("sd2")];
    return pairs.length ? { ...said, ...sources(said), pairs, across, along } : { absent: "insufficient" };
  },
  plot(/** @type {any} */ { pairs, across, along, source }, /** @type {any} */ seen) {
    const { color } = lineOf(seen, source);
    const all = pairs.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = 0.08 * (high - low + 20);
    const traces = [
      { type: "scatter", mode: "markers", name: t("analysis.poincare.pairs"), x: pairs.map((/** @type {number[]} */ each) => each[0]),
        y: pairs.map((/** @type {number[]} */ each) => each[1]), marker: { size: 5, color, opacity: pairs.length > 800 ? 0.25 : 0.55 },
        hovertemplate: "%{x:.0f} → %{y:.0f}<extra></extra>" },
      { type: "scatter", mode: "lines", name: t("analysis.poincare.equal"), x: [low - room, high + room], y: [low - room, high + room],
        line: { color: seen.colour("quiet"), width: 1, dash: "dot" }, hoverinfo: "skip" },
    ];
    if (across?.value != null && along?.value != null) {
      traces.push(/** @type {any} */ ({
        type: "scatter", mode: "lines", name: `SD1 ${number(across.value, 1)} · SD2 ${number(along.value, 1)} ${unitOf("ms")}`, ...ellipse(pairs, across.value, along.value),
        line: { color: seen.colour("ink"), width: 2 }, hoverinfo: "skip",
      }));
    }
    const span = [low - room, high + room];
    return {
      traces,
      layout: {
        hovermode: "closest",
        xaxis: { title: t("analysis.poincare.this"), range: span, fixedrange: true, constrain: "domain" },
        yaxis: { title: t("analysis.poincare.next"), range: span, scaleanchor: "x", constrain: "domain" },
      },
    };
  },
  summary: (/** @type {any} */ { pairs, across, along, source }) =>
    across?.value != null && along?.value != null
      ? t("analysis.poincare.told", { source: named(source), count: pairs.length, across: number(across.value, 1), along: number(along.value, 1) })
      : t("analysis.poincare.pairs_alone", { source: named(source), count: pairs.length }),
  table: (/** @type {any} */ { pairs }) => ({
    head: [t("analysis.poincare.this"), t("analysis.poincare.next")],
    rows: pairs.map((/** @type {number[]} */ each) => each.map((value) => number(value, 0))),
  }),
};

const BANDS = /** @type {Record<string, string>} */ ({ vlf: "of-eda", lf: "of-ppg", hf: "of-ecg" });

const SPECTRUM = {
  name: "spectrum",
  height: 380,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const said = await data.get(choice ? `spectrum?source=${encodeURIComponent(choice)}` : "spectrum");
    return said.absent ? said : { ...said, ...sources(said) };
  },
  plot(/** @type {any} */ said, /** @type {any} */ seen) {
    const traces = said.bands.map((/** @type {any} */ band) => {
      const values = band.name === "vlf" && said.beside ? said.beside : said.density;
      const inside = said.hertz.map((/** @type {number} */ hertz, /** @type {number} */ i) => [hertz, values[i]])
        .filter((/** @type {number[]} */ [hertz]) => hertz >= band.low && hertz <= band.high);
      const colour = BANDS[band.name];
      return {
        type: "scatter", mode: "lines", fill: "tozeroy", name: bandName(band),
        x: inside.map((/** @type {number[]} */ each) => each[0]), y: inside.map((/** @type {number[]} */ each) => each[1]),
        line: { color: seen.colour(colour), width: 1.5 }, fillcolor: seen.faint(colour, 0.22),
        hovertemplate: "%{x:.3f}: %{y:.0f}<extra></extra>",
      };
    });
    // of VLF a few minutes show next to nothing, and it would dwarf the rest
    const most = Math.max(...said.density.filter((/** @type {number} */ _, /** @type {number} */ i) => said.hertz[i] >= 0.04));
    return {
      traces,
      layout: { hovermode: "closest", xaxis: { title: unitOf("Hz"), range: [0, 0.4] }, yaxis: { title: t("analysis.spectrum.axis"), range: [0, 1.15 * most], fixedrange: true } },
    };
  },
  summary: (/** @type {any} */ said) =>
    [
      t("analysis.spectrum.told", { source: named(said.source), bands: said.bands.map(bandName).join(", ") }),
      t("analysis.method", { method: said.method }),
    ].join(" "),
  table: (/** @type {any} */ said) => ({
    head: [unitOf("Hz"), t("analysis.spectrum.axis"), t("analysis.spectrum.beside")],
    rows: said.hertz.map((/** @type {number} */ hertz, /** @type {number} */ i) => [
      number(hertz, 4), number(said.density[i], 1), said.beside ? number(said.beside[i], 1) : null,
    ]),
  }),
};

const AGREEMENT = {
  name: "agreement",
  height: 380,
  async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
    const [reference, compared] = (choice ?? "").split("|");
    const said = await data.get(choice ? `agreement?reference=${encodeURIComponent(reference)}&compared=${encodeURIComponent(compared)}` : "agreement");
    if (said.absent === "no_reference") return { absent: "no_other" };
    if (said.absent === "too_short") return { absent: "few_windows" };
    if (said.absent) return said;
    const choices = said.sources.flatMap((/** @type {string} */ one, /** @type {number} */ i) =>
      said.sources.slice(i + 1).map((/** @type {string} */ other) => ({ value: `${one}|${other}`, label: `${origin(one)} – ${origin(other)}` })));
    return { ...said, choices, chosen: `${said.reference}|${said.compared}` };
  },
  plot(/** @type {any} */ said, /** @type {any} */ seen) {
    const across = (/** @type {any} */ bound, /** @type {string} */ colour, /** @type {string} */ dash) => ({
      type: "line", xref: "paper", x0: 0, x1: 1, y0: bound.value, y1: bound.value, line: { color: seen.colour(colour), width: 1.5, dash },
    });
    const band = (/** @type {any} */ bound, /** @type {string} */ colour) => ({
      type: "rect", xref: "paper", x0: 0, x1: 1, y0: bound.low, y1: bound.high, line: { width: 0 }, fillcolor: seen.faint(colour, 0.13), layer: "below",
    });
    const name = (/** @type {any} */ bound, /** @type {string} */ text) => ({
      xref: "paper", x: 1, xanchor: "right", y: bound.value, yanchor: "bottom", showarrow: false, text: `${text} ${signed(bound.value)}`,
      font: { color: seen.colour("ink") },
    });
    const { color } = lineOf(seen, said.compared);
    const reach = Math.max(...[said.lower.low, said.upper.high, ...said.differences].map(Math.abs)) * 1.15 || 1;
    return {
      traces: [{ type: "scatter", mode: "markers", x: said.means, y: said.differences, marker: { size: 8, color, opacity: 0.75 },
        customdata: said.times.map((/** @type {number} */ at) => duration(at)), hovertemplate: "%{customdata}: %{y:+.1f} (%{x:.1f})<extra></extra>" }],
      layout: {
        hovermode: "closest", showlegend: false, margin: { l: 52, r: 14, t: 10, b: 40 },
        shapes: [band(said.lower, "fair"), band(said.bias, "accent"), band(said.upper, "fair"),
          across(said.lower, "fair", "dash"), across(said.bias, "accent", "solid"), across(said.upper, "fair", "dash")],
        annotations: [name(said.upper, "+1.96 SD"), name(said.bias, t("analysis.agreement.bias")), name(said.lower, "−1.96 SD")],
        xaxis: { title: t("analysis.agreement.mean", { unit: unitOf("/min") }), fixedrange: true },
        yaxis: { title: t("analysis.agreement.difference", { compared: origin(said.compared), reference: origin(said.reference) }), range: [-reach, reach], fixedrange: true },
      },
    };
  },
  summary: (/** @type {any} */ said) =>
    [
      t("analysis.agreement.told", {
        compared: named(said.compared), reference: origin(said.reference), bias: signed(said.bias.value), bias_low: signed(said.bias.low),
        bias_high: signed(said.bias.high), lower: signed(said.lower.value), upper: signed(said.upper.value), error: number(said.mean_absolute_error, 1),
        pairs: said.pairs, window: number(said.window, 0),
      }),
      said.missed ? t("analysis.agreement.missed", { missed: said.missed, compared: origin(said.compared) }) : "",
      t("analysis.agreement.one_person"),
    ].filter(Boolean).join(" "),
  table: (/** @type {any} */ said) => ({
    head: [t("analysis.time"), t("analysis.agreement.mean", { unit: unitOf("/min") }), t("analysis.agreement.difference_short")],
    rows: said.times.map((/** @type {number} */ at, /** @type {number} */ i) => [duration(at), number(said.means[i], 1), signed(said.differences[i])]),
  }),
};

/** The common figures of beats, and those that need a second look. */
export const HEART = [RATES, TACHOGRAM, POINCARE, SPECTRUM, AGREEMENT];

/** @param {number} value */
function signed(value) {
  return (value > 0 ? "+" : "") + number(value, 1);
}

/** @param {any} band */
function bandName(band) {
  return band.value === null ? band.name.toUpperCase() : `${band.name.toUpperCase()} ${number(band.value, 0)} ${unitOf("ms2")}`;
}

/** @param {any} said */
function sources(said) {
  return { choices: said.sources.map((/** @type {string} */ value) => ({ value, label: origin(value) })), chosen: said.source };
}

/** @param {any} said @param {(state: string) => boolean} test @returns {number[]} */
function places(said, test) {
  return said.states.map((/** @type {string} */ state, /** @type {number} */ i) => (test(state) ? i : -1))
    .filter((/** @type {number} */ i) => i >= 0 && said.intervals[i] !== null);
}

/** The ellipse of SD1 across and SD2 along the diagonal, about the mean.
 * @param {number[][]} pairs @param {number} across @param {number} along */
function ellipse(pairs, across, along) {
  const [mx, my] = [0, 1].map((axis) => pairs.reduce((sum, each) => sum + each[axis], 0) / pairs.length);
  const turns = Array.from({ length: 73 }, (_, i) => (2 * Math.PI * i) / 72);
  const half = Math.SQRT1_2;
  return {
    x: turns.map((a) => mx + half * (along * Math.cos(a) - across * Math.sin(a))),
    y: turns.map((a) => my + half * (along * Math.cos(a) + across * Math.sin(a))),
  };
}
