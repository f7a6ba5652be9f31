// Alert rules of this patient alone: limits of their own, beside those of the clinic.

import { ask } from "../api.js";
import { measure } from "../catalogue.js";
import { make, toast } from "../elements.js";
import { number, times } from "../format.js";
import { t } from "../texts.js";
import { askFor } from "./form.js";

const OFFERED = ["heart_rate", "systolic", "diastolic", "spo2", "temperature", "respiration_rate", "rmssd", "stress", "weight", "phq9", "who5"];
const KINDS = { urgent: "urgent", warning: "warning", notice: "plain" };

/** @param {HTMLElement} place @param {string} patient @param {boolean} writes */
export async function showRules(place, patient, writes) {
  const found = (await ask(`rules?patient_id=${encodeURIComponent(patient)}&limit=100`)).items.filter((/** @type {any} */ each) => each.patient_id === patient);
  const reload = () => showRules(place, patient, writes);
  const add = make("button", { type: "button" }, t("patient.rules.add"));
  add.addEventListener("click", () => adding(patient, reload));
  place.replaceChildren(
    found.length ? make("ul", { class: "rules" }, ...found.map((/** @type {any} */ each) => row(each, writes, reload))) : make("p", { class: "quiet" }, t("patient.rules.none")),
    writes ? make("div", { class: "doing" }, add) : "",
  );
}

/** @param {any} rule @param {boolean} writes @param {() => Promise<void>} reload */
function row(rule, writes, reload) {
  const known = measure(rule.measure);
  const write = (/** @type {number} */ value) => `${number(times(value, known), known.decimals)} ${known.unit}`.trim();
  const limits = [];
  if (rule.low !== null) limits.push(t("patient.rules.below", { value: write(rule.low) }));
  if (rule.high !== null) limits.push(t("patient.rules.above", { value: write(rule.high) }));
  const turn = make("button", { type: "button", class: "plain" }, t(rule.enabled ? "patient.rules.disable" : "patient.rules.enable"));
  turn.addEventListener("click", async () => {
    try {
      await ask(`rules/${encodeURIComponent(rule.id)}`, { method: "PATCH", body: { enabled: !rule.enabled }, headers: { "if-match": `"${rule.version}"` } });
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
    await reload();
  });
  const kind = KINDS[/** @type {keyof typeof KINDS} */ (rule.severity)];
  return make(
    "li",
    { "data-off": !rule.enabled },
    make("span", { class: "badge", "data-kind": kind }, t(`patient.rules.${rule.severity}`)),
    make("span", {}, make("strong", {}, known.title), ` ${limits.join(` ${t("patient.rules.or")} `)}`, rule.enabled ? null : ` · ${t("patient.rules.off")}`),
    writes ? turn : null,
  );
}

/** @param {string} patient @param {() => Promise<void>} reload */
function adding(patient, reload) {
  askFor(
    t("patient.rules.add"),
    [
      { name: "measure", label: t("patient.rules.measure"), options: OFFERED.map((each) => /** @type {[string, string]} */ ([each, `${measure(each).title} ${measure(each).unit && `(${measure(each).unit})`}`.trim()])), value: "heart_rate" },
      { name: "low", label: t("patient.rules.low"), type: "number", step: "any" },
      { name: "high", label: t("patient.rules.high"), type: "number", step: "any" },
      { name: "severity", label: t("patient.rules.severity"), options: ["notice", "warning", "urgent"].map((each) => /** @type {[string, string]} */ ([each, t(`patient.rules.${each}`)])), value: "notice" },
    ],
    t("patient.rules.add"),
    async (values) => {
      if (!values.low && !values.high) throw new Error(t("patient.rules.say"));
      const limit = (/** @type {string} */ text) => (text ? Number(text) / measure(values.measure).times : null);
      await ask("rules", { method: "POST", body: { measure: values.measure, low: limit(values.low), high: limit(values.high), severity: values.severity, patient_id: patient } });
      toast(t("patient.rules.done"));
      await reload();
    },
  );
}
