// One person over time. Each part asks the API for its own; one that fails says so and leaves the others be.

import { ask } from "../api.js";
import { byId, make, say, toast, warn } from "../elements.js";
import { day } from "../format.js";
import { plural, t } from "../texts.js";
import { answered } from "./asked.js";
import { showConsents } from "./consents.js";
import { askFor, sexes } from "./form.js";
import { mayMerge, showIdentity } from "./identity.js";
import { showNotes } from "./notes.js";
import { showRules } from "./rules.js";
import { showSessions } from "./sessions.js";
import { timeline } from "./timeline.js";
import { showTrends } from "./trends.js";

const place = byId("patient");
const may = new Set((place.dataset.may ?? "").split(" "));
const id = place.dataset.patient ?? "";
const path = `patients/${encodeURIComponent(id)}`;
/** @type {any} */
let patient = null;

/** @param {() => Promise<void>} work */
async function part(work) {
  try {
    await work();
  } catch (error) {
    warn(byId("trouble"), /** @type {Error} */ (error).message);
  }
}

async function head() {
  patient = await ask(path);
  say(byId("pseudonym"), patient.pseudonym);
  say(byId("sex"), patient.sex === null ? t("patient.unknown") : t(`frame.sex.${patient.sex}`));
  const age = patient.birth_year === null ? null : new Date().getFullYear() - patient.birth_year;
  say(byId("age"), age === null ? t("patient.unknown") : `${plural("frame.years", age)} (${patient.birth_year})`);
  say(byId("known"), day(Date.parse(patient.created)));
  if (patient.merged_into !== null) {
    const link = make("a", { href: `/patients/${encodeURIComponent(patient.merged_into)}` }, t("patient.merged_go"));
    byId("trouble").replaceChildren(t("patient.merged"), " ", link);
    byId("trouble").hidden = false;
    byId("tools").hidden = true;
  }
}

async function visits() {
  if (!may.has("sessions")) return;
  const found = await ask(`sessions?patient=${encodeURIComponent(id)}&limit=200`);
  const alerts = may.has("alerts") ? (await ask(`alerts?patient_id=${encodeURIComponent(id)}&state=open&limit=200`)).items : [];
  say(byId("visits"), found.next ? `${found.items.length}+` : String(found.items.length));
  byId("alerts").hidden = !alerts.length;
  say(byId("alerts"), plural("patient.alerts", alerts.length));
  timeline(byId("timeline"), found.items, new Set(alerts.map((/** @type {any} */ each) => each.session_id)));
  showSessions(byId("sessions"), found.items, { report: may.has("export"), compare: may.has("results") });
}

document.getElementById("edit")?.addEventListener("click", () => {
  askFor(
    t("patient.edit_title"),
    [
      { name: "pseudonym", label: t("patients.pseudonym"), value: patient.pseudonym, maxlength: 64 },
      { name: "birth_year", label: t("patients.birth_year"), type: "number", min: 1880, max: new Date().getFullYear(), value: patient.birth_year === null ? "" : String(patient.birth_year) },
      { name: "sex", label: t("patients.sex"), options: sexes(), value: patient.sex ?? "", help: t("patient.edit_help") },
    ],
    t("frame.save"),
    async (values) => {
      const body = { pseudonym: values.pseudonym, birth_year: values.birth_year ? Number(values.birth_year) : null, sex: values.sex || null };
      await ask(path, { method: "PATCH", body });
      toast(t("patient.saved"));
      await head();
    },
  );
});

await part(head);
if (patient && patient.merged_into === null) {
  showIdentity(path, may);
  mayMerge(path, id);
  await Promise.all([
    part(visits),
    part(async () => may.has("results") && showTrends(path)),
    part(async () => may.has("results") && answered(byId("asked"), path)),
    part(async () => may.has("notes") && showNotes(byId("notes"), path, { reader: place.dataset.reader ?? "", writes: may.has("noting") })),
    part(async () => showConsents(byId("consents"), path, may.has("consents"))),
    part(async () => may.has("alerts") && showRules(byId("rules"), id, may.has("rules"))),
  ]);
}
