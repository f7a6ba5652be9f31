// How figures look: one calm template in the page's own colours, light or dark, whatever the figure.

/** @typedef {{colour: (name: string) => string, faint: (name: string, share: number) => string, base: any}} Look */

/** No mode bar: it offers to send the chart to a cloud, and writes styles that the content security policy forbids. No tips:
 * they are English in any language, and too pale. */
export const CONFIG = { displayModeBar: false, showSendToCloud: false, plotlyServerURL: "", responsive: true, doubleClick: "reset", showTips: false };
const DASHES = ["solid", "dash", "dot", "dashdot"];
const OF = ["manual", "ecg", "rr", "ppg", "rgb", "respiration", "eda", "eeg", "face_motion", "fused"];

/** The look of the place's theme, now.
 * @param {Element} place @returns {Look} */
export function look(place) {
  const style = getComputedStyle(place);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
  const faint = (/** @type {string} */ name, /** @type {number} */ share) => {
    const hex = colour(name);
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${parts.join(",")},${share})`;
  };
  const size = parseFloat(style.fontSize);
  const axis = {
    gridcolor: faint("line", 0.7),
    linecolor: colour("line"),
    zeroline: false,
    tickfont: { color: colour("quiet"), size: 0.8 * size },
    title: { font: { color: colour("quiet"), size: 0.8 * size }, standoff: 8 },
    automargin: true,
  };
  const base = {
    paper_bgcolor: colour("paper"),
    plot_bgcolor: colour("paper"),
    font: { family: style.fontFamily, size: 0.82 * size, color: colour("ink") },
    margin: { l: 52, r: 14, t: 10, b: 40 },
    hoverlabel: { bgcolor: colour("paper"), bordercolor: colour("quiet"), font: { color: colour("ink"), size: 0.82 * size } },
    hovermode: "x unified",
    showlegend: true,
    legend: { orientation: "h", x: 0, y: 1.02, xanchor: "left", yanchor: "bottom", font: { size: 0.82 * size } },
    dragmode: "zoom",
    separators: document.documentElement.lang === "ru" ? ", " : ".,",
    xaxis: axis,
    yaxis: { ...axis, fixedrange: true },
  };
  return { colour, faint, base };
}

/** A layout: the template, with what is a figure's own.
 * @param {Look} seen @param {any} own */
export function layout(seen, own) {
  const made = { ...seen.base, ...own };
  for (const key of Object.keys(own)) {
    if (!/^[xy]axis\d*$/.test(key)) continue;
    const common = seen.base[key[0] === "x" ? "xaxis" : "yaxis"];
    const title = typeof own[key].title === "string" ? { ...common.title, text: own[key].title } : common.title;
    made[key] = { ...common, ...own[key], title };
  }
  return made;
}

/** An axis of time since the session began: plotly's dates, of which a session begins in 1970. */
export const TIME = {
  type: "date",
  tickformatstops: [
    { dtickrange: [null, 999], value: "%-M:%S.%1f" },
    { dtickrange: [1000, 3_599_999], value: "%-M:%S" },
    { dtickrange: [3_600_000, null], value: "%-H:%M:%S" },
  ],
  hoverformat: "%-M:%S",
};

/** As text: plotly takes a number for a time where the viewer is.
 * @param {number} seconds */
export function date(seconds) {
  return new Date(Math.round(1000 * seconds)).toISOString().slice(0, -1);
}

/** @param {string | number} moment on such an axis */
export function seconds(moment) {
  return (typeof moment === "number" ? moment : Date.parse(`${moment.replace(" ", "T")}Z`)) / 1000;
}

/** Colour and dash of a source: who does not tell colours apart tells lines.
 * @param {Look} seen @param {string} source */
export function lineOf(seen, source) {
  const kind = source.split(".")[0].split("+")[0];
  const place = Math.max(0, OF.indexOf(kind));
  const dash = { ecg: 0, manual: 0, rgb: 1, ppg: 2, rr: 3, face_motion: 1, fused: 3 }[kind] ?? 0;
  return { color: seen.colour(`of-${OF[place] === "fused" ? "manual" : OF[place]}`), width: 2, dash: DASHES[dash] };
}
