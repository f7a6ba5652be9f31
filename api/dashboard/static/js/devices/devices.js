// The fleet: a row for each kiosk, sorted and filtered as one likes, asked for again every few seconds.

import { ask, items } from "../api.js";
import { signal as signalWords } from "../catalogue.js";
import { byId, make, say, warn } from "../elements.js";
import { clock } from "../format.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";
import { detail } from "./detail.js";
import { amiss, isSilent, isSlow, most, span } from "./why.js";

const EVERY = 3000;
const ORDER = ["trouble", "offline", "measuring", "free", "revoked"];
const KINDS = { trouble: "warning", offline: "urgent", measuring: "good", free: "", revoked: "plain" };

const body = byId("rows");
const table = byId("fleet");
const may = { commands: "commands" in table.dataset, sessions: "sessions" in table.dataset };
const only = /** @type {HTMLInputElement} */ (byId("only"));
const search = /** @type {HTMLInputElement} */ (byId("search"));
/** @type {any[]} */
let kiosks = [];
/** @type {Map<string, HTMLTableRowElement>} */
const rows = new Map();
/** @type {Map<string, HTMLTableRowElement>} */
const details = new Map();
let by = "state";
let down = false;
let timer = 0;
let turn = 0;
let first = new URLSearchParams(location.search).get("kiosk");

async function refresh() {
  clearTimeout(timer);
  const mine = ++turn;
  try {
    const found = await items("devices");
    if (mine !== turn) return;
    kiosks = found.map((each) => ({ ...each, amiss: amiss(each) }));
    table.setAttribute("aria-busy", "false");
    say(byId("updated"), t("devices.updated", { time: clock(Date.now()) }));
    warn(byId("trouble"), "");
    show();
    if (first && rows.has(first)) toggle(first, true);
    first = null;
    for (const kiosk of details.keys()) await open(kiosk);
  } catch (error) {
    if (mine !== turn) return;
    warn(byId("trouble"), t("devices.lost", { problem: /** @type {Error} */ (error).message }));
  }
  timer = window.setTimeout(refresh, document.hidden ? 10 * EVERY : EVERY);
}

/** @type {Record<string, (kiosk: any) => string | number>} */
const KEYS = {
  kiosk: (kiosk) => kiosk.kiosk,
  state: (kiosk) => ORDER.indexOf(stateOf(kiosk)),
  heard: (kiosk) => kiosk.age ?? Infinity,
  signals: (kiosk) => -kiosk.signals.length,
  waiting: (kiosk) => -most(kiosk, "waiting"),
  lost_column: (kiosk) => -most(kiosk, "lost"),
  version: (kiosk) => kiosk.version ?? "~",
  trouble: (kiosk) => -kiosk.amiss.length,
};

/** @param {any} kiosk */
function stateOf(kiosk) {
  return kiosk.amiss.length && ["measuring", "free"].includes(kiosk.state) ? "trouble" : kiosk.state;
}

function show() {
  const wanted = search.value.trim().toLocaleLowerCase();
  const matches = (/** @type {any} */ kiosk) =>
    !wanted || [kiosk.kiosk, kiosk.place, ...kiosk.devices.map((/** @type {any} */ each) => each.device)].some((each) => each.toLocaleLowerCase().includes(wanted));
  const shown = kiosks.filter((kiosk) => matches(kiosk) && (!only.checked || ["trouble", "offline"].includes(stateOf(kiosk))));
  const key = KEYS[by];
  shown.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    const order = typeof x === "string" || typeof y === "string" ? String(x).localeCompare(String(y), undefined, { numeric: true }) : x - y;
    return (down ? -order : order) || a.kiosk.localeCompare(b.kiosk, undefined, { numeric: true });
  });
  const names = new Set(shown.map((kiosk) => kiosk.kiosk));
  const all = shown.flatMap((kiosk) => [row(kiosk), details.get(kiosk.kiosk)].filter(Boolean));
  all.forEach((each, index) => {
    if (body.children[index] !== each) body.insertBefore(/** @type {Node} */ (each), body.children[index] ?? null);
  });
  while (body.children.length > all.length) body.lastElementChild?.remove();
  for (const name of [...rows.keys()]) if (!kiosks.some((kiosk) => kiosk.kiosk === name)) rows.delete(name);
  for (const name of [...details.keys()]) if (!names.has(name)) details.delete(name);
  byId("none").hidden = kiosks.length > 0;
  table.hidden = !kiosks.length;
  say(byId("empty"), !kiosks.length || shown.length ? "" : t(only.checked && !wanted ? "devices.fine" : "devices.nothing"));
  for (const button of table.querySelectorAll(".sort")) {
    const mine = /** @type {HTMLElement} */ (button).dataset.by === by;
    /** @type {HTMLElement} */ (button.parentElement).setAttribute("aria-sort", mine ? (down ? "descending" : "ascending") : "none");
  }
}

