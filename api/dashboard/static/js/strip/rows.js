// The lines of a strip: one per channel that the reader chose, of what the devices delivered.

import { origin, signal as known } from "../catalogue.js";

/** @typedef {{signal: string, device: string, run: string | null, title: string, unit: string, channels: string[], rate: number,
 *   regular: boolean, start: number, end: number}} Track one device's signal of one shape
 * @typedef {{track: Track, channel: number, name: string, height: number, gain: string}} Row */

const FIRST = ["ecg", "ppg", "rgb", "respiration", "eeg", "face_motion"];
const HEIGHTS = { ecg: 150, ppg: 84, respiration: 76, eeg: 52 };
const LESS = 68; // pixels of any other
/** Which channels are seen at first. */
const FAVOURITES = {
  ecg: ["II", "I"],
  ppg: ["infrared", "ir", "green"],
  rgb: ["whole_g"],
  eeg: ["Fz", "Cz", "Pz", "Oz", "AF7", "AF8", "TP9", "TP10"],
  face_motion: ["pitch"],
};
const SEVERAL = { eeg: 4 };
const SHOWN = ["ecg", "ppg", "rgb", "respiration", "eeg"];

/** @param {any[]} streams as the session has them @returns {Track[]} */
export function tracksOf(streams) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const stream of streams) {
    if (!stream.channels || !stream.samples) continue;
    const key = `${stream.signal} ${stream.device}`;
    groups.set(key, [...(groups.get(key) ?? []), stream]);
  }
  const made = [...groups.values()].flatMap((group) => {
    const first = group[0];
    const alike = group.every((each) => each.channels.join() === first.channels.join() && each.rate === first.rate);
    return (alike ? [group] : group.map((each) => [each])).map((some) => track(some, alike));
  });
  return made.sort((a, b) => rank(a.signal) - rank(b.signal) || a.device.localeCompare(b.device));
}

/** @param {any[]} streams @param {boolean} alike @returns {Track} */
function track(streams, alike) {
  const first = streams[0];
  const samples = streams.reduce((sum, each) => sum + each.samples, 0);
  const seconds = streams.reduce((sum, each) => sum + each.seconds, 0);
  return {
    signal: first.signal,
    device: first.device,
    run: alike ? null : first.run,
    title: known(first.signal).title,
    unit: known(first.signal).unit,
    channels: first.channels,
    rate: first.rate ?? Math.max(0.01, samples / Math.max(1, seconds)),
    regular: first.rate !== null,
    start: Math.min(...streams.map((each) => each.start)),
    end: Math.max(...streams.map((each) => each.end)),
  };
}

/** What is seen at first: the signals that a clinician looks for, else the first that there is.
 * @param {Track[]} tracks @returns {Row[]} */
export function usual(tracks) {
  const rows = tracks.filter((each) => SHOWN.includes(each.signal)).flatMap((each) => favourites(each).map((channel) => row(each, channel)));
  return rows.length || !tracks.length ? rows : [row(tracks[0], 0)];
}

/** @param {Track} track @returns {number[]} */
export function favourites(track) {
  const wanted = FAVOURITES[/** @type {keyof FAVOURITES} */ (track.signal)] ?? [];
  const most = SEVERAL[/** @type {keyof SEVERAL} */ (track.signal)] ?? 1;
  const found = wanted.map((name) => track.channels.indexOf(name)).filter((each) => each >= 0);
  const rest = track.channels.map((_, index) => index).filter((each) => !found.includes(each));
  return [...found, ...rest].slice(0, most).sort((a, b) => (most > 1 ? a - b : 0));
}

/** @param {Track} track @param {number} channel @returns {Row} */
export function row(track, channel) {
  const height = HEIGHTS[/** @type {keyof HEIGHTS} */ (track.signal)] ?? LESS;
  return { track, channel, name: track.channels[channel], height, gain: track.signal === "ecg" ? "10" : "fit" };
}

/** Short, for the margin: ECG II, EEG Fz.
 * @param {Row} row */
export function label(row) {
  const signal = row.track.signal;
  const short = ["ecg", "ppg", "eeg"].includes(signal) ? origin(signal) : signal === "rgb" ? "rPPG" : row.track.title.split(" (")[0];
  return row.track.channels.length > 1 || signal === "ecg" ? `${short} ${row.name.replaceAll("_", " ")}` : short;
}

/** @param {string} signal */
function rank(signal) {
  const place = FIRST.indexOf(signal);
  return place < 0 ? FIRST.length : place;
}
