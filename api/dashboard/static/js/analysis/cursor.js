// What time is looked at, said between the strip of recorded signals and these figures: "kiosk:window" on document,
// with {start, end} in seconds since the session began, who says it, and whether that is the whole session.

const NAME = "kiosk:window";
const ME = "analysis";
const AROUND = 5; // seconds to either side of a moment that was pointed at

/** @param {number} start @param {number} end @param {string} [from] @param {boolean} [whole] */
export function tell(start, end, from = ME, whole = false) {
  document.dispatchEvent(new CustomEvent(NAME, { detail: { start, end, from, whole } }));
}

/** @param {number} moment */
export function tellMoment(moment) {
  tell(Math.max(0, moment - AROUND), moment + AROUND);
}

/** @param {(start: number, end: number, whole: boolean) => void} heard @param {string} [self] whose own words are not heard */
export function listen(heard, self = "") {
  document.addEventListener(NAME, (event) => {
    const { start, end, from, whole } = /** @type {CustomEvent} */ (event).detail ?? {};
    if (self && from === self) return;
    if (Number.isFinite(start) && Number.isFinite(end) && end > start) heard(start, end, whole === true);
  });
}
