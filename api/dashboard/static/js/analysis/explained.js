// What pulled the indices up and down: bars to the right raise, bars to the left lower.

import { measure } from "../catalogue.js";
import { number } from "../format.js";
import { language, t } from "../texts.js";
import { unitOf } from "./courses.js";

/** @param {string} name @param {string[]} of the indices that it explains */
function contributions(name, of) {
  return {
    name,
    height: 300,
    async load(/** @type {any} */ data, /** @type {string | null} */ choice) {
      const said = await data.get("contributions");
      const there = of.filter((each) => said.items.some((/** @type {any} */ item) => item.measure === each));
      if (!there.length) return { absent: said.absent ?? (await data.why(...of)) };
      const chosen = choice ?? there[0];
      const reading = (await data.readings(chosen))[0];
      return {
        items: said.items.filter((/** @type {any} */ each) => each.measure === chosen),
        choices: there.map((value) => ({ value, label: measure(value).title })),
        chosen,
        reading,
      };
    },
    plot(/** @type {any} */ { items }, /** @type {any} */ seen) {
      const reach = 1.25 * Math.max(0.3, ...items.map((/** @type {any} */ each) => Math.abs(each.amount)));
      return {
        traces: [{
          type: "bar", orientation: "h", y: items.map(label), x: items.map((/** @type {any} */ each) => each.amount),
          marker: { color: items.map((/** @type {any} */ each) => seen.colour(each.amount >= 0 ? "of-eda" : "of-ppg")) },
          text: items.map((/** @type {any} */ each) => words(each)), textposition: "none", hovertemplate: "%{text}<extra></extra>",
          width: items.map(() => (items.length > 2 ? 0.55 : 0.35)),
        }],
        layout: {
          hovermode: "closest", showlegend: false, margin: { l: 20, r: 14, t: 10, b: 44 },
          xaxis: { title: t("analysis.explained.axis"), range: [-reach, reach], zeroline: true, zerolinecolor: seen.colour("quiet"), fixedrange: true },
          yaxis: { range: [Math.max(2, items.length) - 0.4, -0.6], fixedrange: true, showgrid: false, tickfont: { color: seen.colour("ink") } },
        },
      };
    },
    summary: (/** @type {any} */ { reading, items }) => {
      const note = reading && (language === "ru" && reading.note_ru ? reading.note_ru : reading.note);
      return note || items.map(words).join("; ");
    },
    table: (/** @type {any} */ { items }) => ({
      head: [t("analysis.explained.part"), t("analysis.explained.amount"), t("analysis.explained.value"), t("analysis.explained.usual")],
      rows: items.map((/** @type {any} */ each) => [
        label(each), `${each.amount > 0 ? "+" : ""}${number(each.amount, 2)}`, quantity(each.value, each), each.usual === null ? null : quantity(each.usual, each),
      ]),
    }),
  };
}

/** @param {any} item */
function label(item) {
  const title = ["face", "voice", "heart", "skin", "brain"].includes(item.part) ? t(`analysis.modality.${item.part}`) : measure(item.part).title;
  return `${title}  `;
}

/** @param {number} value @param {any} item */
function quantity(value, item) {
  return [number(value, item.decimals), unitOf(item.unit)].filter(Boolean).join(" ");
}

/** @param {any} item */
function words(item) {
  const known = { part: label(item).trim(), value: quantity(item.value, item) };
  return item.usual === null ? t("analysis.explained.says", known) : t("analysis.explained.against", { ...known, usual: quantity(item.usual, item) });
}

export const EXPLAINED = [contributions("explained", ["stress", "physiological_arousal"]), contributions("fused", ["arousal", "valence"])];
