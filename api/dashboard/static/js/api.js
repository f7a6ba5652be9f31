// Asks the REST interface, and says in words what went wrong.

import { has, language, t } from "./texts.js";

export class Problem extends Error {
  /** @param {number} status @param {string} message @param {string} [kind] */
  constructor(status, message, kind = "") {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

/** Kinds whose English detail says more than their text. */
const SAYS_MORE = new Set(["weak-password", "invalid"]);

let ahead = 0;

/** The server's time, in milliseconds since 1970 and good to a second: the viewer's clock may be wrong. */
export function serverNow() {
  return Date.now() + ahead;
}

const CSRF = /(?:^|;\s*)(?:__Host-)?kiosk-csrf=([0-9a-f]+)/;

/** One request to the server, with what proves that a page of ours makes it.
 * @param {string} path @param {RequestInit} [options] */
export async function send(path, { method = "GET", headers, ...more } = {}) {
  const proof = method === "GET" ? {} : { "x-csrf-token": document.cookie.match(CSRF)?.[1] ?? "" };
  return fetch(`/api/v1/${path}`, { method, headers: { ...headers, ...proof }, ...more });
}

/** Go on with a login whose quarter of an hour is over; false where it has ended.
 * @returns {Promise<boolean>} */
export async function renew() {
  // a refresh token counts once: of all pages of this browser, one asks, and the others find it done
  const turn = async () => {
    if ((await send("account")).ok) return true;
    const headers = { "content-type": "application/json" };
    return (await send("account/refresh", { method: "POST", headers, body: "{}" })).ok;
  };
  try {
    return await (navigator.locks ? navigator.locks.request("kiosk-login", turn) : turn());
  } catch {
    return false;
  }
}

/** To where one logs in, and then back here. */
function leave() {
  if (location.pathname !== "/login") location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * @param {string} path below /api/v1
 * @param {{method?: string, body?: unknown, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, { method = "GET", body, signal, headers: more = {} } = {}) {
  const headers = { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...more };
  const options = { method, headers, body: body && JSON.stringify(body), signal };
  let response;
  try {
    response = await send(path, options);
    if (response.status === 401 && path !== "account/login") {
      if (await renew()) response = await send(path, options);
      else leave();
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, t("frame.unreachable"));
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) ahead = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  const kind = String(problem.type ?? "").replace(/.*\//, "");
  throw new Problem(response.status, words(kind, response.status) || problem.detail || problem.title || t("frame.answered", { status: response.status }), kind);
}

/** What an error is called in the reader's language, where the API's own words - English, and for programs - are not it.
 * @param {string} kind @param {number} status */
function words(kind, status) {
  if (language === "en" && SAYS_MORE.has(kind)) return "";
  return has(`frame.problem.${kind}`) ? t(`frame.problem.${kind}`) : status >= 500 ? t("frame.problem.failed") : "";
}

/** The items of a list, or of its first page.
 * @param {string} path @returns {Promise<any[]>} */
export async function items(path) {
  return (await ask(path)).items;
}

/** All items of a list, page after page.
 * @param {string} path @returns {Promise<any[]>} */
export async function everyPage(path) {
  const found = [];
  let next = null;
  const join = path.includes("?") ? "&" : "?";
  do {
    const page = await ask(next ? `${path}${join}cursor=${encodeURIComponent(next)}` : path);
    found.push(...page.items);
    next = page.next;
  } while (next);
  return found;
}
