// The visitor's page. It decides nothing: the station says what is to be seen, the page draws it and reports a touch.
import { Bar } from "./bar.js";
import { check_in } from "./check_in.js";
import { consent, forget as unset } from "./consent.js";
import { electrodes } from "./electrodes.js";
import { goodbye, trouble, waiting } from "./ending.js";
import { measure } from "./measure.js";
import { position } from "./position.js";
import { question } from "./question.js";
import { results } from "./results.js";
import { TAKEN } from "./link.js";
import { Sitting } from "./sitting.js";
import { Microphone } from "./sound.js";
import { spot } from "./spot.js";
import { talk } from "./talk.js";
import { HOME, LANGUAGES, language, load, speak, t } from "./texts.js";
import { Visit } from "./visit.js";
import { forget, prompt } from "./voice.js";
import { welcome } from "./welcome.js";

const SCREENS = { welcome, consent, check_in, position, electrodes, measure, spot, questionnaire: question, conversation: talk, results, goodbye, trouble, waiting };
const TOUCHED_EVERY = 10_000; // milliseconds between two words that somebody is there
const WITHOUT = 4000; // milliseconds without the station until the page says so

const at = (id) => document.getElementById(id);
const content = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
// what the server did not fill in is not there
const token = (name) => (content(name).startsWith("{") ? "" : content(name));

const alone = !token("visit");
const START = { screen: alone ? "position" : "waiting", language, simulated: false, online: true, clinic: "", step: 0, steps: 0, leaving: null };
let view = START;
let shown = null;
let key = "";
let lost = 0;
let touched = 0;

const hearing = { present: Boolean(token("microphone")), going: false, trouble: "" };

function act(what) {
  touched = performance.now();
  visit?.act(what);
}

// A language that the visitor chose: this page goes on in it at once, the station as soon as it hears.
function choose(next) {
  speak(next);
  bar.write();
  draw(true);
  act({ act: "speak", language: next });
}

const bar = new Bar(act, choose, Boolean(token("speech")));

// What makes a screen another one, so that it is built anew and not changed.
function name({ screen, question: asked, measuring, outcome, consent: text, offers }) {
  const parts = [screen, language, asked?.item, measuring?.mark, outcome?.state, text?.version];
  if (screen === "welcome") parts.push(JSON.stringify(offers));
  // not for each minute that goes by: what is being typed would be lost
  if (screen === "results") parts.push(JSON.stringify({ ...outcome, minutes: 0 }));
  return parts.join(" ");
}

function draw(anew = false) {
  const next = name(view);
  if (anew || next !== key) {
    const first = key === "";
    key = next;
    shown?.leave?.();
    const made = SCREENS[view.screen] ?? trouble;
    shown = made(view, act, { sitting, hearing, video: at("video"), speak: choose, alone });
    document.body.dataset.screen = view.screen;
    at("screen").replaceChildren(shown.node);
    if (!first && !anew) shown.node.querySelector("h1")?.focus({ preventScroll: true });
    if (shown.say) prompt(shown.say);
    scrollTo(0, 0);
  } else shown.update?.(view);
  shown.sit?.(prompt);
  bar.show(view);
  around();
}

// The picture and what is said of it: large where it guides, small wherever it is taken.
function around() {
  const guides = view.screen === "position";
  document.body.dataset.state = sitting.present || alone ? sitting.state : (view.position?.advice ?? "seat");
  document.body.toggleAttribute("data-visit", sitting.going);
  document.body.toggleAttribute("data-hears", hearing.going);
  at("stage").hidden = !sitting.present || !(guides || (sitting.going && sitting.camera.open));
  at("dark").hidden = sitting.camera.open || !sitting.present;
  const privacy = [];
  if (guides || sitting.going) {
    if (sitting.present) privacy.push(t("position.privacy"));
    if (hearing.present) privacy.push(t("position.privacy_sound"));
  }
  at("privacy").textContent = view.screen === "position" || view.screen === "measure" ? privacy.join(" ") : "";
}

function see(next) {
  clearTimeout(lost);
  lost = 0;
  if (next.screen === "welcome" && view.screen !== "welcome" && next.language !== HOME) act({ act: "speak", language: HOME });
  const gone = view.screen !== "goodbye" && next.screen === "goodbye";
  // what was set stays over a word that the station is away, and over nothing else
  if (next.screen !== "consent" && next.trouble !== "lost") unset();
  view = next;
  if (next.language !== language && LANGUAGES.has(next.language)) {
    speak(next.language);
    bar.write();
  }
  if (gone || (next.screen === "welcome" && next.step === 0 && key && !key.startsWith("welcome"))) {
    forget();
    bar.forget();
  }
  if (next.leaving !== null && document.body.dataset.leaving === undefined) prompt("leaving");
  document.body.toggleAttribute("data-leaving", next.leaving !== null);
  draw();
}

function heard(word) {
  if (word.kind === "view") see(word);
  else if (word.kind === "wave") shown?.wave?.(word);
}

function gone(code) {
  if (code === TAKEN) {
    see({ ...START, language, screen: "trouble", trouble: "taken" });
    return;
  }
  // a short pause is not worth a word
  lost ||= setTimeout(() => see({ ...START, language, screen: "trouble", trouble: "lost", online: true }), WITHOUT);
}

function hear(visiting) {
  hearing.going = visiting;
  if (alone && !sitting.present) sitting.state = visiting ? "speak" : "seat";
  changed();
}

function changed() {
  shown?.sit?.(prompt);
  around();
}

for (const each of ["pointerdown", "keydown"]) {
  document.addEventListener(each, () => {
    // somebody is there: also who only reads, scrolls or types
    const now = performance.now();
    if (!view.step || (view.leaving === null && now - touched < TOUCHED_EVERY)) return;
    touched = now;
    visit?.act({ act: "do", what: "here" });
  }, { capture: true, passive: true });
}
document.addEventListener("contextmenu", (event) => event.preventDefault());

await load();
const sitting = new Sitting(at("video"), token("token"), () => changed());
if (hearing.present) {
  new Microphone(
    token("microphone"),
    (loud) => shown?.hear?.(loud),
    hear,
    (why) => {
      hearing.trouble = { denied: "unheard", missing: "mute" }[why] ?? "";
      changed();
    },
  );
}
bar.write();
draw();
const visit = alone ? null : new Visit(token("visit"), heard, gone);
