// What people say of a session: reviews, notes, answers to questionnaires, the talk with the assistant. Text is text.

import { ask, items } from "../api.js";
import { byId, make, say, toast } from "../elements.js";
import { duration, number, time } from "../format.js";
import { language, t } from "../texts.js";

export class People {
  /** @param {string} path @param {DOMStringMap} has what this reader may see */
  constructor(path, has) {
    this.path = path;
    this.has = has;
    this.revision = 0;
    this.verdict = "";
    if (has.notes === undefined) return;
    byId("note").addEventListener("submit", (event) => this.#note(event));
    byId("review").addEventListener("submit", (event) => this.#review(event));
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-verdict]"))) {
      button.addEventListener("click", () => this.#choose(button.dataset.verdict ?? ""));
    }
  }

  /** @param {any} session */
  async show(session) {
    this.revision = session.revision;
    const quiet = (/** @type {Promise<any>} */ asked) => asked.catch(() => null);
    await Promise.all([
      this.has.notes === undefined ? null : quiet(this.#notes()),
      this.has.notes === undefined ? null : quiet(this.#reviews()),
      this.has.answers === undefined ? null : quiet(this.#answers()),
      this.has.results === undefined ? null : quiet(this.#dialogue()),
      this.has.results === undefined ? null : quiet(this.#earlier(session)),
    ]);
  }

  async #notes() {
    const notes = await items(`${this.path}/notes`);
    byId("notes").replaceChildren(...(notes.length ? notes.map((each) => said(each.text, each.author_id, each.created)) : [quietly("session.no_notes")]));
  }

  /** @param {Event} event */
  async #note(event) {
    event.preventDefault();
    const field = /** @type {HTMLTextAreaElement} */ (byId("note-text"));
    if (!field.value.trim()) return;
    try {
      await ask(`${this.path}/notes`, { method: "POST", body: { text: field.value } });
      field.value = "";
      await this.#notes();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
  }

  async #reviews() {
    const told = await ask(`${this.path}/reviews`);
    byId("review").hidden = !this.revision;
    const lines = told.items.map((/** @type {any} */ each) => said(each.comment ?? "", `${t(`session.verdict.${each.verdict}`)} · ${t("session.revision_n", { n: each.revision })} · ${each.reviewer_id}`, each.created));
    byId("reviews").replaceChildren(...(lines.length ? lines : [quietly("session.no_reviews")]));
    if (lines.length && !told.reviewed) byId("reviews").append(make("p", { class: "trouble" }, t("session.newer_unreviewed")));
  }

  /** @param {string} verdict */
  #choose(verdict) {
    this.verdict = verdict;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-verdict]"))) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    }
    /** @type {HTMLButtonElement} */ (byId("review").querySelector(".strong")).disabled = !verdict;
  }

  /** @param {Event} event */
  async #review(event) {
    event.preventDefault();
    const comment = /** @type {HTMLTextAreaElement} */ (byId("review-comment"));
    try {
      await ask(`${this.path}/reviews`, { method: "POST", body: { revision: this.revision, verdict: this.verdict, comment: comment.value || null } });
      comment.value = "";
      this.#choose("");
      toast(t("session.reviewed"));
      await this.#reviews();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
  }

  async #answers() {
    const answers = await items(`${this.path}/answers`);
    const place = byId("answers");
    place.hidden = !answers.length;
    if (!answers.length) return;
    const shapes = new Map((await items("questionnaires")).map((each) => [each.id, each]));
    /** @type {HTMLElement} */ (place.querySelector("div")).replaceChildren(...answers.map((each) => answered(each, shapes.get(each.questionnaire))));
  }

  async #dialogue() {
    const lines = await items(`${this.path}/dialogue`);
    const place = byId("dialogue");
    place.hidden = !lines.length;
    const turns = lines.map((each) => make("p", { class: "turn", "data-role": each.who, lang: each.language }, make("small", {}, `${t(`session.who.${each.who}`)} · ${duration(each.at)}`), each.text));
    /** @type {HTMLElement} */ (place.querySelector("div")).replaceChildren(...turns);
  }

  /** Other sessions of the same person, to be compared with.
   * @param {any} session */
  async #earlier(session) {
    if (!session.patient_id) return;
    const others = (await items(`sessions?patient=${encodeURIComponent(session.patient_id)}&state=closed&limit=20`)).filter((each) => each.id !== session.id);
    byId("compare").hidden = !others.length;
    byId("earlier").replaceChildren(
      ...others.map((each) => make("li", {}, make("a", { href: `/compare?a=${encodeURIComponent(each.id)}&b=${encodeURIComponent(session.id)}` }, time(Date.parse(each.started ?? each.first_seen))))),
    );
  }
}

/** @param {string} key */
function quietly(key) {
  return make("p", { class: "quiet" }, t(key));
}

/** @param {string} text @param {string} who @param {string} when */
function said(text, who, when) {
  return make("div", { class: "said" }, text ? make("p", {}, text) : null, make("small", {}, `${who} · `, time(Date.parse(when))));
}

/** One questionnaire: score, what it means, and each answer on demand. @param {any} response @param {any} shape */
function answered(response, shape) {
  const words = (/** @type {any} */ both) => both?.[language] ?? both?.en ?? "";
  const title = shape ? words(shape.title) : response.questionnaire;
  const score = response.score === null ? t("session.incomplete") : `${number(response.score, 0)}${shape ? ` / ${number(shape.high, 0)}` : ""}`;
  const rows = (shape?.items ?? []).map((/** @type {any} */ item) => {
    const value = response.answers[item.id];
    const option = item.options.find((/** @type {any} */ each) => each.value === value);
    return make("tr", {}, make("th", { scope: "row" }, words(item.text)), make("td", {}, value === undefined ? "–" : option ? words(option.text) : String(value)));
  });
  const urgent = response.urgent ? make("span", { class: "badge", "data-kind": "urgent" }, t("session.urgent")) : null;
  const element = make("div", { class: "said" }, make("h3", {}, `${title}: `, make("span", { class: "figure" }, score), " ", urgent), response.band ? make("p", {}, words(response.band.text)) : null);
  if (rows.length) element.append(make("details", { class: "more" }, make("summary", {}, t("session.answers_each")), make("table", { class: "table" }, make("tbody", {}, ...rows))));
  say(/** @type {HTMLElement} */ (element.querySelector(".figure")), score);
  return element;
}
