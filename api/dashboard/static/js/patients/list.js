// Finding people: by pseudonym as one types, or by who they are, exactly; and adding them.

import { ask } from "../api.js";
import { byId, make, say, toast, warn } from "../elements.js";
import { day } from "../format.js";
import { plural, t } from "../texts.js";
import { askFor, sexes } from "./form.js";

const body = byId("rows");
const pseudonym = /** @type {HTMLInputElement} */ (byId("pseudonym"));
const PAGE = 30;
const PATIENCE = 200;
let typing = 0;
let turn = 0;
/** @type {string | null} */
let next = null;

/** @param {any} patient @param {any} [identity] */
function row(patient, identity) {
  const name = identity ? [...identity.given, identity.family].filter(Boolean).join(" ") : "";
  return make(
    "tr",
    {},
    make("td", {}, make("a", { href: `/patients/${encodeURIComponent(patient.id)}` }, patient.pseudonym)),
    make("td", { class: "named", hidden: !identity }, identity?.birth_date ? `${name}, ${identity.birth_date}` : name),
    make("td", {}, patient.birth_year === null ? "–" : String(patient.birth_year)),
    make("td", {}, patient.sex === null ? "–" : t(`frame.sex.${patient.sex}`)),
    make("td", {}, day(Date.parse(patient.created))),
  );
}

/** @param {HTMLElement[]} rows @param {boolean} named @param {boolean} asked */
function show(rows, named, asked) {
  body.setAttribute("aria-busy", "false");
  /** @type {HTMLElement} */ (document.querySelector("th.named")).hidden = !named;
  body.closest("table")?.classList.toggle("none", !rows.length);
  const which = asked ? "nobody" : "none";
  const empty = make("section", { class: "empty" }, make("h2", {}, t(`patients.${which}`)), make("p", {}, t(`patients.${which}_about`)));
  body.replaceChildren(...(rows.length ? rows : [make("tr", { class: "waiting" }, make("td", { colspan: 5 }, empty))]));
}

/** @param {string | null} [cursor] */
async function list(cursor = null) {
  const mine = ++turn;
  const wanted = pseudonym.value.trim();
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (wanted) query.set("pseudonym", wanted);
  if (cursor) query.set("cursor", cursor);
  try {
    const found = await ask(`patients?${query}`);
    if (mine !== turn) return;
    warn(byId("wrong"), "");
    const rows = found.items.map((/** @type {any} */ each) => row(each));
    if (cursor) body.append(...rows);
    else show(rows, false, Boolean(wanted));
    next = found.next;
    byId("more").hidden = !next;
    byId("clear").hidden = !wanted;
    say(byId("found"), t("patients.recent"));
  } catch (error) {
    if (mine === turn) warn(byId("wrong"), /** @type {Error} */ (error).message);
  }
}

pseudonym.addEventListener("input", () => {
  clearTimeout(typing);
  typing = window.setTimeout(() => list(), PATIENCE);
});
byId("by-pseudonym").addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(typing);
  await list();
  const only = body.querySelectorAll("a");
  if (pseudonym.value.trim() && only.length === 1) only[0].click();
});
byId("more").addEventListener("click", () => list(next));
byId("clear").addEventListener("click", () => {
  for (const each of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".finding input"))) each.value = "";
  list();
  pseudonym.focus();
});

document.getElementById("by-name")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ (byId("name")).value.trim();
  const born = /** @type {HTMLInputElement} */ (byId("born")).value;
  if (!name && !born) return warn(byId("wrong"), t("patients.say_something"));
  const mine = ++turn;
  try {
    const wanted = { ...(name ? { name } : {}), ...(born ? { birth_date: born } : {}) };
    let found = await ask("patients/search", { method: "POST", body: wanted });
    // one word may be the family name alone
    if (!found.items.length && name && !name.includes(" ")) {
      found = await ask("patients/search", { method: "POST", body: { family: name, ...(born ? { birth_date: born } : {}) } });
    }
    if (mine !== turn) return;
    warn(byId("wrong"), "");
    pseudonym.value = "";
    show(found.items.map((/** @type {any} */ each) => row(each.patient, each.identity)), true, true);
    byId("more").hidden = true;
    byId("clear").hidden = false;
    say(byId("found"), `${plural("patients.found", found.items.length)}${found.more ? ` ${t("patients.too_many")}` : ""}`);
  } catch (error) {
    if (mine === turn) warn(byId("wrong"), /** @type {Error} */ (error).message);
  }
});

const add = document.getElementById("add");
add?.addEventListener("click", () => {
  const who = "identify" in add.dataset;
  const year = new Date().getFullYear();
  askFor(
    t("patients.add_title"),
    [
      { name: "pseudonym", label: t("patients.pseudonym"), help: t("patients.add_help"), maxlength: 64 },
      { name: "birth_year", label: t("patients.birth_year"), type: "number", min: 1880, max: year },
      { name: "sex", label: t("patients.sex"), options: sexes() },
      ...(who
        ? [
            make("p", { class: "label" }, t("patients.who")),
            { name: "given", label: t("patients.given"), maxlength: 100 },
            { name: "family", label: t("patients.family") },
            { name: "birth_date", label: t("patients.born"), type: "date" },
          ]
        : []),
    ],
    t("patients.add"),
    async (values) => {
      const body = {
        pseudonym: values.pseudonym || null,
        birth_year: values.birth_year ? Number(values.birth_year) : values.birth_date ? Number(values.birth_date.slice(0, 4)) : null,
        sex: values.sex || null,
      };
      const made = await ask("patients", { method: "POST", body });
      const place = `/patients/${encodeURIComponent(made.id)}`;
      if (who && (values.given || values.family || values.birth_date)) {
        const identity = { given: values.given ? values.given.split(/\s+/) : [], family: values.family, birth_date: values.birth_date || null };
        try {
          await ask(`patients/${encodeURIComponent(made.id)}/identity`, { method: "PUT", body: identity });
        } catch (error) {
          toast(/** @type {Error} */ (error).message, "bad"); // the patient is there: who it is can be said on the page
        }
      }
      location.assign(place);
    },
  );
});

list();
