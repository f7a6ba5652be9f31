// The page of one session: live while it is open, its results afterwards, and the step from one to the other.

import { ask, serverNow } from "./api.js";
import { byId, make, say, warn } from "./elements.js";
import { duration, time } from "./format.js";
import { Live } from "./live/live.js";
import { register } from "./shortcuts.js";
import { Stored } from "./stored/stored.js";
import { t } from "./texts.js";

const WHILE_LIVE = 5000; // in case the word of the end does not reach us
const UNTIL_CLOSED = 1500; // and until a revision that is due is there
const ONCE_CLOSED = 20_000; // late data makes another revision

const id = byId("session").dataset.session ?? "";
const path = `sessions/${encodeURIComponent(id)}`;
/** @type {Live | null} */
let live = null;
const stored = new Stored(path, soon);
/** @type {any} */
let session = null;
let timer = 0;
let asking = false;

async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    session = await ask(path);
    facts();
    if (!live) warn(byId("trouble"), "");
    if (session.state === "open") {
      watch();
    } else {
      unwatch();
      await stored.show(session);
    }
  } catch (error) {
    if (!live) warn(byId("trouble"), `${/** @type {Error} */ (error).message} ${t("frame.again")}`);
  } finally {
    asking = false;
  }
  const wait = session?.state === "closed" && !session.changed ? ONCE_CLOSED : live ? WHILE_LIVE : UNTIL_CLOSED;
  timer = window.setTimeout(refresh, wait);
}

/** Something was asked for: look at once. */
function soon() {
  clearTimeout(timer);
  timer = window.setTimeout(refresh, 200);
}

function watch() {
  if (live) {
    live.origin ??= origin();
    return;
  }
  byId("live").hidden = false;
  byId("stored").hidden = true;
  live = new Live(byId("live"), path, { ended: refresh, heard: hear });
  live.origin = origin();
  live.start();
}

function unwatch() {
  live?.stop();
  live = null;
  byId("live").hidden = true;
  byId("stored").hidden = false;
}

/** What the socket says of the session itself; its `utc` is in nanoseconds.
 * @param {any} message */
function hear(message) {
  if (live && message.origin?.utc) live.origin = message.origin.utc / 1e6;
  if (message.simulated) byId("simulated").hidden = false;
}

/** @returns {number | null} */
function origin() {
  return session?.started ? Date.parse(session.started) : null;
}

function facts() {
  const badge = byId("state");
  const state = session.state === "open" ? "live" : (session.outcome ?? session.state);
  badge.dataset.state = session.outcome ?? session.state;
  say(badge, t(`session.state.${state}`));
  byId("simulated").hidden = !session.simulated;
  byId("began").replaceChildren(time(Date.parse(session.started ?? session.first_seen)));
  say(byId("kiosk"), session.kiosk);
  const person = session.patient_id ? make("a", { href: `/patients/${encodeURIComponent(session.patient_id)}` }, session.pseudonym ?? session.patient_id) : t("session.nobody");
  byId("person").replaceChildren(person);
  tick();
}

function tick() {
  if (!session) return;
  const began = Date.parse(session.started ?? session.first_seen);
  const until = session.state === "open" ? serverNow() : Date.parse(session.last_seen);
  say(byId("length-name"), t(session.state === "open" ? "session.running" : "session.duration"));
  say(byId("length"), duration(session.duration ?? (until - began) / 1000));
}

/** All about the number that has the focus, or about the first. */
function inform() {
  const near = document.activeElement?.closest("tr")?.querySelector(".open") ?? document.querySelector("#readings tr:not([hidden]) .open");
  if (near instanceof HTMLElement) {
    near.focus();
    near.click();
  }
}

if (byId("session").dataset.results !== undefined) register("i", t("session.keys.about"), inform);
setInterval(tick, 1000);
refresh();
