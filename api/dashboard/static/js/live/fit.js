// Where a signal sits in its panel. A scale changes only when it no longer fits, never from frame to frame.

/** @typedef {{gain: number, middle: number}} Scale millimetres per unit; the value at half height */

const GAINS = [1, 0.5, 0.25, 0.1, 0.025];

/** @param {Float64Array} sorted @param {number} share */
function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))];
}

/**
 * @param {Float64Array} sorted values of the last seconds
 * @param {number} height millimetres
 * @param {Scale | null} current
 * @param {number | null} standard the gain that a fixed scale starts from (10 mm/mV); null: fill the panel
 * @returns {Scale | null} null: keep the current one
 */
export function fit(sorted, height, current, standard) {
  if (sorted.length < 2) return null;
  const low = quantile(sorted, 0.002);
  const high = quantile(sorted, 0.998);
  const span = high - low;
  const middle = (low + high) / 2;
  if (current && inside(low, high, height, current) && !wasteful(span, height, current, standard)) return null;
  if (standard === null) {
    const gain = span > 1e-9 * Math.max(1, Math.abs(middle)) ? (0.8 * height) / span : 0;
    return { gain, middle };
  }
  const share = GAINS.find((each) => span * standard * each <= 0.92 * height) ?? GAINS[GAINS.length - 1];
  return { gain: standard * share, middle };
}

/** @param {number} low @param {number} high @param {number} height @param {Scale} scale */
function inside(low, high, height, scale) {
  const half = height / 2;
  return (high - scale.middle) * scale.gain <= half && (scale.middle - low) * scale.gain <= half;
}

/** @param {number} span @param {number} height @param {Scale} scale @param {number | null} standard */
function wasteful(span, height, scale, standard) {
  if (standard === null) return span * scale.gain < 0.4 * height && span > 0;
  return scale.gain < standard && span * scale.gain < 0.4 * height;
}
