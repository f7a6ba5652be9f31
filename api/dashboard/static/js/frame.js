// What every page has in its head: language, colours, shortcuts, logging out.

import { ask } from "./api.js";
import { byId } from "./elements.js";
import { help, registerEverywhere } from "./shortcuts.js";
import { t } from "./texts.js";

const COOKIE = "kiosk_language";
const YEAR = 365 * 86_400;

const language = /** @type {HTMLSelectElement} */ (byId("language"));
language.addEventListener("change", () => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${language.value}; Path=/; Max-Age=${YEAR}; SameSite=Strict${secure}`;
  location.reload();
});

const theme = byId("theme");
function nameTheme() {
  const text = t(`frame.theme.${document.documentElement.dataset.choice ?? "auto"}`);
  theme.setAttribute("aria-label", text);
  theme.title = text;
}
theme.addEventListener("click", () => {
  document.dispatchEvent(new CustomEvent("themewanted"));
  nameTheme();
});
nameTheme();

byId("keys").addEventListener("click", help);
registerEverywhere("?", t("frame.keys.help"), help);
const search = /** @type {HTMLElement | null} */ (document.querySelector("[data-search]"));
if (search) registerEverywhere("/", t("frame.keys.search"), () => search.focus());
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".sections a[data-key]"))) {
  registerEverywhere(`g ${link.dataset.key}`, t("frame.keys.go", { page: link.textContent ?? "" }), () => link.click());
}

document.getElementById("leave")?.addEventListener("click", async () => {
  try {
    await ask("account/logout", { method: "POST" });
  } finally {
    // where it could not be ended here, it has ended already, or the server is away: the page there says which
    location.assign("/login");
  }
});
