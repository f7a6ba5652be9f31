// The live wall: one socket, one loop that draws, and cards that rest while nobody sees them.

import { byId, say, warn } from "../elements.js";
import { clock } from "../format.js";
import { Feed } from "../live/feed.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";
import { Card } from "./card.js";

const PICTURE = 55; // milliseconds between two pictures: a sweep needs no more, and a screen full of them pays for each
const STILL = 4000; // the server speaks four times a second
const FOOT = 12;
const TALLER = 1.3;
const DENSITIES = ["roomy", "close", "dense", "tight"];

const wall = byId("wall");
/** @type {Map<string, Card>} */
const cards = new Map();
let buckets = 15;
let ahead = 0;
let heard = 0;
let only = "all";
let fitted = false;
let telling = 0;
let previous = performance.now();

const now = () => Date.now() + ahead;

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) cards.get(kioskOf(target))?.trace.size(contentRect.width, contentRect.height);
});
const views = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const card = cards.get(kioskOf(target));
    if (card) card.inView = isIntersecting;
  }
  tellView();
}, { rootMargin: "80px" });

/** @param {Element} element */
function kioskOf(element) {
  return /** @type {HTMLElement} */ (element.closest("li")).dataset.kiosk ?? "";
}

const feed = new Feed("/api/v1/wall/live", take, (connected) => {
  if (connected) tellView();
});

function tellView() {
  clearTimeout(telling);
  telling = window.setTimeout(() => {
    const view = document.hidden ? [] : [...cards.values()].filter((card) => card.inView).map((card) => card.kiosk);
    if (feed.socket?.readyState === WebSocket.OPEN) feed.socket.send(JSON.stringify({ view: view.slice(0, 300) }));
  }, 150);
}

/** @param {any} message */
function take(message) {
  if (message.kind === "hello") {
    buckets = message.buckets;
    ahead = Date.parse(message.now) - Date.now();
    if (Math.abs(ahead) < 2000) ahead = 0;
  } else if (message.kind === "roster") seat(message.kiosks);
  else if (message.kind === "now") {
    heard = performance.now();
    warn(byId("trouble"), "");
    wall.classList.remove("still");
    for (const [kiosk, told] of Object.entries(message.cards)) cards.get(kiosk)?.show(told, message.now);
    for (const [kiosk, piece] of Object.entries(message.traces)) cards.get(kiosk)?.take(piece);
    if (Object.keys(message.cards).length) count();
    if (!fitted) fit();
    fitted = true;
    if (message.dropped) warn(byId("pace"), t("wall.dropped"));
  } else if (message.kind === "problem") warn(byId("trouble"), message.detail || message.title);
}

/** @param {{kiosk: string, place: string}[]} listed */
function seat(listed) {
  byId("waiting").hidden = true;
  byId("none").hidden = listed.length > 0;
  wall.setAttribute("aria-busy", "false");
  const template = /** @type {HTMLTemplateElement} */ (byId("card"));
  const names = new Set(listed.map((each) => each.kiosk));
  for (const [kiosk, card] of cards) {
    if (names.has(kiosk)) continue;
    views.unobserve(card.element);
    sizes.unobserve(card.canvas);
    card.element.remove();
    cards.delete(kiosk);
  }
  listed.forEach((each, index) => {
    let card = cards.get(each.kiosk);
    if (card) card.place(each.place);
    else {
      card = new Card(template, each, buckets);
      cards.set(each.kiosk, card);
      views.observe(card.element);
      sizes.observe(card.canvas);
      fitted = false;
    }
    if (wall.children[index] !== card.element) wall.insertBefore(card.element, wall.children[index] ?? null);
  });
}

/** How many are in which state; and only those that are wanted. */
function count() {
  /** @type {Record<string, number>} */
  const found = { all: cards.size, measuring: 0, free: 0, trouble: 0, offline: 0 };
  let shown = 0;
  for (const card of cards.values()) {
    found[card.state]++;
    const hidden = only !== "all" && card.state !== only;
    if (card.element.hidden !== hidden) card.element.hidden = hidden;
    if (!hidden) shown++;
  }
  for (const button of byId("filter").children) say(/** @type {Element} */ (button.querySelector("b")), String(found[/** @type {HTMLElement} */ (button).dataset.state ?? ""]));
  byId("nothing").hidden = shown > 0 || !cards.size;
  say(byId("summary"), t("wall.summary", found));
}

/** @param {string} state */
function choose(state) {
  only = state;
  for (const button of byId("filter").children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.state === state));
  count();
  fit();
}

/** The largest cards with which all are on the screen, and these as high as there is room; else the smallest. */
function fit() {
  wall.style.removeProperty("--height");
  const room = innerHeight - wall.getBoundingClientRect().top - scrollY - FOOT;
  for (const density of DENSITIES) {
    wall.dataset.density = density;
    if (wall.scrollHeight > room * 1.04) continue;
    const { gridTemplateRows, rowGap } = getComputedStyle(wall);
    const rows = gridTemplateRows.split(" ").length;
    const gaps = (rows - 1) * (parseFloat(rowGap) || 0);
    const own = (wall.scrollHeight - gaps) / rows;
    wall.style.setProperty("--height", `${Math.floor(Math.min(TALLER * own, (room - gaps) / rows))}px`);
    return;
  }
  // it is scrolled anyhow: then cards that can be read well
  if (innerWidth < 700) wall.dataset.density = "close";
}

function picture() {
  const at = performance.now();
  const seconds = Math.min(1, (at - previous) / 1000);
  previous = at;
  for (const card of cards.values()) if (card.inView && !card.element.hidden) card.trace.draw(seconds);
  later();
}

function later() {
  setTimeout(() => requestAnimationFrame(picture), PICTURE);
}

function second() {
  const at = now();
  for (const card of cards.values()) if (card.inView) card.tick(at);
  if (heard && performance.now() - heard > STILL) {
    wall.classList.add("still");
    warn(byId("trouble"), t("wall.lost", { time: clock(at - (performance.now() - heard)) }));
  }
}

/** To the card beside, above or below. @param {number} x @param {number} y */
function move(x, y) {
  const links = [...cards.values()].filter((card) => !card.element.hidden).map((card) => card.link);
  const place = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
  if (place < 0) {
    links[0]?.focus();
    return;
  }
  const top = links[0].getBoundingClientRect().top;
  const columns = Math.max(1, links.filter((link) => link.getBoundingClientRect().top === top).length);
  links[Math.max(0, Math.min(links.length - 1, place + x + y * columns))]?.focus();
}

function whole() {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("main").requestFullscreen?.().catch(() => undefined);
}

byId("filter").addEventListener("click", (event) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
  if (button) choose(only === button.dataset.state ? "all" : (button.dataset.state ?? "all"));
});
byId("full").onclick = whole;
register("v", t("wall.keys.full"), whole);
register("x", t("wall.keys.trouble"), () => choose(only === "trouble" ? "all" : "trouble"));
const MOVES = /** @type {[string, number, number][]} */ ([["ArrowRight", 1, 0], ["ArrowLeft", -1, 0], ["ArrowDown", 0, 1], ["ArrowUp", 0, -1]]);
for (const [key, x, y] of MOVES) {
  wall.addEventListener("keydown", (event) => {
    if (event.key !== key || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(x, y);
  });
}
register("n", t("wall.keys.move"), () => move(1, 0));
addEventListener("resize", fit);
document.addEventListener("fullscreenchange", fit);
document.addEventListener("themechange", () => {
  for (const card of cards.values()) card.colour();
});
document.addEventListener("visibilitychange", tellView);
setInterval(second, 1000);
feed.start();
later();
