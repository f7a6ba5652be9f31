// One item of a questionnaire: big answers, back, and leave to skip.
import { button, node, title } from "./nodes.js";
import { t } from "./texts.js";

export function question(view, act) {
  const asked = view.question;
  const options = asked.options.map((each) => {
    const made = button("option", each.text, () => {
      for (const other of options) other.setAttribute("aria-checked", String(other === made));
      act({ act: "answer", item: asked.item, value: each.value });
    }, { role: "radio", "aria-checked": each.value === asked.chosen, "data-value": each.value });
    return made;
  });
  options.forEach((each, index) =>
    each.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      options[(index + step + options.length) % options.length].focus();
    }));
  const done = node("i");
  done.style.width = `${(100 * asked.number) / asked.count}%`;
  return {
    say: asked.number === 1 ? "questionnaire" : "",
    node: node("section", { class: "question" },
      node("div", { class: "where" }, node("p", { text: asked.title }), node("p", { text: t("questionnaire.number", { number: asked.number, count: asked.count }) })),
      node("div", { class: "count", "aria-hidden": "true" }, done),
      asked.instruction ? node("p", { class: "instruction", text: asked.instruction }) : null,
      title(asked.text),
      node("div", { class: "options", role: "radiogroup", "aria-label": asked.text }, ...options),
      node("div", { class: "row" },
        button("second", t("button.back"), () => act({ act: "do", what: "back" }), { disabled: asked.number === 1 }),
        button("second", t("button.skip"), () => act({ act: "do", what: "next" }))),
      asked.note ? node("p", { class: "hint", text: asked.note }) : null),
  };
}
