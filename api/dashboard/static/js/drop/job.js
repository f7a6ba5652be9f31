// One recording in the queue, and how it does.

import { Problem } from "../api.js";
import { make, say } from "../elements.js";
import { plural, t } from "../texts.js";
import { found } from "./found.js";
import { follow, forget, upload } from "./sending.js";

// what the reader asks for in its own words, which are those of the command line
const ASKED = /** @type {[string, RegExp][]} */ ([["rate", /pass --rate|names no sampling rate/], ["channel", /pass --channel/], ["kind", /pass --kind|nothing says what it holds/]]);

export class Job {
  /** @param {File[]} files @param {Record<string, string>} said @param {{most: number, results: boolean, next: () => void}} how */
  constructor(files, said, how) {
    this.files = files;
    this.said = { ...said };
    this.how = how;
    this.state = "waiting";
    this.id = "";
    this.stop = new AbortController();
    this.words = make("span", { class: "word", role: "status" });
    this.bar = /** @type {HTMLProgressElement} */ (make("progress", { max: 1, value: 0, "aria-label": t("drop.state.sending") }));
    this.doing = make("span", { class: "does" });
    this.more = make("div", { class: "more" });
    const name = files.length === 1 ? files[0].name : `${files[0].name} + ${plural("drop.files", files.length - 1)}`;
    const about = `${size(files.reduce((sum, file) => sum + file.size, 0))}${said.kind && said.kind !== "auto" ? ` · ${t(`drop.kinds.${said.kind}`)}` : ""}`;
    this.element = make("li", { class: "job card" }, make("div", { class: "line" }, make("strong", { title: files.map((file) => file.name).join(", ") }, name), make("small", { class: "quiet" }, about), this.doing), make("div", { class: "line" }, this.bar, this.words), this.more);
    this.show();
  }

  get over() {
    return ["done", "failed", "cancelled"].includes(this.state);
  }

  show() {
    this.element.dataset.state = this.state;
    say(this.words, t(`drop.state.${this.state}`));
    this.bar.hidden = this.over;
    const button = make("button", { type: "button", class: "plain" }, t(this.over ? "drop.remove" : "drop.cancel"));
    button.onclick = () => (this.over ? this.away() : this.cancel());
    if (this.doing.textContent !== button.textContent) this.doing.replaceChildren(button);
  }

  async run() {
    try {
      const answer = await this.#through();
      if (answer.state === "failed") this.#failed(answer.error ?? "");
      else {
        this.state = "done";
        this.show();
        this.more.replaceChildren(...(await found(answer.session_id, this.how.results)));
      }
    } catch (error) {
      if (this.stop.signal.aborted) this.state = "cancelled";
      else this.#failed(error instanceof Problem ? error.message : String(error));
    }
    this.show();
    this.how.next();
  }

  async #through() {
    const total = this.files.reduce((sum, file) => sum + file.size, 0);
    if (total > this.how.most) throw new Problem(413, t("drop.too_large", { size: size(this.how.most) }));
    if (!total) throw new Problem(422, t("drop.empty"));
    this.state = "sending";
    this.show();
    const taken = await upload(this.files, this.said, (share) => (this.bar.value = share / 3), this.stop.signal);
    this.id = taken.id;
    const told = (/** @type {any} */ answer) => {
      if (!["done", "failed"].includes(answer.state)) this.state = answer.state;
      this.bar.value = 1 / 3 + (2 / 3) * answer.progress;
      this.show();
    };
    told(taken);
    return follow(taken.id, told, () => say(this.words, t("drop.stale")), this.stop.signal);
  }

  /** @param {string} words */
  #failed(words) {
    this.state = "failed";
    const asked = ASKED.find(([, pattern]) => pattern.test(words))?.[0];
    if (!asked) {
      this.more.replaceChildren(make("p", { class: "wrong" }, words), this.#again(() => undefined));
      return;
    }
    const id = `ask-${Math.random().toString(36).slice(2)}`;
    const field = asked === "kind" ? choice(id) : make("input", { id, type: asked === "rate" ? "number" : "text", min: "0.01", max: "100000", step: "any", maxlength: 100 });
    const input = /** @type {HTMLInputElement} */ (field);
    this.more.replaceChildren(
      make("p", { class: "wrong" }, t(`drop.ask_${asked}`)),
      make("details", {}, make("summary", {}, t("drop.own_words")), make("p", { class: "mono" }, words)),
      make("div", { class: "fields asked" }, make("label", { for: id }, t(`drop.${asked}`)), field),
      this.#again(() => {
        if (!input.value) {
          input.setAttribute("aria-invalid", "true");
          input.focus();
          return false;
        }
        this.said[asked] = input.value;
        return true;
      }),
    );
    input.focus({ preventScroll: true });
  }

  /** @param {() => boolean | undefined} before */
  #again(before) {
    const button = make("button", { type: "button", class: "strong" }, t("drop.again"));
    button.onclick = () => {
      if (before() === false) return;
      this.more.replaceChildren();
      if (this.id) forget(this.id);
      this.id = "";
      this.bar.value = 0;
      this.state = "waiting";
      this.stop = new AbortController();
      this.show();
      this.how.next();
    };
    return make("div", { class: "doing" }, button);
  }

  cancel() {
    const sent = this.id;
    const waiting = this.state === "waiting";
    this.stop.abort();
    if (sent) forget(sent);
    if (waiting) {
      this.state = "cancelled";
      this.show();
    }
  }

  away() {
    this.element.remove();
    this.how.next();
  }
}

/** @param {string} id */
function choice(id) {
  const known = /** @type {HTMLSelectElement} */ (document.getElementById("kind"));
  const made = /** @type {HTMLSelectElement} */ (known.cloneNode(true));
  made.id = id;
  made.options[0].value = "";
  made.value = "";
  return made;
}

/** @param {number} bytes */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let place = 0;
  let value = bytes;
  while (value >= 1000 && place < units.length - 1) {
    value /= 1000;
    place++;
  }
  return `${value.toFixed(value < 10 && place ? 1 : 0)} ${units[place]}`;
}
