// The marks of a session, in the order of their times.

import { plain } from "../catalogue.js";
import { make } from "../elements.js";
import { duration } from "../format.js";

/** @param {HTMLElement} place @param {any[]} events */
export function showEvents(place, events) {
  if (!events.length) {
    place.replaceChildren(make("p", { class: "quiet" }, "Nothing was marked."));
    return;
  }
  const rows = events.map((event) =>
    make(
      "tr",
      {},
      make("td", {}, duration(event.time)),
      make("th", { scope: "row" }, plain(event.event)),
      make("td", { class: "detail" }, event.detail ?? ""),
      make("td", {}, event.device ?? ""),
    ),
  );
  const head = ["Time", "Event", "Detail", "Device"].map((title) => make("th", { scope: "col" }, title));
  place.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}
