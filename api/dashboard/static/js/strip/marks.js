// What lies over and under the lines: paper, time, flags, holes, beats.

import { number } from "../format.js";
import { t } from "../texts.js";
import { MM, x } from "./trace.js";

/** @typedef {import("./trace.js").Scale} Scale
 * @typedef {{start: number, end: number, reason: string}} Hole
 * @typedef {{time: number, text: string}} Flag
 * @typedef {{time: number, kind: string}} Beat */

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 21_600];
const LABEL = 92; // pixels between two times, at least
export const FONT = '12px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const SMALL = FONT.replace("12px", "11px");

/** h:mm:ss, with as many decimals as the step needs.
 * @param {number} seconds @param {number} step */
export function stamp(seconds, step) {
  const decimals = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const rounded = Math.max(0, Number(seconds.toFixed(decimals)));
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor(rounded / 60) % 60;
  const rest = (rounded % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  return hours || step >= 60 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** @param {Scale} scale */
export function stepOf(scale) {
  const per = ((scale.end - scale.start) / scale.width) * LABEL;
  return STEPS.find((step) => step >= per) ?? 43_200;
}

/** Lines and words of time.
 * @param {CanvasRenderingContext2D} context @param {Scale} scale @param {number} top @param {number} bottom @param {Record<string, string>} ours */
export function times(context, scale, top, bottom, ours) {
  const step = stepOf(scale);
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.lineWidth = 1;
  context.strokeStyle = ours.line;
  context.fillStyle = ours.quiet;
  context.beginPath();
  for (let n = Math.ceil(scale.start / step); n * step <= scale.end; n++) {
    const at = Math.round(x(scale, n * step)) + 0.5;
    context.moveTo(at, top);
    context.lineTo(at, bottom + 4);
    if (at > scale.left + 24 && at < scale.left + scale.width - 24) context.fillText(stamp(n * step, step), at, bottom + 6);
  }
  context.stroke();
}

/** ECG paper behind a row: squares of 0.04 s and 0.1 mV, heavier ones of five.
 * @param {CanvasRenderingContext2D} context @param {Scale} scale @param {number} top @param {number} height
 * @param {{gain: number, middle: number}} by @param {Record<string, string>} ours @returns {boolean} whether there was room */
export function paper(context, scale, top, height, by, ours) {
  const perSecond = scale.width / (scale.end - scale.start);
  if (perSecond * 0.2 < 5) return false;
  const fine = perSecond * 0.04 >= 3 && by.gain * 0.1 >= 3;
  for (const [square, volts, colour] of fine ? [[0.04, 0.1, ours.grid], [0.2, 0.5, ours["grid-strong"]]] : [[0.2, 0.5, ours.grid]]) {
    context.strokeStyle = /** @type {string} */ (colour);
    context.lineWidth = 1;
    context.beginPath();
    for (let n = Math.ceil(scale.start / Number(square)); n * Number(square) <= scale.end; n++) {
      const at = Math.round(x(scale, n * Number(square))) + 0.5;
      context.moveTo(at, top);
      context.lineTo(at, top + height);
    }
    const reach = height / 2 / by.gain;
    for (let n = Math.ceil((by.middle - reach) / Number(volts)); n * Number(volts) <= by.middle + reach; n++) {
      const at = Math.round(top + height / 2 - (n * Number(volts) - by.middle) * by.gain) + 0.5;
      context.moveTo(scale.left, at);
      context.lineTo(scale.left + scale.width, at);
    }
    context.stroke();
  }
  return true;
}

/** Where nothing was recorded: hatched, and why.
 * @param {CanvasRenderingContext2D} context @param {Scale} scale @param {number} top @param {number} height
 * @param {Hole[]} holes @param {Record<string, string>} ours */
export function hatch(context, scale, top, height, holes, ours) {
  for (const hole of holes) {
    if (hole.end < scale.start || hole.start > scale.end) continue;
    const left = Math.max(scale.left, x(scale, hole.start));
    const right = Math.min(scale.left + scale.width, x(scale, hole.end));
    const width = Math.max(1.5, right - left);
    context.fillStyle = ours.soft;
    context.fillRect(left, top, width, height);
    if (width < 4) continue;
    context.save();
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    context.strokeStyle = ours.line;
    context.lineWidth = 1;
    context.beginPath();
    for (let at = left - height - ((left - height) % 8); at < left + width; at += 8) {
      context.moveTo(at, top + height);
      context.lineTo(at + height, top);
    }
    context.stroke();
    context.font = SMALL;
    const text = reason(hole.reason);
    const room = context.measureText(text).width;
    if (room + 16 < width) {
      const middle = left + width / 2;
      context.fillStyle = ours.paper;
      context.fillRect(middle - room / 2 - 5, top + height / 2 - 9, room + 10, 18);
      context.fillStyle = ours.warn;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(text, middle, top + height / 2);
    }
    context.restore();
  }
}

const KNOWN = ["silent", "stopped", "not_delivered", "outside", "outbox_full", "refused"];

/** Why nothing is there, in words.
 * @param {string} why */
export function reason(why) {
  return KNOWN.includes(why) ? t(`strip.hole.${why}`) : t("strip.hole.lost", { reason: why.replaceAll("_", " ") });
}

/** Events along the top, as flags; those without room for their words are stems alone.
 * @param {CanvasRenderingContext2D} context @param {Scale} scale @param {number} top @param {number} bottom
 * @param {Flag[]} flags @param {Record<string, string>} ours */
export function flagged(context, scale, top, bottom, flags, ours) {
  context.font = SMALL;
  context.textAlign = "left";
  context.textBaseline = "middle";
  let free = -Infinity;
  for (const flag of flags) {
    if (flag.time < scale.start || flag.time > scale.end) continue;
    const at = Math.round(x(scale, flag.time)) + 0.5;
    context.strokeStyle = ours.accent;
    context.globalAlpha = 0.35;
    context.beginPath();
    context.moveTo(at, top + 18);
    context.lineTo(at, bottom);
    context.stroke();
    context.globalAlpha = 1;
    const room = context.measureText(flag.text).width + 8;
    if (at < free || at + room > scale.left + scale.width) {
      context.fillStyle = ours.accent;
      context.fillRect(at - 1.5, top + 18, 3, 6);
      continue;
    }
    context.fillStyle = ours.soft;
    context.fillRect(at, top, room, 17);
    context.fillStyle = ours.ink;
    context.fillText(flag.text, at + 4, top + 9);
    free = at + room + 3;
  }
}

export const LANE = 30; // pixels of beats under the ECG
const EVERY = 4; // pixels below which measured beats would be a black bar

/** Beats under their row, each kind in a shape of its own, and the intervals where there is room.
 * @param {CanvasRenderingContext2D} context @param {Scale} scale @param {number} top @param {Beat[]} beats sorted
 * @param {Record<string, string>} ours @param {number} chosen the time of the chosen one, or NaN */
export function ticks(context, scale, top, beats, ours, chosen) {
  const perSecond = scale.width / (scale.end - scale.start);
  const all = perSecond * 0.8 >= EVERY;
  let before = NaN;
  const from = first(beats, scale.start - 3);
  context.font = SMALL;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.lineWidth = 1.5;
  for (let n = from; n < beats.length && beats[n].time <= scale.end + 3; n++) {
    const { time, kind } = beats[n];
    const gone = kind.startsWith("removed");
    const at = x(scale, time);
    const inside = at >= scale.left && at <= scale.left + scale.width;
    if (inside && (all || kind !== "measured")) shape(context, kind, at, top + 7, ours);
    if (inside && Math.abs(time - chosen) < 1e-6) {
      context.strokeStyle = ours.accent;
      context.strokeRect(at - 8, top - 1, 16, 16);
    }
    if (gone) continue;
    const wide = (time - before) * perSecond;
    const middle = at - wide / 2;
    if (wide >= 40 && middle > scale.left + 18 && middle < scale.left + scale.width - 18 && time - before < 5) {
      context.fillStyle = ours.quiet;
      context.fillText(String(Math.round(1000 * (time - before))), middle, top + 15);
    }
    before = time;
  }
}

/** @param {Beat[]} beats @param {number} time @returns {number} */
export function first(beats, time) {
  let low = 0;
  let high = beats.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beats[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The sign of a kind of beat: shape first, colour second.
 * @param {CanvasRenderingContext2D} context @param {string} kind @param {number} at @param {number} y @param {Record<string, string>} ours */
export function shape(context, kind, at, y, ours) {
  context.beginPath();
  if (kind === "measured") {
    context.strokeStyle = ours.ecg;
    context.moveTo(at, y - 6);
    context.lineTo(at, y + 5);
    context.stroke();
  } else if (kind === "ectopic") {
    context.fillStyle = ours.poor;
    context.moveTo(at, y - 6);
    context.lineTo(at + 6, y + 5);
    context.lineTo(at - 6, y + 5);
    context.fill();
  } else if (kind === "by_hand" || kind === "pending") {
    context.fillStyle = context.strokeStyle = ours.accent;
    context.rect(at - 4.5, y - 5, 9, 9);
    if (kind === "by_hand") context.fill();
    else context.stroke();
  } else if (kind.startsWith("removed")) {
    context.strokeStyle = kind === "removed" ? ours.fair : ours.accent;
    context.moveTo(at - 4.5, y - 5);
    context.lineTo(at + 4.5, y + 4);
    context.moveTo(at + 4.5, y - 5);
    context.lineTo(at - 4.5, y + 4);
    context.stroke();
  } else {
    context.strokeStyle = ours.fair;
    context.moveTo(at, y - 6);
    context.lineTo(at + 5, y - 0.5);
    context.lineTo(at, y + 5);
    context.lineTo(at - 5, y - 0.5);
    context.closePath();
    context.stroke();
    if (kind === "added") context.fillStyle = ours.fair, context.fill();
  }
}

/** What a millimetre is: of time, and of the row's unit.
 * @param {Scale} scale @param {{gain: number, fitted: boolean}} by @param {string} unit */
export function scaleWords(scale, by, unit) {
  const speed = scale.width / (scale.end - scale.start) / MM;
  const shown = speed >= 10 ? Math.round(speed) : Number(speed.toPrecision(2));
  const amplitude = by.fitted ? t("strip.fitted") : `${Math.round(by.gain / MM)} ${t("strip.unit.mm")}/${unit}`;
  return speed >= 1 ? `${number(shown, shown < 10 ? 1 : 0)} ${t("strip.unit.mm")}/${t("strip.unit.s")} · ${amplitude}` : amplitude;
}
