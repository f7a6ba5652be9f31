// After a visit, and when none can be held.
import { node, shape, title } from "./nodes.js";
import { has, t } from "./texts.js";

export const tick = () => shape("svg", { class: "orb", viewBox: "0 0 64 64", "aria-hidden": "true" }, shape("circle", { cx: 32, cy: 32, r: 30 }), shape("path", { d: "M19 33l9 9 17-19" }));
const plug = () => shape("svg", { class: "orb quiet", viewBox: "0 0 64 64", "aria-hidden": "true" }, shape("circle", { cx: 32, cy: 32, r: 30 }), shape("path", { d: "M32 17v20M32 46v.5" }));

export const goodbye = () => ({
  say: "goodbye",
  node: node("section", { class: "ending" }, tick(), title(t("goodbye.title")), node("p", { class: "lead", text: t("goodbye.about") }), node("p", { class: "hint", text: t("goodbye.next") })),
});

export function trouble(view) {
  const known = has(`trouble.${view.trouble}`) ? view.trouble : "other";
  return {
    say: "",
    node: node("section", { class: "ending", role: "alert" }, plug(), title(t("trouble.title")), node("p", { class: "lead", text: t(`trouble.${known}`) }),
      node("p", { text: t("trouble.about") }), view.trouble ? node("p", { class: "hint", text: t("trouble.code", { code: view.trouble }) }) : null),
  };
}

export const waiting = () => ({
  say: "",
  node: node("section", { class: "ending" }, node("div", { class: "orb busy", "aria-hidden": "true" }), title(t("position.waiting.title")), node("p", { class: "lead", text: t("position.waiting.why") })),
});
