// One sweep with its heading: lead, scale, and the words when nothing comes.

import { make, say } from "../elements.js";
import { clock, number } from "../format.js";
import { Sweep } from "./sweep.js";
import { Trace } from "./trace.js";
import { t } from "../texts.js";

const KEEP = 70_000; // more than the widest screen shows
const SILENT = 2000;
export const FAVOURITES = ["II", "I", "infrared", "ir", "green"];

export class Panel {
  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.signal = section.dataset.signal ?? "";
    this.unit = section.dataset.unit ?? "";
    this.speed = Number(section.dataset.speed);
    const gain = section.dataset.gain ? Number(section.dataset.gain) : null;
    this.trace = new Trace(KEEP);
    const canvas = /** @type {HTMLCanvasElement} */ (section.querySelector("canvas"));
    this.sweep = new Sweep(canvas, this.speed, gain);
    this.lead = /** @type {HTMLElement} */ (section.querySelector(".lead"));
    this.lost = /** @type {HTMLElement} */ (section.querySelector(".lost"));
    this.scale = /** @type {HTMLElement} */ (section.querySelector(".scale"));
    this.ruler = /** @type {HTMLElement} */ (section.querySelector(".ruler"));
    this.channels = "";
    this.silent = true;
    section.dataset.silent = "";
  }

  /** @param {import("./decode.js").Piece} piece @returns {boolean} */
  take(piece) {
    if (!this.trace.add(piece)) return false;
    const channels = `${piece.device} ${piece.channels.join()}`;
    if (channels !== this.channels) this.#offer(piece, channels);
    return true;
  }

  /** Let the viewer choose among several channels.
   * @param {import("./decode.js").Piece} piece @param {string} channels */
  #offer(piece, channels) {
    this.channels = channels;
    const favourite = FAVOURITES.map((name) => piece.channels.indexOf(name)).find((index) => index >= 0) ?? 0;
    this.sweep.choose(favourite);
    if (piece.channels.length === 1) {
      this.lead.replaceChildren(piece.channels[0]);
      return;
    }
    const choice = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": t("live.channel") }));
    choice.append(...piece.channels.map((name, i) => make("option", { value: i, selected: i === favourite }, name)));
    choice.onchange = () => this.sweep.choose(Number(choice.value));
    this.lead.replaceChildren(choice);
  }

  /** @param {number} head */
  draw(head) {
    if (this.trace.newest) this.sweep.draw(this.trace, head);
  }

  /** Say whether the signal is there.
   * @param {number} present session time, NaN before anything came
   * @param {(milliseconds: number) => number | null} wall */
  check(present, wall) {
    const end = this.trace.end;
    this.silent = !(present - end <= SILENT);
    this.section.toggleAttribute("data-silent", this.silent);
    const since = Number.isFinite(end) ? wall(end) : null;
    const words = !Number.isFinite(end) ? t("live.waiting") : since === null ? t("live.no_signal") : t("live.no_signal_since", { time: clock(since) });
    say(this.lost, this.silent ? words : "");
    this.#scale();
  }

  #scale() {
    const { scale, standard, mm } = this.sweep;
    const speed = `${number(this.speed, Number.isInteger(this.speed) ? 0 : 2)} ${t("live.mm_s")}`;
    const gain = scale?.gain ?? standard ?? 0;
    if (standard === null) {
      say(this.scale, `${speed} · ${t("live.scaled")}`);
      return;
    }
    const block = t("live.square", { seconds: number(5 / this.speed, 1), height: `${number(5 / gain, 1)} ${this.unit}` });
    say(this.scale, `${speed} · ${gain} mm/${this.unit} · ${block}`);
    this.ruler.hidden = false;
    this.ruler.style.height = `${gain * mm}px`;
    say(/** @type {HTMLElement} */ (this.ruler.firstElementChild), `1 ${this.unit}`);
  }
}
