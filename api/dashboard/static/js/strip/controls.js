// What is around the strip: which signals, how much of them, pages, calipers, correcting.

import { signal } from "../catalogue.js";
import { byId, make, say, toast } from "../elements.js";
import { number } from "../format.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";
import { KINDS } from "./beats.js";
import { Editor } from "./editor.js";
import { LENGTHS } from "./pages.js";
import { favourites, row } from "./rows.js";

const SPANS = [1, 10, 60, 600, 3600];
const GAINS = ["fit", "5", "10", "20"];

export class Controls {
  /** @param {import("./strip.js").Strip} strip @param {boolean} corrects whether this reader may set beats
   * @param {() => void} saved called when corrections are with the server */
  constructor(strip, corrects, saved) {
    this.strip = strip;
    this.saved = saved;
    this.#spans();
    this.#gains();
    this.#keys(corrects);
    byId("strip-pages").addEventListener("click", () => this.#page(!strip.paged));
    byId("strip-calipers").addEventListener("click", () => this.#calipers(!strip.calipers.on));
    strip.canvas.addEventListener("modechange", () => this.#shown());
    byId("strip-fullscreen").addEventListener("click", () => this.#large());
    if (!corrects) return;
    byId("strip-edit").addEventListener("click", () => this.edit(!strip.editor));
    byId("edit-undo").addEventListener("click", () => strip.editor?.undo());
    byId("edit-redo").addEventListener("click", () => strip.editor?.redo());
    byId("edit-remove").addEventListener("click", () => strip.editor?.remove());
    byId("edit-save").addEventListener("click", () => this.#save());
    strip.canvas.addEventListener("keydown", (event) => this.#editing(event));
    addEventListener("beforeunload", (event) => strip.editor?.steps.length && event.preventDefault());
  }

  /** Once the session's signals are known. */
  offer() {
    const { strip } = this;
    byId("strip-choices").replaceChildren(...strip.tracks.map((track) => this.#choice(track)));
    for (const button of byId("strip-spans").querySelectorAll("button")) {
      const span = Number(button.dataset.span);
      button.hidden = span > strip.window.all;
    }
    this.#shown();
  }

  /** @param {import("./rows.js").Track} track */
  #choice(track) {
    const { strip } = this;
    const shown = () => strip.rows.filter((each) => each.track === track).map((each) => each.channel);
    const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", checked: shown().length > 0 }));
    const label = make("label", { class: "check" }, box, make("span", {}, track.title, make("small", { class: "quiet" }, ` ${track.device}`)));
    const set = (/** @type {number[]} */ channels) => {
      strip.rows = strip.tracks.flatMap((each) =>
        each === track ? channels.map((channel) => strip.rows.find((old) => old.track === track && old.channel === channel) ?? row(track, channel)) : strip.rows.filter((old) => old.track === each),
      );
      box.checked = channels.length > 0;
      strip.resize();
    };
    box.addEventListener("change", () => set(box.checked ? favourites(track) : []));
    if (track.channels.length < 2) return label;
    const boxes = track.channels.map((name, channel) => {
      const one = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", checked: shown().includes(channel) }));
      one.addEventListener("change", () => set(boxes.flatMap(([each], n) => (each.checked ? [n] : []))));
      return /** @type {[HTMLInputElement, HTMLElement]} */ ([one, make("label", { class: "check" }, one, name.replaceAll("_", " "))]);
    });
    box.addEventListener("change", () => boxes.forEach(([each], n) => (each.checked = shown().includes(n))));
    const channels = make("div", { class: "channels" }, ...boxes.map(([, each]) => each));
    return make("div", {}, label, make("details", {}, make("summary", {}, t("strip.channels", { n: track.channels.length })), channels));
  }

  #spans() {
    const { strip } = this;
    const buttons = SPANS.map((span) => {
      const button = make("button", { type: "button", "data-span": span }, t(`strip.span.${span}`));
      button.addEventListener("click", () => {
        this.#page(false);
        strip.window.centre((strip.window.start + strip.window.end) / 2, span);
        strip.changed();
      });
      return button;
    });
    const standard = make("button", { type: "button", title: t("strip.standard_title") }, t("strip.standard"));
    standard.addEventListener("click", () => (this.#page(false), strip.standard()));
    const whole = make("button", { type: "button" }, t("strip.whole"));
    whole.addEventListener("click", () => (this.#page(false), strip.window.show(...strip.window.whole), strip.changed()));
    byId("strip-spans").replaceChildren(standard, ...buttons, whole);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-zoom]"))) {
      button.addEventListener("click", () => {
        const { window } = strip;
        window.zoom(button.dataset.zoom === "in" ? 2 : 0.5, (window.start + window.end) / 2);
        strip.changed();
      });
    }
    byId("strip-lengths").replaceChildren(
      ...LENGTHS.map((length) => {
        const button = make("button", { type: "button", "aria-pressed": strip.pages.length === length, "data-length": length }, t(`strip.length.${length}`));
        button.addEventListener("click", () => {
          const middle = strip.pages.start;
          strip.pages.length = length;
          strip.pages.to(middle);
          this.#shown();
          strip.resize();
        });
        return button;
      }),
    );
  }

  #gains() {
    const choice = /** @type {HTMLSelectElement} */ (byId("strip-gain"));
    choice.replaceChildren(...GAINS.map((gain) => make("option", { value: gain, selected: gain === "10" }, gain === "fit" ? t("strip.fitted") : `${gain} ${t("strip.unit.mm")}/${signal("ecg").unit}`)));
    choice.addEventListener("change", () => {
      for (const each of this.strip.rows) if (each.track.signal === "ecg") each.gain = choice.value;
      this.strip.redraw();
    });
  }

  /** @param {boolean} paged */
  #page(paged) {
    const { strip } = this;
    if (strip.paged === paged || (paged && strip.editor)) return;
    strip.paged = paged;
    if (paged) {
      strip.pages.length = [...LENGTHS].reverse().find((length) => length * 4 <= strip.window.all) ?? LENGTHS[0];
      strip.pages.to((strip.window.start + strip.window.end) / 2);
    }
    this.#shown();
    strip.resize();
  }

  /** @param {boolean} on */
  #calipers(on) {
    this.#page(false);
    this.strip.calipers.turn(on);
    this.#shown();
    if (on) this.strip.canvas.focus({ preventScroll: true });
  }

  #large() {
    const place = /** @type {HTMLElement} */ (byId("strip"));
    if (document.fullscreenElement) document.exitFullscreen();
    else place.requestFullscreen?.();
  }

  /** The buttons say what is on. */
  #shown() {
    const { strip } = this;
    const press = (/** @type {string} */ id, /** @type {boolean} */ on) => document.getElementById(id)?.setAttribute("aria-pressed", String(on));
    press("strip-pages", strip.paged);
    press("strip-calipers", strip.calipers.on);
    press("strip-edit", strip.editor !== null);
    byId("strip-spans").hidden = strip.paged;
    byId("strip-lengths").hidden = !strip.paged;
    for (const button of byId("strip-lengths").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.length) === strip.pages.length));
    }
    strip.canvas.dataset.tool = strip.paged ? "pages" : strip.calipers.on ? "calipers" : strip.editor ? "edit" : "";
  }

