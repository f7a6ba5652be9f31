// Small forms in dialogs, and secrets that are shown once.

import { dialog, make, toast, warn } from "../elements.js";
import { t } from "../texts.js";

/** @typedef {{roles: string[], key_roles: string[], actions: Record<string, string[]>}} Allowed */
/** @type {Allowed} */
export const allowed = JSON.parse(document.getElementById("allowed")?.textContent ?? "{}");

/** A field over its label's name.
 * @param {string} id @param {string} label @param {HTMLElement} input @param {string} [help] */
export function field(id, label, input, help) {
  input.id = id;
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  return [make("label", { for: id }, label), input, ...(help ? [make("p", { class: "help", id: `${id}-help` }, help)] : [])];
}

/** @param {string} value @param {number} most @param {Record<string, any>} [more] */
export function text(value = "", most = 100, more = {}) {
  const made = /** @type {HTMLInputElement} */ (make("input", { type: "text", maxlength: most, spellcheck: "false", autocomplete: "off", ...more }));
  made.value = value;
  return made;
}

/** @param {[string, string][]} options @param {string} chosen */
export function select(options, chosen) {
  const made = /** @type {HTMLSelectElement} */ (make("select", {}, ...options.map(([value, words]) => make("option", { value }, words))));
  made.value = chosen;
  return made;
}

/** Ask for something in a dialog; it closes when the work is done, and says what went wrong.
 * @param {string} title @param {Node[]} content @param {string} action @param {() => Promise<void>} work
 * @param {(error: any) => string} [words] */
export function form(title, content, action, work, words = (error) => error.message) {
  const wrong = make("p", { class: "wrong", role: "alert", hidden: true });
  const send = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: "strong" }, action));
  const made = /** @type {HTMLFormElement} */ (make("form", { novalidate: true }, wrong, make("div", { class: "fields" }, ...content), make("div", { class: "doing" }, send)));
  const shown = dialog(title, made);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (made.querySelectorAll("[required]"))) {
      input.setAttribute("aria-invalid", String(!input.value.trim()));
      if (!input.value.trim()) {
        input.focus();
        return;
      }
    }
    send.disabled = true;
    warn(wrong, "");
    try {
      await work();
      shown.close();
    } catch (error) {
      warn(wrong, words(error));
    }
    send.disabled = false;
  });
  /** @type {HTMLElement | null} */ (made.querySelector("input, select, textarea"))?.focus();
  return shown;
}

/** @param {string} title @param {string} help @param {string} secret */
export function showOnce(title, help, secret) {
  const copy = make("button", { type: "button" }, t("admin.copy"));
  copy.onclick = () => navigator.clipboard?.writeText(secret).then(() => toast(t("admin.copied")), () => undefined);
  dialog(title, make("p", { class: "secret mono" }, secret), make("p", { class: "help" }, help), make("p", {}, make("strong", {}, t("admin.once"))), make("div", { class: "doing" }, copy));
}

/** @param {string[]} heads @param {Node[]} rows */
export function table(heads, rows) {
  const body = rows.length ? rows : [make("tr", {}, make("td", { colspan: heads.length, class: "quiet" }, t("admin.none")))];
  return make("div", { class: "scroll" }, make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...heads.map((each) => (each ? make("th", { scope: "col" }, each) : make("td"))))), make("tbody", {}, ...body)));
}

/** @param {string} words @param {() => void} action @param {string} [kind] @param {string} [about] */
export function button(words, action, kind = "", about = "") {
  const made = make("button", { type: "button", class: kind, "aria-label": about ? `${words}: ${about}` : null }, words);
  made.onclick = action;
  return made;
}

/** @param {HTMLElement} panel @param {string} part */
export function place(panel, part) {
  return /** @type {HTMLElement} */ (panel.querySelector(`.${part}`));
}
