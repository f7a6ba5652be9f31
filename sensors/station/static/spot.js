// Devices beside the kiosk: what is waited for, and what has come.
import { body } from "./bodies.js";
import { button, node, say, title } from "./nodes.js";
import { has, number, t } from "./texts.js";

const UNITS = { systolic: "mm[Hg]", diastolic: "mm[Hg]", temperature: "Cel", spo2: "%", weight: "kg", height: "cm", hba1c: "%" };
const DECIMALS = { temperature: 1, weight: 1, hba1c: 1 };

export function spot(view, act) {
  const rows = new Map();
  const list = node("ul", { class: "contacts spots" });
  const go = button("first", "", () => act({ act: "do", what: "next" }), { id: "go-on" });

  function row(measure) {
    const state = node("span", { class: "state", role: "status" });
    const value = node("span", { class: "value" });
    const hint = has(`spot.hint.${measure}`) ? measure : "other";
    const made = node("li", { "data-measure": measure }, body(measure),
      node("div", { class: "words" }, node("b", { text: t(`tile.${measure}.name`) }), state, node("small", { text: t(`spot.hint.${hint}`) })), value);
    list.append(made);
    const found = { made, state, value };
    rows.set(measure, found);
    return found;
  }

  const made = {
    say: "spot",
    node: node("section", { class: "spot" }, title(t("spot.title")), node("p", { class: "lead", text: t("spot.about") }), list, node("div", { class: "row" }, go)),
    update({ spots }) {
      for (const each of spots) {
        const found = rows.get(each.measure) ?? row(each.measure);
        const there = each.value !== null;
        found.made.dataset.state = there ? "good" : "flat";
        say(found.state, t(there ? "spot.there" : "spot.waiting"));
        found.value.replaceChildren(...(there
          ? [node("b", { text: number(each.value, DECIMALS[each.measure] ?? 0) }), ` ${t(`unit.${UNITS[each.measure] ?? "1"}`)}`]
          : []));
      }
      const all = spots.every((each) => each.value !== null);
      say(go, t(all ? "button.next" : "button.skip"));
      go.className = all ? "first" : "second";
    },
  };
  made.update(view);
  return made;
}
