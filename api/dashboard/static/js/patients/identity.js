// Who a patient is, when it is asked for; and that two are one.

import { ask } from "../api.js";
import { byId, make, toast } from "../elements.js";
import { t } from "../texts.js";
import { askFor } from "./form.js";

/** @param {string} path @param {Set<string>} may */
export function showIdentity(path, may) {
  const button = document.getElementById("who");
  const card = byId("identity");
  if (!button) return;
  button.addEventListener("click", async () => {
    if (!card.hidden) {
      card.hidden = true;
      card.replaceChildren();
      button.setAttribute("aria-expanded", "false");
      button.textContent = t("patient.who");
      return;
    }
    let known = null;
    try {
      known = await ask(`${path}/identity`);
    } catch (error) {
      if (/** @type {any} */ (error).kind !== "no-identity") return toast(/** @type {Error} */ (error).message, "bad");
    }
    show(card, path, known, may);
    button.setAttribute("aria-expanded", "true");
    button.textContent = t("patient.hide");
  });
}

/** @param {HTMLElement} card @param {string} path @param {any} known @param {Set<string>} may */
function show(card, path, known, may) {
  const facts = known
    ? /** @type {[string, string][]} */ ([
        [t("patients.name"), [...known.given, known.family].filter(Boolean).join(" ")],
        [t("patient.birth_date"), known.birth_date ?? ""],
        [t("patient.phone"), known.phone],
        [t("patient.email"), known.email ?? ""],
        [t("patient.address"), known.address.join(", ")],
        [t("patient.numbers"), known.identifiers.map((/** @type {any} */ each) => each.value).join(", ")],
      ]).filter(([, text]) => text)
    : [];
  const edit = make("button", { type: "button" }, t("patient.edit"));
  edit.addEventListener("click", () => change(card, path, known, may));
  card.replaceChildren(
    make("h2", {}, t("patient.identity"), may.has("identify") ? make("span", { class: "tools" }, edit) : null),
    known
      ? make("dl", { class: "facts" }, ...facts.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))))
      : make("p", { class: "quiet" }, t("patient.no_identity")),
    known?.perhaps.length
      ? make("p", {}, `${t("patient.perhaps")} `, ...known.perhaps.map((/** @type {string} */ each) => make("a", { href: `/patients/${encodeURIComponent(each)}` }, each)))
      : "",
  );
  card.hidden = false;
}

/** @param {HTMLElement} card @param {string} path @param {any} known @param {Set<string>} may */
function change(card, path, known, may) {
  askFor(
    t("patient.identity"),
    [
      { name: "given", label: t("patients.given"), value: known?.given.join(" ") },
      { name: "family", label: t("patients.family"), value: known?.family },
      { name: "birth_date", label: t("patients.born"), type: "date", value: known?.birth_date },
      { name: "phone", label: t("patients.phone"), type: "tel", value: known?.phone },
      { name: "email", label: t("patients.email"), type: "email", value: known?.email },
    ],
    t("frame.save"),
    async (values) => {
      const body = {
        given: values.given ? values.given.split(/\s+/) : [],
        family: values.family,
        birth_date: values.birth_date || null,
        phone: values.phone,
        email: values.email || null,
        address: known?.address ?? [],
        identifiers: known?.identifiers ?? [],
      };
      show(card, path, await ask(`${path}/identity`, { method: "PUT", body }), may);
      toast(t("patient.saved"));
    },
  );
}

/** @param {string} path @param {string} id */
export function mayMerge(path, id) {
  document.getElementById("merge")?.addEventListener("click", () => {
    askFor(
      t("patient.merge_title"),
      [make("p", {}, t("patient.merge_about")), { name: "into", label: t("patient.merge_into"), maxlength: 64 }],
      t("patient.merge_do"),
      async ({ into }) => {
        const found = into ? (await ask(`patients?pseudonym=${encodeURIComponent(into)}&limit=50`)).items : [];
        const other = found.find((/** @type {any} */ each) => each.pseudonym === into);
        if (!other) throw new Error(t("patient.merge_none"));
        if (other.id === id) throw new Error(t("patient.merge_self"));
        await ask(`${path}/merge`, { method: "POST", body: { into: other.id } });
        location.assign(`/patients/${encodeURIComponent(other.id)}`);
      },
      { danger: true },
    );
  });
}