  /** Begin or end correcting beats.
   * @param {boolean} on */
  edit(on) {
    const { strip } = this;
    if (on === (strip.editor !== null)) return;
    if (!on && strip.editor?.steps.length) {
      toast(t("strip.unsaved"), "bad");
      return;
    }
    this.#page(false);
    this.#calipers(false);
    strip.editor = on ? new Editor(strip, () => this.#pending(), (key) => toast(t(key), "bad")) : null;
    byId("editing").hidden = !on;
    if (on && strip.window.span > 60) strip.standard();
    if (on) this.#pending();
    strip.canvas.style.cursor = "";
    this.#shown();
    strip.resize();
    if (on) strip.canvas.focus({ preventScroll: true });
  }

  #pending() {
    const steps = this.strip.editor?.steps ?? [];
    const count = (/** @type {string} */ kind) => steps.filter((each) => each.kind === kind).length;
    say(byId("edit-pending"), steps.length ? t("strip.pending", { added: count("add"), moved: count("move"), removed: count("remove") }) : t("strip.pending_none"));
    /** @type {HTMLButtonElement} */ (byId("edit-undo")).disabled = !steps.length;
    /** @type {HTMLButtonElement} */ (byId("edit-redo")).disabled = !this.strip.editor?.undone.length;
    /** @type {HTMLButtonElement} */ (byId("edit-save")).disabled = !steps.length;
  }

  async #save() {
    const { strip } = this;
    if (!strip.editor?.steps.length) return;
    const button = /** @type {HTMLButtonElement} */ (byId("edit-save"));
    button.disabled = true;
    try {
      const state = await strip.editor.save();
      toast(t("strip.sent", { n: number(state.in_force, 0) }));
      // they stay in sight until the analysis has them
      this.edit(false);
      this.saved();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, "bad");
      this.#pending();
    }
  }

  /** @param {KeyboardEvent} event */
  #editing(event) {
    const { editor } = this.strip;
    if (!editor) return;
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyZ") event.shiftKey ? editor.redo() : editor.undo();
    else if ((event.ctrlKey || event.metaKey) && event.code === "KeyY") editor.redo();
    else if (event.key === "Delete" || event.key === "Backspace") editor.remove();
    else if (event.key === "[" || event.key === "]") editor.next(event.key === "]" ? 1 : -1);
    else if (event.key === "," || event.key === ".") editor.nudge(event.key === "." ? 0.004 : -0.004);
    else if (event.key === "Escape") this.edit(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {boolean} corrects */
  #keys(corrects) {
    const { strip } = this;
    register("v", t("strip.keys.pages"), () => this.#page(!strip.paged));
    register("c", t("strip.keys.calipers"), () => this.#calipers(!strip.calipers.on));
    register("0", t("strip.keys.whole"), () => (this.#page(false), strip.window.show(...strip.window.whole), strip.changed()));
    register("n", t("strip.keys.next"), () => strip.seek(1));
    register("b", t("strip.keys.before"), () => strip.seek(-1));
    if (corrects) register("e", t("strip.keys.edit"), () => this.edit(!strip.editor));
  }

  /** The signs of the kinds of beats that there are. */
  legend() {
    const { strip } = this;
    const there = KINDS.filter((kind) => strip.beats.some((beat) => beat.kind === kind));
    byId("strip-legend").replaceChildren(
      ...there.map((kind) => {
        const sign = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
        strip.legend(sign, kind);
        const many = strip.beats.filter((beat) => beat.kind === kind).length;
        return make("li", {}, sign, `${t(`strip.beat.${kind}`)} · ${many}`);
      }),
    );
  }
}
