// Rows of one figure under a common time axis, in the page's colours.

const ROW = 200; // CSS pixels
const CLOSE = 12; // seconds below which the small squares of ECG paper are drawn
const GAP = 0.06;
const COLOURS = { ecg: "--ecg", ppg: "--ppg", respiration: "--breath" };
const UNITS = { 1: "", uV: "µV", uS: "µS", Cel: "°C" };

/** @typedef {import("./wave.js").Row} Row */

/**
 * @param {any} plotly @param {HTMLElement} place @param {Row[]} rows @param {any[]} windows one for each row
 * @param {number[]} range seconds
 */
export async function draw(plotly, place, rows, windows, range) {
  const style = getComputedStyle(place);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const size = parseFloat(style.fontSize);
  const font = { family: style.fontFamily, size: 0.85 * size, color: colour("--ink") };
  const near = range[1] - range[0] <= CLOSE;
  /** @type {any} */
  const layout = {
    height: Math.max(1, rows.length) * ROW + 60,
    margin: { l: 70, r: 12, t: 8, b: 44 },
    paper_bgcolor: colour("--paper"),
    plot_bgcolor: colour("--paper"),
    font,
    showlegend: false,
    dragmode: "zoom",
    hovermode: "x",
    xaxis: {
      type: "date",
      range: range.map(date),
      gridcolor: colour("--line"),
      minor: near ? { dtick: 200, gridcolor: colour("--grid"), showgrid: true } : {},
      tickformatstops: [
        { dtickrange: [null, 999], value: "%-M:%S.%1f" },
        { dtickrange: [1000, 3_599_999], value: "%-M:%S" },
        { dtickrange: [3_600_000, null], value: "%-H:%M:%S" },
      ],
      hoverformat: "%-M:%S.%3f",
      title: { text: "Time since the session began", standoff: 6 },
      anchor: rows.length > 1 ? `y${rows.length}` : "y",
    },
  };
  const share = 1 / Math.max(1, rows.length);
  rows.forEach((row, index) => {
    const top = 1 - index * share;
    const unit = UNITS[/** @type {keyof UNITS} */ (row.unit)] ?? row.unit;
    layout[index ? `yaxis${index + 1}` : "yaxis"] = {
      domain: [Math.max(0, top - share + (index < rows.length - 1 ? GAP * share : 0)), top],
      fixedrange: true,
      gridcolor: colour("--line"),
      minor: near && row.signal === "ecg" ? { dtick: 0.1, gridcolor: colour("--grid"), showgrid: true } : {},
      zeroline: false,
      title: { text: [short(row.signal, row.title), unit && `(${unit})`].filter(Boolean).join(" ") },
    };
  });
  const traces = rows.map((row, index) => ({
    ...line(windows[index], row.channel),
    type: "scatter",
    mode: "lines",
    // names of channels come from outside, and plotly would read markup in them
    name: row.channels[row.channel].replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
    connectgaps: false,
    yaxis: index ? `y${index + 1}` : "y",
    line: { width: 1.2, color: colour(COLOURS[/** @type {keyof COLOURS} */ (row.signal)] ?? "--accent") },
  }));
  place.setAttribute("aria-label", `Recorded signals: ${rows.map((row) => row.title).join(", ")}`);
  // no mode bar: it offers to send the chart to a cloud, and writes styles that the content security policy forbids
  const config = { displayModeBar: false, showSendToCloud: false, plotlyServerURL: "", responsive: true, doubleClick: "autosize" };
  await plotly.react(place, traces, layout, config);
}

/** @param {string} signal @param {string} title */
function short(signal, title) {
  return { ecg: "ECG", ppg: "PPG", eeg: "EEG", respiration: "Breathing" }[signal] ?? title.split(" (")[0];
}

/** On plotly's date axis a session begins in 1970. As text: plotly takes a number for a time where the viewer is.
 * @param {number} seconds */
function date(seconds) {
  const micros = Math.round(1e6 * seconds);
  const millis = Math.floor(micros / 1000);
  return new Date(millis).toISOString().slice(0, -1) + String(micros - 1000 * millis).padStart(3, "0");
}

/** Samples as they are; of buckets the least and the greatest, so that no peak vanishes. Null is a gap.
 * @param {any} window @param {number} channel */
function line(window, channel) {
  const times = window.times.map(date);
  if (!window.decimated) return { x: times, y: window.values[channel] };
  return {
    x: times.flatMap((/** @type {string} */ each) => [each, each]),
    y: window.low[channel].flatMap((/** @type {number | null} */ low, /** @type {number} */ i) => [low, window.high[channel][i]]),
  };
}
