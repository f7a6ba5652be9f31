// Whether everything that the sensors emitted is here, stream by stream, in plain words.

import { plain, signal } from "../catalogue.js";
import { make } from "../elements.js";
import { duration } from "../format.js";
import { t } from "../texts.js";

const OWN = ["readings", "events", "session", "entries"];

/** @param {HTMLElement} place @param {any} session */
export function showDelivery(place, session) {
  const streams = session.streams ?? [];
  if (!streams.length) {
    place.replaceChildren(make("p", { class: "quiet" }, t("session.delivered.nothing")));
    return;
  }
  const lines = streams.map(line);
  const missing = lines.filter((each) => each.missing);
  const complete = lines.filter((each) => !each.missing);
  const summary = missing.length
    ? t("session.delivered.incomplete", { n: missing.length, of: streams.length })
    : t("session.delivered.complete", { n: streams.length });
  place.replaceChildren(make("p", { class: missing.length ? "missing" : "" }, summary), list(missing));
  if (complete.length) place.append(make("details", {}, make("summary", {}, t(missing.length ? "session.delivered.rest" : "session.delivered.each")), list(complete)));
}

/** @param {{element: HTMLElement}[]} lines */
function list(lines) {
  return make("ul", {}, ...lines.map((each) => each.element));
}

/** @param {any} stream */
function line(stream) {
  const name = OWN.includes(stream.signal) ? t(`session.stream.${stream.signal}`) : signal(stream.signal).title;
  const faults = [];
  if (stream.expected === null) {
    faults.push(t("session.delivered.no_end", { n: stream.delivered }));
  } else if (stream.delivered < stream.expected) {
    faults.push(t("session.delivered.gap", { n: stream.delivered, of: stream.expected, amount: amount(stream) }));
  }
  for (const loss of stream.losses ?? []) {
    const range = loss.first === loss.last ? String(loss.first + 1) : `${loss.first + 1}–${loss.last + 1}`;
    faults.push(t("session.delivered.lost", { range, reason: plain(loss.reason) }));
  }
  const text = faults.length ? faults.join("; ") : t("session.delivered.whole", { amount: amount(stream) });
  const words = make("span", { class: faults.length ? "missing" : "" }, text);
  const element = make("li", {}, make("strong", {}, name), ` (${stream.device}): `, words);
  return { missing: faults.length > 0, element };
}

/** How much of a stream is here. A stream without a unit carries no waveform.
 * @param {any} stream */
function amount(stream) {
  if (stream.channels === null && stream.unit !== null) return t("session.delivered.none");
  if (stream.samples) return t("session.delivered.signal", { time: duration(stream.seconds) });
  return t("session.delivered.messages", { n: stream.delivered });
}
