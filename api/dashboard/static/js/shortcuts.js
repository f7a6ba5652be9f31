// Keyboard shortcuts: a page registers its own, `?` shows them all. They can be switched off (WCAG 2.2, 2.1.4).

import { dialog, make } from "./elements.js";
import { t } from "./texts.js";

const KEY = "kiosk-shortcuts";
const PATIENCE = 1500; // milliseconds between the two keys of `g w`

/** @typedef {{key: string, description: string, action: (event: KeyboardEvent) => void, everywhere: boolean}} Shortcut */
/** @type {Map<string, Shortcut>} */
const known = new Map();
let first = "";
let timer = 0;
/** @type {HTMLDialogElement | null} */
let shown = null;

/** A shortcut of this page: one key ("j", "Enter") or two after each other ("g w").
 * @param {string} key @param {string} description for the dialog @param {(event: KeyboardEvent) => void} action
 * @returns {() => void} takes it away again */
export function register(key, description, action) {
  const shortcut = { key, description, action, everywhere: false };
  known.set(key, shortcut);
  return () => {
    if (known.get(key) === shortcut) known.delete(key);
  };
}

/** One of the frame, which every page has.
 * @param {string} key @param {string} description @param {(event: KeyboardEvent) => void} action */
export function registerEverywhere(key, description, action) {
  if (!known.has(key)) known.set(key, { key, description, action, everywhere: true });
}

/** The dialog with all of them. */
export function help() {
  if (shown?.open) return shown.close();
  const all = [...known.values()];
  const group = (/** @type {string} */ title, /** @type {Shortcut[]} */ shortcuts) =>
    shortcuts.length ? make("section", {}, make("h3", {}, title), make("dl", { class: "keys" }, ...shortcuts.map(row))) : null;
  const on = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", id: "keys-on" }));
  on.checked = enabled();
  on.addEventListener("change", () => enable(on.checked));
  shown = dialog(
    t("frame.keys.title"),
    group(t("frame.keys.here"), all.filter((each) => !each.everywhere)),
    group(t("frame.keys.everywhere"), all.filter((each) => each.everywhere)),
    make("label", { class: "check" }, on, t("frame.keys.off")),
    make("p", { class: "help" }, t("frame.keys.off_help")),
  );
}

/** @param {Shortcut} shortcut */
function row({ key, description }) {
  const keys = key.split(" ").flatMap((each, index) => [...(index ? [` ${t("frame.keys.then")} `] : []), make("kbd", {}, each)]);
  return make("div", {}, make("dt", {}, ...keys), make("dd", {}, description));
}

function enabled() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
function enable(on) {
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, "off");
  } catch {
    // nothing is kept where storage is switched off
  }
}

/** Latin letters by their place, so that a Russian layout has the same shortcuts.
 * @param {KeyboardEvent} event */
function keyOf(event) {
  if (event.key.length > 1 || event.key.charCodeAt(0) < 128) return event.key;
  if (event.code.startsWith("Key")) return event.code.slice(3).toLowerCase();
  return event.code === "Slash" ? (event.shiftKey ? "?" : "/") : event.key;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || !enabled()) return;
  const open = document.querySelector("dialog[open]");
  const key = keyOf(event);
  if (open && !(open === shown && key === "?")) return;
  const both = first ? `${first} ${key}` : key;
  clearTimeout(timer);
  const found = known.get(both) ?? known.get(key);
  first = "";
  if (found) {
    // Enter on a button or link is that button's or link's own
    if (key === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary")) return;
    event.preventDefault();
    found.action(event);
  } else if ([...known.keys()].some((each) => each.startsWith(`${key} `))) {
    first = key;
    timer = window.setTimeout(() => (first = ""), PATIENCE);
  }
});
