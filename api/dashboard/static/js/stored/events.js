// The marks of a session, in the order of their times.

import { plain } from "../catalogue.js";
import { make } from "../elements.js";
import { duration } from "../format.js";
import { has, t } from "../texts.js";

/** What an event is called; one that we do not know, as the kiosk calls it.
 * @param {string} name */
export function eventWords(name) {
  return has(`session.mark.${name}`) ? t(`session.mark.${name}`) : plain(name);
}

/** @param {HTMLElement} place @param {any[]} events */
export function showEvents(place, events) {
  if (!events.length) {
    place.replaceChildren(make("p", { class: "quiet" }, t("session.nothing_marked")));
    return;
  }
  const rows = events.map((event) =>
    make(
      "tr",
      {},
      make("td", {}, duration(event.time)),
      make("th", { scope: "row" }, eventWords(event.event)),
      make("td", { class: "detail" }, event.detail ?? ""),
      make("td", {}, event.device ?? ""),
    ),
  );
  const head = ["time", "event", "detail", "device"].map((name) => t(`session.event.${name}`)).map((title) => make("th", { scope: "col" }, title));
  place.replaceChildren(make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}
