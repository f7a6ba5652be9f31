// The strip above the list: what each kiosk and its devices do, and the two commands a clinician needs.

import { ask } from "../api.js";
import { make, say } from "../elements.js";
import { duration } from "../format.js";
import { plural, t } from "../texts.js";

const AWAY = 60; // seconds without a word; a living kiosk is noted every 20
const ASK_EVERY = 700;
const TIME_TO_READ = 2500; // what became of a command

/** @type {Map<string, HTMLElement>} */
const shown = new Map();

/** @param {HTMLElement} place @param {any[]} kiosks @param {any[]} open sessions */
export function showKiosks(place, kiosks, open) {
  place.setAttribute("aria-busy", "false");
  if (!kiosks.length) {
    shown.clear();
    place.replaceChildren(make("p", { class: "quiet" }, t("sessions.kiosk.unheard")));
    return;
  }
  const wanted = kiosks.map((kiosk) => card(kiosk, open.some((each) => each.kiosk === kiosk.kiosk)));
  if (wanted.some((each, index) => place.children[index] !== each)) place.replaceChildren(...wanted);
}

/** @param {any} kiosk @param {boolean} busy */
function card(kiosk, busy) {
  let element = shown.get(kiosk.kiosk);
  if (!element) {
    element = make(
      "article",
      { class: "kiosk" },
      make("strong", {}, kiosk.kiosk),
      make("span", { class: "doing", role: "status" }),
      make("button", { type: "button" }),
      make("span", { class: "devices" }),
    );
    shown.set(kiosk.kiosk, element);
  }
  const [, doing, button, devices] = /** @type {HTMLElement[]} */ ([...element.children]);
  const state = condition(kiosk, busy);
  element.dataset.state = state.kind;
  if (!element.dataset.waiting) {
    say(doing, state.words);
    say(button, t(busy ? "sessions.kiosk.end" : "sessions.kiosk.start"));
    /** @type {HTMLButtonElement} */ (button).disabled = state.away;
    button.onclick = () => command(/** @type {HTMLElement} */ (element), kiosk.kiosk, busy ? "stop" : "start");
  }
  say(devices, summary(kiosk.devices));
  return element;
}

/** @param {any} kiosk @param {boolean} busy @returns {{kind: string, words: string, away: boolean}} */
function condition(kiosk, busy) {
  const service = kiosk.devices.find((/** @type {any} */ each) => each.device === "sensors") ?? kiosk.devices[0];
  const away = !service || ["gone", "stopped"].includes(service.state) || !isHeard(service);
  if (away) return { kind: "bad", words: service ? t("sessions.kiosk.away_for", { time: duration(service.age) }) : t("sessions.kiosk.away"), away };
  const failed = kiosk.devices.filter((/** @type {any} */ each) => each.state === "failed" && isHeard(each));
  const words = t(busy ? "sessions.kiosk.measuring" : "sessions.kiosk.ready");
  if (failed.length) return { kind: "bad", words: t("sessions.kiosk.failed", { doing: words, devices: count(failed.length) }), away };
  return { kind: "good", words, away };
}

/** A device that was taken away is not heard of any more.
 * @param {any} device */
function isHeard(device) {
  return device.age <= AWAY;
}

/** @param {number} devices */
function count(devices) {
  return plural("sessions.kiosk.devices", devices);
}

/** What deserves a word: how many devices are ready, and which are not and why; losses always. Between visits devices
 * rest: then there is nothing to say of them.
 * @param {any[]} devices */
function summary(devices) {
  const own = devices.filter((each) => each.device !== "sensors" && isHeard(each));
  const failed = own.filter((each) => each.state === "failed");
  const lost = Math.max(0, ...devices.map((each) => each.lost));
  const waiting = Math.max(0, ...devices.map((each) => each.waiting));
  const ready = own.filter((each) => each.state === "running").length;
  const starting = own.filter((each) => each.state === "starting").map((each) => each.device);
  const parts = failed.map((each) => t(each.detail ? "sessions.kiosk.one_failed_why" : "sessions.kiosk.one_failed", { device: each.device, why: each.detail }));
  if (ready) parts.push(t("sessions.kiosk.devices_ready", { devices: count(ready) }));
  if (starting.length) parts.push(t("sessions.kiosk.starting", { devices: starting.length > 3 ? count(starting.length) : starting.join(", ") }));
  if (devices.some((each) => each.simulated)) parts.push(t("sessions.kiosk.simulated"));
  if (waiting > 50) parts.push(t("sessions.kiosk.waiting", { n: waiting }));
  if (lost) parts.push(t("sessions.kiosk.lost", { n: lost }));
  return parts.join(" · ");
}

/** Give a command and say what became of it.
 * @param {HTMLElement} element @param {string} kiosk @param {"start" | "stop"} action */
async function command(element, kiosk, action) {
  const [, doing, button] = /** @type {HTMLElement[]} */ ([...element.children]);
  element.dataset.waiting = "yes";
  /** @type {HTMLButtonElement} */ (button).disabled = true;
  say(doing, t(action === "start" ? "sessions.kiosk.asked_start" : "sessions.kiosk.asked_end"));
  try {
    const path = `kiosks/${encodeURIComponent(kiosk)}/commands`;
    let given = await ask(path, { method: "POST", body: { action } });
    while (given.state === "pending") {
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
      given = await ask(`${path}/${given.id}`);
    }
    say(doing, t(given.state === "obeyed" ? "sessions.kiosk.done" : "sessions.kiosk.silent"));
  } catch (error) {
    say(doing, /** @type {Error} */ (error).message);
  }
  setTimeout(() => delete element.dataset.waiting, TIME_TO_READ);
}
