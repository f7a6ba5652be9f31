// The first screen: the language, what is measured and why, and which visit.
import { button, node, shape, title } from "./nodes.js";
import { LANGUAGES, language, number, t } from "./texts.js";

const ART = "M0 60H70l12-8 12 8h16l8 6 16-54 18 76 12-28h20l16-14 16 14H400";

export function welcome(view, act, { speak }) {
  const minutes = (each) => t("welcome.minutes", { minutes: number(each, Number.isInteger(each) ? 0 : 1) });
  const chosen = (id) => act({ act: "begin", protocol: id, language });
  const offers = view.offers.map((each) =>
    node("li", {},
      node("button", { type: "button", class: "offer", "data-offer": each.id, on: { click: () => chosen(each.id) } },
        node("b", { text: each.title }), node("span", { class: "minutes", text: minutes(each.minutes) }),
        node("span", { class: "about", text: each.about }), node("span", { class: "go", text: t("welcome.choose"), "aria-hidden": "true" }))));
  return {
    say: "welcome",
    node: node("section", { class: "welcome" },
      shape("svg", { class: "art", viewBox: "0 0 400 100", "aria-hidden": "true", preserveAspectRatio: "none" }, shape("path", { d: ART })),
      title(t("welcome.title")),
      node("div", { class: "tongues", role: "group", "aria-label": t("bar.languages") },
        ...[...LANGUAGES].map(([code, name]) =>
          button("tongue", name, () => speak(code), { lang: code, "aria-pressed": code === language }))),
      node("p", { class: "lead", text: t("welcome.about") }),
      node("h2", { text: offers.length ? t("welcome.what") : t("welcome.none") }),
      node("ul", { class: "offers" }, ...offers),
      node("ul", { class: "promises" }, ...["sensors", "private", "screening"].map((each) => node("li", { text: t(`welcome.${each}`) })))),
  };
}
