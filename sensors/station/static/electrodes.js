// How the sensors on the body sit: each a row with where it belongs, its live signal, and its state.
import { body } from "./bodies.js";
import { button, node, say, title } from "./nodes.js";
import { has, t } from "./texts.js";
import { Trace } from "./wave.js";

export const named = (signal) => (has(`electrodes.signal.${signal}`) ? t(`electrodes.signal.${signal}`) : signal);
const COLOURS = { good: "--good", noisy: "--warn", flat: "--quiet", saturated: "--warn", silent: "--quiet" };

export function electrodes(view, act) {
  const rows = new Map();
  const list = node("ul", { class: "contacts" });
  const sum = node("p", { class: "sum", role: "status" });
  const go = button("first", "", () => act({ act: "do", what: "next" }), { id: "go-on" });

  function row({ signal, device }) {
    const canvas = node("canvas", { "aria-hidden": "true" });
    const state = node("span", { class: "state" });
    const made = node("li", { "data-signal": signal },
      body(signal),
      node("div", { class: "words" }, node("b", { text: named(signal) }), state, node("small", { text: t(`electrodes.hint.${signal}`) })), canvas);
    list.append(made);
    const found = { made, state, trace: new Trace(canvas, { seconds: 4 }) };
    rows.set(`${signal} ${device}`, found);
    return found;
  }

  const made = {
    say: "electrodes",
    node: node("section", { class: "electrodes" },
      title(t("electrodes.title")), node("p", { class: "lead", text: t("electrodes.about") }), list,
      node("div", { class: "row" }, sum, go), node("p", { class: "hint", text: t("electrodes.help") })),
    update({ contacts }) {
      const there = new Set(contacts.map(({ signal, device }) => `${signal} ${device}`));
      for (const [key, each] of rows) {
        if (there.has(key)) continue;
        each.trace.stop();
        each.made.remove();
        rows.delete(key);
      }
      for (const each of contacts) {
        const found = rows.get(`${each.signal} ${each.device}`) ?? row(each);
        if (found.made.dataset.state !== each.state) {
          found.made.dataset.state = each.state;
          found.trace.colour(COLOURS[each.state]);
        }
        say(found.state, t(`electrodes.contact.${each.state}`));
      }
      const good = contacts.filter((each) => each.state === "good").length;
      const all = good === contacts.length && good > 0;
      made.node.toggleAttribute("data-all", all);
      say(sum, all ? t("electrodes.all_good") : t("electrodes.some", { good, all: contacts.length }));
      say(go, t(all ? "electrodes.go_on" : "electrodes.anyway"));
      go.className = all ? "first" : "second";
    },
    wave: (word) => rows.get(`${word.signal} ${word.device}`)?.trace.push(word),
    leave: () => rows.forEach((each) => each.trace.stop()),
  };
  made.update(view);
  return made;
}
