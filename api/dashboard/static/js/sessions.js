// Keeps the list of sessions up to date while one looks: live ones on top, the others newest first.

import { ask, items, serverNow } from "./api.js";
import { SILENT, measure, stateWords } from "./catalogue.js";
import { byId, make, say, warn } from "./elements.js";
import { duration, number, time } from "./format.js";
import { showKiosks } from "./list/kiosks.js";
import { LiveRates } from "./list/rates.js";

const EVERY = 3000;
const HEART_RATE = measure("heart_rate");

const body = byId("rows");
const table = /** @type {HTMLElement} */ (body.closest("table"));
const rates = new LiveRates();
/** Those that the server wrote are taken over. @type {Map<string, HTMLElement>} */
const rows = new Map();
/** Cursors of the pages before this one. @type {(string | null)[]} */
let before = [];
/** @type {string | null} */
let cursor = null;
/** @type {string | null} */
let next = null;
let timer = 0;
let turn = 0;

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const [open, page, kiosks] = await Promise.all([
      items(`sessions?state=open&limit=${table.dataset.mostLive}`),
      ask(`sessions?limit=${table.dataset.limit}${query}`),
      items("kiosks"),
    ]);
    if (mine !== turn) return;
    next = page.next;
    const rest = page.items.filter((/** @type {any} */ each) => !open.some((/** @type {any} */ o) => o.id === each.id));
    show(cursor ? rest : [...open, ...rest]);
    showKiosks(byId("kiosks"), kiosks, open);
    rates.watch(cursor ? [] : open.filter(isLive).map((/** @type {any} */ each) => each.id));
    warn(byId("trouble"), "");
  } catch (error) {
    if (mine !== turn) return;
    warn(byId("trouble"), `${/** @type {Error} */ (error).message} What is shown may be old; trying again.`);
  }
  timer = window.setTimeout(refresh, EVERY);
}

/** @param {any[]} sessions */
function show(sessions) {
  table.classList.toggle("none", !sessions.length);
  /** @type {HTMLButtonElement} */ (byId("older")).disabled = !next;
  /** @type {HTMLButtonElement} */ (byId("newer")).disabled = !before.length;
  say(byId("place"), before.length ? `Page ${before.length + 1}` : "Newest first");
  if (!sessions.length) {
    const empty = /** @type {HTMLTemplateElement} */ (byId("empty")).content.cloneNode(true);
    if (!body.querySelector(".empty")) body.replaceChildren(make("tr", { class: "waiting" }, make("td", { colspan: 6 }, empty)));
    rows.clear();
    return;
  }
  const wanted = sessions.map(row);
  // only what changed place is moved: focus and pointer stay where they are
  wanted.forEach((each, index) => {
    if (body.children[index] !== each) body.insertBefore(each, body.children[index] ?? null);
  });
  while (body.children.length > wanted.length) body.lastElementChild?.remove();
  for (const [id, element] of rows) if (!element.isConnected) rows.delete(id);
}

/** @param {any} session */
function isLive(session) {
  return session.state === "open" && serverNow() - Date.parse(session.last_seen) < SILENT;
}

/** @param {any} session */
function row(session) {
  let element = rows.get(session.id);
  if (!element) {
    element = make("tr", { "data-session": session.id }, ...Array.from({ length: 6 }, (_, i) => make("td", { class: i > 3 ? "right" : "" })));
    rows.set(session.id, element);
    const link = make("a", { href: `/sessions/${encodeURIComponent(session.id)}` });
    element.children[1].append(link);
  }
  const [state, began, kiosk, person, length, heart] = element.children;
  const now = stateOf(session);
  const key = JSON.stringify([now, session.simulated, session.started]);
  if (element.dataset.key !== key) {
    element.dataset.key = key;
    element.className = now === "live" ? "live" : "";
    state.replaceChildren(make("span", { class: "states" }, ...badges(now, session.simulated)));
    began.firstElementChild?.replaceChildren(time(Date.parse(session.started ?? session.first_seen)));
  }
  say(kiosk, session.kiosk);
  say(person, session.pseudonym ?? "–");
  say(length, duration(seconds(session)));
  const rate = session.heart_rate ?? rates.of(session.id);
  say(heart, rate === null ? "–" : `${number(rate, HEART_RATE.decimals)} ${HEART_RATE.unit}`);
  return element;
}

/** @param {any} session */
function stateOf(session) {
  if (session.state === "open") return isLive(session) ? "live" : "silent";
  return session.outcome ?? session.state;
}

/** @param {string} state @param {boolean} simulated */
function badges(state, simulated) {
  const badge = make("span", { class: "badge", "data-state": state }, stateWords(state));
  return simulated ? [badge, make("span", { class: "badge simulated" }, "Simulated")] : [badge];
}

/** @param {any} session */
function seconds(session) {
  if (session.duration !== null) return session.duration;
  const until = isLive(session) ? serverNow() : Date.parse(session.last_seen);
  return (until - Date.parse(session.started ?? session.first_seen)) / 1000;
}

byId("older").onclick = () => {
  if (!next) return;
  before.push(cursor);
  cursor = next;
  refresh();
};
byId("newer").onclick = () => {
  if (!before.length) return;
  cursor = before.pop() ?? null;
  refresh();
};
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
for (const each of body.querySelectorAll("tr")) {
  const began = each.querySelector("time");
  began?.replaceWith(time(Date.parse(began.dateTime)));
  if (each.dataset.session) rows.set(each.dataset.session, each);
}
refresh();
