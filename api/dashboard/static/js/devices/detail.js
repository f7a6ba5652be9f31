// One kiosk in full: its devices, its signals, its last sessions, and what it can be told to do.

import { ask } from "../api.js";
import { signal as signalWords } from "../catalogue.js";
import { make, sure, toast } from "../elements.js";
import { number, shortTime } from "../format.js";
import { t } from "../texts.js";
import { isSilent, isSlow, span } from "./why.js";

const ASK_EVERY = 700;

/** @param {any} kiosk with its history @param {{commands: boolean, sessions: boolean}} may
 * @returns {HTMLElement} */
export function detail(kiosk, may) {
  return make(
    "div",
    { class: "inside" },
    may.commands ? commands(kiosk) : null,
    part(t("devices.device"), devices(kiosk.devices)),
    part(t("devices.signals"), kiosk.signals.length ? signals(kiosk.signals) : make("p", { class: "quiet" }, t("devices.no_signals"))),
    part(t("devices.history"), make("p", { class: "help" }, clock(kiosk.clock_offset)), kiosk.history.length ? history(kiosk.history, may.sessions) : make("p", { class: "quiet" }, t("devices.no_history"))),
  );
}

/** @param {string} title @param {...Node} content */
function part(title, ...content) {
  return make("section", {}, make("h3", {}, title), ...content);
}

/** @param {(string | [string, string])[]} heads @param {Node[]} rows */
function table(heads, rows) {
  const head = heads.map((each) => (typeof each === "string" ? make("th", { scope: "col" }, each) : make("th", { scope: "col", title: each[1] }, each[0])));
  return make("div", { class: "scroll" }, make("table", { class: "table small" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}

/** @param {any[]} all */
function devices(all) {
  const rows = all.map((each) =>
    make(
      "tr",
      { "data-bad": each.state === "failed" },
      make("th", { scope: "row" }, each.device),
      make("td", {}, t(`devices.device_state.${each.state}`), each.simulated ? make("span", { class: "badge simulated" }, t("devices.simulated")) : null),
      make("td", {}, t("devices.ago", { time: span(each.age) })),
      make("td", {}, each.drift_ppm === null ? "–" : `${number(each.drift_ppm, 1)} ppm`),
      make("td", {}, each.detail || "–"),
    ),
  );
  return table([t("devices.device"), t("devices.state"), t("devices.heard"), [t("devices.drift"), t("devices.drift_help")], t("devices.says")], rows);
}

/** @param {any[]} all */
function signals(all) {
  const rows = all.map((each) =>
    make(
      "tr",
      { "data-bad": isSilent(each) || isSlow(each) },
      make("th", { scope: "row" }, signalWords(each.signal).title),
      make("td", {}, each.device),
      make("td", {}, rate(each)),
      make("td", {}, each.age === null ? t("devices.none_lately") : `${number(each.age, 1)} ${t("devices.ago_units.seconds", { n: "" }).trim()}`),
      make("td", {}, String(each.missing)),
      make("td", {}, String(each.lost)),
    ),
  );
  return table([t("devices.signal"), t("devices.device"), [t("devices.rate"), t("devices.rate_help")], t("devices.age"), [t("devices.gaps"), t("devices.gaps_help")], t("devices.given_up")], rows);
}

/** @param {any} each */
function rate(each) {
  const measured = each.measured === null ? "–" : number(each.measured, 1);
  return each.nominal === null ? `${measured} Hz, ${t("devices.own_times")}` : `${measured} / ${number(each.nominal, each.nominal % 1 ? 2 : 0)} Hz`;
}

/** @param {any[]} all @param {boolean} links */
function history(all, links) {
  const rows = all.map((each) => {
    const name = links ? make("a", { href: `/sessions/${encodeURIComponent(each.session)}` }, each.session) : each.session;
    return make(
      "tr",
      { "data-bad": each.lost > 0 || each.outcome === "partial" },
      make("th", { scope: "row" }, name),
      make("td", {}, shortTime(Date.parse(each.first_seen))),
      make("td", {}, `${each.stored} / ${each.expected ?? "?"}`),
      make("td", {}, String(each.lost)),
      make("td", {}, t(`devices.outcomes.${each.outcome ?? each.state}`)),
    );
  });
  return table([t("devices.session"), t("devices.began"), t("devices.delivery"), t("devices.given_up"), t("devices.outcome")], rows);
}

/** @param {number | null} offset */
function clock(offset) {
  if (offset === null) return t("devices.clock_unknown");
  if (Math.abs(offset) < 1) return t("devices.clock_fine");
  return t("devices.clock_offset", { seconds: number(Math.abs(offset), 1), way: t(offset > 0 ? "devices.ahead" : "devices.behind") });
}

/** @param {any} kiosk */
function commands(kiosk) {
  const said = make("span", { class: "quiet", role: "status" });
  const away = kiosk.state === "offline" || kiosk.state === "revoked";
  const buttons = (kiosk.session ? ["stop", "cancel"] : ["start"]).map((action) => {
    const button = /** @type {HTMLButtonElement} */ (make("button", { type: "button", class: action === "cancel" ? "danger" : "", disabled: away }, t(`devices.do.${action}`)));
    button.onclick = () => command(kiosk.kiosk, action, button, said);
    return button;
  });
  const live = kiosk.session ? make("a", { class: "button", href: `/sessions/${encodeURIComponent(kiosk.session)}` }, t("devices.live")) : null;
  return make("div", { class: "doing" }, ...buttons, live, said, make("span", { class: "help" }, t("devices.do.calibrate")));
}

/** @param {string} kiosk @param {string} action @param {HTMLButtonElement} button @param {HTMLElement} said */
async function command(kiosk, action, button, said) {
  const agreed = await sure(t(`devices.do.${action}`), t(`devices.do.sure_${action}`, { kiosk }), t(`devices.do.${action}`), { danger: action !== "start" });
  if (!agreed) return;
  button.disabled = true;
  said.textContent = t("devices.do.asked");
  try {
    const path = `kiosks/${encodeURIComponent(kiosk)}/commands`;
    let given = await ask(path, { method: "POST", body: { action } });
    while (given.state === "pending") {
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
      given = await ask(`${path}/${given.id}`);
    }
    toast(t(`devices.do.${given.state}`, { kiosk }), given.state === "obeyed" ? "good" : "bad");
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
  said.textContent = "";
  button.disabled = false;
}

