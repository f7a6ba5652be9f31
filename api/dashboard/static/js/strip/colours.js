// The page's colours, read once per theme: a canvas knows no variables.

const NAMES = ["paper", "ink", "quiet", "line", "soft", "accent", "ecg", "ppg", "breath", "grid", "grid-strong", "good", "fair", "poor", "warn"];
const OF = { ecg: "ecg", ppg: "ppg", rgb: "ppg", respiration: "breath" };

/** @param {HTMLElement} place @returns {Record<string, string>} */
export function colours(place) {
  const style = getComputedStyle(place);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim() || "#888"]));
}

/** @param {Record<string, string>} ours @param {string} signal */
export function colourOf(ours, signal) {
  return ours[OF[/** @type {keyof OF} */ (signal)] ?? "accent"];
}
