// Dialogs with fields: built from a list, sent once, and what went wrong said in them.

import { dialog, make, warn } from "../elements.js";
import { t } from "../texts.js";

/** @typedef {{name: string, label: string, type?: string, value?: string | null, help?: string, options?: [string, string][], maxlength?: number,
 *   min?: number, max?: number, step?: string}} Field */

/** @param {Field} given */
function field(given) {
  const id = `field-${given.name}`;
  const about = given.help ? `${id}-help` : null;
  const fixed = { id, name: given.name, "aria-describedby": about };
  let input;
  if (given.options) {
    input = make("select", fixed, ...given.options.map(([value, text]) => make("option", { value, selected: value === (given.value ?? "") }, text)));
  } else if (given.type === "textarea") {
    input = make("textarea", { ...fixed, maxlength: given.maxlength ?? 4000 });
    /** @type {HTMLTextAreaElement} */ (input).value = given.value ?? "";
  } else {
    const { min, max, step, maxlength = 200 } = given;
    input = make("input", { ...fixed, type: given.type ?? "text", maxlength, min, max, step, autocomplete: "off", spellcheck: "false" });
    /** @type {HTMLInputElement} */ (input).value = given.value ?? "";
  }
  return [make("label", { for: id }, given.label), input, given.help ? make("p", { class: "help", id: /** @type {string} */ (about) }, given.help) : null];
}

/** Ask for something and do it. `work` is given the fields' texts; what it throws is said in the dialog.
 * @param {string} title @param {(Field | Node)[]} parts @param {string} action
 * @param {(values: Record<string, string>) => Promise<void>} work @param {{danger?: boolean}} [how] */
export function askFor(title, parts, action, work, { danger = false } = {}) {
  const wrong = make("p", { class: "wrong", role: "alert", hidden: true });
  const save = /** @type {HTMLButtonElement} */ (make("button", { type: "submit", class: danger ? "danger" : "strong" }, action));
  const cancel = make("button", { type: "button" }, t("frame.cancel"));
  const fields = make("div", { class: "fields" });
  for (const part of parts) fields.append(...(part instanceof Node ? [part] : field(part).filter((each) => each !== null)));
  const form = /** @type {HTMLFormElement} */ (make("form", { novalidate: true }, wrong, fields, make("div", { class: "doing" }, save, cancel)));
  const shown = dialog(title, form);
  /** @type {HTMLElement | null} */ (form.querySelector("input, select, textarea"))?.focus();
  cancel.addEventListener("click", () => shown.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (save.disabled) return;
    save.disabled = true;
    warn(wrong, "");
    try {
      await work(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()])));
      shown.close();
    } catch (error) {
      warn(wrong, /** @type {Error} */ (error).message);
      save.disabled = false;
    }
  });
  return shown;
}

/** @returns {[string, string][]} */
export function sexes() {
  return [["", t("patients.unknown")], ...["female", "male", "other"].map((sex) => /** @type {[string, string]} */ ([sex, t(`frame.sex.${sex}`)]))];
}
