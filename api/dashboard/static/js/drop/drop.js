// Files that are dropped anywhere on the page, or chosen: each recording waits for its turn.

import { items } from "../api.js";
import { byId, make, say, toast } from "../elements.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";
import { Job, size } from "./job.js";

const MOST_FILES = 200;
const TOGETHER = new Set(["hea", "dat", "atr", "qrs", "xws", "vhdr", "vmrk", "eeg", "mat"]);

const page = byId("page");
const input = /** @type {HTMLInputElement} */ (byId("files"));
const over = byId("over");
/** @type {Job[]} */
let jobs = [];
/** @type {Map<string, string>} pseudonym -> id */
const patients = new Map();
let searching = 0;

/** @param {string} id */
const value = (id) => /** @type {HTMLInputElement} */ (byId(id)).value.trim();

function said() {
  const patient = patients.get(value("patient"));
  return {
    kind: value("kind"), rate: value("rate"), channel: value("channel"), patient_id: patient ?? "",
    age: patient ? "" : value("age"), sex: patient ? "" : value("sex"),
  };
}

/** Files that are parts of one recording stay together.
 * @param {File[]} files @returns {File[][]} */
function recordings(files) {
  if (/** @type {HTMLInputElement} */ (byId("together")).checked) return files.length ? [files] : [];
  /** @type {Map<string, File[]>} */
  const found = new Map();
  for (const file of files) {
    const place = file.name.lastIndexOf(".");
    const ending = file.name.slice(place + 1).toLowerCase();
    const key = place > 0 && TOGETHER.has(ending) ? file.name.slice(0, place) : `${file.name}\n${found.size}`;
    found.set(key, [...(found.get(key) ?? []), file]);
  }
  return [...found.values()];
}

/** @param {FileList | File[]} files */
function take(files) {
  const typed = value("patient");
  if (typed && !patients.has(typed)) {
    byId("patient").setAttribute("aria-invalid", "true");
    toast(t("frame.problem.unknown-patient"), "bad");
    return;
  }
  byId("patient").removeAttribute("aria-invalid");
  for (const group of recordings([...files])) {
    if (group.length > MOST_FILES) {
      toast(t("drop.many", { n: MOST_FILES }), "bad");
      continue;
    }
    const job = new Job(group, said(), { most: Number(page.dataset.most), results: "results" in page.dataset, next });
    jobs.push(job);
    byId("jobs").prepend(job.element);
  }
  next();
}

/** One after the other: the line and the analysis are shared. */
function next() {
  jobs = jobs.filter((job) => job.element.isConnected);
  byId("queue").hidden = !jobs.length;
  if (jobs.some((job) => !job.over && job.state !== "waiting")) return;
  jobs.find((job) => job.state === "waiting")?.run();
}

async function search() {
  const typed = value("patient");
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(typed) || patients.has(typed)) return;
  const mine = ++searching;
  try {
    const found = await items(`patients?limit=12&pseudonym=${encodeURIComponent(typed)}`);
    if (mine !== searching) return;
    for (const each of found) patients.set(each.pseudonym, each.id);
    byId("patients").replaceChildren(...found.map((each) => make("option", { value: each.pseudonym })));
  } catch {
    // without a search nobody is offered; the upload says what is wrong
  }
}

const holds = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
let inside = 0;
addEventListener("dragenter", (event) => {
  if (!holds(event)) return;
  event.preventDefault();
  inside++;
  over.hidden = false;
});
addEventListener("dragleave", () => {
  inside = Math.max(0, inside - 1);
  over.hidden = inside === 0;
});
addEventListener("dragover", (event) => holds(event) && event.preventDefault());
addEventListener("drop", (event) => {
  inside = 0;
  over.hidden = true;
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
byId("choose").onclick = () => input.click();
input.addEventListener("change", () => {
  if (input.files?.length) take(input.files);
  input.value = "";
});
byId("patient").addEventListener("input", search);
byId("about").addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (jobs.some((job) => job.state === "sending")) event.preventDefault();
});
register("o", t("drop.choose_key"), () => input.click());
say(byId("limit"), t("drop.limit", { size: size(Number(page.dataset.most)) }));
