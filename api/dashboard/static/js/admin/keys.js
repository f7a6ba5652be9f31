// API keys: what programs come in with.

import { ask, everyPage } from "../api.js";
import { byId, make, sure, toast } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { allowed, button, field, form, place, select, showOnce, table, text } from "./forms.js";

const admin = byId("admin");

/** @param {HTMLElement} panel */
export async function showKeys(panel) {
  const keys = await everyPage("keys?limit=200");
  const again = () => showKeys(panel).catch((error) => toast(error.message, "bad"));
  place(panel, "tools").replaceChildren(button(t("admin.keys.add"), () => add(again), "strong"));
  const heads = ["name", "role", "clinic", "actions", "state", "expires", "used"].map((each) => t(`admin.keys.${each}`));
  place(panel, "content").replaceChildren(table([...heads, ""], keys.map((key) => row(key, again))));
}

/** @param {any} key @param {() => void} again */
function row(key, again) {
  const state = key.revoked ? "revoked" : key.expires && Date.parse(key.expires) < Date.now() ? "ended" : "valid";
  return make(
    "tr",
    { "data-off": state !== "valid" },
    make("th", { scope: "row" }, key.name),
    make("td", {}, t(`frame.role.${key.role}`)),
    make("td", {}, key.clinic ?? t("admin.all_clinics")),
    make("td", {}, key.actions ? make("span", { class: "mono small" }, key.actions.join(", ")) : t("admin.keys.actions_all")),
    make("td", {}, make("span", { class: "badge", "data-kind": state === "valid" ? "good" : "plain" }, t(`admin.keys.${state}`))),
    make("td", {}, key.expires ? shortTime(Date.parse(key.expires)) : "–"),
    make("td", {}, key.used ? shortTime(Date.parse(key.used)) : t("admin.never")),
    make("td", { class: "acts" }, state === "valid" ? button(t("admin.keys.revoke"), () => revoke(key, again), "plain", key.name) : null),
  );
}

/** @param {() => void} again */
function add(again) {
  const name = text("", 100, { required: true });
  const role = select(allowed.key_roles.map((each) => [each, t(`frame.role.${each}`)]), "integrator");
  const clinic = text(admin.dataset.clinic, 64);
  const expires = /** @type {HTMLInputElement} */ (make("input", { type: "date" }));
  const actions = make("fieldset", { class: "choices" });
  const fill = () =>
    actions.replaceChildren(make("legend", {}, t("admin.keys.actions")), ...allowed.actions[role.value].map((each) => make("label", { class: "check mono" }, make("input", { type: "checkbox", value: each }), each)), make("p", { class: "help" }, t("admin.keys.actions_help")));
  role.addEventListener("change", fill);
  fill();
  const content = [
    ...field("key-name", t("admin.keys.name"), name), ...field("key-role", t("admin.keys.role"), role), actions,
    ...(admin.dataset.clinic ? [] : field("key-clinic", t("admin.keys.clinic"), clinic, t("admin.users.clinic_help"))),
    ...field("key-expires", t("admin.keys.expires"), expires, t("admin.keys.expires_help")),
  ];
  form(t("admin.keys.add"), content, t("admin.keys.add"), async () => {
    const chosen = /** @type {HTMLInputElement[]} */ ([...actions.querySelectorAll("input:checked")]).map((each) => each.value);
    const body = {
      name: name.value.trim(), role: role.value, actions: chosen.length ? chosen : null,
      expires: expires.value ? new Date(`${expires.value}T23:59:59`).toISOString() : null,
      ...(admin.dataset.clinic ? {} : { clinic: clinic.value.trim() || null }),
    };
    const made = await ask("keys", { method: "POST", body });
    showOnce(t("admin.keys.secret", { name: made.key.name }), t("admin.keys.secret_help"), made.secret);
    again();
  });
}

/** @param {any} key @param {() => void} again */
async function revoke(key, again) {
  if (!(await sure(`${t("admin.keys.revoke")}: ${key.name}`, t("admin.keys.revoke_sure", { name: key.name }), t("admin.keys.revoke"), { danger: true }))) return;
  try {
    await ask(`keys/${encodeURIComponent(key.id)}`, { method: "DELETE" });
    again();
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
}
