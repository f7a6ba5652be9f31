// Whether everything that the sensors emitted is here, stream by stream, in plain words.

import { plain, signal } from "../catalogue.js";
import { make } from "../elements.js";
import { duration } from "../format.js";

const NAMES = { readings: "Measurements", events: "Events", session: "Session" };

/** @param {HTMLElement} place @param {any} session */
export function showDelivery(place, session) {
  const streams = session.streams ?? [];
  if (!streams.length) {
    place.replaceChildren(make("p", { class: "quiet" }, "Nothing was delivered."));
    return;
  }
  const lines = streams.map(line);
  const missing = lines.filter((each) => each.missing);
  const complete = lines.filter((each) => !each.missing);
  const summary = missing.length
    ? `${missing.length} of ${streams.length} streams are incomplete. What is missing is not in the results.`
    : `All ${streams.length} streams were delivered completely.`;
  place.replaceChildren(make("p", { class: missing.length ? "missing" : "" }, summary), list(missing));
  if (complete.length) place.append(make("details", {}, make("summary", {}, missing.length ? "What is complete" : "Stream by stream"), list(complete)));
}

/** @param {{element: HTMLElement}[]} lines */
function list(lines) {
  return make("ul", {}, ...lines.map((each) => each.element));
}

/** @param {any} stream */
function line(stream) {
  const name = NAMES[/** @type {keyof NAMES} */ (stream.signal)] ?? signal(stream.signal).title;
  const faults = [];
  if (stream.expected === null) {
    faults.push(`its end was not delivered, so more may be missing after message ${stream.delivered}`);
  } else if (stream.delivered < stream.expected) {
    faults.push(`the first gap is after message ${stream.delivered} of ${stream.expected}; ${amount(stream)} arrived`);
  }
  for (const loss of stream.losses ?? []) {
    const range = loss.first === loss.last ? `message ${loss.first + 1}` : `messages ${loss.first + 1} to ${loss.last + 1}`;
    faults.push(`${range} will never come (${plain(loss.reason)})`);
  }
  const text = faults.length ? faults.join("; ") : `complete, ${amount(stream)}`;
  const words = make("span", { class: faults.length ? "missing" : "" }, text);
  const element = make("li", {}, make("strong", {}, name), ` from ${stream.device}: `, words);
  return { missing: faults.length > 0, element };
}

/** How much of a stream is here. A stream without a unit carries no waveform.
 * @param {any} stream */
function amount(stream) {
  if (stream.channels === null && stream.unit !== null) return "nothing";
  if (stream.samples) return `${duration(stream.seconds)} of signal`;
  return stream.delivered === 1 ? "1 message" : `${stream.delivered} messages`;
}
