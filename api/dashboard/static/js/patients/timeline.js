// Every session as a mark on a line of time. Where many lie on one place, they are stacked.

import { make } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { monthWords, months, svg, text, title } from "./drawing.js";

const WIDTH = 1000;
const LEAST = 14 * 86_400_000; // milliseconds shown at least
const SIZE = 14;

/** @param {any} session */
const began = (session) => Date.parse(session.started ?? session.first_seen);

/** @param {HTMLElement} place @param {any[]} sessions @param {Set<string>} alerted sessions with open alerts */
export function timeline(place, sessions, alerted) {
  place.setAttribute("aria-busy", "false");
  if (!sessions.length) {
    place.replaceChildren(make("div", { class: "empty" }, make("p", {}, t("patient.timeline.none")), make("p", { class: "quiet" }, t("patient.timeline.none_about"))));
    return;
  }
  const times = sessions.map(began);
  const last = Math.max(...times);
  const first = Math.min(...times, last - LEAST);
  const width = Math.max(320, place.clientWidth || WIDTH);
  const x = (/** @type {number} */ time) => 16 + ((width - 32) * (time - first)) / (last - first);
  /** @type {number[]} */
  const ends = [];
  const marks = [...sessions].sort((a, b) => began(a) - began(b)).map((session) => {
    const at = x(began(session));
    let level = ends.findIndex((end) => end < at - SIZE - 3);
    if (level < 0) level = ends.length;
    ends[level] = at;
    return { session, at, level };
  });
  const levels = Math.min(6, ends.length);
  const base = 14 + levels * (SIZE + 4);
  const { found } = months(first, last, Math.max(2, Math.floor(width / 90)));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${width} ${base + 24}`, width, height: base + 24, role: "group", "aria-label": t("patient.timeline.label"), class: "timeline" },
    svg("path", { class: "axis", d: `M0 ${base}H${width}` }),
    ...found.flatMap((time) => [
      svg("path", { class: "tick", d: `M${x(time)} ${base}v5` }),
      text(monthWords(time), { class: "label", x: x(time), y: base + 19, "text-anchor": "middle" }),
    ]),
    ...marks.map(({ session, at, level }) => mark(session, at, base - 10 - Math.min(level, 5) * (SIZE + 4), alerted.has(session.id))),
  );
  place.replaceChildren(picture);
}

/** @param {any} session @param {number} x @param {number} y @param {boolean} alert */
function mark(session, x, y, alert) {
  const state = session.state === "closed" ? (session.outcome ?? "complete") : "open";
  const words = [shortTime(began(session)).textContent, session.kiosk, t(`patient.mark.${state}`)];
  if (alert) words.push(t("patient.mark.alert"));
  if (session.simulated) words.push(t("patient.mark.simulated"));
  const half = SIZE / 2;
  const shape = alert
    ? svg("path", { d: `M${x} ${y - half - 1}L${x + half + 1} ${y + half - 1}H${x - half - 1}Z` })
    : state === "partial"
      ? svg("rect", { x: x - half + 1, y: y - half + 1, width: SIZE - 2, height: SIZE - 2, rx: 2 })
      : svg("circle", { cx: x, cy: y, r: half - 1 });
  const said = words.join(" · ");
  const link = svg("a", { href: `/sessions/${encodeURIComponent(session.id)}`, class: "mark", "data-state": alert ? "alert" : state, "aria-label": said }, title(said), svg("rect", { x: x - 12, y: y - 12, width: 24, height: 24, class: "target" }), shape);
  return link;
}
