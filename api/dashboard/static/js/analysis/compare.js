// Two sessions beside each other: when and how they were, overlaid figures, and every number with its difference.

import { ask } from "../api.js";
import { GROUPS, measure, origin, sentence } from "../catalogue.js";
import { byId, make, say, warn } from "../elements.js";
import { interval, number, time } from "../format.js";
import { t } from "../texts.js";
import { Data } from "./data.js";
import { Figure } from "./figure.js";
import { OVERLAID } from "./overlaid.js";

const page = byId("compare");
const first = page.dataset.first ?? "";
const second = page.dataset.second ?? "";
const PERCENT = 100;
/** Read in any case; others where something can be said of their difference. */
const MAIN = ["heart_rate", "sdnn", "rmssd", "pnn50", "lf_hf", "respiration_rate", "stress", "physiological_arousal", "arousal", "valence",
  "systolic", "diastolic", "spo2", "temperature", "weight", "bmi", "eeg_alpha_relative", "eeg_alpha_peak"];

async function begin() {
  if (!first) return;
  const path = `sessions/${encodeURIComponent(first)}/comparison`;
  try {
    const said = await ask(second ? `${path}?other=${encodeURIComponent(second)}` : path);
    badge(said.same_person, said.second);
    byId("sides").replaceChildren(...(await Promise.all([said.first, said.second].filter(Boolean).map(side))));
    if (said.second) show(said);
    else warn(byId("trouble"), t("compare.no_other"));
    await offer(said);
  } catch (error) {
    warn(byId("trouble"), /** @type {Error} */ (error).message);
  }
}

/** @param {boolean | null} same @param {any} other */
function badge(same, other) {
  const place = byId("same");
  place.hidden = !other;
  place.dataset.kind = same ? "good" : "warning";
  say(place, t(same === null ? "compare.unknown_person" : same ? "compare.same_person" : "compare.other_person"));
}

/** @param {any} visited @param {number} place */
async function side(visited, place) {
  const session = await ask(`sessions/${encodeURIComponent(visited.session)}`).catch(() => ({}));
  const corrected = (await ask(`sessions/${encodeURIComponent(visited.session)}/readings?measure=beats_corrected`).catch(() => ({ items: [] }))).items[0];
  const devices = [...new Set((session.streams ?? []).filter((/** @type {any} */ each) => each.channels).map((/** @type {any} */ each) => each.device))];
  const fact = (/** @type {string} */ name, /** @type {Node | string} */ value) => make("div", {}, make("dt", {}, t(`compare.fact.${name}`)), make("dd", {}, value));
  const link = make("a", { href: `/sessions/${encodeURIComponent(visited.session)}` }, t(place ? "compare.second" : "compare.first"));
  return make(
    "section",
    { class: "card side" },
    make("h2", {}, link, visited.simulated ? make("span", { class: "badge simulated" }, t("compare.simulated")) : null),
    make(
      "dl",
      { class: "facts" },
      fact("began", time(Date.parse(visited.started))),
      fact("person", session.pseudonym ?? t("compare.nobody")),
      fact("protocol", visited.protocol ?? "–"),
      fact("kiosk", visited.kiosk),
      fact("devices", devices.join(", ") || "–"),
      fact("corrected", corrected?.value == null ? "–" : `${number(corrected.value, 1)} %`),
    ),
  );
}

/** The same person's sessions. @param {any} said */
async function offer(said) {
  const whose = said.first.patient_id;
  if (!whose) return;
  const { sessions, times } = await ask(`patients/${encodeURIComponent(whose)}/trends?measures=heart_rate`).catch(() => ({ sessions: [], times: [] }));
  const others = sessions.map((/** @type {string} */ id, /** @type {number} */ i) => ({ id, at: times[i] })).filter((/** @type {any} */ each) => each.id !== first).reverse();
  if (!others.length) return;
  const list = /** @type {HTMLSelectElement} */ (byId("other"));
  const shown = said.second?.session;
  if (shown && !others.some((/** @type {any} */ each) => each.id === shown)) others.unshift({ id: shown, at: said.second.started });
  list.replaceChildren(...others.map((/** @type {any} */ each) => make("option", { value: each.id, selected: each.id === shown }, time(Date.parse(each.at)).textContent)));
  list.addEventListener("change", () => go(first, list.value));
  byId("swap").addEventListener("click", () => shown && go(shown, first));
  byId("choose").hidden = false;
}

/** @param {string} a @param {string} b */
function go(a, b) {
  location.assign(`/compare?${new URLSearchParams({ a, b })}`);
}

