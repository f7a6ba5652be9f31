// The socket to the kiosk: one token for each connection, and never more than two pictures under way.
const MOST_UNDER_WAY = 2;
const AGAIN = 1500;
const WORDS_AT_ONCE = 24, WORDS_APART = 20;
export const NO_TOKEN = 4401, TAKEN = 4409;

export class Link {
  #socket = null;
  #token;
  #number = 0;
  #underWay = 0;
  #heard;
  #closed;
  dropped = 0;

  constructor(token, heard, closed) {
    [this.#token, this.#heard, this.#closed] = [token, heard, closed];
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/camera`);
    this.#socket = socket;
    this.#underWay = 0;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ kind: "hello", token: this.#token })));
    socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      this.#closed(event.code);
      // a token that is not valid any more is had by asking for the page again
      const again = event.code === NO_TOKEN || event.code === TAKEN || event.code >= 4400;
      setTimeout(() => (again ? location.reload() : this.#connect()), AGAIN * (again ? 3 : 1));
    });
  }

  #hear(word) {
    if (word.kind === "welcome") this.#token = word.token;
    if (word.kind === "arrived") this.#underWay = Math.max(0, this.#underWay - 1);
    else this.#heard(word);
  }

  get #ready() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  now(held) {
    if (this.#ready) this.#socket.send(JSON.stringify({ kind: "now", at: performance.now(), dropped: this.dropped, held }));
  }

  // Some quick words: the quickest of them tells the kiosk how its clock and this page's differ.
  clock(left = WORDS_AT_ONCE) {
    if (!left) return;
    this.now(null);
    setTimeout(() => this.clock(left - 1), WORDS_APART);
  }

  // `make` makes the message with a number; it is not asked while earlier ones are still under way.
  async picture(make) {
    if (!this.#ready) return;
    if (this.#underWay >= MOST_UNDER_WAY) {
      this.dropped += 1;
      return;
    }
    const socket = this.#socket;
    this.#underWay += 1;
    this.#number += 1;
    try {
      const message = await make(this.#number);
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
    } catch {
      // a picture that cannot be had is one that is left out
      this.dropped += 1;
      if (socket === this.#socket) this.#underWay = Math.max(0, this.#underWay - 1);
    }
  }
}
