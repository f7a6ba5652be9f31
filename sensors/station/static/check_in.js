// Who is visiting: a code, a little about oneself, or nothing at all.
import { button, node, say, title } from "./nodes.js";
import { Keyboard, field } from "./keyboard.js";
import { t } from "./texts.js";

const QUICK = 100; // milliseconds between the keys of a scanner that types; people are slower
const SHORTEST = 4; // characters of a code
const LIMITS = { birth_year: [1880, 2200], age: [0, 130], height: [50, 260], weight: [10, 500] };

export function check_in(view, act) {
  // what the camera read is only used when the visitor says that it is theirs
  const seen = node("strong");
  const read_code = node("div", { class: "found", role: "status", hidden: true },
    node("span", { text: t("check_in.found") }), seen, button("first", t("check_in.take"), () => told({ code: seen.textContent }), { id: "take" }));
  const place = node("div", { class: "panel" });
  const section = node("section", { class: "check_in" },
    title(t("check_in.title")), node("p", { class: "lead", text: t("check_in.about") }), read_code, place);
  const wedge = { text: "", at: 0 };
  const told = (what) => {
    section.dataset.sent = "";
    act({ act: "check_in", ...what });
  };

  function typed(event) {
    if (event.target.matches?.("input")) return;
    if (event.timeStamp - wedge.at > QUICK) wedge.text = "";
    wedge.at = event.timeStamp;
    if (event.key === "Enter" && wedge.text.length >= SHORTEST) {
      event.preventDefault();
      told({ code: plain(wedge.text) });
    } else if (event.key.length === 1) wedge.text += event.key;
  }
  document.addEventListener("keydown", typed, true);

  function put(...inner) {
    place.replaceChildren(...inner);
    place.querySelector("input")?.focus({ preventScroll: true });
  }

  function choices() {
    const card = (name, text, more, then) =>
      node("button", { type: "button", class: "card", id: name, on: { click: then } },
        node("b", { text }), more ? node("span", { text: more }) : null);
    put(node("div", { class: "cards" },
      card("anonymous", t("check_in.anonymous"), t("check_in.anonymous_about"), () => told({})),
      card("tell", t("check_in.tell"), t("check_in.why_about"), tell),
      card("code", t("check_in.code"), t("check_in.code_about"), code)));
  }

  function code() {
    const asked = field("code", t("check_in.code_title"), { maxlength: 40, class: "code" });
    const send = () => plain(asked.input.value) && told({ code: plain(asked.input.value) });
    const keys = new Keyboard(send);
    keys.serve(asked.input, "code");
    put(node("form", { class: "one", autocomplete: "off", on: { submit: (event) => { event.preventDefault(); send(); } } },
      asked.node, node("p", { class: "hint", text: t("check_in.code_about") }), keys.node, row(send)));
  }

  function tell() {
    const keys = new Keyboard();
    const fields = {
      given: field("given", t("check_in.given"), { maxlength: 60 }),
      family: field("family", t("check_in.family"), { maxlength: 60 }),
      birth_year: field("birth_year", t("check_in.birth_year"), { maxlength: 4, inputmode: "numeric" }),
      age: field("age", t("check_in.or_age"), { maxlength: 3, inputmode: "numeric" }),
      height: field("height", t("check_in.height"), { maxlength: 5, inputmode: "decimal" }, t("check_in.cm")),
      weight: field("weight", t("check_in.weight"), { maxlength: 5, inputmode: "decimal" }, t("check_in.kg")),
    };
    for (const [name, each] of Object.entries(fields)) {
      const layout = { given: "letters", family: "letters", birth_year: "digits", age: "digits" }[name] ?? "decimal";
      keys.serve(each.input, layout);
    }
    let sex = null;
    const sexes = ["female", "male"].map((each) =>
      button("chip", t(`check_in.${each}`), () => {
        sex = sex === each ? null : each;
        for (const other of sexes) other.setAttribute("aria-pressed", String(other.dataset.sex === sex));
      }, { "aria-pressed": "false", "data-sex": each }));
    const send = () => {
      const what = read(fields);
      if (what) told({ ...what, sex });
    };
    put(node("form", { class: "person", autocomplete: "off", on: { submit: (event) => { event.preventDefault(); send(); } } },
      fields.given.node, fields.family.node, fields.birth_year.node, fields.age.node,
      node("div", { class: "field sexes", role: "group", "aria-label": t("check_in.sex") },
        node("span", { class: "label", text: t("check_in.sex"), "aria-hidden": "true" }), node("span", { class: "chips" }, ...sexes)),
      fields.height.node, fields.weight.node, keys.node, row(send)));
  }

  function row() {
    return node("div", { class: "row" },
      button("second", t("button.back"), choices), node("button", { type: "submit", class: "first", text: t("button.next"), id: "told" }));
  }

  choices();
  const made = {
    say: "check_in",
    node: section,
    update({ code: found }) {
      read_code.hidden = !found;
      if (found) say(seen, found);
    },
    leave() {
      document.removeEventListener("keydown", typed, true);
    },
  };
  made.update(view);
  return made;
}

// What was typed, with null for what was left out; nothing while something is impossible.
function read(fields) {
  const what = {};
  let wrong = null;
  for (const [name, each] of Object.entries(fields)) {
    const text = each.input.value.trim();
    each.complain("");
    if (!(name in LIMITS)) {
      what[name] = text || null;
      continue;
    }
    const value = text ? Number(text.replace(",", ".")) : null;
    const [low, high] = LIMITS[name];
    const whole = name === "height" || name === "weight" || Number.isInteger(value);
    if (value !== null && !(value >= low && value <= high && whole)) {
      each.complain(t(`check_in.wrong_${name === "birth_year" ? "year" : name}`));
      wrong ??= each.input;
    }
    what[name] = value;
  }
  wrong?.focus();
  if (wrong) return null;
  const { age, ...rest } = what;
  if (rest.birth_year === null && age !== null) rest.birth_year = new Date().getFullYear() - age;
  return rest;
}

// A code as the station takes it: what else a scanner or a hand put in is left out.
function plain(text) {
  return text.replace(/[^A-Za-z0-9._-]/g, "").slice(0, 40);
}
