// What stands around every screen: languages, size of text, voice, the way through the visit, stop, and two questions.
import { button, node, say, shape } from "./nodes.js";
import { LANGUAGES, language, t } from "./texts.js";
import { voice } from "./voice.js";

const at = (id) => document.getElementById(id);

const ear = () => shape("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, shape("path", { d: "M4 9.500v5h4l5 4.500V5L8 9.500zM16.500 8.500q3 3.500 0 7M19 6q5 6 0 12" }));

export class Bar {
  #act;
  #speak;
  #speaks;
  #asking = null;
  #kind = "";
  #left = node("p");

  // `speak` is told a language that was chosen; `speaks`: the station has a voice
  constructor(act, speak, speaks) {
    [this.#act, this.#speak, this.#speaks] = [act, speak, speaks];
    at("stop").addEventListener("click", () => this.#ask("stop"));
  }

  // Everything that does not change while one language is spoken.
  write() {
    document.title = t("brand");
    for (const each of document.querySelectorAll("[data-word]")) each.textContent = t(each.dataset.word);
    say(at("stop"), t("button.stop"));
    say(at("simulated"), t("bar.simulated"));
    say(at("offline"), t("bar.offline"));
    say(at("watched"), t("measure.camera"));
    at("video").setAttribute("aria-label", t("position.mirror"));
    at("tools").setAttribute("aria-label", t("bar.settings"));
    at("way").setAttribute("aria-label", t("bar.progress"));
    const tongues = [...LANGUAGES].map(([code, name]) =>
      node("button", { type: "button", lang: code, "aria-label": name, "aria-pressed": code === language, on: { click: () => this.#speak(code) } },
        node("span", { class: "full", text: name }), node("span", { class: "short", text: code.toUpperCase() })));
    const toggle = (sign, label, on, then) => {
      const made = button("toggle", undefined, () => {
        const next = made.getAttribute("aria-pressed") !== "true";
        made.setAttribute("aria-pressed", String(next));
        then(next);
      }, { "aria-label": label, title: label, "aria-pressed": on });
      made.append(sign);
      return made;
    };
    const large = document.documentElement.dataset.text === "large";
    const heard = document.documentElement.dataset.voice === "on";
    at("tools").replaceChildren(
      node("span", { class: "group", id: "languages", role: "group", "aria-label": t("bar.languages") }, ...tongues),
      toggle("A+", t("bar.larger"), large, (on) => this.#set("text", on ? "large" : "")),
      ...(this.#speaks ? [toggle(ear(), t("bar.voice"), heard, (on) => {
        this.#set("voice", on ? "on" : "");
        voice(on);
      })] : []));
  }

  #set(name, value) {
    document.documentElement.dataset[name] = value;
  }

  // The next visitor finds the screen as it is at first.
  forget() {
    this.#set("text", "");
    this.#set("voice", "");
    voice(false);
    this.write();
  }

  show(view) {
    const visiting = view.step > 0 && !["welcome", "goodbye", "trouble"].includes(view.screen);
    at("stop").hidden = !visiting || view.screen === "results";
    at("simulated").hidden = !view.simulated;
    at("offline").hidden = view.online || view.screen === "trouble";
    say(at("clinic"), view.clinic);
    const way = at("way");
    way.hidden = !visiting;
    if (visiting) {
      const text = t("bar.step", { step: view.step, steps: view.steps });
      way.setAttribute("aria-valuemax", String(view.steps));
      way.setAttribute("aria-valuenow", String(view.step));
      way.setAttribute("aria-valuetext", text);
      say(at("way-said"), text);
      if (at("way-steps").children.length !== view.steps) {
        at("way-steps").replaceChildren(...Array.from({ length: view.steps }, () => node("li")));
      }
      [...at("way-steps").children].forEach((each, index) => {
        each.className = index + 1 < view.step ? "past" : index + 1 === view.step ? "now" : "";
      });
    }
    if (view.leaving !== null) {
      this.#ask("leaving");
      say(this.#left, t("leaving.why", { seconds: view.leaving }));
    } else if (this.#kind === "leaving" || (this.#kind === "stop" && !visiting)) this.#close();
  }

  #ask(kind) {
    if (this.#kind === kind) return;
    this.#close();
    this.#kind = kind;
    const act = (what) => () => {
      this.#close();
      this.#act({ act: "do", what });
    };
    const inner = kind === "leaving"
      ? [this.#left, node("div", { class: "row" }, button("first big", t("button.here"), act("here"), { id: "here" }))]
      : [node("p", { text: t("stop.why") }),
        node("div", { class: "row" }, button("second", t("button.yes_stop"), act("leave"), { id: "leave" }),
          button("first", t("button.go_on"), () => this.#close(), { id: "go-on-measuring" }))];
    this.#asking = node("dialog", { "aria-labelledby": "asked", on: { cancel: () => kind === "leaving" ? act("here")() : this.#close() } },
      node("h2", { id: "asked", text: t(`${kind}.title`) }), ...inner);
    document.body.append(this.#asking);
    this.#asking.showModal();
    this.#asking.querySelector(".first").focus();
  }

  #close() {
    this.#asking?.close();
    this.#asking?.remove();
    this.#asking = null;
    this.#kind = "";
  }
}
