// What is heard: prompts that the station speaks, where it can, and one soft tone.
import { has, language } from "./texts.js";

const TONE = 528; // hertz
let context = null;
let wanted = false;
let playing = null;
let last = "";

const sound = () => (context ??= new AudioContext({ latencyHint: "interactive" }));

export function voice(on) {
  wanted = on;
  if (!on) hush();
  else if (last) prompt(last);
}

export function hush() {
  playing?.stop();
  playing = null;
}

// Says a text of `say.*`, if that is wanted; what was being said ends.
export async function prompt(name) {
  last = name;
  if (!wanted || !has(`say.${name}`)) return;
  const said = `/speech/${language}/say.${name}.wav`;
  try {
    const answer = await fetch(said);
    if (!answer.ok || last !== name) return;
    const heard = await sound().decodeAudioData(await answer.arrayBuffer());
    if (!wanted || last !== name) return;
    hush();
    await sound().resume();
    playing = new AudioBufferSourceNode(sound(), { buffer: heard });
    playing.connect(sound().destination);
    playing.start();
  } catch {
    // a kiosk without a voice says it in writing alone
  }
}

export function forget() {
  last = "";
  hush();
}

// Swells and fades within a second: nobody whose eyes are closed is startled.
export async function tone() {
  try {
    const made = sound();
    await made.resume();
    const now = made.currentTime;
    for (const [delay, pitch] of [[0, TONE], [0.35, TONE * 1.5]]) {
      const loud = new GainNode(made, { gain: 0 });
      loud.gain.linearRampToValueAtTime(0, now + delay);
      loud.gain.linearRampToValueAtTime(0.16, now + delay + 0.12);
      loud.gain.exponentialRampToValueAtTime(0.0005, now + delay + 1.4);
      const source = new OscillatorNode(made, { frequency: pitch });
      source.connect(loud).connect(made.destination);
      source.start(now + delay);
      source.stop(now + delay + 1.5);
    }
    document.body.dataset.rang = String((Number(document.body.dataset.rang) || 0) + 1);
  } catch {
    // without a loudspeaker the ring on the screen ends, and so does the time
  }
}
