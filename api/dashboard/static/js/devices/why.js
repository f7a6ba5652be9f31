// What of a kiosk needs a hand, in words; the gravest first.

import { signal as signalWords } from "../catalogue.js";
import { number } from "../format.js";
import { plural, t } from "../texts.js";

const SILENT = 10; // seconds: chunks come every second or faster
const SLOW = 0.95; // of the nominal rate
const WAITING = 200;

/** @param {number} seconds */
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return t("devices.ago_units.seconds", { n: s });
  if (s < 5400) return t("devices.ago_units.minutes", { n: Math.round(s / 60) });
  if (s < 172_800) return t("devices.ago_units.hours", { n: Math.round(s / 3600) });
  return t("devices.ago_units.days", { n: Math.round(s / 86_400) });
}

/** @param {any} kiosk @returns {string[]} */
export function amiss(kiosk) {
  if (kiosk.state === "revoked") return [t("devices.why.revoked")];
  if (kiosk.state === "offline") return kiosk.age === null ? [] : [t("devices.why.away", { time: span(kiosk.age) })];
  const found = [];
  for (const device of kiosk.devices) {
    if (device.age > 60) continue;
    if (device.state === "failed") found.push([t("devices.why.failed", { device: device.device }), device.detail].filter(Boolean).join(": "));
    else if (device.detail && device.device === "sensors") found.push(device.detail);
  }
  for (const each of kiosk.signals) {
    const words = { signal: signalWords(each.signal).title, device: each.device };
    if (isSilent(each)) found.push(t("devices.why.silent", words));
    else if (isSlow(each)) found.push(t("devices.why.slow", { ...words, rate: number(each.measured, 1), nominal: number(each.nominal, 0) }));
    else if (each.missing) found.push(t("devices.why.gaps", words));
  }
  const waiting = most(kiosk, "waiting");
  if (waiting > WAITING) found.push(plural("devices.why.waiting", waiting));
  return found;
}

/** @param {any} each a signal */
export function isSilent(each) {
  return each.age === null || each.age > SILENT;
}

/** @param {any} each a signal */
export function isSlow(each) {
  return each.nominal !== null && each.measured !== null && each.measured < SLOW * each.nominal;
}

/** @param {any} kiosk @param {string} what */
export function most(kiosk, what) {
  return Math.max(0, ...kiosk.devices.map((/** @type {any} */ each) => each[what]));
}
