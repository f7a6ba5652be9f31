// The browser's microphone: raw samples to the kiosk on this machine while a visit is going on, and a bar of their level.
const HEAD = 40;
const MAGIC = 0x31414b48; // "HKA1", little-endian
const AGAIN = 1500;
const BEHIND = 1_000_000; // bytes that may wait in the socket: some seconds
const QUIETEST = -60; // decibels at which the bar is empty; it is full at 0
const NO_TOKEN = 4401;

export class Microphone {
  #token;
  #socket = null;
  #context = null;
  #number = 0;
  #going = false;
  #level;
  #visit;
  #state;

  // `level` is told how loud it is (0..1), `visit` whether sound is wanted, `state` whether it can be had: "", "denied"
  // or "missing"
  constructor(token, level, visit, state) {
    [this.#token, this.#level, this.#visit, this.#state] = [token, level, visit, state];
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/microphone`);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ kind: "hello", token: this.#token })));
    socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      this.#going = false;
      this.#level(0);
      this.#visit(false);
      // a token that is not valid any more is had by asking for the page again
      const again = event.code >= 4400;
      setTimeout(() => (again ? location.reload() : this.#connect()), AGAIN * (event.code === NO_TOKEN ? 1 : 3));
    });
  }

  #hear(word) {
    if (word.kind === "listening") this.#token = word.token;
    if (word.kind !== "visit") return;
    this.#going = word.going;
    this.#level(0);
    this.#visit(word.going);
    if (word.going && !this.#context) this.start();
  }

  // Nothing is to be done to the sound: what a browser calls noise is part of a voice.
  async start() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: false,
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      });
      stream.getAudioTracks()[0].addEventListener("ended", () => this.#stop("missing"));
      this.#context = new AudioContext({ latencyHint: "balanced" });
      await this.#context.audioWorklet.addModule("/static/worklet.js");
      const node = new AudioWorkletNode(this.#context, "pieces", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      node.port.onmessage = (event) => this.#send(event.data);
      this.#context.createMediaStreamSource(stream).connect(node);
      // a browser that was not told otherwise lets sound begin only after a touch
      document.addEventListener("pointerdown", () => this.#context?.resume(), { once: true });
      await this.#context.resume();
      this.#state("");
    } catch (error) {
      this.#stop(error.name === "NotAllowedError" ? "denied" : "missing");
    }
  }

  #stop(why) {
    this.#context?.close();
    this.#context = null;
    this.#level(0);
    this.#state(why);
  }

  #send({ frame, samples }) {
    const socket = this.#socket;
    if (!this.#going || !this.#context || socket.readyState !== WebSocket.OPEN) return;
    this.#level(loudness(samples));
    // what cannot be sent in time is left out; the kiosk sees by the index that it is missing
    if (socket.bufferedAmount > BEHIND) return;
    const message = new Uint8Array(HEAD + samples.byteLength);
    const head = new DataView(message.buffer, 0, HEAD);
    head.setUint32(0, MAGIC, true);
    head.setUint32(4, (this.#number += 1), true);
    head.setFloat64(8, frame, true);
    head.setFloat64(16, this.#context.sampleRate, true);
    head.setFloat64(24, performance.now(), true);
    head.setUint32(32, samples.length, true);
    message.set(new Uint8Array(samples.buffer), HEAD);
    socket.send(message);
  }
}

function loudness(samples) {
  let sum = 0;
  for (const each of samples) sum += each * each;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, 1 - decibels / QUIETEST));
}
