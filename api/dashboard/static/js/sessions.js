// Keeps the list of sessions up to date while one looks: live ones on top, the others newest first.

import { ask, items, serverNow } from "./api.js";
import { SILENT, measure, stateWords } from "./catalogue.js";
import { byId, make, say, warn } from "./elements.js";
import { duration, number, time } from "./format.js";
import { showKiosks } from "./list/kiosks.js";
import { LiveRates } from "./list/rates.js";
import { t } from "./texts.js";

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
let typing = 0;
const form = /** @type {HTMLFormElement} */ (byId("filters"));

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const [open, page, kiosks] = await Promise.all([
      items(`sessions?state=open&limit=${table.dataset.mostLive}`),
      ask(`sessions?limit=${table.dataset.limit}${query}${chosen()}`),
      items("kiosks"),
    ]);
    if (mine !== turn) return;
    next = page.next;
    const rest = page.items.filter((/** @type {any} */ each) => !open.some((/** @type {any} */ o) => o.id === each.id));
    show(cursor ? rest : chosen() ? page.items : [...open, ...rest]);
    offer(kiosks);
    showKiosks(byId("kiosks"), kiosks, open);
    rates.watch(cursor ? [] : open.filter(isLive).map((/** @type {any} */ each) => each.id));
    warn(byId("trouble"), "");
  } catch (error) {
    if (mine !== turn) return;
    warn(byId("trouble"), `${/** @type {Error} */ (error).message} ${t("sessions.may_be_old")}`);
  }
  timer = window.setTimeout(refresh, EVERY);
}

/** @param {any[]} sessions */
function show(sessions) {
  table.classList.toggle("none", !sessions.length);
  /** @type {HTMLButtonElement} */ (byId("older")).disabled = !next;
  /** @type {HTMLButtonElement} */ (byId("newer")).disabled = !before.length;
  say(byId("place"), before.length ? t("sessions.page", { n: before.length + 1 }) : t("sessions.newest"));
  if (!sessions.length) {
    const which = chosen() ? "nothing" : "empty";
    const empty = /** @type {HTMLTemplateElement} */ (byId(which)).content.cloneNode(true);
    if (body.dataset.empty !== which || !body.querySelector(".empty")) body.replaceChildren(make("tr", { class: "waiting" }, make("td", { colspan: 6 }, empty)));
    body.dataset.empty = which;
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
  return simulated ? [badge, make("span", { class: "badge simulated" }, t("frame.simulated"))] : [badge];
}

/** @param {any} session */
function seconds(session) {
  if (session.duration !== null) return session.duration;
  const until = isLive(session) ? serverNow() : Date.parse(session.last_seen);
  return (until - Date.parse(session.started ?? session.first_seen)) / 1000;
}

/** The filters as a query; days are the viewer's, and the last one is meant too. */
function chosen() {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) wanted.set(name, String(value).trim());
  for (const [name, days] of /** @type {[string, number][]} */ ([["since", 0], ["until", 1]])) {
    const day = wanted.get(name);
    if (!day) continue;
    const [year, month, date] = day.split("-").map(Number);
    wanted.set(name, new Date(year, month - 1, date + days).toISOString());
  }
  const text = String(wanted);
  return text && `&${text}`;
}

/** Kiosks to choose from, as they become known. @param {any[]} kiosks */
function offer(kiosks) {
  const select = /** @type {HTMLSelectElement} */ (form.elements.namedItem("kiosk"));
  const known = new Set([...select.options].map((each) => each.value));
  for (const { kiosk } of kiosks) if (!known.has(kiosk)) select.append(make("option", { value: kiosk }, kiosk));
  const wanted = form.dataset.kiosk;
  if (wanted && [...select.options].some((each) => each.value === wanted)) {
    delete form.dataset.kiosk;
    select.value = wanted;
    choose();
  }
}

/** What was chosen stands in the address too: it can be kept, sent and gone back to. */
function choose() {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) wanted.set(name, String(value).trim());
  history.replaceState(null, "", String(wanted) ? `?${wanted}` : location.pathname);
  byId("clear").hidden = !String(wanted);
  before = [];
  cursor = null;
  refresh();
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(choose));
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = window.setTimeout(choose, 250);
});
for (const [name, value] of new URLSearchParams(location.search)) {
  const field = /** @type {HTMLInputElement | null} */ (form.elements.namedItem(name));
  if (name === "kiosk") form.dataset.kiosk = value;
  else if (field) field.value = value;
}
byId("clear").hidden = !chosen();

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
