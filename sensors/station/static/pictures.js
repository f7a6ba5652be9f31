// Pictures as the camera delivered them, with the time at which they were taken: a head of 32 bytes, then the planes.
const HEAD = 32;
const MAGIC = 0x31464b48; // "HKF1", little-endian
const LAYOUTS = { I420: 1, NV12: 2, RGBA: 3 };
const BT601 = 1, BT709 = 2;
const CAPTURED = 1, SHOWN = 2;
const MOST_PLANES = 1280 * 720 * 4;

let canvas = null;

// The browser's own planes: nothing is compressed, scaled or converted on the way.
async function planes(video) {
  if (!("VideoFrame" in globalThis)) return null;
  const frame = new VideoFrame(video);
  try {
    const { width, height } = frame.visibleRect ?? { width: 0, height: 0 };
    const size = (width * height * 3) / 2;
    if (!(frame.format === "I420" || frame.format === "NV12") || width % 2 || height % 2 || size > MOST_PLANES) return null;
    if (frame.allocationSize() !== size) return null;
    const message = new Uint8Array(HEAD + size);
    const matrix = frame.colorSpace?.matrix === "bt709" ? BT709 : BT601;
    const full = frame.colorSpace?.fullRange === true;
    const layout = LAYOUTS[frame.format];
    await frame.copyTo(message.subarray(HEAD));
    return { message, width, height, layout, matrix, full };
  } finally {
    frame.close();
  }
}

// Browsers without them hand out red, green, blue; what is larger than HD is made smaller.
function drawn(video) {
  const scale = Math.min(1, 1280 / video.videoWidth, 720 / video.videoHeight);
  const width = 2 * Math.floor((video.videoWidth * scale) / 2);
  const height = 2 * Math.floor((video.videoHeight * scale) / 2);
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  pen.drawImage(video, 0, 0, width, height);
  const message = new Uint8Array(HEAD + width * height * 4);
  message.set(pen.getImageData(0, 0, width, height).data, HEAD);
  return { message, width, height, layout: LAYOUTS.RGBA, matrix: BT601, full: true };
}

// One picture of a video element as a message; `seen` is what requestVideoFrameCallback said of it.
export async function picture(video, number, now, seen) {
  const made = (await planes(video)) ?? drawn(video);
  const head = new DataView(made.message.buffer, 0, HEAD);
  head.setUint32(0, MAGIC, true);
  head.setUint32(4, number, true);
  head.setFloat64(8, seen.captureTime ?? now, true);
  head.setUint16(24, made.width, true);
  head.setUint16(26, made.height, true);
  head.setUint8(28, made.layout);
  head.setUint8(29, made.matrix);
  head.setUint8(30, made.full ? 1 : 0);
  head.setUint8(31, seen.captureTime === undefined ? SHOWN : CAPTURED);
  // last of all: how long it was on its way counts from here
  head.setFloat64(16, performance.now(), true);
  return made.message;
}
