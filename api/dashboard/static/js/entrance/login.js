// Logs in: password first, then the second factor where there is one.

import { ask, renew } from "../api.js";
import { byId, warn } from "../elements.js";
import { t } from "../texts.js";
import { field, onSend } from "./forms.js";

const entrance = byId("entrance");
const next = entrance.dataset.next ?? "/";
let wantsCode = false;

/** @param {boolean} wanted */
function showCode(wanted) {
  wantsCode = wanted;
  byId("first").hidden = wanted;
  byId("second").hidden = !wanted;
  byId("back").hidden = !wanted;
  field("code").required = wanted;
  field("code").value = "";
  field(wanted ? "code" : "password").focus();
}

function begin() {
  byId("moment").hidden = true;
  byId("form").hidden = false;
  field("login").focus();
}

onSend(
  "form",
  async () => {
    const body = { login: field("login").value.trim(), password: field("password").value, cookie: true };
    const code = wantsCode ? { code: field("code").value.trim() } : {};
    await ask("account/login", { method: "POST", body: { ...body, ...code } });
    location.replace(next);
  },
  (problem) => {
    if (problem.kind === "second-factor-needed") {
      showCode(true);
      return true;
    }
    if (problem.kind === "wrong-login") {
      showCode(false);
      field("password").value = "";
    }
    if (problem.kind === "wrong-code") field("code").select();
    if (problem.kind !== "invalid") return false;
    warn(byId("wrong"), t(wantsCode ? "login.no_code" : "login.no_login"));
    return true;
  },
);

byId("back").addEventListener("click", () => {
  warn(byId("wrong"), "");
  showCode(false);
});

if ("renewable" in entrance.dataset && (await renew())) location.replace(next);
else begin();
