// Forms of the entrance: one request at a time, and what went wrong said where one looks.

import { byId, warn } from "../elements.js";
import { t } from "../texts.js";

/** A field by its id.
 * @param {string} id */
export function field(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** Do something when a form is sent; say in it what went wrong.
 * @param {string} id @param {() => Promise<void>} work @param {(error: any) => boolean} [handled] */
export function onSend(id, work, handled = () => false) {
  const form = byId(id);
  const wrong = /** @type {HTMLElement} */ (form.querySelector(".wrong"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("button"));
    if (buttons[0].disabled) return;
    const empty = /** @type {HTMLInputElement | undefined} */ (
      [...form.querySelectorAll("input")].find((input) => input.required && !input.value && input.offsetParent)
    );
    if (empty) {
      complain(wrong, t("login.missing", { field: empty.labels?.[0]?.textContent ?? t("login.a_field") }), empty);
      return;
    }
    warn(wrong, "");
    for (const each of form.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
    for (const button of buttons) button.disabled = true;
    try {
      await work();
    } catch (error) {
      if (!handled(error)) complain(wrong, /** @type {Error} */ (error).message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}

/** Say what is wrong, and lead to where it is.
 * @param {HTMLElement} wrong @param {string} text @param {HTMLInputElement} [where] */
export function complain(wrong, text, where) {
  warn(wrong, text);
  where?.setAttribute("aria-invalid", "true");
  where?.focus();
}
