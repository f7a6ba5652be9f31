// Loads plotly.js from our own server, once, and only where a figure is about to be drawn.

// plotly and the map library inside it write style elements into the page, which our content security policy
// forbids. They leave that be where they find elements of these ids; the rules that charts need are in kiosk.css.
const STYLES = ["plotly.js-style-global", "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53"];

/** @type {Promise<any> | null} */
let loading = null;

/** @returns {Promise<any>} */
export function plotly() {
  loading ??= load();
  return loading;
}

async function load() {
  for (const id of STYLES) {
    if (document.getElementById(id)) continue;
    const stand = document.createElement("meta");
    stand.id = id;
    stand.className = "no-inline-styles";
    document.head.append(stand);
  }
  // @ts-ignore - a classic script: it leaves a global behind
  await import("../../plotly.min.js");
  return /** @type {any} */ (globalThis).Plotly;
}
