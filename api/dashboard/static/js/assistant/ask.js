// Questions about a session: what is asked goes with the lines before it, the answer is shown as it comes, nothing is kept.
import { send } from "../api.js";
import { t, language } from "../texts.js";

const MOST_LINES = 20;
const panel = document.getElementById("assistant");
const log = document.getElementById("assistant-talk");
const form = document.getElementById("assistant-ask");
const field = document.getElementById("assistant-question");
/** @type {{who: string, text: string}[]} */
const talk = [];

/** @param {string} who @param {string} text */
function say(who, text) {
  const line = document.createElement("li");
  line.dataset.who = who;
  line.textContent = text;
  log.hidden = false;
  log.append(line);
  line.scrollIntoView({ block: "nearest" });
  return line;
}

/** The answer, piece by piece, into its line. @param {HTMLElement} line */
async function answered(line) {
  const body = JSON.stringify({ talk: talk.slice(-MOST_LINES), language });
  const headers = { "content-type": "application/json", accept: "text/plain" };
  const response = await send(`sessions/${encodeURIComponent(panel.dataset.session)}/assistant`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(String(response.status));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    line.textContent += piece.value;
    line.scrollIntoView({ block: "nearest" });
  }
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const asked = field.value.trim();
  if (!asked) return;
  field.value = "";
  talk.push({ who: "you", text: asked });
  say("you", asked);
  const line = say("assistant", "");
  line.ariaBusy = "true";
  try {
    await answered(line);
    talk.push({ who: "assistant", text: line.textContent.slice(0, 2000) });
  } catch {
    talk.pop();
    line.textContent = t("assistant.failed");
  } finally {
    line.ariaBusy = "false";
    field.focus();
  }
});
