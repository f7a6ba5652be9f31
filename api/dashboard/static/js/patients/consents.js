// What the person agreed to, by which text, and taking it back.

import { ask } from "../api.js";
import { dialog, make, sure, toast } from "../elements.js";
import { shortTime } from "../format.js";
import { has, language, t } from "../texts.js";
import { askFor } from "./form.js";

const PURPOSES = ["measure", "store", "share", "research", "talk"];

/** @param {string} purpose */
const named = (purpose) => (has(`patient.consents.${purpose}`) ? t(`patient.consents.${purpose}`) : purpose);

/** @param {HTMLElement} place @param {string} path @param {boolean} writes */
export async function showConsents(place, path, writes) {
  const [found, { items: texts }] = await Promise.all([ask(`${path}/consents`), ask("consent-texts")]);
  const reload = () => showConsents(place, path, writes);
  const now = found.allowed.map((/** @type {string} */ each) => make("span", { class: "badge", "data-kind": "good" }, named(each)));
  const record = make("button", { type: "button" }, t("patient.consents.record"));
  record.addEventListener("click", () => recording(path, texts, reload));
  place.replaceChildren(
    found.allowed.length ? make("p", { class: "badges" }, `${t("patient.consents.now")} `, ...now) : make("p", { class: "quiet" }, t("patient.consents.none")),
    make("ul", { class: "consents" }, ...found.items.map((/** @type {any} */ each) => row(each, texts, writes, reload))),
    writes && texts.length ? make("div", { class: "doing" }, record) : "",
  );
}

/** @param {any} consent @param {any[]} texts @param {boolean} writes @param {() => Promise<void>} reload */
function row(consent, texts, writes, reload) {
  const time = shortTime(Date.parse(consent.given)).textContent;
  const given = make("span", { class: "quiet" }, t("patient.consents.given", { time, version: `${consent.text_version} (${consent.language})` }));
  const read = make("button", { type: "button", class: "plain" }, t("patient.consents.read"));
  const text = texts.find((each) => each.version === consent.text_version && each.language === consent.language);
  read.addEventListener("click", () => dialog(`${consent.text_version}, ${consent.language}`, make("p", { class: "text", lang: consent.language }, text.text)));
  const withdraw = make("button", { type: "button", class: "plain" }, t("patient.consents.withdraw"));
  withdraw.addEventListener("click", async () => {
    const yes = await sure(`${t("patient.consents.withdraw_title")} (${named(consent.purpose)})`, t("patient.consents.withdraw_about"), t("patient.consents.withdraw"), { danger: true });
    if (!yes) return;
    try {
      await ask(`consents/${encodeURIComponent(consent.id)}/withdraw`, { method: "POST" });
      toast(t("patient.consents.undone"));
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
    await reload();
  });
  const gone = consent.withdrawn && make("strong", {}, ` · ${t("patient.consents.withdrawn", { time: shortTime(Date.parse(consent.withdrawn)).textContent })}`);
  return make("li", { "data-withdrawn": Boolean(consent.withdrawn) }, make("strong", {}, named(consent.purpose)), " ", given, gone || null, text ? read : null, writes && !gone ? withdraw : null);
}

/** @param {string} path @param {any[]} texts @param {() => Promise<void>} reload */
function recording(path, texts, reload) {
  const key = (/** @type {any} */ each) => `${each.version}/${each.language}`;
  const first = texts.find((each) => each.language === language) ?? texts[0];
  const heard = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox" }));
  askFor(
    t("patient.consents.record"),
    [
      { name: "purpose", label: t("patient.consents.purpose"), options: PURPOSES.map((each) => /** @type {[string, string]} */ ([each, named(each)])), value: "store" },
      { name: "text", label: t("patient.consents.text"), options: texts.map((each) => /** @type {[string, string]} */ ([key(each), `${each.version} (${each.language})`])), value: key(first) },
      make("details", {}, make("summary", {}, t("patient.consents.read")), make("p", { class: "text", lang: first.language }, first.text)),
      make("label", { class: "check" }, heard, t("patient.consents.heard")),
    ],
    t("patient.consents.record"),
    async (values) => {
      if (!heard.checked) throw new Error(t("patient.consents.must"));
      const chosen = texts.find((each) => key(each) === values.text);
      await ask(`${path}/consents`, { method: "POST", body: { purpose: values.purpose, text_version: chosen.version, language: chosen.language } });
      toast(t("patient.consents.done"));
      await reload();
    },
  );
  const select = /** @type {HTMLSelectElement} */ (document.querySelector("dialog [name=text]"));
  const text = /** @type {HTMLElement} */ (document.querySelector("dialog details .text"));
  select.addEventListener("change", () => {
    const chosen = texts.find((each) => key(each) === select.value);
    text.textContent = chosen.text;
    text.lang = chosen.language;
  });
}
