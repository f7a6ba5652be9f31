// What came of a file: its main numbers, a piece of its signals, and where the rest is.

import { ask, items } from "../api.js";
import { measure, origin, sentence, signal as signalWords } from "../catalogue.js";
import { make } from "../elements.js";
import { number, times } from "../format.js";
import { plural, t } from "../texts.js";

const MAIN = [
  "heart_rate", "sdnn", "rmssd", "pnn50", "respiration_rate", "stress", "stress_index", "spo2",
  "eeg_alpha_relative", "eeg_beta_relative", "eeg_theta_relative", "eeg_delta_relative", "eeg_alpha_peak",
  "valence", "arousal", "emotion_neutral", "emotion_happiness", "emotion_sadness", "emotion_anger",
  "face_valence", "face_arousal", "voice_valence", "voice_arousal", "voice_pitch", "speech_rate",
];
const MOST = 12;
const SHOWN = 10; // seconds
const DRAWN = 3; // signals

/** @param {string} session @param {boolean} results whether this reader reads them
 * @returns {Promise<Node[]>} */
export async function found(session, results) {
  const path = `sessions/${encodeURIComponent(session)}`;
  const link = make("a", { class: "button strong", href: `/sessions/${encodeURIComponent(session)}` }, t("drop.session"));
  if (!results) return [make("p", {}, t("drop.no_results")), link];
  const [readings, detail] = await Promise.all([items(`${path}/readings`), ask(path)]);
  const pieces = await Promise.all(detail.streams.filter((/** @type {any} */ each) => each.samples > 1 && each.channels).slice(0, DRAWN).map((/** @type {any} */ each) => piece(path, each)));
  return [numbers(readings), ...pieces.filter((each) => each !== null), make("div", { class: "doing" }, link)];
}

/** @param {any[]} readings */
function numbers(readings) {
  const best = new Map();
  for (const each of readings) {
    const known = best.get(each.measure);
    if (!known || (each.value !== null && known.value === null) || (each.preferred && each.value !== null)) best.set(each.measure, each);
  }
  const rank = (/** @type {any} */ each) => (MAIN.includes(each.measure) ? MAIN.indexOf(each.measure) : MAIN.length);
  const there = [...best.values()].filter((each) => each.value !== null).sort((a, b) => rank(a) - rank(b));
  const absent = [...best.values()].filter((each) => each.value === null);
  if (!there.length) {
    const reasons = [...new Set(absent.map((each) => sentence(each.absent)))];
    return make("div", {}, make("p", { class: "quiet" }, t("drop.nothing")), make("ul", { class: "reasons" }, ...reasons.slice(0, 6).map((each) => make("li", {}, each))));
  }
  const shown = there.slice(0, MOST).map(figure);
  const more = absent.length ? make("p", { class: "help" }, `${plural("drop.absent", absent.length)}.`) : null;
  return make("div", {}, make("dl", { class: "figures", "aria-label": t("drop.measured") }, ...shown), ...(more ? [more] : []));
}

/** @param {any} reading */
function figure(reading) {
  const known = measure(reading.measure);
  const value = number(times(reading.value, known), known.decimals);
  const doubt = reading.low === null || reading.high === null ? t("drop.no_interval") : t("drop.interval", { low: number(times(reading.low, known), known.decimals), high: number(times(reading.high, known), known.decimals) });
  const quality = reading.quality === null ? null : t("drop.quality", { percent: Math.round(100 * reading.quality) });
  return make(
    "div",
    { title: [origin(reading.source), reading.method].join(" · ") },
    make("dt", {}, known.title),
    make("dd", {}, make("span", { class: "figure" }, value, make("small", {}, known.unit ? ` ${known.unit}` : "")), make("small", { class: "quiet" }, [doubt, quality].filter(Boolean).join(", "))),
  );
}

/** The first seconds of one signal, as a line.
 * @param {string} path @param {any} stream */
async function piece(path, stream) {
  const from = stream.start ?? 0;
  const query = new URLSearchParams({ device: stream.device, start: String(from), end: String(Math.min(stream.end ?? from + SHOWN, from + SHOWN)), points: "1500" });
  let wave;
  try {
    wave = await ask(`${path}/waveforms/${encodeURIComponent(stream.signal)}?${query}`);
  } catch {
    return null;
  }
  const seconds = Math.round(wave.end - wave.start);
  const title = signalWords(stream.signal).title;
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { role: "img", "aria-label": title, "data-signal": stream.signal }));
  const figure = make("figure", { class: "piece" }, make("figcaption", {}, `${title}${stream.channels[0] ? `, ${stream.channels[0]}` : ""}`, make("small", {}, t("drop.window", { seconds }))), canvas);
  const draw = () => line(canvas, wave);
  new ResizeObserver(draw).observe(canvas);
  document.addEventListener("themechange", draw);
  return figure;
}

/** @param {HTMLCanvasElement} canvas @param {any} wave */
function line(canvas, wave) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [Math.round(canvas.clientWidth * scale), Math.round(canvas.clientHeight * scale)];
  if (!width || !height || !wave.times.length) return;
  [canvas.width, canvas.height] = [width, height];
  const lows = (wave.values ?? wave.low)[0];
  const highs = (wave.values ?? wave.high)[0];
  const finite = [...lows, ...highs].filter((each) => each !== null).sort((a, b) => a - b);
  if (!finite.length) return;
  const [low, high] = [finite[Math.floor(0.002 * finite.length)], finite[Math.ceil(0.998 * finite.length) - 1]];
  const room = Math.max(high - low, 1e-9);
  const y = (/** @type {number} */ value) => height * (0.92 - (0.84 * (value - low)) / room);
  const x = (/** @type {number} */ time) => (width * (time - wave.start)) / Math.max(wave.end - wave.start, 1e-9);
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.strokeStyle = getComputedStyle(canvas).color;
  pen.lineWidth = 1.3 * scale;
  pen.lineJoin = "round";
  pen.beginPath();
  let down = false;
  for (let i = 0; i < lows.length; i++) {
    if (lows[i] === null) down = false;
    else {
      if (down) pen.lineTo(x(wave.times[i]), y(lows[i]));
      else pen.moveTo(x(wave.times[i]), y(lows[i]));
      if (highs[i] !== lows[i]) pen.lineTo(x(wave.times[i]), y(highs[i]));
      down = true;
    }
  }
  pen.stroke();
}
