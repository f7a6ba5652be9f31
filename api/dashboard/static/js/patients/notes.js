// Notes on the patient: written, edited and deleted by who wrote them.

import { ask } from "../api.js";
import { make, sure, toast, warn } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";
import { askFor } from "./form.js";

/** @param {HTMLElement} place @param {string} path @param {{reader: string, writes: boolean}} who */
export async function showNotes(place, path, who) {
  const list = make("ul", { class: "notes" });
  /** @type {string | null} */
  let next = null;
  const more = make("button", { type: "button", class: "plain" }, t("patients.more"));
  const load = async (/** @type {string | null} */ cursor) => {
    const found = await ask(`${path}/notes?limit=20${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    const rows = found.items.map((/** @type {any} */ each) => row(each, who, () => load(null)));
    if (cursor) list.append(...rows);
    else list.replaceChildren(...(rows.length ? rows : [make("li", { class: "quiet" }, t("patient.notes.none"))]));
    next = found.next;
    more.hidden = !next;
  };
  more.addEventListener("click", () => load(next));
  place.replaceChildren(...(who.writes ? [writing(path, () => load(null))] : []), list, more);
  await load(null);
}

/** @param {string} path @param {() => Promise<void>} reload */
function writing(path, reload) {
  const text = /** @type {HTMLTextAreaElement} */ (make("textarea", { id: "new-note", maxlength: 4000, "aria-describedby": "note-help" }));
  const wrong = make("p", { class: "wrong", role: "alert", hidden: true });
  const form = make(
    "form",
    { novalidate: true, class: "writing" },
    make("div", { class: "fields" }, make("label", { for: "new-note" }, t("patient.notes.write")), text, make("p", { class: "help", id: "note-help" }, t("patient.notes.help"))),
    wrong,
    make("div", { class: "doing" }, make("button", { type: "submit" }, t("patient.notes.add"))),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim()) return warn(wrong, t("patient.notes.empty"));
    warn(wrong, "");
    try {
      await ask(`${path}/notes`, { method: "POST", body: { text: text.value } });
      text.value = "";
      toast(t("patient.notes.added"));
      await reload();
    } catch (error) {
      warn(wrong, /** @type {Error} */ (error).message);
    }
  });
  return form;
}

/** @param {any} note @param {{reader: string, writes: boolean}} who @param {() => Promise<void>} reload */
function row(note, who, reload) {
  const mine = note.author_id === who.reader;
  const at = `notes/${encodeURIComponent(note.id)}`;
  const headers = { "if-match": `"${note.version}"` };
  const edit = make("button", { type: "button", class: "plain" }, t("frame.edit"));
  edit.addEventListener("click", () =>
    askFor(t("patient.notes.text"), [{ name: "text", label: t("patient.notes.text"), type: "textarea", value: note.text }], t("frame.save"), async ({ text }) => {
      if (!text) throw new Error(t("patient.notes.empty"));
      await ask(at, { method: "PUT", body: { text }, headers });
      await reload();
    }),
  );
  const remove = make("button", { type: "button", class: "plain" }, t("frame.delete"));
  remove.addEventListener("click", async () => {
    if (!(await sure(t("patient.notes.delete_title"), t("patient.notes.delete_about"), t("frame.delete"), { danger: true }))) return;
    try {
      await ask(at, { method: "DELETE", headers });
      toast(t("patient.notes.deleted"));
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
    await reload();
  });
  const edited = note.edited ? ` · ${t("patient.notes.edited", { time: shortTime(Date.parse(note.edited)).textContent })}` : "";
  return make(
    "li",
    {},
    make("p", { class: "text" }, note.text),
    make("p", { class: "by" }, shortTime(Date.parse(note.created)), edited, mine ? ` · ${t("patient.notes.mine")}` : null, mine && who.writes ? edit : null, mine && who.writes ? remove : null),
  );
}
