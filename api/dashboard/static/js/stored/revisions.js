// The analyses of a session: which is shown, what a new one changed, corrections that can be taken back.

import { ask, items } from "../api.js";
import { measure, sentence } from "../catalogue.js";
import { byId, make, sure, toast } from "../elements.js";
import { moment, number, time } from "../format.js";
import { t } from "../texts.js";
import { written } from "./about.js";

const MAIN = ["heart_rate", "sdnn", "rmssd", "pnn50", "stress", "beats_corrected", "ectopic_burden"];

export class Revisions {
  /** @param {string} path @param {boolean} corrects @param {(revision: number) => Promise<void>} chosen shows its numbers
   * @param {() => void} again look at the session again, soon */
  constructor(path, corrects, chosen, again) {
    this.path = path;
    this.corrects = corrects;
    this.chosen = chosen;
    this.again = again;
    /** The revision that this page showed first: what is newer is compared with the one before. */
    this.first = -1;
    this.choice = /** @type {HTMLSelectElement} */ (byId("revision"));
    this.choice.addEventListener("change", () => this.#choose(Number(this.choice.value)));
    if (corrects) byId("again").addEventListener("click", () => this.#analyse());
  }

  /** @param {any} session */
  async show(session) {
    const [revisions, corrections] = await Promise.all([items(`${this.path}/revisions`), ask(`${this.path}/corrections`)]);
    this.revisions = revisions;
    this.choice.hidden = revisions.length < 2;
    this.choice.replaceChildren(
      ...revisions
        .slice()
        .reverse()
        .map((/** @type {any} */ each) => make("option", { value: each.number, selected: each.number === session.revision }, t("session.revision_line", { n: each.number, reason: t(`session.reason.${each.reason}`) }))),
    );
    if (this.corrects) byId("again").hidden = session.state !== "closed" || session.changed || !session.revision;
    this.#provenance(session, corrections);
    await this.#choose(session.revision);
    if (this.first >= 0 && session.revision > this.first) await this.#compare(session.revision - 1, session.revision);
    this.first = session.revision;
  }

  /** @param {number} revision */
  async #choose(revision) {
    await this.chosen(revision);
    const newest = this.revisions?.[this.revisions.length - 1]?.number;
    if (newest !== undefined && revision !== newest) await this.#compare(revision, newest);
    else byId("changes").hidden = true;
  }

  /** What differs between two analyses, in the main numbers.
   * @param {number} before @param {number} after */
  async #compare(before, after) {
    if (before < 1) return;
    const [old, now] = await Promise.all([before, after].map((each) => items(`${this.path}/readings?scope=recording&revision=${each}`)));
    const rows = MAIN.flatMap((name) => {
      const [a, b] = [old, now].map((all) => all.find((each) => each.measure === name && each.preferred) ?? all.find((each) => each.measure === name));
      return a && b ? [make("tr", {}, make("th", { scope: "row" }, measure(name).title), make("td", {}, said(a)), make("td", {}, said(b)), make("td", {}, difference(a, b)))] : [];
    });
    const head = ["", t("session.revision_n", { n: before }), t("session.revision_n", { n: after }), t("session.difference")].map((title) => make("th", { scope: "col" }, title));
    const place = byId("changes");
    place.replaceChildren(make("h3", {}, t("session.before_after")), make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
    place.hidden = !rows.length;
  }

  async #analyse() {
    try {
      await ask(`${this.path}/reanalyses`, { method: "POST" });
      toast(t("session.again_asked"));
      this.again();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
  }

  /** How the numbers came about: every analysis, what was known, and what people did to beats.
   * @param {any} session @param {any} corrections */
  #provenance(session, corrections) {
    const head = ["number", "when", "reason", "who", "software", "outcome", "beats", "context"].map((name) => make("th", { scope: "col" }, t(`session.provenance.${name}`)));
    const rows = (this.revisions ?? []).map((/** @type {any} */ each) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, String(each.number)),
        make("td", {}, time(Date.parse(each.created))),
        make("td", {}, t(`session.reason.${each.reason}`)),
        make("td", {}, each.requested_by ?? "–"),
        make("td", {}, each.version),
        make("td", {}, t(`session.state.${each.outcome}`)),
        make("td", { class: "right" }, each.beats === null ? "–" : number(each.beats, 0)),
        make("td", {}, context(each.context)),
      ),
    );
    const place = byId("provenance");
    place.replaceChildren(
      rows.length ? make("div", { class: "scroll" }, make("table", { class: "table" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))) : make("p", { class: "quiet" }, t("session.not_analysed")),
    );
    const made = corrections.items;
    if (!made.length) return;
    const mine = this.corrects && !session.changed;
    const list = made.map((/** @type {any} */ each) => this.#correction(each, mine));
    const all = make("button", { type: "button", hidden: !mine || !corrections.in_force }, t("session.undo_all"));
    all.addEventListener("click", async () => {
      if (await sure(t("session.undo_all"), t("session.undo_all_sure", { n: corrections.in_force }), t("session.undo_all"))) await this.#undo("");
    });
    place.append(make("details", { class: "more", open: corrections.in_force > 0 }, make("summary", {}, t("session.corrections", { n: corrections.in_force, all: made.length })), make("ul", {}, ...list), all));
  }

  /** @param {any} each @param {boolean} mine */
  #correction(each, mine) {
    const words = t(`session.correction.${each.kind}`, { time: moment(each.time), to: each.to === null ? "" : moment(each.to) });
    const state = each.undone ? ` · ${t("session.undone", { who: each.undone_by ?? "–" })}` : "";
    const undo = make("button", { type: "button", class: "plain", hidden: !mine || each.undone !== null }, t("strip.undo"));
    undo.addEventListener("click", () => this.#undo(`/${encodeURIComponent(each.id)}`));
    return make("li", {}, `${words} · ${each.author_id} · `, time(Date.parse(each.created)), state, " ", undo);
  }

  /** @param {string} which */
  async #undo(which) {
    try {
      await ask(`${this.path}/corrections${which}`, { method: "DELETE" });
      toast(t("session.undo_done"));
      this.again();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
    }
  }
}

/** @param {any} reading */
function said(reading) {
  return reading.value === null ? sentence(reading.absent) : written(reading);
}

/** @param {any} a @param {any} b */
function difference(a, b) {
  if (a.value === null || b.value === null) return "–";
  const known = measure(a.measure);
  const by = known.times * (b.value - a.value);
  return Math.abs(by) < 10 ** -known.decimals / 2 ? "=" : `${by > 0 ? "+" : ""}${number(by, known.decimals)}`;
}

/** What was known of the person. @param {any} known */
function context(known) {
  const parts = [
    known.age == null ? null : t("session.context.age", { n: number(known.age, 0) }),
    known.sex ? t(`session.sex.${known.sex}`) : null,
    known.baselines?.length ? t("session.context.baselines", { n: known.baselines.length }) : null,
    known.norms_version || null,
    known.by_hand ? t("session.context.by_hand", { n: known.by_hand }) : null,
  ];
  return parts.filter(Boolean).join(", ") || "–";
}
