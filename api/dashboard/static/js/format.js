// Numbers and times as people read them. Values are written with the decimals that the catalogue gives them.

import { make } from "./elements.js";
import { language, t } from "./texts.js";

/** The browser's own region where it speaks the page's language. */
const LOCALE = navigator.language.startsWith(language) ? navigator.language : language;
const POINT = language === "ru" ? "," : ".";

/** @param {number | null | undefined} value @param {number} decimals */
export function number(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−").replace(".", POINT);
}

/** A value as its measure is written: a share in percent.
 * @param {number | null | undefined} value @param {{times: number}} known */
export function times(value, known) {
  return value === null || value === undefined ? null : known.times * value;
}

/** "71 – 73", or nothing where no interval was validated.
 * @param {number | null | undefined} low @param {number | null | undefined} high @param {number} decimals */
export function interval(low, high, decimals) {
  if (low === null || low === undefined || high === null || high === undefined) return "";
  return `${number(low, decimals)} – ${number(high, decimals)}`;
}

/** Hours only where there are any: 2:05, 1:02:05.
 * @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** A moment within a session, to the tenth: 0:09.5.
 * @param {number} seconds */
export function moment(seconds) {
  const tenths = Math.max(0, Math.round(10 * seconds));
  return `${duration(tenths / 10)}.${tenths % 10}`;
}

const DAY = new Intl.DateTimeFormat(LOCALE, { year: "numeric", month: "short", day: "numeric" });
const MINUTE = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** hh:mm:ss where the viewer is.
 * @param {number} milliseconds since 1970 */
export function clock(milliseconds) {
  return CLOCK.format(milliseconds);
}

/** "Today", or the day where the viewer is.
 * @param {number} milliseconds since 1970 */
export function day(milliseconds) {
  return DAY.format(milliseconds) === DAY.format(Date.now()) ? t("frame.today") : DAY.format(milliseconds);
}

/** A time where the viewer is, with UTC in its title.
 * @param {number} milliseconds since 1970 */
export function time(milliseconds) {
  const utc = new Date(milliseconds).toISOString();
  const text = `${day(milliseconds)}, ${clock(milliseconds)}`;
  return make("time", { datetime: utc, title: `${utc.slice(0, 19).replace("T", " ")} UTC` }, text);
}

/** The same to the minute: enough for lists.
 * @param {number} milliseconds since 1970 */
export function shortTime(milliseconds) {
  const utc = new Date(milliseconds).toISOString();
  const text = `${day(milliseconds)}, ${MINUTE.format(milliseconds)}`;
  return make("time", { datetime: utc, title: `${utc.slice(0, 19).replace("T", " ")} UTC` }, text);
}
