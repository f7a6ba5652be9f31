// The dialog in which somebody says what they make of a session's newest analysis.

import { ask } from "../api.js";
import { dialog, make, warn } from "../elements.js";
import { shortTime } from "../format.js";
import { t } from "../texts.js";

const VERDICTS = ["accepted", "repeat", "unusable"];

/** @param {any} session @returns {Promise<boolean>} whether a review was stored */
export function review(session) {
  return new Promise((resolve) => {
    let stored = false;
    const wrong = make("p", { class: "wrong", role: "alert", hidden: true });
    const comment = /** @type {HTMLTextAreaElement} */ (make("textarea", { id: "review-comment", maxlength: 4000, "aria-describedby": "review-help" }));
    const save = make("button", { type: "submit", class: "strong" }, t("frame.save"));
    const cancel = make("button", { type: "button" }, t("frame.cancel"));
    const form = make(
      "form",
      { novalidate: true },
      wrong,
      make("div", { class: "verdicts", role: "radiogroup", "aria-label": t("worklist.review_title") }, ...VERDICTS.map(choice)),
      make("div", { class: "fields" }, make("label", { for: "review-comment" }, t("worklist.comment")), comment, make("p", { class: "help", id: "review-help" }, t("worklist.comment_help"))),
      make("div", { class: "doing" }, save, cancel),
    );
    const time = shortTime(Date.parse(session.started ?? session.first_seen)).textContent;
    const about = t("worklist.review_of", { revision: session.revision, person: session.pseudonym ?? t("worklist.nobody"), time });
    const shown = dialog(t("worklist.review_title"), make("p", { class: "quiet" }, about), form);
    /** @type {HTMLInputElement} */ (form.querySelector("input")).focus();
    cancel.addEventListener("click", () => shown.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const verdict = new FormData(/** @type {HTMLFormElement} */ (form)).get("verdict");
      if (!verdict) return warn(wrong, t("worklist.choose"));
      /** @type {HTMLButtonElement} */ (save).disabled = true;
      try {
        const body = { revision: session.revision, verdict, comment: comment.value.trim() || null };
        await ask(`sessions/${encodeURIComponent(session.id)}/reviews`, { method: "POST", body });
        stored = true;
        shown.close();
      } catch (error) {
        warn(wrong, /** @type {Error} */ (error).message);
        /** @type {HTMLButtonElement} */ (save).disabled = false;
      }
    });
    shown.addEventListener("close", () => resolve(stored));
  });
}

/** @param {string} verdict */
function choice(verdict) {
  return make(
    "label",
    { class: "verdict" },
    make("input", { type: "radio", name: "verdict", value: verdict }),
    make("span", {}, make("strong", {}, t(`worklist.verdict.${verdict}`)), make("small", {}, t(`worklist.help.${verdict}`))),
  );
}
