// One row of the work list: who, when, where, why in words, the key numbers, and what can be done.

import { ask } from "../api.js";
import { measure, sentence } from "../catalogue.js";
import { make, say, toast } from "../elements.js";
import { duration, interval, number, shortTime, times } from "../format.js";
import { has, t } from "../texts.js";

/** Units short enough to stand beside a number; the others are in its title. */
const SAID = new Set(["%", "°C", "ms", "мс"]);
const SELF_HARM = "phq9_self_harm";
const KINDS = { urgent: "urgent", warning: "warning", notice: "plain", rhythm: "warning", review: "", partial: "", done: "good" };

/** @typedef {{acknowledge: (each: any) => void, judge: (each: any) => void, flags: DOMStringMap}} Doing */

/** @param {any} each a row of the API @param {Doing} doing */
export function row(each, doing) {
  const { session } = each;
  const open = make("a", { class: "button", href: `/sessions/${encodeURIComponent(session.id)}` }, t("worklist.open"));
  return make(
    "li",
    { class: "case", "data-session": session.id, "data-why": each.why, tabindex: "-1" },
    make("div", { class: "about" }, who(session, doing.flags), make("p", { class: "when" }, ...when(session))),
    make("div", { class: "why" }, badge(each), ...reasons(each).map((text) => make("p", {}, text))),
    make("dl", { class: "numbers" }, ...figures(each.numbers)),
    make(
      "div",
      { class: "acts" },
      open,
      each.alerts.length && "alerts" in doing.flags ? button(t("worklist.acknowledge"), () => doing.acknowledge(each)) : null,
      "reviews" in doing.flags && session.revision
        ? button(t(each.verdict ? "worklist.review_again" : "worklist.review"), () => doing.judge(each))
        : null,
    ),
  );
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = make("button", { type: "button" }, text);
  made.addEventListener("click", action);
  return made;
}

/** The pseudonym; the name only when it is asked for, which is noted in the audit.
 * @param {any} session @param {DOMStringMap} flags */
function who(session, flags) {
  const badges = session.simulated ? [make("span", { class: "badge simulated" }, t("frame.simulated"))] : [];
  if (!session.patient_id) return make("p", { class: "person" }, make("span", { class: "quiet" }, t("worklist.nobody")), ...badges);
  const link = make("a", { href: `/patients/${encodeURIComponent(session.patient_id)}` }, session.pseudonym ?? session.patient_id);
  const name = make("span", { class: "name" });
  const reveal = "identities" in flags ? make("button", { type: "button", class: "plain" }, t("worklist.who")) : null;
  reveal?.addEventListener("click", async () => {
    try {
      const found = await ask(`patients/${encodeURIComponent(session.patient_id)}/identity`);
      say(name, [...found.given, found.family].filter(Boolean).join(" ") || t("worklist.no_name"));
    } catch (error) {
      if (/** @type {any} */ (error).kind === "no-identity") say(name, t("worklist.no_name"));
      else toast(/** @type {Error} */ (error).message, "bad");
    }
    if (name.textContent) reveal.remove();
  });
  return make("p", { class: "person" }, link, name, reveal, ...badges);
}

/** @param {any} session */
function when(session) {
  const length = session.duration === null ? [] : [` · ${duration(session.duration)}`];
  return [shortTime(Date.parse(session.started ?? session.first_seen)), ` · ${session.kiosk}`, ...length];
}

/** @param {any} each */
function badge(each) {
  const kind = KINDS[/** @type {keyof typeof KINDS} */ (each.why)];
  return make("span", { class: "badge", "data-kind": kind || null, "data-state": each.why === "partial" ? "partial" : null }, t(`worklist.why.${each.why}`));
}

/** Why it is here, in words.
 * @param {any} each @returns {string[]} */
function reasons(each) {
  const said = each.alerts.map((/** @type {any} */ alert) => {
    if (alert.measure === SELF_HARM) return t("worklist.reason.self_harm");
    if (alert.measure === "irregular_rhythm") return t("worklist.reason.rhythm");
    const known = measure(alert.measure);
    return t("worklist.reason.above", {
      measure: known.title,
      value: `${number(times(alert.value, known), known.decimals)} ${known.unit}`.trim(),
    });
  });
  if (each.why === "rhythm") said.push(t("worklist.reason.rhythm"));
  if (each.why === "review") said.push(t("worklist.reason.review"));
  if (each.why === "partial") said.push(t("worklist.reason.partial"));
  if (each.verdict) {
    const time = shortTime(Date.parse(each.verdict.created)).textContent;
    said.push(t(`worklist.done.${each.verdict.verdict}`, { time }));
  }
  if (each.session.changed) said.push(t("worklist.reason.changed"));
  return said;
}

/** Numbers with what they are worth; two pressures are read as one.
 * @param {any[]} numbers */
function figures(numbers) {
  const by = new Map(numbers.map((each) => [each.measure, each]));
  return numbers.filter((each) => has(`worklist.short.${each.measure}`)).map((each) => figure(each, each.measure === "systolic" ? by.get("diastolic") : null));
}

/** @param {any} reading @param {any} beside */
function figure(reading, beside) {
  const known = measure(reading.measure);
  const write = (/** @type {any} */ each) => number(times(each?.value, known), known.decimals);
  const value = beside ? `${write(reading)}/${write(beside)}` : write(reading);
  const range = interval(times(reading.low, known), times(reading.high, known), known.decimals);
  const why = reading.value === null && reading.absent ? sentence(reading.absent) : "";
  const title = [`${known.title}, ${known.unit}`.replace(/, $/, ""), range, why].filter(Boolean).join(" · ");
  return make(
    "div",
    { title, "data-absent": reading.value === null },
    make("dt", {}, t(`worklist.short.${reading.measure}`)),
    make("dd", {}, make("span", { class: "figure" }, value, beside || !SAID.has(known.unit) ? null : make("small", {}, ` ${known.unit}`)), range ? make("small", { class: "range" }, range) : null, why ? make("span", { class: "unseen" }, why) : null, quality(reading.quality)),
  );
}

/** @param {number | null} quality */
function quality(quality) {
  if (quality === null) return null;
  const percent = Math.round(100 * quality);
  const inner = make("span");
  inner.style.width = `${percent}%`;
  const bar = make("span", { class: "bar quality", role: "img", "aria-label": t("worklist.quality", { percent }) }, inner);
  bar.dataset.word = quality >= 0.7 ? "good" : quality >= 0.4 ? "fair" : "poor";
  return bar;
}
