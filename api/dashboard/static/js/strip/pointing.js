// Wheel, drag, pinch and keys on the strip.

const FAST = 0.0016; // of a wheel's pixels, to the exponent
const STILL = 4; // pixels below which a press was a click
const CLOSER = 1.6; // of a key or button

export class Pointing {
  /** @param {import("./strip.js").Strip} strip */
  constructor(strip) {
    this.strip = strip;
    const { canvas } = strip;
    /** @type {Map<number, {x: number, y: number}>} */
    this.fingers = new Map();
    this.moved = 0;
    /** @type {string} what the press has hold of */
    this.held = "";
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    canvas.addEventListener("pointerup", (event) => this.#release(event));
    canvas.addEventListener("pointercancel", (event) => this.#release(event));
    canvas.addEventListener("dblclick", (event) => !strip.paged && !strip.editor && this.#closer(4, event.offsetX));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {number} factor @param {number} px */
  #closer(factor, px) {
    this.strip.window.zoom(factor, this.strip.timeAt(px));
    this.strip.changed();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    const { strip } = this;
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    if (strip.paged) {
      const before = strip.pages.start;
      strip.pages.move(Math.sign(event.deltaY) * 3);
      if (strip.pages.start !== before) event.preventDefault();
      return;
    }
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
    // where there is no further out, the wheel is the page's
    if (!sideways && event.deltaY > 0 && strip.window.span >= strip.window.all && !event.ctrlKey) return;
    event.preventDefault();
    if (sideways) {
      strip.window.move((sideways * unit) / strip.width);
      strip.changed();
    } else this.#closer(Math.exp(-FAST * unit * event.deltaY * (event.ctrlKey ? 5 : 1)), event.offsetX);
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const { strip } = this;
    if (event.button) return;
    strip.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.moved = 0;
    if (this.fingers.size > 1 || strip.paged) {
      this.held = "";
    } else if (strip.calipers.on) {
      this.held = "caliper";
      strip.calipers.press(event.offsetX, event.offsetY);
    } else if (strip.editor?.press(event.offsetX, event.offsetY)) {
      this.held = "beat";
    } else {
      this.held = "strip";
    }
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const { strip } = this;
    const finger = this.fingers.get(event.pointerId);
    if (!finger) {
      strip.editor?.over(event.offsetX, event.offsetY);
      return;
    }
    const before = [...this.fingers.values()].map((each) => each.x);
    this.moved += Math.abs(event.offsetX - finger.x) + Math.abs(event.offsetY - finger.y);
    const by = event.offsetX - finger.x;
    finger.x = event.offsetX;
    finger.y = event.offsetY;
    if (strip.paged) return;
    if (this.fingers.size === 2) {
      const after = [...this.fingers.values()].map((each) => each.x);
      const factor = Math.abs(after[0] - after[1]) / Math.max(1, Math.abs(before[0] - before[1]));
      this.#closer(Math.min(3, Math.max(0.3, factor)), (after[0] + after[1]) / 2);
    } else if (this.held === "caliper") strip.calipers.drag(event.offsetX, event.offsetY);
    else if (this.held === "beat") strip.editor?.drag(event.offsetX);
    else if (this.moved > STILL) {
      strip.window.move(-by / strip.width);
      strip.changed();
    }
  }

  /** @param {PointerEvent} event */
  #release(event) {
    const { strip } = this;
    if (!this.fingers.delete(event.pointerId)) return;
    const click = this.moved <= STILL && event.type === "pointerup";
    if (strip.paged) {
      if (click) strip.standard(strip.pages.timeAt(event.offsetX, event.offsetY));
      if (click) strip.resize();
      strip.canvas.dispatchEvent(new CustomEvent("modechange"));
    } else if (this.held === "caliper") strip.calipers.release();
    else if (this.held === "beat") strip.editor?.release(click);
    else if (click) strip.editor?.click(event.offsetX, event.offsetY);
    this.held = "";
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { strip } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { window } = strip;
    const middle = strip.width / 2;
    const sideways = (/** @type {number} */ way) => {
      if (strip.paged) strip.pages.move(way * (event.shiftKey ? strip.pages.count : 1));
      else if (strip.calipers.on && event.shiftKey) strip.calipers.nudge(way * 2);
      else window.move(way * (event.shiftKey ? 0.8 : 0.1));
    };
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => sideways(-1),
      ArrowRight: () => sideways(1),
      ArrowUp: () => (strip.paged ? sideways(-1) : this.#closer(CLOSER, middle)),
      ArrowDown: () => (strip.paged ? sideways(1) : this.#closer(1 / CLOSER, middle)),
      "+": () => this.#closer(CLOSER, middle),
      "=": () => this.#closer(CLOSER, middle),
      "-": () => this.#closer(1 / CLOSER, middle),
      Home: () => (strip.paged ? strip.pages.to(window.whole[0]) : window.show(window.whole[0], window.whole[0] + window.span)),
      End: () => (strip.paged ? strip.pages.to(window.whole[1]) : window.show(window.whole[1] - window.span, window.whole[1])),
      PageUp: () => (strip.paged ? strip.pages.move(-strip.pages.count) : window.move(-0.95)),
      PageDown: () => (strip.paged ? strip.pages.move(strip.pages.count) : window.move(0.95)),
      0: () => window.show(...window.whole),
    };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    strip.changed();
  }
}
