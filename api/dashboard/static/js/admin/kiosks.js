// Kiosks: whose, where, and taking away that one may speak.

import { ask, items } from "../api.js";
import { make, sure, toast } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { button, place, table } from "./forms.js";

/** @param {HTMLElement} panel */
export async function showKiosks(panel) {
  const kiosks = await items("kiosks");
  const again = () => showKiosks(panel).catch((error) => toast(error.message, "bad"));
  const heads = ["name", "place", "clinic", "state", "heard"].map((each) => t(`admin.kiosks.${each}`));
  place(panel, "content").replaceChildren(table([...heads, ""], kiosks.map((kiosk) => row(kiosk, again))));
}

/** @param {any} kiosk @param {() => void} again */
function row(kiosk, again) {
  const state = kiosk.revoked
    ? make("span", { class: "badge", "data-kind": "plain" }, t("admin.kiosks.revoked", { time: shortTime(Date.parse(kiosk.revoked)).textContent ?? "" }))
    : make("span", { class: "badge", "data-kind": "good" }, t("admin.kiosks.added"));
  return make(
    "tr",
    { "data-off": Boolean(kiosk.revoked) },
    make("th", { scope: "row" }, make("a", { href: `/devices?kiosk=${encodeURIComponent(kiosk.kiosk)}` }, kiosk.kiosk)),
    make("td", {}, kiosk.place || "–"),
    make("td", {}, kiosk.clinic),
    make("td", {}, state),
    make("td", {}, String(kiosk.devices.filter((/** @type {any} */ each) => each.device !== "sensors").length)),
    make("td", { class: "acts" }, kiosk.revoked ? null : button(t("admin.kiosks.revoke"), () => revoke(kiosk.kiosk, again), "plain", kiosk.kiosk)),
  );
}

/** @param {string} kiosk @param {() => void} again */
async function revoke(kiosk, again) {
  if (!(await sure(`${t("admin.kiosks.revoke")}: ${kiosk}`, t("admin.kiosks.revoke_sure", { kiosk }), t("admin.kiosks.revoke"), { danger: true }))) return;
  try {
    await ask(`kiosks/${encodeURIComponent(kiosk)}`, { method: "DELETE" });
    toast(t("admin.kiosks.done", { kiosk }));
    again();
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
}
