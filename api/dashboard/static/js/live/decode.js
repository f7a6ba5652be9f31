// A chunk as it stands on the wire -> samples with times. Nothing is invented: where the device lost a sample, NaN stays.

/**
 * @typedef {object} Piece consecutive samples of one stream; times in milliseconds since the session's origin
 * @property {string} device
 * @property {string} signal
 * @property {string} run
 * @property {number} seq
 * @property {string[]} channels
 * @property {number | null} period milliseconds between samples; null where each has its own time
 * @property {Float64Array} times
 * @property {Float32Array} samples row per sample
 * @property {number} end when the next sample would be due
 */

/** @param {string} text base64 @returns {ArrayBuffer} */
function bytes(text) {
  const binary = atob(text);
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i);
  return out.buffer;
}

/** Float32Array and Int32Array read in the machine's order, which is little-endian wherever a browser runs.
 * @param {any} chunk @returns {Piece} */
export function decode(chunk) {
  const samples = new Float32Array(bytes(chunk.samples));
  const count = samples.length / chunk.channels.length;
  const start = chunk.start / 1e6;
  const period = chunk.rate ? 1000 / chunk.rate : null;
  const times = new Float64Array(count);
  if (period === null) {
    const offsets = new Int32Array(bytes(chunk.offsets));
    for (let i = 0; i < count; i++) times[i] = start + offsets[i] / 1000;
  } else {
    for (let i = 0; i < count; i++) times[i] = start + i * period;
  }
  const { device, signal, run } = chunk.stream;
  const end = times[count - 1] + (period ?? 0);
  return { device, signal, run, seq: chunk.seq, channels: chunk.channels, period, times, samples, end };
}