/** @param {any} said */
function show(said) {
  const data = { first: new Data(said.first.session), second: new Data(said.second.session) };
  const figures = OVERLAID.map((kind) => new Figure(kind, data));
  byId("figures").replaceChildren(...figures.map((figure) => figure.element));
  for (const figure of figures) figure.prepare().then(() => figure.show());

  const known = said.items.filter((/** @type {any} */ each) => each.difference !== null);
  const without = said.items.filter((/** @type {any} */ each) => each.difference === null);
  const told = (/** @type {any} */ item) => item.measured !== null || item.unusual !== null || item.worthwhile !== null;
  const main = known.filter((/** @type {any} */ each) => MAIN.includes(each.measure) || told(each));
  fill(byId("rows"), main);
  fill(byId("more-rows"), known.filter((/** @type {any} */ each) => !main.includes(each)));
  byId("more").hidden = main.length === known.length;

  const judged = said.same_person && said.others >= 5 ? t("compare.judged", { others: said.others }) : t(said.same_person ? "compare.few_others" : "compare.two_people");
  say(byId("judged"), `${judged} ${t("compare.chance")} ${t("compare.nobody_knows")}`);
  byId("numbers").hidden = !said.items.length;
  byId("absent").hidden = !without.length;
  const words = without.map((/** @type {any} */ each) => {
    const why = each.first?.absent ?? each.second?.absent;
    return `${measure(each.measure).title}${why ? ` – ${sentence(why)}` : ""}`;
  });
  say(/** @type {Element} */ (byId("absent").querySelector("p")), words.join(" · "));
}

/** Rows, by what is read together. @param {Element} place @param {any[]} items */
function fill(place, items) {
  const grouped = new Map();
  for (const item of items) {
    const name = GROUPS.find((each) => each.measures.includes(item.measure))?.title ?? "";
    grouped.set(name, [...(grouped.get(name) ?? []), item]);
  }
  place.replaceChildren(
    ...[...grouped].flatMap(([name, some]) => [
      ...(name ? [make("tr", { class: "group" }, make("th", { colspan: 5, scope: "colgroup" }, name))] : []),
      ...some.map(row),
    ]),
  );
}

/** @param {any} item */
function row(item) {
  const known = measure(item.measure);
  const times = known.times || 1;
  const cell = (/** @type {any} */ one) =>
    make("td", { class: "right" }, make("span", { class: "figure" }, number(times * one.value, known.decimals)), small(one, times, known.decimals));
  const sign = item.difference > 0 ? "+" : "";
  const far = item.unusual === true || (item.unusual === null && item.measured === true);
  const range = interval(item.low === null ? null : times * item.low, item.high === null ? null : times * item.high, known.decimals);
  const words = [verdict(item, times, known.decimals), item.alike ? "" : t("compare.not_alike", { first: origin(item.first.source), second: origin(item.second.source) })];
  return make(
    "tr",
    { class: far ? "beyond" : null },
    make("th", { scope: "row" }, known.title, known.unit ? make("small", {}, known.unit) : null),
    cell(item.first),
    cell(item.second),
    make("td", { class: "right" }, make("strong", {}, sign + number(times * item.difference, known.decimals)), range ? make("small", {}, range) : null),
    make("td", { class: "verdict" }, words.filter(Boolean).join(" ")),
  );
}

/** @param {any} one @param {number} times @param {number} decimals */
function small(one, times, decimals) {
  const range = interval(one.low === null ? null : times * one.low, one.high === null ? null : times * one.high, decimals);
  const quality = one.quality === null ? "" : t("compare.quality", { percent: number(PERCENT * one.quality, 0) });
  const text = [range, quality].filter(Boolean).join(" · ");
  return text ? make("small", {}, text) : null;
}

/** @param {any} item @param {number} times @param {number} decimals */
function verdict(item, times, decimals) {
  const said = [];
  if (item.measured === false) said.push(t("compare.within_measuring"));
  else if (item.measured === true) said.push(t("compare.beyond_measuring"));
  if (item.unusual === true) said.push(t("compare.unusual", { usual: number(times * item.usual, decimals) }));
  else if (item.unusual === false) said.push(t("compare.usual", { usual: number(times * item.usual, decimals) }));
  if (item.worthwhile !== null) said.push(t(item.matters ? "compare.matters" : "compare.matters_not", { least: number(times * item.worthwhile, decimals) }));
  return said.join(" ") || t("compare.cannot_judge");
}

begin();
