// What a group of measures says at a glance; each with its quality, method and window unfolds beneath it.

import { measure, origin, sentence } from "../catalogue.js";
import { make, say } from "../elements.js";
import { duration, interval, times } from "../format.js";
import { BLOCKS, fill, lineOf, small } from "../lines.js";
import { t } from "../texts.js";
import { noteOf } from "./about.js";

const EXPLAINED = ["valence", "arousal", "physiological_arousal"]; // whose notes say what moved them

/** One row of lines with a button for the others; null where there is no value to be seen.
 * @param {import("../catalogue.js").Group} group
 * @param {any[]} readings the preferred one of each measure
 * @param {HTMLElement[]} rows of the same readings in full, which are folded
 * @returns {HTMLElement | null} */
export function summary(group, readings, rows) {
  const found = new Map(readings.map((each) => [each.measure, each]));
  const seen = group.lines.filter((line) => (found.get(line.measure)?.value ?? null) !== null);
  if (!seen.length) return null;
  const blocks = BLOCKS.map((looks) => seen.filter((line) => looks.includes(line.look))).filter((lines) => lines.length);
  const lists = blocks.map((lines) => make("ul", { class: "lines" }, ...lines.map((line) => filled(line, found))));
  const explained = readings.filter((each) => EXPLAINED.includes(each.measure) && noteOf(each));
  for (const each of rows) each.hidden = true;
  return make(
    "tr",
    { class: "summary" },
    make(
      "td",
      { colspan: 6 },
      make("p", { class: "from" }, heading(seen.map((line) => found.get(line.measure)))),
      group.about ? make("p", { class: "about" }, group.about) : null,
      ...lists,
      ...missing(group.lines.filter((line) => found.has(line.measure) && !seen.includes(line)), found),
      ...explained.map((each) => make("p", { class: "explained" }, make("strong", {}, `${measure(each.measure).title}: `), noteOf(each))),
      unfold(rows, readings.length),
    ),
  );
}

/** @param {import("../catalogue.js").Line} line @param {Map<string, any>} found */
function filled(line, found) {
  const known = measure(line.measure);
  const element = lineOf(line);
  fill(element, found.get(line.measure).value, known, known.decimals);
  const beside = element.querySelector(".beside");
  if (beside && line.beside) say(beside, small(found.get(line.beside)));
  const { low, high } = found.get(line.measure);
  const band = interval(times(low, known), times(high, known), known.decimals);
  if (band) element.append(make("span", { class: "beside" }, `95 %: ${band}`));
  return element;
}

/** From what, how good, and over which time. @param {any[]} readings */
function heading(readings) {
  const sources = [...new Set(readings.map((each) => origin(each.source)))];
  const qualities = readings.map((each) => each.quality).filter((each) => typeof each === "number");
  const percent = [Math.min(...qualities), Math.max(...qualities)].map((each) => Math.round(100 * each));
  const quality = !qualities.length ? null : t("session.quality", { percent: percent[0] === percent[1] ? percent[0] : percent.join("–") });
  const start = Math.min(...readings.map((each) => each.start));
  const end = Math.max(...readings.map((each) => each.end));
  return [t("session.from", { source: sources.join(", ") }), quality, `${duration(start)} – ${duration(end)}`].filter(Boolean).join(" · ");
}

/** Lines without a value, by reason. @param {import("../catalogue.js").Line[]} lines @param {Map<string, any>} found */
function missing(lines, found) {
  /** @type {Map<string, string[]>} */
  const reasons = new Map();
  for (const line of lines) {
    const reason = found.get(line.measure).absent;
    reasons.set(reason, [...(reasons.get(reason) ?? []), line.name]);
  }
  return [...reasons].map(([reason, names]) => make("p", { class: "about" }, `${names.join(", ")}: ${sentence(reason)}`));
}

/** @param {HTMLElement[]} rows @param {number} count */
function unfold(rows, count) {
  const button = make("button", { type: "button", "aria-expanded": "false" }, t("session.all", { n: count }));
  button.onclick = () => {
    const shown = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!shown));
    say(button, shown ? t("session.all", { n: count }) : t("session.less"));
    for (const each of rows) each.hidden = shown;
    // what was unfolded of one of them stands in a row of its own
    for (const each of rows) {
      const below = each.nextElementSibling;
      if (below?.classList.contains("about")) /** @type {HTMLElement} */ (below).hidden = shown;
    }
  };
  return button;
}
