// Users: who may come in, as what.

import { ask, everyPage } from "../api.js";
import { byId, make, sure, toast } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { allowed, button, field, form, place, select, showOnce, table, text } from "./forms.js";

const admin = byId("admin");

/** @param {HTMLElement} panel */
export async function showUsers(panel) {
  const users = await everyPage("users?limit=200");
  const again = () => showUsers(panel).catch((error) => toast(error.message, "bad"));
  place(panel, "tools").replaceChildren(button(t("admin.users.add"), () => add(again), "strong"));
  const heads = ["login", "name", "role", "clinic", "state", "factor", "seen"].map((each) => t(`admin.users.${each}`));
  place(panel, "content").replaceChildren(table([...heads, ""], users.map((user) => row(user, again))));
}

/** @param {any} user @param {() => void} again */
function row(user, again) {
  const me = user.id === admin.dataset.me;
  return make(
    "tr",
    { "data-off": user.disabled },
    make("th", { scope: "row" }, user.login, me ? make("small", { class: "quiet" }, ` (${t("admin.users.you")})`) : null),
    make("td", {}, user.name || "–"),
    make("td", { title: t(`admin.roles.${user.role}`) }, t(`frame.role.${user.role}`)),
    make("td", {}, user.clinic ?? t("admin.all_clinics")),
    make("td", {}, ...state(user)),
    make("td", {}, t(user.second_factor ? "admin.users.factor_on" : "admin.users.factor_off")),
    make("td", {}, user.seen ? shortTime(Date.parse(user.seen)) : t("admin.never")),
    make(
      "td",
      { class: "acts" },
      button(t("admin.users.change"), () => change(user, again), "plain", user.login),
      button(t("admin.users.reset"), () => reset(user, again), "plain", user.login),
      me ? null : button(t(user.disabled ? "admin.users.enable" : "admin.users.disable"), () => able(user, again), "plain", user.login),
    ),
  );
}

/** @param {any} user */
function state(user) {
  const [kind, words] = user.disabled ? ["plain", "disabled"] : user.resting_until ? ["warning", "resting"] : ["good", "active"];
  const badge = make("span", { class: "badge", "data-kind": kind }, t(`admin.users.${words}`));
  return user.must_change && !user.disabled ? [badge, make("small", { class: "quiet" }, ` ${t("admin.users.must_change")}`)] : [badge];
}

function roles() {
  return /** @type {[string, string][]} */ (allowed.roles.map((role) => [role, `${t(`frame.role.${role}`)} – ${t(`admin.roles.${role}`)}`]));
}

/** @param {() => void} again */
function add(again) {
  const [login, name, role, clinic] = [text("", 100, { required: true }), text("", 200), select(roles(), "clinician"), text(admin.dataset.clinic, 64)];
  const content = [
    ...field("new-login", t("admin.users.login"), login), ...field("new-name", t("admin.users.name"), name), ...field("new-role", t("admin.users.role"), role),
    ...(admin.dataset.clinic ? [] : field("new-clinic", t("admin.users.clinic"), clinic, t("admin.users.clinic_help"))),
  ];
  form(t("admin.users.add"), content, t("admin.users.add"), async () => {
    const body = { login: login.value.trim(), name: name.value.trim(), role: role.value, ...(admin.dataset.clinic ? {} : { clinic: clinic.value.trim() || null }) };
    const made = await ask("users", { method: "POST", body });
    given(made);
    again();
  });
}

/** @param {any} made */
function given(made) {
  const words = { login: made.user.login };
  showOnce(t("admin.users.password", words), t("admin.users.password_help", words), made.password);
}

/** @param {any} user @param {() => void} again */
function change(user, again) {
  const [name, role, clinic] = [text(user.name, 200), select(roles(), user.role), text(user.clinic ?? "", 64)];
  const content = [
    ...field("change-name", t("admin.users.name"), name), ...field("change-role", t("admin.users.role"), role, t("admin.users.change_help")),
    ...(admin.dataset.clinic ? [] : field("change-clinic", t("admin.users.clinic"), clinic, t("admin.users.clinic_help"))),
  ];
  form(`${t("admin.users.change")}: ${user.login}`, content, t("frame.save"), async () => {
    /** @type {Record<string, any>} */
    const body = {};
    if (name.value.trim() !== user.name) body.name = name.value.trim();
    if (role.value !== user.role) body.role = role.value;
    if (!admin.dataset.clinic && (clinic.value.trim() || null) !== user.clinic) body.clinic = clinic.value.trim() || null;
    if (Object.keys(body).length) await ask(`users/${encodeURIComponent(user.id)}`, { method: "PATCH", body });
    again();
  });
}

/** @param {any} user @param {() => void} again */
function reset(user, again) {
  const factor = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox" }));
  const content = [make("p", {}, t("admin.users.reset_sure", { login: user.login })), ...(user.second_factor ? [make("label", { class: "check" }, factor, t("admin.users.reset_factor"))] : [])];
  form(`${t("admin.users.reset")}: ${user.login}`, content, t("admin.users.reset"), async () => {
    given(await ask(`users/${encodeURIComponent(user.id)}/password`, { method: "POST", body: { second_factor: factor.checked } }));
    again();
  });
}

/** @param {any} user @param {() => void} again */
async function able(user, again) {
  if (!user.disabled && !(await sure(`${t("admin.users.disable")}: ${user.login}`, t("admin.users.disable_sure", { login: user.login }), t("admin.users.disable"), { danger: true }))) return;
  try {
    await ask(`users/${encodeURIComponent(user.id)}`, { method: "PATCH", body: { disabled: !user.disabled } });
    again();
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
}
