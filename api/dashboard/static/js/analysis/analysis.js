// The figures of a session: each is drawn when it comes into view.

import { byId } from "../elements.js";
import { Data } from "./data.js";
import { Figure } from "./figure.js";
import { BRAIN } from "./brain.js";
import { EXPLAINED } from "./explained.js";
import { EXPRESSED } from "./expressed.js";
import { HEART } from "./heart.js";
import { OVER_TIME } from "./over_time.js";

const AHEAD = "400px"; // below the window, in which a figure is drawn already

const place = byId("analysis");
const data = new Data(place.dataset.session ?? "");
const figures = [...HEART, ...OVER_TIME, ...EXPLAINED, ...EXPRESSED, ...BRAIN].map((kind) => new Figure(kind, data));
const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      figures.find((figure) => figure.element === entry.target)?.show();
    }
  },
  { rootMargin: AHEAD },
);
byId("figures").replaceChildren(...figures.map((figure) => figure.element));
for (const figure of figures) watcher.observe(figure.element);

for (const figure of figures) figure.prepare();

// the session's page says which analysis is looked at
document.addEventListener("revision", (event) => {
  const revision = /** @type {CustomEvent} */ (event).detail || null;
  if (data.revision === revision) return;
  data.turnTo(revision);
  for (const figure of figures) figure.renew();
});
