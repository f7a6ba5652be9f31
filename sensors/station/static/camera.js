// The browser's camera: opened, shown as in a mirror, and held once it has settled.
const SETTLE = 2000;
const MODES = ["exposureMode", "whiteBalanceMode", "focusMode"];

export class Camera {
  #video;
  #settling = 0;
  held = null;

  constructor(video) {
    this.#video = video;
  }

  get open() {
    return this.#track?.readyState === "live";
  }

  get #track() {
    return this.#video.srcObject?.getVideoTracks()[0];
  }

  async start({ width, height, rate }, ended) {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: rate }, facingMode: "user" },
    });
    this.#video.srcObject = stream;
    this.#track.addEventListener("ended", ended);
    await this.#video.play();
  }

  // What the camera corrects by itself lies in the colour of the skin, a hundred times as large as a pulse.
  visit(going) {
    clearTimeout(this.#settling);
    this.#set("continuous");
    this.held = null;
    if (going) this.#settling = setTimeout(() => this.#hold(), SETTLE);
  }

  async #hold() {
    this.held = await this.#set("manual");
  }

  async #set(mode) {
    const able = this.#track?.getCapabilities?.() ?? {};
    const modes = MODES.filter((each) => able[each]?.includes(mode));
    if (!modes.length) return false;
    try {
      await this.#track.applyConstraints({ advanced: modes.map((each) => ({ [each]: mode })) });
      return modes.includes("exposureMode");
    } catch {
      return false;
    }
  }
}
