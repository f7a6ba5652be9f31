// In the browser's audio thread: blocks of 128 samples become pieces of 2048, with the index of their first sample.
const SIZE = 2048;

class Pieces extends AudioWorkletProcessor {
  #piece = new Float32Array(SIZE);
  #filled = 0;
  #frame = 0;

  process([input]) {
    const block = input[0];
    if (!block) {
      this.#filled = 0;
      return true;
    }
    if (!this.#filled) this.#frame = currentFrame;
    this.#piece.set(block, this.#filled);
    this.#filled += block.length;
    if (this.#filled >= SIZE) {
      this.port.postMessage({ frame: this.#frame, samples: this.#piece }, [this.#piece.buffer]);
      this.#piece = new Float32Array(SIZE);
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("pieces", Pieces);
