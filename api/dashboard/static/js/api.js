// Asks the REST interface, and says in words what went wrong.

export class Problem extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let ahead = 0;

/** The server's time, in milliseconds since 1970 and good to a second: the viewer's clock may be wrong. */
export function serverNow() {
  return Date.now() + ahead;
}

/**
 * @param {string} path below /api/v1
 * @param {{method?: string, body?: unknown, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) };
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The server cannot be reached.");
  }
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) ahead = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Problem(response.status, problem.detail || problem.title || `The server answered ${response.status}.`);
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
  do {
    const page = await ask(next ? `${path}?cursor=${encodeURIComponent(next)}` : path);
    found.push(...page.items);
    next = page.next;
  } while (next);
  return found;
}
