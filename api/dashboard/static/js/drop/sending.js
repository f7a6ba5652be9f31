// One upload: its bytes with progress, then how far its analysis is.

import { ask, Problem, renew } from "../api.js";
import { t } from "../texts.js";

const CSRF = /(?:^|;\s*)(?:__Host-)?kiosk-csrf=([0-9a-f]+)/;
const LOOK_EVERY = 700;
const PATIENCE = 20; // looks without an answer

/** Send files; fetch tells nothing of how far it is.
 * @param {File[]} files @param {Record<string, string>} said @param {(share: number) => void} progress @param {AbortSignal} signal
 * @returns {Promise<any>} */
export async function upload(files, said, progress, signal) {
  try {
    return await send(files, said, progress, signal);
  } catch (error) {
    if (error instanceof Problem && error.status === 401 && (await renew())) return send(files, said, progress, signal);
    throw error;
  }
}

/** @param {File[]} files @param {Record<string, string>} said @param {(share: number) => void} progress @param {AbortSignal} signal
 * @returns {Promise<any>} */
function send(files, said, progress, signal) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(said)) if (value) form.append(name, value);
    for (const file of files) form.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/analyses");
    request.setRequestHeader("accept", "application/json");
    request.setRequestHeader("x-csrf-token", document.cookie.match(CSRF)?.[1] ?? "");
    request.upload.onprogress = (event) => progress(event.lengthComputable ? event.loaded / event.total : 0);
    request.onerror = () => reject(new Problem(0, t("drop.broken")));
    request.onabort = () => reject(new DOMException("", "AbortError"));
    request.onload = () => {
      const answer = understood(request.responseText);
      if (request.status === 202) resolve(answer);
      else {
        const faults = (answer.errors ?? []).map((/** @type {any} */ each) => `${each.where}: ${each.what}`).join("; ");
        const words = [answer.detail || answer.title || t("frame.answered", { status: request.status }), faults].filter(Boolean).join(" ");
        reject(new Problem(request.status, words, String(answer.type ?? "").replace(/.*\//, "")));
      }
    };
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** @param {string} text */
function understood(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Follow an analysis to its end.
 * @param {string} id @param {(answer: any) => void} told @param {() => void} silent @param {AbortSignal} signal */
export async function follow(id, told, silent, signal) {
  let silence = 0;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    signal.throwIfAborted();
    try {
      const answer = await ask(`analyses/${encodeURIComponent(id)}`, { signal });
      silence = 0;
      told(answer);
      if (answer.state === "done" || answer.state === "failed") return answer;
    } catch (error) {
      if (signal.aborted || (error instanceof Problem && error.status >= 400 && error.status < 500)) throw error;
      if (++silence > PATIENCE) throw error;
      silent();
    }
  }
}

/** Take back what was sent. @param {string} id */
export function forget(id) {
  return ask(`analyses/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(() => undefined);
}
