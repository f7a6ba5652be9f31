// Consent texts: what people agree to, word for word. A version follows another; none changes.

import { ask, items } from "../api.js";
import { dialog, make, sure, toast } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { difference } from "./difference.js";
import { button, field, form, place, select, table, text } from "./forms.js";

/** @param {HTMLElement} panel */
export async function showConsents(panel) {
  const texts = await items("consent-texts");
  const again = () => showConsents(panel).catch((error) => toast(error.message, "bad"));
  place(panel, "tools").replaceChildren(button(t("admin.consents.add"), () => add(texts, again), "strong"));
  const heads = ["version", "language", "since"].map((each) => t(`admin.consents.${each}`));
  const rows = texts.map((each) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, each.version, " ", newest(texts, each.language) === each ? make("span", { class: "badge", "data-kind": "good" }, t("admin.consents.newest")) : null),
      make("td", {}, each.language),
      make("td", {}, shortTime(Date.parse(each.created))),
      make("td", { class: "acts" }, button(t("admin.consents.view"), () => dialog(`${each.version}, ${each.language}`, make("p", { class: "wording", lang: each.language }, each.text)), "plain", `${each.version} ${each.language}`)),
    ),
  );
  place(panel, "content").replaceChildren(table([...heads, ""], rows));
}

/** @param {any[]} texts @param {string} language */
function newest(texts, language) {
  return texts.find((each) => each.language === language); // the list has the newest first
}

/** @param {any[]} texts @param {() => void} again */
function add(texts, again) {
  const known = [...new Set(["en", "ru", ...texts.map((each) => each.language)])];
  const language = select(known.map((each) => [each, each]), known[0]);
  const version = text("", 40, { required: true });
  const wording = /** @type {HTMLTextAreaElement} */ (make("textarea", { rows: 10, maxlength: 20000, required: true }));
  const preview = make("div", { class: "difference", "aria-live": "polite" });
  const compare = () => {
    const before = newest(texts, language.value);
    const title = make("h3", {}, before ? t("admin.consents.difference", { version: before.version }) : t("admin.consents.first"));
    if (!before) preview.replaceChildren(title);
    else if (before.text === wording.value) preview.replaceChildren(make("p", { class: "quiet" }, t("admin.consents.nothing_new", { version: before.version })));
    else preview.replaceChildren(title, difference(before.text, wording.value));
  };
  const begin = () => {
    wording.value = newest(texts, language.value)?.text ?? "";
    wording.lang = language.value;
    compare();
  };
  language.addEventListener("change", begin);
  wording.addEventListener("input", compare);
  begin();
  const content = [...field("text-language", t("admin.consents.language"), language), ...field("text-version", t("admin.consents.version"), version, t("admin.consents.version_help")), ...field("text-words", t("admin.consents.text"), wording), preview];
  const send = async () => {
    const words = { version: version.value.trim(), language: language.value };
    if (!(await sure(t("admin.consents.save"), t("admin.consents.save_sure", words), t("admin.consents.save")))) throw new Error("");
    await ask("consent-texts", { method: "POST", body: { ...words, text: wording.value } });
    toast(t("admin.consents.done", words));
    again();
  };
  const shown = form(t("admin.consents.add"), content, t("admin.consents.save"), send, (error) => (error.status === 409 ? t("admin.consents.taken") : error.message));
  shown.classList.add("broad");
}
