// What is agreed to: a text to be read, each purpose its own switch, and two answers of one size.
import { button, node, say, title } from "./nodes.js";
import { has, language, t } from "./texts.js";

// A text as it was agreed to, word for word; lines that only wrap are joined, numbered lines are titles.
function paragraphs(text) {
  return text.split(/\n\s*\n/).flatMap((each) => {
    const [first, ...rest] = each.trim().split("\n");
    if (/^\d+\. /.test(first)) return [node("h3", { text: first }), node("p", { text: rest.join(" ") })];
    return [node("p", { text: [first, ...rest].join(" ") })];
  });
}

// What was set, should the same be drawn again: a station that was away for a moment, a language there and back.
const kept = new Map();

// Who comes next has agreed to nothing.
export function forget() {
  kept.clear();
}

export function consent(view, act) {
  const asked = view.consent;
  const of = JSON.stringify([asked.version, language, asked.purposes]);
  const agreed = kept.get(of) ?? new Set();
  kept.set(of, agreed);
  const warning = node("p", { class: "warning", role: "alert" });
  const switches = asked.purposes.map((purpose) => {
    const made = node("button", {
      type: "button", role: "switch", class: "purpose", "aria-checked": String(agreed.has(purpose)), "data-purpose": purpose,
      on: {
        click: () => {
          const on = !agreed.delete(purpose);
          if (on) agreed.add(purpose);
          made.setAttribute("aria-checked", String(on));
          if (purpose === "measure" && on) say(warning, "");
        },
      },
    },
    node("span", { class: "words" },
      node("b", { text: has(`consent.purpose.${purpose}`) ? t(`consent.purpose.${purpose}`) : purpose }),
      node("small", {}, t(`consent.explained.${purpose}`), " ", node("i", { text: t(purpose === "measure" ? "consent.needed" : "consent.optional") }))),
    node("span", { class: "knob", "aria-hidden": "true" }));
    return made;
  });
  const agree = () => {
    if (agreed.has("measure")) act({ act: "agree", purposes: [...agreed] });
    else {
      say(warning, t("consent.measure_first"));
      switches[asked.purposes.indexOf("measure")]?.focus();
    }
  };
  const [heading, ...rest] = paragraphs(asked.text);
  return {
    say: "consent",
    node: node("section", { class: "consent" },
      title(t("consent.title")), node("p", { class: "lead", text: t("consent.about") }),
      node("div", { class: "text", tabindex: 0, role: "region", "aria-label": t("consent.read") },
        node("h2", { text: heading.textContent }), ...rest, node("p", { class: "version", text: t("consent.version", { version: asked.version }) })),
      node("div", { class: "purposes", role: "group", "aria-label": t("consent.choose") },
        node("p", { class: "choose", text: t("consent.choose") }), ...switches),
      warning,
      node("div", { class: "answers" },
        button("second big", t("consent.refuse"), () => act({ act: "do", what: "refuse" }), { id: "refuse" }),
        button("second big", t("consent.agree"), agree, { id: "agree" }))),
  };
}
