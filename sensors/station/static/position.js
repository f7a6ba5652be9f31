// How to sit: one advice at a time, and a bar that is wholly green at the right distance and light.
import { button, node, say, shape, title } from "./nodes.js";
import { t } from "./texts.js";

export const meter = (id, fill, low, high, label) =>
  node("div", { class: "distance", id: `${id}-row` },
    node("span", { text: low }),
    node("div", { class: "track", id, role: "meter", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 },
      node("div", { class: "fill", id: fill })),
    node("span", { text: high }));

export function move(row, share) {
  const percent = Math.round(100 * share);
  row.querySelector(".fill").style.transform = `translateX(${percent - 100}%)`;
  row.querySelector(".track").setAttribute("aria-valuenow", String(percent));
}

// `alone`: the page only guides, no visit is held on it.
export function position(view, act, { sitting, hearing, alone = false }) {
  const advice = title("");
  advice.id = "advice";
  const why = node("p", { id: "why" });
  const near = meter("meter", "fill", t("position.far"), t("position.near"), t("position.distance"));
  const loud = meter("level", "loud", t("position.soft"), t("position.loud"), t("position.level"));
  const unheard = node("p", { class: "hearing", id: "hearing" });
  const retry = button("first", t("button.retry"), () => sitting.start(), { id: "retry" });
  const go = alone ? null : button("second", t("position.go_on"), () => act({ act: "do", what: "next" }), { id: "go-on" });
  const face = shape("ellipse", { class: "seen", cx: 200, cy: 150, rx: 0, ry: 0 });
  const outline = shape("svg", { class: "outline", viewBox: "0 0 400 300", "aria-hidden": "true" },
    shape("ellipse", { class: "aim", cx: 200, cy: 151, rx: 82, ry: 111 }), face);
  let said = "";
  let seen = view.position;
  const made = {
    say: "position",
    node: node("section", { class: "position" },
      alone || sitting.present ? null : outline,
      node("div", { class: "guide", "aria-live": "polite" }, advice, why), near, loud, unheard,
      node("div", { class: "row" }, retry, go)),
    sit(prompt) {
      const own = sitting.present || alone;
      // without the browser's camera another one may see the visitor: of that the station tells
      const known = own || Boolean(seen);
      const state = own ? sitting.state : (seen?.advice ?? "seat");
      say(advice, known ? t(`position.${state}.title`) : t("position.title"));
      say(why, known ? t(`position.${state}.why`) : t("position.no_picture"));
      near.hidden = own ? !sitting.present || sitting.failed : !seen;
      near.classList.toggle("unseen", own && !sitting.going);
      move(near, own ? sitting.near : (seen?.near ?? 0));
      retry.hidden = !sitting.failed;
      loud.hidden = !(alone && hearing.present);
      loud.classList.toggle("unseen", !hearing.going);
      unheard.hidden = !hearing.trouble;
      if (hearing.trouble) say(unheard, t(`position.${hearing.trouble}.title`) + " " + t(`position.${hearing.trouble}.why`));
      if (go) {
        const ready = state === "good" || !known;
        say(go, t(ready ? "button.next" : "position.go_on"));
        go.className = ready ? "first" : "second";
      }
      if (state !== said && said && ["closer", "farther", "middle", "brighter", "darker", "still", "several", "good"].includes(state)) prompt?.(state);
      said = state;
    },
    update(next) {
      seen = next.position;
      const { x, y, size } = seen ?? {};
      const there = Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(size);
      face.setAttribute("cx", there ? 400 * (1 - x) : 200);
      face.setAttribute("cy", there ? 300 * y : 150);
      face.setAttribute("rx", there ? 300 * size * 0.37 : 0);
      face.setAttribute("ry", there ? 150 * size : 0);
    },
    hear: (share) => move(loud, share),
  };
  made.update(view);
  made.sit();
  return made;
}
