// The audit: who did what to whose data.

import { ask } from "../api.js";
import { byId, make, toast, warn } from "../elements.js";
import { time } from "../format.js";
import { register } from "../shortcuts.js";
import { t } from "../texts.js";

const FILTERS = ["actor", "action", "object_kind", "object_id", "outcome"];
const MOST_EXPORTED = 20_000;
const rows = byId("rows");
const older = byId("older");
/** @type {string | null} */
let next = null;
let turn = 0;

/** @param {string} id */
const value = (id) => /** @type {HTMLInputElement} */ (byId(id)).value.trim();

function query() {
  const wanted = new URLSearchParams({ limit: "100" });
  for (const name of FILTERS) if (value(name)) wanted.set(name, value(name));
  for (const name of ["since", "until"]) if (value(name)) wanted.set(name, new Date(value(name)).toISOString());
  return wanted;
}

/** @param {boolean} [more] */
async function show(more = false) {
  const mine = ++turn;
  const wanted = query();
  if (more && next) wanted.set("cursor", next);
  try {
    const page = await ask(`audit?${wanted}`);
    if (mine !== turn) return;
    next = page.next;
    const made = page.items.map(row);
    if (more) rows.append(...made);
    else rows.replaceChildren(...(made.length ? made : [make("tr", {}, make("td", { colspan: 7, class: "quiet" }, t("admin.audit.nothing")))]));
    older.hidden = !next;
    warn(byId("trouble"), "");
  } catch (error) {
    if (mine === turn) warn(byId("trouble"), /** @type {Error} */ (error).message);
  }
  byId("table").setAttribute("aria-busy", "false");
}

/** @param {any} each */
function row(each) {
  const kind = { done: "plain", refused: "warning", absent: "plain", failed: "urgent" }[/** @type {"done"} */ (each.outcome)];
  const detail = each.detail ? Object.entries(each.detail).map(([name, said]) => `${name}: ${said}`).join(", ") : "";
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, String(each.seq)),
    make("td", {}, time(Date.parse(each.at))),
    make("td", {}, pick("actor", each.actor), make("small", { class: "quiet" }, ` ${each.role}${each.clinic ? `, ${each.clinic}` : ""}`)),
    make("td", { class: "mono" }, each.action),
    make("td", {}, make("span", { class: "quiet" }, `${each.object_kind} `), pick("object_id", each.object_id)),
    make("td", {}, make("span", { class: "badge", "data-kind": kind }, t(`admin.outcome.${each.outcome}`))),
    make("td", { class: "small" }, detail),
  );
}

/** An id that filters by itself when it is pressed. @param {string} filter @param {string} id */
function pick(filter, id) {
  const made = make("button", { type: "button", class: "plain mono" }, id);
  made.onclick = () => {
    /** @type {HTMLInputElement} */ (byId(filter)).value = id;
    show();
  };
  return made;
}

/** @param {string} text @param {string} kind */
function verdict(text, kind) {
  const place = byId("verdict");
  place.className = kind;
  warn(place, text);
}

byId("verify").onclick = async () => {
  const button = /** @type {HTMLButtonElement} */ (byId("verify"));
  button.disabled = true;
  verdict(t("admin.audit.verifying"), "quiet");
  try {
    const chain = await ask("audit/chain");
    const words = chain.whole ? t("admin.audit.whole", { n: chain.rows }) : t("admin.audit.broken", { n: chain.broken_at, fault: chain.fault });
    verdict(chain.restored ? `${words} ${t("admin.audit.restored", { n: chain.restored })}` : words, chain.whole ? "done" : "wrong");
  } catch (error) {
    verdict(/** @type {Error} */ (error).message, "wrong");
  }
  button.disabled = false;
};

// a cell that begins like a formula is one to a spreadsheet
const cell = (/** @type {unknown} */ said) => `"${String(said ?? "").replace(/^([=+\-@\t\r])/, "'$1").replaceAll('"', '""')}"`;

byId("export").onclick = async () => {
  const button = /** @type {HTMLButtonElement} */ (byId("export"));
  button.disabled = true;
  toast(t("admin.audit.exporting"));
  try {
    const names = ["seq", "at", "actor", "role", "clinic", "action", "object_kind", "object_id", "outcome", "detail", "chain"];
    const lines = [names.join(",")];
    const wanted = query();
    wanted.set("limit", "200");
    let cursor = null;
    do {
      if (cursor) wanted.set("cursor", cursor);
      const page = await ask(`audit?${wanted}`);
      for (const each of page.items) lines.push(names.map((name) => cell(name === "detail" && each.detail ? JSON.stringify(each.detail) : each[name])).join(","));
      cursor = page.next;
    } while (cursor && lines.length < MOST_EXPORTED);
    const link = /** @type {HTMLAnchorElement} */ (make("a", { download: `audit-${new Date().toISOString().slice(0, 10)}.csv` }));
    link.href = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    toast(/** @type {Error} */ (error).message, "bad");
  }
  button.disabled = false;
};

byId("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
byId("filters").addEventListener("reset", () => setTimeout(show));
older.onclick = () => show(true);
register("/", t("admin.audit.key_filter"), (event) => {
  event.preventDefault();
  byId("actor").focus();
});
show();
