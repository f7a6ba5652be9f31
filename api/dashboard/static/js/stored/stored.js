// What is left of a session when it is over: results, recorded signals, delivery, events. Filled anew per revision.

import { ask, items } from "../api.js";
import { byId, warn } from "../elements.js";
import { showDelivery } from "./delivery.js";
import { showEvents } from "./events.js";
import { showReadings } from "./readings.js";
import { Wave } from "./wave.js";

export class Stored {
  /** @param {string} path of the session, below /api/v1 */
  constructor(path) {
    this.path = path;
    this.shown = "";
    const { results, waveforms } = byId("session").dataset;
    /** Not every role reads them. */
    this.reads = results !== undefined;
    this.wave = waveforms === undefined ? null : new Wave(path);
  }

  /** @param {any} session */
  async show(session) {
    const closed = session.state === "closed";
    warn(byId("progress"), progress(session));
    const state = [session.state, session.revision, session.delivery?.delivered].join();
    if (state === this.shown) return;
    const [readings, events] = await Promise.all([
      this.reads ? items(`${this.path}/readings`) : [],
      ask(`${this.path}/events`),
    ]);
    if (this.reads) showReadings(byId("readings"), readings, closed ? "No value could be computed." : "The results follow.");
    showEvents(byId("events"), events.items);
    showDelivery(byId("delivery"), session);
    await this.wave?.show(session);
    this.shown = state;
  }
}

/** @param {any} session */
function progress(session) {
  if (session.state !== "closed") {
    return session.delivery?.complete
      ? "The session has ended. Everything is delivered; the recording is being analysed."
      : "The session has ended. Waiting for the rest of the recording; what does not come will be said so.";
  }
  if (session.changed) return "More of the recording has arrived since; a new revision is being made.";
  return "";
}
