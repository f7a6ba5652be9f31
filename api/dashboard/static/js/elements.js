// Builds elements. Text is always text: nothing here, and nothing on any page, parses HTML.

import { t } from "./texts.js";

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null: left out
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element with an id; a page without it is a mistake of ours.
 * @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return element;
}

/** Set text where it differs, so that a screen reader is not told the same thing again.
 * @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide a line of trouble.
 * @param {Element} element @param {string} text */
export function warn(element, text) {
  say(element, text);
  /** @type {HTMLElement} */ (element).hidden = !text;
}

/** A dialog that is there until it is closed: by its button, by Escape, or by `.close()`.
 * @param {string} title @param {...(Node | string | null)} content
 * @returns {HTMLDialogElement} */
export function dialog(title, ...content) {
  const close = make("button", { type: "button", class: "icon close", "aria-label": t("frame.close") }, "×");
  const made = /** @type {HTMLDialogElement} */ (
    make("dialog", { "aria-label": title }, make("header", {}, make("h2", {}, title), close), ...content)
  );
  close.addEventListener("click", () => made.close());
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}

/** Ask before something that cannot be taken back.
 * @param {string} title @param {string} text what will happen @param {string} action what the button says
 * @param {{danger?: boolean}} [how] @returns {Promise<boolean>} */
export function sure(title, text, action, { danger = false } = {}) {
  return new Promise((resolve) => {
    const yes = make("button", { type: "button", class: danger ? "danger" : "strong" }, action);
    const no = make("button", { type: "button" }, t("frame.cancel"));
    const made = dialog(title, make("p", {}, text), make("div", { class: "doing" }, yes, no));
    let answer = false;
    yes.addEventListener("click", () => {
      answer = true;
      made.close();
    });
    no.addEventListener("click", () => made.close());
    made.addEventListener("close", () => resolve(answer));
    no.focus();
  });
}

const TIME_TO_READ = 6000;

/** Say in a corner what was done; "bad" stays until it is clicked away.
 * @param {string} text @param {"good" | "bad"} [kind] */
export function toast(text, kind = "good") {
  const close = make("button", { type: "button", class: "icon", "aria-label": t("frame.close") }, "×");
  const made = make("p", { class: "toast", "data-kind": kind }, make("span", {}, text), close);
  close.addEventListener("click", () => made.remove());
  byId("toasts").append(made);
  if (kind === "good") setTimeout(() => made.remove(), TIME_TO_READ);
}