/** @param {any} kiosk */
function row(kiosk) {
  let element = rows.get(kiosk.kiosk);
  if (!element) {
    const button = make("button", { type: "button", class: "opens", "aria-expanded": "false", "aria-label": t("devices.open", { kiosk: kiosk.kiosk }) }, make("strong", {}, kiosk.kiosk), make("small", {}));
    button.onclick = () => toggle(kiosk.kiosk);
    element = /** @type {HTMLTableRowElement} */ (make("tr", {}, make("th", { scope: "row" }, button), ...Array.from({ length: 7 }, (_, i) => make("td", { class: i === 3 || i === 4 ? "right" : "" }))));
    rows.set(kiosk.kiosk, element);
  }
  const [name, state, heard, signals, waiting, lost, version, trouble] = element.children;
  say(/** @type {Element} */ (name.querySelector("small")), kiosk.place);
  const now = stateOf(kiosk);
  element.dataset.state = now;
  if (state.getAttribute("data-now") !== now) {
    state.setAttribute("data-now", now);
    state.replaceChildren(make("span", { class: "badge", "data-kind": KINDS[now] }, t(`devices.states.${now}`)));
  }
  say(heard, kiosk.age === null ? t("devices.never") : t("devices.ago", { time: span(kiosk.age) }));
  chips(signals, kiosk.signals);
  say(waiting, String(most(kiosk, "waiting")));
  say(lost, String(most(kiosk, "lost")));
  say(version, kiosk.version ?? "–");
  say(trouble, kiosk.amiss.join(" · "));
  return element;
}

/** @param {Element} place @param {any[]} signals */
function chips(place, signals) {
  const key = JSON.stringify(signals.map((each) => [each.signal, each.device, isSilent(each), isSlow(each) || each.missing > 0]));
  if (place.getAttribute("data-key") === key) return;
  place.setAttribute("data-key", key);
  const made = signals.map((each) => make("span", { class: "chip", "data-kind": isSilent(each) ? "bad" : isSlow(each) || each.missing ? "fair" : "good", title: `${signalWords(each.signal).title}, ${each.device}` }, each.signal.replaceAll("_", " ")));
  place.replaceChildren(...(made.length ? made : ["–"]));
}

/** @param {string} kiosk @param {boolean} [wanted] */
function toggle(kiosk, wanted = !details.has(kiosk)) {
  const button = rows.get(kiosk)?.querySelector(".opens");
  button?.setAttribute("aria-expanded", String(wanted));
  if (wanted) {
    details.set(kiosk, /** @type {HTMLTableRowElement} */ (make("tr", { class: "detail" }, make("td", { colspan: 8 }, make("p", { class: "quiet" }, t("devices.loading"))))));
    open(kiosk).catch((error) => warn(byId("trouble"), error.message));
  } else details.delete(kiosk);
  show();
}

/** @param {string} kiosk */
async function open(kiosk) {
  const found = await ask(`devices/${encodeURIComponent(kiosk)}`);
  const place = details.get(kiosk)?.firstElementChild;
  // nobody's button is taken from under the finger
  if (!place || place.contains(document.activeElement)) return;
  place.replaceChildren(detail(found, may));
}

for (const button of table.querySelectorAll(".sort")) {
  /** @type {HTMLElement} */ (button).onclick = () => {
    const wanted = /** @type {HTMLElement} */ (button).dataset.by ?? "state";
    down = wanted === by && !down;
    by = wanted;
    show();
  };
}
only.addEventListener("change", show);
search.addEventListener("input", show);
register("x", t("devices.trouble_key"), () => only.click());
register("/", t("devices.search_key"), (event) => {
  event.preventDefault();
  search.focus();
});
register("r", t("devices.refresh_key"), () => refresh());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
refresh();
