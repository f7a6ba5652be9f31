// The talk: what was said as bubbles; an answer grows as it comes.
import { Keyboard } from "./keyboard.js";
import { button, node, say, title } from "./nodes.js";
import { t } from "./texts.js";

const MOST = 500; // characters at once

// The lines, the field to write into, and its keys: in the step of its own, and below the results.
export function dialogue(view, act, hint, more = []) {
  const lines = node("div", { class: "lines", role: "log", "aria-label": t("conversation.title"), tabindex: 0 });
  const dots = node("div", { class: "line assistant thinking", hidden: true }, node("span", { class: "unseen-text", text: t("conversation.thinking") }),
    node("i"), node("i"), node("i"));
  const empty = node("p", { class: "hint", text: t(hint) });
  const input = node("input", {
    type: "text", id: "said", maxlength: MOST, autocomplete: "off", "aria-label": t("conversation.write"), placeholder: t("conversation.write"),
  });
  const send = () => {
    const text = input.value.trim();
    if (text) act({ act: "say", text });
    input.value = "";
    return "stay";
  };
  const keys = new Keyboard(send);
  keys.serve(input, "text");
  const shown = [];

  const made = {
    parts: [lines, empty,
      node("form", { class: "write", autocomplete: "off", on: { submit: (event) => { event.preventDefault(); send(); } } },
        input, node("button", { type: "submit", class: "first", text: t("button.send") })),
      keys.node, ...more],
    update(next) {
      next.talk.forEach((each, index) => {
        if (!shown[index]) {
          const text = node("span", { class: "words" });
          shown[index] = node("p", { class: `line ${each.who}` }, node("span", { class: "unseen-text", text: `${t(each.who === "visitor" ? "conversation.you" : "conversation.assistant")}: ` }), text);
          lines.insertBefore(shown[index], dots);
        }
        say(shown[index].lastChild, each.text);
      });
      while (shown.length > next.talk.length) shown.pop().remove();
      const last = next.talk.at(-1);
      dots.hidden = !(next.thinking && (!last || last.who === "visitor" || !last.text));
      lines.setAttribute("aria-busy", String(next.thinking));
      empty.hidden = next.talk.length > 0;
      lines.scrollTop = lines.scrollHeight;
    },
  };
  lines.append(dots);
  made.update(view);
  return made;
}

export function talk(view, act) {
  const go = node("div", { class: "row" }, button("second", t("conversation.finish"), () => act({ act: "do", what: "next" }), { id: "go-on" }));
  const { parts, update } = dialogue(view, act, "conversation.empty", [go]);
  const head = [title(t("conversation.title")), node("p", { class: "lead", text: t("conversation.about") })];
  return { say: "conversation", node: node("section", { class: "talk" }, ...head, ...parts), update };
}
