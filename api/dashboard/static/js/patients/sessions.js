// The person's sessions as a table; two of them can be compared.

import { stateWords } from "../catalogue.js";
import { byId, make } from "../elements.js";
import { duration, number, shortTime } from "../format.js";
import { language, t } from "../texts.js";

const SHOWN = 12;

/** @param {HTMLElement} place @param {any[]} sessions @param {{report: boolean, compare: boolean}} may */
export function showSessions(place, sessions, may) {
  if (!sessions.length) {
    place.replaceChildren(make("p", { class: "quiet" }, t("patient.timeline.none")));
    return;
  }
  const columns = ["began", "state", "protocol", "duration", "heart_rate", "quality"];
  const right = new Set(["duration", "heart_rate", "quality"]);
  const head = make(
    "tr",
    {},
    may.compare ? make("td", {}) : null,
    ...columns.map((name) => make("th", { scope: "col", class: right.has(name) ? "right" : "" }, t(`patient.sessions.${name}`))),
    may.report ? make("th", { scope: "col" }, t("patient.sessions.report")) : null,
  );
  const body = make("tbody");
  const fill = (/** @type {number} */ count) => body.replaceChildren(...sessions.slice(0, count).map((each) => row(each, may)));
  fill(SHOWN);
  const more = make("button", { type: "button", class: "plain" }, t("patient.sessions.more"));
  more.addEventListener("click", () => {
    fill(sessions.length);
    more.remove();
  });
  place.replaceChildren(make("table", { class: "table" }, make("thead", {}, head), body), sessions.length > SHOWN ? more : "");
}

/** @param {any} session @param {{report: boolean, compare: boolean}} may */
function row(session, may) {
  const began = shortTime(Date.parse(session.started ?? session.first_seen));
  const state = session.state === "open" ? "live" : (session.outcome ?? session.state);
  const time = began.textContent ?? "";
  const id = encodeURIComponent(session.id);
  const pick = make("input", { type: "checkbox", value: session.id, "aria-label": t("patient.sessions.pick", { time }) });
  pick.addEventListener("change", compare);
  return make(
    "tr",
    {},
    may.compare ? make("td", { class: "pickone" }, session.revision ? pick : "") : null,
    make("th", { scope: "row" }, make("a", { href: `/sessions/${id}` }, began)),
    make("td", {}, make("span", { class: "badge", "data-state": state }, stateWords(state)), session.simulated ? make("span", { class: "badge simulated" }, t("frame.simulated")) : null),
    make("td", {}, session.protocol ?? "–"),
    make("td", { class: "right" }, session.duration === null ? "–" : duration(session.duration)),
    make("td", { class: "right" }, number(session.heart_rate, 0)),
    make("td", { class: "right" }, session.quality === null ? "–" : `${Math.round(100 * session.quality)} %`),
    may.report
      ? make("td", {}, session.revision ? make("a", { href: `/api/v1/sessions/${id}/report.pdf?language=${language}`, "aria-label": t("patient.sessions.pdf_of", { time }) }, t("patient.sessions.pdf")) : "–")
      : null,
  );
}

/** Two that are chosen lead to their comparison; a third takes the first one's place. @param {Event} event */
function compare(event) {
  const boxes = /** @type {HTMLInputElement[]} */ ([...byId("sessions").querySelectorAll("input:checked")]);
  if (boxes.length > 2) {
    const first = /** @type {HTMLInputElement} */ (boxes.find((each) => each !== event.target));
    first.checked = false;
    boxes.splice(boxes.indexOf(first), 1);
  }
  const link = /** @type {HTMLAnchorElement} */ (byId("compare"));
  link.hidden = boxes.length !== 2;
  if (boxes.length === 2) link.href = `/compare?a=${encodeURIComponent(boxes[1].value)}&b=${encodeURIComponent(boxes[0].value)}`;
}
