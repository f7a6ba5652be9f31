// One's own login: password, second factor, and where else one is logged in.

import { ask } from "../api.js";
import { byId, make, say, warn } from "../elements.js";
import { time } from "../format.js";
import { t } from "../texts.js";
import { complain, field, onSend } from "./forms.js";

/** @param {string} id @param {() => Promise<void>} work */
function form(id, work) {
  if (document.getElementById(id)) onSend(id, work);
}

form("password-form", async () => {
  const wrong = /** @type {HTMLElement} */ (byId("password-form").querySelector(".wrong"));
  if (field("new").value !== field("again").value) {
    complain(wrong, t("account.differ"), field("again"));
    return;
  }
  await ask("account/password", { method: "PUT", body: { current: field("current").value, new: field("new").value } });
  if (document.querySelector("article > .trouble")) {
    location.replace("/");
    return;
  }
  for (const id of ["current", "new", "again"]) field(id).value = "";
  done(t("account.changed"));
  showLogins();
});

let pending = "";

form("offer-form", async () => {
  const offer = await ask("account/second-factor", { method: "POST", body: { password: field("offer-password").value } });
  pending = offer.pending;
  field("offer-password").value = "";
  /** @type {HTMLImageElement} */ (byId("qr")).src = offer.qr;
  say(byId("secret"), offer.secret.match(/.{1,4}/g).join(" "));
  byId("offer-form").hidden = true;
  byId("confirm-form").hidden = false;
  field("first-code").focus();
});

form("confirm-form", async () => {
  const body = { pending, code: field("first-code").value.trim() };
  const { codes } = await ask("account/second-factor", { method: "PUT", body });
  byId("confirm-form").hidden = true;
  showCodes(codes);
});

form("renewal-form", async () => {
  const body = { password: field("renewal-password").value, code: field("renewal-code").value.trim() };
  const { codes } = await ask("account/second-factor/recovery-codes", { method: "POST", body });
  byId("renewing").hidden = true;
  byId("removing").hidden = true;
  showCodes(codes);
});

/** @param {string[]} codes shown this once */
function showCodes(codes) {
  byId("code-list").replaceChildren(...codes.map((code) => make("li", {}, code)));
  byId("codes").hidden = false;
  byId("kept").focus();
}

form("removal-form", async () => {
  const body = { password: field("removal-password").value, code: field("removal-code").value.trim() };
  await ask("account/second-factor/removal", { method: "POST", body });
  location.reload();
});

byIdOrNone("kept")?.addEventListener("click", () => {
  if (document.querySelector("article > .trouble")) location.replace("/");
  else location.reload();
});

/** @param {string} text */
function done(text) {
  warn(byId("done"), text);
  byId("done").scrollIntoView({ block: "nearest" });
}

/** @param {string} id */
function byIdOrNone(id) {
  return document.getElementById(id);
}

async function showLogins() {
  const list = byIdOrNone("logins");
  if (!list) return;
  try {
    const { items } = await ask("account/logins");
    list.replaceChildren(...items.map(shown));
    list.removeAttribute("aria-busy");
  } catch (error) {
    warn(byId("logins-wrong"), /** @type {Error} */ (error).message);
  }
}

/** @param {any} login */
function shown(login) {
  const what = t(login.via === "cookie" ? "account.browser" : "account.program");
  const end = make("button", { type: "button" }, t("account.end"));
  const began = time(Date.parse(login.began));
  end.setAttribute("aria-label", t("account.end_of", { time: began.textContent }));
  end.addEventListener("click", async () => {
    try {
      await ask(`account/logins/${encodeURIComponent(login.id)}`, { method: "DELETE" });
      done(t("account.ended"));
    } catch (error) {
      warn(byId("logins-wrong"), /** @type {Error} */ (error).message);
    }
    await showLogins();
  });
  return make(
    "li",
    {},
    make("span", { class: "what" }, login.this ? t("account.this", { what }) : what),
    make("span", { class: "quiet" }, `${t("account.since")} `, began, `; ${t("account.ends")} `, time(Date.parse(login.ends)), ` ${t("account.unused")}`),
    login.this ? null : end,
  );
}

await showLogins();
