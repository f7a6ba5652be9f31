// The page: what the camera sees, and one sentence on how to sit.
import { Camera } from "./camera.js";
import { Link, TAKEN } from "./link.js";
import { picture } from "./pictures.js";
import { Microphone } from "./sound.js";
import { LANGUAGES, WORDS, preferred } from "./words.js";

const at = (id) => document.getElementById(id);
const video = at("video");
const camera = new Camera(video);
let language = preferred();
let state = "waiting";
let going = false;
let unheard = "";
const tokens = {
  camera: document.querySelector('meta[name="token"]').content,
  microphone: document.querySelector('meta[name="microphone"]').content,
};
let asked = { width: 640, height: 480, rate: 30 };

function show(next) {
  state = next;
  const words = WORDS[language];
  document.body.dataset.state = state;
  [at("advice").textContent, at("why").textContent] = words[state];
  const missing = state === "denied" || state === "missing";
  at("retry").hidden = !missing;
  at("dark").hidden = camera.open || !tokens.camera;
}

function speak(next) {
  language = next;
  const words = WORDS[language];
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-word]")) each.textContent = words[each.dataset.word];
  for (const each of at("languages").children) each.setAttribute("aria-pressed", String(each.lang === language));
  at("retry").textContent = words.retry;
  at("meter").setAttribute("aria-label", words.distance);
  at("level").setAttribute("aria-label", words.level);
  at("hearing").textContent = unheard ? words[unheard] : "";
  document.title = words.brand;
  show(state);
}

function move(near) {
  at("fill").style.transform = `translateX(${Math.round(100 * near) - 100}%)`;
  at("meter").setAttribute("aria-valuenow", String(Math.round(100 * near)));
}

function visit(now) {
  going = now;
  document.body.toggleAttribute("data-visit", going);
  if (!camera.open) return;
  camera.visit(going);
  move(0);
  show(going ? "nobody" : "seat");
}

async function start() {
  try {
    await camera.start(asked, () => show("missing"));
    visit(going);
  } catch (error) {
    show(error.name === "NotAllowedError" ? "denied" : "missing");
  }
}

const said = {
  welcome: (word) => {
    asked = word;
    link.clock();
    if (camera.open) visit(going);
    else start();
  },
  visit: (word) => visit(word.going),
  guide: (word) => {
    if (!going || !camera.open) return;
    move(word.near);
    show(word.advice in WORDS[language] ? word.advice : "nobody");
  },
};

const link = tokens.camera && new Link(
  tokens.camera,
  (word) => said[word.kind]?.(word),
  (code) => {
    going = false;
    document.body.removeAttribute("data-visit");
    show(code === TAKEN ? "taken" : "lost");
  },
);

function hear(visiting) {
  document.body.toggleAttribute("data-hears", visiting);
  if (!tokens.camera) show(visiting ? "speak" : "seat");
}

if (tokens.microphone) {
  at("sound").hidden = at("privacy-sound").hidden = false;
  new Microphone(
    tokens.microphone,
    (loud) => {
      at("loud").style.transform = `translateX(${Math.round(100 * loud) - 100}%)`;
      at("level").setAttribute("aria-valuenow", String(Math.round(100 * loud)));
    },
    hear,
    (why) => {
      unheard = { denied: "unheard", missing: "mute" }[why] ?? "";
      at("hearing").hidden = !unheard;
      at("hearing").textContent = unheard && WORDS[language][unheard];
    },
  );
}
if (!tokens.camera) at("stage").hidden = at("distance").hidden = at("privacy").hidden = true;

for (const [code, name] of Object.entries(LANGUAGES)) {
  const button = document.createElement("button");
  [button.type, button.lang, button.textContent] = ["button", code, name];
  button.addEventListener("click", () => speak(code));
  at("languages").append(button);
}
at("retry").addEventListener("click", start);
speak(language);
if (link) setInterval(() => link.now(camera.held), 1000);

video.requestVideoFrameCallback(function each(now, seen) {
  video.requestVideoFrameCallback(each);
  if (going) link.picture((number) => picture(video, number, now, seen));
});
