// The socket to the visit's state machine: whole views come, acts go. What is said while it is gone is not said later.
const AGAIN = 1500;

export class Visit {
  #token;
  #heard;
  #gone;
  #socket = null;

  constructor(token, heard, gone) {
    [this.#token, this.#heard, this.#gone] = [token, heard, gone];
    this.#connect();
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/visit`);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ kind: "hello", token: this.#token })));
    socket.addEventListener("message", (event) => {
      const word = JSON.parse(event.data);
      if (word.token) this.#token = word.token;
      this.#heard(word);
    });
    socket.addEventListener("close", (event) => {
      this.#gone(event.code);
      // a token that is not valid any more is had by asking for the page again
      const again = event.code >= 4400;
      setTimeout(() => (again ? location.reload() : this.#connect()), AGAIN * (again ? 2 : 1));
    });
  }

  act(what) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(what));
  }
}
