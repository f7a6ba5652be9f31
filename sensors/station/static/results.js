// The results: a number with what it means, what is usual, and where it stands - or why there is none.
import { tick } from "./ending.js";
import { button, node, shape, title } from "./nodes.js";
import { dialogue } from "./talk.js";
import { language, t } from "./texts.js";

const POOR = 0.5, GOOD = 0.8; // quality below and from which it is said so
const SHORE = 0.3; // of the scale's length lies on each side of what is usual
const plural = () => new Intl.PluralRules(language);

function unit(tile) {
  if (tile.measure !== "age") return tile.unit;
  const form = plural().select(Math.round(Number(tile.value.replace(",", "."))));
  return { one: t("unit.a.one"), few: t("unit.a.few") }[form] ?? t("unit.a");
}

function scale(tile) {
  if (tile.place === null) return null;
  const where = t(tile.place < 0 ? "usual.below" : tile.place > 1 ? "usual.above" : "usual.within");
  const marker = node("i", { class: tile.place < 0 || tile.place > 1 ? "off" : "" });
  marker.style.left = `${100 * Math.min(0.98, Math.max(0.02, SHORE + tile.place * (1 - 2 * SHORE)))}%`;
  return node("div", { class: "scale" }, node("div", { class: "line", "aria-hidden": "true" }, node("u"), marker), node("span", { text: where }));
}

function quality(tile) {
  if (tile.quality === null) return null;
  const grade = tile.quality >= GOOD ? "good" : tile.quality >= POOR ? "fair" : "poor";
  return node("span", { class: `quality ${grade}`, role: "img", "aria-label": t(`results.quality_${grade}`), title: t(`results.quality_${grade}`) },
    ...[0, 1, 2].map((each) => node("i", { class: each < { good: 3, fair: 2, poor: 1 }[grade] ? "on" : "" })));
}

const shown = (tile) =>
  node("li", { class: "tile", "data-measure": tile.measure },
    node("p", { class: "name" }, tile.name, quality(tile)),
    node("p", { class: tile.value.length > 9 ? "value long" : "value" }, node("b", { text: tile.value }), node("span", { text: unit(tile) })),
    scale(tile),
    node("p", { class: "plain", text: tile.plain }),
    tile.measure === "emotion" ? node("p", { class: "usual", text: t("tile.emotion.limits") }) : null,
    tile.usual ? node("p", { class: "usual", text: tile.usual }) : null);

// Sex and age share a place: both are short.
function paired(tiles) {
  const short = tiles.filter((each) => each.measure === "sex" || each.measure === "age");
  const rest = tiles.filter((each) => !short.includes(each)).map(shown);
  return short.length === 2 ? [node("li", { class: "pair" }, node("ul", {}, ...short.map(shown))), ...rest] : tiles.map(shown);
}

function missing(tiles) {
  if (!tiles.length) return null;
  return node("section", { class: "missing" }, node("h2", { text: t("results.missing") }),
    node("dl", {}, ...tiles.map((each) => node("div", { "data-absent": each.measure }, node("dt", { text: each.name }), node("dd", { text: each.absent })))));
}

function keep(outcome, date) {
  const parts = [];
  if (outcome.qr && outcome.qr_size) {
    const size = outcome.qr_size;
    parts.push(node("div", { class: "keep qr" },
      shape("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": t("results.qr_alt"), "shape-rendering": "crispEdges" },
        shape("rect", { width: size, height: size, fill: "#fff" }), shape("path", { d: outcome.qr, fill: "#000" })),
      node("p", {}, node("b", { text: t("results.qr") }), node("span", { text: t("results.qr_about", { minutes: outcome.minutes ?? 0 }) }),
        outcome.link ? node("small", { text: outcome.link }) : null)));
  }
  if (outcome.code) {
    parts.push(node("div", { class: "keep" },
      node("p", {}, node("b", { text: t("results.code") }), node("strong", { text: outcome.code }), node("span", { text: t("results.code_about") }))));
  }
  parts.push(node("p", { class: "printed", text: t("results.printed", { date }) }));
  return parts;
}

export function results(view, act) {
  const done = (text) => button("first big", t(text), () => act({ act: "do", what: "leave" }), { id: "done" });
  const outcome = view.outcome ?? { state: "working", tiles: [] };
  if (outcome.state !== "ready") {
    return {
      say: outcome.state === "follow" ? "follow" : "",
      node: node("section", { class: "ending", "data-outcome": outcome.state },
        outcome.state === "working" ? node("div", { class: "orb busy", "aria-hidden": "true" }) : tick(),
        title(t(`results.${outcome.state}`)), node("p", { class: "lead", text: t(`results.${outcome.state}_about`) }),
        ...(outcome.state === "working" ? [] : [...keep(outcome, new Date().toLocaleDateString(language)), done("button.done")])),
    };
  }
  const there = outcome.tiles.filter((each) => each.value !== "");
  const group = (name) => {
    const tiles = there.filter((each) => each.group === name);
    return tiles.length
      ? node("section", { class: `group ${name}` }, node("h2", { text: t(`group.${name}`) }), node("ul", { class: "tiles" }, ...paired(tiles)))
      : null;
  };
  const date = new Date().toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
  const { parts, update } = dialogue(view, act, "results.ask_about");
  return {
    say: "results",
    update,
    node: node("section", { class: "results" },
      node("div", { class: "readings", tabindex: 0, role: "region", "aria-label": t("results.title") },
        title(t("results.title")), outcome.warning ? node("p", { class: "warning", role: "alert", text: outcome.warning }) : null, node("p", { class: "caution", text: t("results.screening") }), group("basic"), group("diagnostics"), missing(outcome.tiles.filter((each) => each.value === "")),
        node("section", { class: "ask" }, node("h2", { text: t("results.ask") }), ...parts)),
      node("aside", { "aria-label": t("results.save") },
        node("h2", { text: t("results.save") }), ...keep(outcome, date),
        button("second", t("results.ask"), () => document.getElementById("said").focus(), { id: "ask" }),
        button("second", t("results.print"), () => print(), { id: "print" }), done("results.done"))),
  };
}
