// The work list: what waits, the most pressing first. Everything is done from here, by mouse or by keyboard.

import { ask } from "../api.js";
import { byId, make, say, toast, warn } from "../elements.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";
import { review } from "./review.js";
import { row } from "./row.js";

const EVERY = 10_000;
const PAGE = 25;
const MOST = 1000; // the server counts no further

const list = byId("work");
/** @type {string} */
let why = new URLSearchParams(location.search).get("why") ?? "";
/** @type {any[]} */
let waiting = [];
/** @type {string | null} */
let next = null;
let pages = 1;
let timer = 0;
let turn = 0;
/** The session whose row is current. */
let current = "";

/** @param {string | null} cursor */
function path(cursor) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (why) query.set("why", why);
  if (cursor) query.set("cursor", cursor);
  return `worklist?${query}`;
}

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const found = await ask(path(null));
    if (mine !== turn) return;
    waiting = found.items;
    next = found.next;
    pages = 1;
    count(found.counts);
    show();
    warn(byId("trouble"), "");
  } catch (error) {
    if (mine !== turn) return;
    warn(byId("trouble"), `${/** @type {Error} */ (error).message} ${t("worklist.old")}`);
  }
  later();
}

/** Look again by itself, unless somebody has gone further down or is at something. */
function later() {
  timer = window.setTimeout(() => {
    const busy = pages > 1 || document.querySelector("dialog[open]") || document.visibilityState !== "visible";
    if (busy) later();
    else refresh();
  }, EVERY);
}

async function more() {
  if (!next) return;
  const found = await ask(path(next));
  waiting.push(...found.items);
  next = found.next;
  pages += 1;
  show();
}

/** @param {Record<string, number> | null} counts */
function count(counts) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (byId("whys").querySelectorAll("button"))) {
    const many = /** @type {HTMLElement} */ (button.querySelector(".many"));
    const n = counts?.[button.dataset.why ?? ""] ?? 0;
    many.hidden = !n;
    say(many, n >= MOST ? t("worklist.many", { n: MOST - 1 }) : String(n));
    button.setAttribute("aria-pressed", String((button.dataset.why ?? "") === why));
  }
}

function show() {
  list.setAttribute("aria-busy", "false");
  byId("more").hidden = !next;
  if (!waiting.length) {
    const which = why ? "nothing" : "none";
    list.replaceChildren(
      make("li", { class: "empty" }, make("h2", {}, t(`worklist.${which}.title`)), make("p", {}, t(`worklist.${which}.about`))),
    );
    return;
  }
  const before = new Map([...list.children].map((each) => [/** @type {HTMLElement} */ (each).dataset.key, each]));
  const focused = list.contains(document.activeElement);
  const wanted = waiting.map((each) => {
    const key = `${each.session.id} ${JSON.stringify(each)}`;
    const known = before.get(key);
    if (known) return /** @type {HTMLElement} */ (known);
    const made = row(each, { acknowledge, judge, flags: list.dataset });
    made.dataset.key = key;
    return made;
  });
  if (wanted.length !== list.children.length || wanted.some((each, index) => list.children[index] !== each)) {
    list.replaceChildren(...wanted);
    if (focused) element(current)?.focus();
  }
  if (!element(current)) current = "";
  for (const each of wanted) each.tabIndex = each.dataset.session === (current || waiting[0].session.id) ? 0 : -1;
}

/** @param {string} session @returns {HTMLElement | null} */
function element(session) {
  return /** @type {HTMLElement | null} */ ([...list.children].find((each) => /** @type {HTMLElement} */ (each).dataset.session === session) ?? null);
}

/** @param {string} session */
function go(session) {
  current = session;
  for (const each of /** @type {HTMLElement[]} */ ([...list.children])) each.tabIndex = each.dataset.session === session ? 0 : -1;
  const found = element(session);
  found?.focus();
  found?.scrollIntoView({ block: "nearest" });
}

/** @param {number} by */
function step(by) {
  if (!waiting.length) return;
  const at = waiting.findIndex((each) => each.session.id === current);
  go(waiting[Math.min(waiting.length - 1, Math.max(0, at < 0 ? 0 : at + by))].session.id);
}

const chosen = () => waiting.find((each) => each.session.id === current);

/** After something was done with a row: where the list goes on if the row moves away.
 * @param {any} each */
function onward(each) {
  const at = waiting.indexOf(each);
  return (waiting[at + 1] ?? waiting[at - 1] ?? each).session.id;
}

/** @param {any} each */
async function acknowledge(each) {
  if (!each.alerts.length || !("alerts" in list.dataset)) return;
  const following = onward(each);
  try {
    for (const alert of each.alerts) await ask(`alerts/${encodeURIComponent(alert.id)}/acknowledge`, { method: "POST" });
    toast(t("worklist.acknowledged"));
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
  await refresh();
  go(following);
}

/** @param {any} each */
async function judge(each) {
  if (!("reviews" in list.dataset)) return;
  const following = onward(each);
  if (!(await review(each.session))) return;
  toast(t("worklist.reviewed"));
  await refresh();
  go(following);
}

list.addEventListener("focusin", (event) => {
  const found = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-session]"));
  if (found?.dataset.session) current = found.dataset.session;
});
byId("refresh").addEventListener("click", refresh);
byId("more").addEventListener("click", more);
for (const button of /** @type {NodeListOf<HTMLElement>} */ (byId("whys").querySelectorAll("button"))) {
  button.addEventListener("click", () => {
    why = button.dataset.why ?? "";
    history.replaceState(null, "", why ? `?why=${why}` : location.pathname);
    for (const each of byId("whys").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
    refresh();
  });
}
register("j", t("worklist.keys.next"), () => step(1));
register("k", t("worklist.keys.previous"), () => step(-1));
register("Enter", t("worklist.keys.open"), () => current && location.assign(`/sessions/${encodeURIComponent(current)}`));
if ("alerts" in list.dataset) register("a", t("worklist.keys.acknowledge"), () => chosen() && acknowledge(chosen()));
if ("reviews" in list.dataset) register("r", t("worklist.keys.review"), () => chosen() && judge(chosen()));
register("o", t("worklist.keys.person"), () => {
  const person = chosen()?.session.patient_id;
  if (person) location.assign(`/patients/${encodeURIComponent(person)}`);
});
refresh();
