// What is left of a session when it is over: results, strip, delivery, events, and what people say of it. Anew per revision.

import { ask, everyPage, items } from "../api.js";
import { byId, warn } from "../elements.js";
import { beatsOf } from "../strip/beats.js";
import { Controls } from "../strip/controls.js";
import { Strip } from "../strip/strip.js";
import { t } from "../texts.js";
import { showDelivery } from "./delivery.js";
import { eventWords, showEvents } from "./events.js";
import { showKey } from "./key.js";
import { People } from "./people.js";
import { showReadings } from "./readings.js";
import { Revisions } from "./revisions.js";

export class Stored {
  /** @param {string} path of the session, below /api/v1 @param {() => void} again look at the session again, soon */
  constructor(path, again) {
    this.path = path;
    this.shown = "";
    this.streams = "";
    const has = byId("session").dataset;
    /** Not every role reads them. */
    this.reads = has.results !== undefined;
    this.revisions = this.reads ? new Revisions(path, has.corrects !== undefined, (number) => this.#results(number), again) : null;
    this.people = new People(path, has);
    /** @type {Strip | null} */
    this.strip = null;
    /** @type {Controls | null} */
    this.controls = null;
    if (has.waveforms !== undefined) {
      const canvas = /** @type {HTMLCanvasElement} */ (byId("strip-canvas"));
      this.strip = new Strip(canvas, /** @type {HTMLCanvasElement} */ (byId("strip-overview")), byId("strip-where"), path);
      this.controls = new Controls(this.strip, has.corrects !== undefined, again);
    }
    document.getElementById("print")?.addEventListener("click", () => window.print());
    // a menu closes when one looks elsewhere
    document.addEventListener("click", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        if (!menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
    });
  }

  /** @param {any} session */
  async show(session) {
    this.session = session;
    warn(byId("progress"), progress(session));
    document.getElementById("doings")?.removeAttribute("hidden");
    const state = [session.state, session.revision, session.changed, session.delivery?.delivered].join();
    if (state === this.shown) return;
    const events = await everyPage(`${this.path}/events`);
    showEvents(byId("events"), events);
    showDelivery(byId("delivery"), session);
    this.#strip(session, events);
    if (this.revisions) await this.revisions.show(session);
    await this.people.show(session);
    this.shown = state;
  }

  /** The numbers of one revision, the newest as a rule.
   * @param {number} revision */
  async #results(revision) {
    const { session, path } = this;
    const newest = revision === session.revision;
    const [readings, usual, spot] = await Promise.all([
      items(newest ? `${path}/readings` : `${path}/readings?revision=${revision}`),
      revision ? ask(`${path}/usual?revision=${revision}`).catch(() => null) : null,
      newest ? [] : items(`${path}/readings?revision=0`),
    ]);
    const all = [...readings, ...spot];
    showKey(byId("key"), all, usual);
    showReadings(byId("readings"), all, usual, t(session.state === "closed" ? "session.no_value" : "session.follow"));
    document.dispatchEvent(new CustomEvent("revision", { detail: revision }));
    if (this.strip && revision) await this.#beats(revision);
  }

  /** @param {number} revision */
  async #beats(revision) {
    try {
      const { beats } = await beatsOf(this.path, revision);
      this.strip?.setBeats(beats);
      this.controls?.legend();
    } catch {
      // an analysis of an earlier version kept none; the strip is as useful without
    }
  }

  /** @param {any} session @param {any[]} events */
  #strip(session, events) {
    const { strip } = this;
    if (!strip) return;
    const streams = (session.streams ?? []).filter((/** @type {any} */ each) => each.channels && each.samples);
    byId("strip").hidden = !streams.length;
    strip.flags = events.map((event) => ({ time: event.time, text: [eventWords(event.event), event.detail].filter(Boolean).join(": ").slice(0, 60) }));
    const known = JSON.stringify(streams.map((/** @type {any} */ each) => [each.device, each.signal, each.run, each.end]));
    if (known === this.streams || !streams.length) return strip.redraw();
    this.streams = known;
    strip.load({ ...session, streams });
    this.controls?.offer();
    this.#holes();
  }

  /** Where samples are missing, and why: row by row, as soon as it is known. */
  async #holes() {
    const { strip } = this;
    if (!strip) return;
    for (const track of strip.tracks) {
      const query = new URLSearchParams({ device: track.device });
      if (track.run) query.set("run", track.run);
      try {
        const found = await items(`${this.path}/waveforms/${track.signal}/holes?${query}`);
        strip.holes.set(track, [...(strip.holes.get(track) ?? []), ...found]);
        strip.redraw();
      } catch {
        // the gaps themselves are seen without their reasons
      }
    }
  }
}

/** @param {any} session */
function progress(session) {
  if (session.state !== "closed") return t(session.delivery?.complete ? "session.progress.analysing" : "session.progress.waiting");
  return session.changed ? t("session.progress.revising") : "";
}
