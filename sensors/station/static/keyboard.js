// Keys on the screen, for kiosks without any: they write into the field that has the focus.
import { node, say } from "./nodes.js";
import { t } from "./texts.js";

const DIGITS = ["1 2 3", "4 5 6", "7 8 9"];
const LATIN = "q w e r t y u i o p|a s d f g h j k l|z x c v b n m - '";

// `layout` of a field: digits, decimal, letters or code (letters and digits, Latin always).
export class Keyboard {
  #field = null;
  #digits = false;
  #upper = true;
  #done;
  node = node("div", { class: "keyboard", role: "group", hidden: true });

  constructor(done = () => {}) {
    this.#done = done;
    this.node.setAttribute("aria-label", t("keyboard.label"));
    // the field keeps the focus while keys are touched
    this.node.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  // A field that these keys write into; they come when it is touched, not when a real keyboard walks to it.
  serve(field, layout) {
    field.dataset.layout = layout;
    const touched = (event) => {
      if (event.pointerType === "mouse") return;
      field.setAttribute("inputmode", "none");
      this.show(field);
    };
    field.addEventListener("pointerdown", touched);
    field.addEventListener("focus", () => !this.node.hidden && this.show(field));
    return field;
  }

  show(field) {
    this.#field = field;
    this.#digits = field.dataset.layout === "digits" || field.dataset.layout === "decimal";
    this.#upper = !field.value && field.dataset.layout !== "code";
    this.node.hidden = false;
    this.#draw();
    requestAnimationFrame(() => field.scrollIntoView?.({ block: "nearest" }));
  }

  hide() {
    this.node.hidden = true;
  }

  #draw() {
    const layout = this.#field.dataset.layout;
    const key = (text, then, made = {}) =>
      node("button", { type: "button", tabindex: -1, text, on: { click: then }, ...made });
    const letter = (each) => {
      const text = this.#upper ? each.toUpperCase() : each;
      return key(text, () => this.#write(text));
    };
    const erase = key("⌫", () => this.#erase(), { "aria-label": t("keyboard.erase"), class: "wide" });
    const ready = key(t("keyboard.ready"), () => this.#ready(), { class: "wide ready" });
    let rows;
    if (this.#digits) {
      rows = DIGITS.map((row) => row.split(" ").map((each) => key(each, () => this.#write(each))));
      const left = layout === "decimal" ? key(t("keyboard.point"), () => this.#write(t("keyboard.point"))) : this.#letters(key);
      rows.push([left ?? node("span"), key("0", () => this.#write("0")), erase], [ready]);
    } else {
      rows = (layout === "code" ? LATIN : t("keyboard.rows")).split("|").map((row) => row.split(" ").map(letter));
      const shift = key("⇧", () => this.#shift(), { "aria-label": t("keyboard.shift"), "aria-pressed": this.#upper, class: "wide" });
      const digits = layout === "letters" ? null : key(t("keyboard.digits"), () => this.#other(), { class: "wide" });
      rows.push([shift, digits, key(" ", () => this.#write(" "), { "aria-label": t("keyboard.space"), class: "space" }), erase, ready].filter(Boolean));
    }
    this.node.classList.toggle("numbers", this.#digits);
    this.node.replaceChildren(...rows.map((row) => node("div", { class: "keys" }, ...row)));
  }

  #letters(key) {
    return this.#field.dataset.layout === "digits" ? null : key(t("keyboard.letters"), () => this.#other());
  }

  #other() {
    this.#digits = !this.#digits;
    this.#draw();
  }

  #shift() {
    this.#upper = !this.#upper;
    this.#draw();
  }

  #write(text) {
    const field = this.#field;
    if (field.maxLength >= 0 && field.value.length >= field.maxLength) return;
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input"));
    if (this.#upper && !this.#digits && field.dataset.layout === "letters") this.#shift();
  }

  #erase() {
    const field = this.#field;
    const [begin, end] = [field.selectionStart, field.selectionEnd];
    field.setRangeText("", begin === end ? Math.max(0, begin - 1) : begin, end, "end");
    field.dispatchEvent(new Event("input"));
  }

  #ready() {
    const done = this.#done(this.#field);
    if (done !== "stay") this.hide();
  }
}

// A labelled field of a form that browsers do not remember.
export function field(name, label, made = {}, unit = "") {
  const input = node("input", {
    id: `field-${name}`, name, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    "data-1p-ignore": true, ...made,
  });
  const wrong = node("span", { class: "wrong", id: `wrong-${name}`, role: "alert" });
  input.setAttribute("aria-describedby", wrong.id);
  return {
    input,
    node: node("div", { class: "field" },
      node("label", { for: input.id, text: label }), node("span", { class: "box" }, input, unit ? node("span", { class: "unit", text: unit }) : null), wrong),
    complain(text) {
      say(wrong, text);
      input.setAttribute("aria-invalid", String(text !== ""));
    },
  };
}
