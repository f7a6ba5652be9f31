// Measuring: a ring that closes with the time, and the pulse as it comes.
import { named } from "./electrodes.js";
import { node, say, shape, title } from "./nodes.js";
import { meter, move } from "./position.js";
import { has, number, t } from "./texts.js";
import { tone } from "./voice.js";
import { Trace } from "./wave.js";

const ROUND = 2 * Math.PI * 54;
const PREFERRED = ["ppg", "ecg", "rgb", "respiration", "eeg"]; // which signal is drawn, where several come

export function measure(view, act, { hearing }) {
  const { mark } = view.measuring;
  const kind = has(`measure.${mark}.title`) ? mark : "other";
  const ring = shape("circle", { class: "done", cx: 60, cy: 60, r: 54 });
  const left = node("p", { class: "left" });
  const spoken = node("p", { class: "unseen-text", role: "timer" });
  const point = kind === "eyes_open" ? node("span", { class: "point", "aria-hidden": "true" }) : null;
  const canvas = node("canvas", { class: "pulse", "aria-hidden": "true" });
  const waiting = node("p", { class: "hint waiting", text: t("measure.waiting") });
  const trace = new Trace(canvas, { seconds: 6 });
  const rates = node("div", { class: "rates" });
  const trouble = node("div", { class: "troubles", role: "status", hidden: true });
  const loud = mark === "speech" ? meter("level", "loud", t("position.soft"), t("position.loud"), t("position.level")) : null;
  let { seconds } = view.measuring;
  let ends = 0;
  let shown = null;
  let rang = mark !== "eyes_closed";
  let frame = 0;
  let tenth = -1;

  ring.style.strokeDasharray = String(ROUND);

  function turn(now) {
    frame = requestAnimationFrame(turn);
    const rest = Math.max(0, (ends - now) / 1000);
    // a session that the clinic began has no end of its own
    ring.style.strokeDashoffset = String(seconds ? ROUND * (rest / seconds) : 0);
    left.parentNode.hidden = !seconds;
    if (!seconds) return;
    const whole = Math.ceil(rest);
    say(left, String(whole));
    // read out every ten seconds, not every second
    if (Math.floor(whole / 10) !== tenth) {
      tenth = Math.floor(whole / 10);
      say(spoken, rest ? t("measure.left", { seconds: whole }) : t("measure.ended"));
    }
    if (!rest) ring_out();
  }

  function ring_out() {
    if (rang) return;
    rang = true;
    tone();
  }

  const made = {
    say: mark,
    node: node("section", { class: "measure", "data-mark": mark },
      node("div", { class: "ring" },
        shape("svg", { viewBox: "0 0 120 120", "aria-hidden": "true" }, shape("circle", { class: "whole", cx: 60, cy: 60, r: 54 }), ring),
        node("div", { class: "inside", "aria-hidden": "true" }, point, left, node("span", { class: "unit", text: t("measure.seconds") }))),
      node("div", { class: "words" }, title(t(`measure.${kind}.title`)), node("p", { class: "lead", text: view.measuring.say || t(`measure.${kind}.why`) }), spoken),
      loud,
      node("div", { class: "wave" }, canvas, waiting),
      rates, trouble),
    update({ measuring, contacts }) {
      seconds = measuring.seconds;
      const next = performance.now() + 1000 * measuring.left;
      // the station's time and the page's hardly part; small steps would make the ring tremble
      if (Math.abs(next - ends) > 400) ends = next;
      for (const name of ["heart_rate", "respiration_rate"]) {
        const value = measuring.rates[name];
        let one = rates.querySelector(`[data-rate="${name}"]`);
        if (value === undefined || value === null) {
          one?.remove();
          continue;
        }
        if (!one) {
          one = node("p", { "data-rate": name }, node("b"), node("span", { text: t(`measure.${name}`) }));
          rates[name === "heart_rate" ? "prepend" : "append"](one);
        }
        say(one.firstChild, number(value, 0));
      }
      trouble.hidden = !contacts.length;
      const key = contacts.map((each) => `${each.signal} ${each.state}`).join(",");
      if (trouble.dataset.key !== key) {
        trouble.dataset.key = key;
        trouble.replaceChildren(
          node("b", { text: t(contacts.length > 1 ? "measure.trouble_many" : "measure.trouble") }),
          ...contacts.map((each) => node("span", { text: `${named(each.signal)}: ${t(`electrodes.contact.${each.state}`)}` })));
      }
    },
    wave(word) {
      const place = PREFERRED.indexOf(word.signal);
      const name = `${word.signal} ${word.device}`;
      if (place < 0 || (shown && shown.name !== name && place >= shown.place)) return;
      shown = { name, place };
      waiting.hidden = true;
      trace.push(word);
    },
    sit() {
      if (loud) loud.hidden = !hearing.present;
    },
    hear: (share) => loud && move(loud, share),
    leave() {
      cancelAnimationFrame(frame);
      trace.stop();
      // the next step came a moment before this page's own clock had ended
      if (ends - performance.now() < 1500) ring_out();
    },
  };
  made.update(view);
  made.sit();
  frame = requestAnimationFrame(turn);
  return made;
}
