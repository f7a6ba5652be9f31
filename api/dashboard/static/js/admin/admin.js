// Administration: one part at a time, each asked for when it is opened.

import { byId, warn } from "../elements.js";
import { showConsents } from "./consents.js";
import { showKeys } from "./keys.js";
import { showKiosks } from "./kiosks.js";
import { showUsers } from "./users.js";

/** @type {Record<string, (panel: HTMLElement) => Promise<void>>} */
const PARTS = { users: showUsers, kiosks: showKiosks, keys: showKeys, consents: showConsents };
const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll(".tabs a")]);

async function open() {
  const wanted = links.find((link) => link.hash === location.hash) ?? links[0];
  const name = wanted.dataset.tab ?? "";
  for (const link of links) {
    if (link === wanted) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const panel of document.querySelectorAll(".panel")) /** @type {HTMLElement} */ (panel).hidden = /** @type {HTMLElement} */ (panel).dataset.panel !== name;
  warn(byId("trouble"), "");
  const panel = byId(`panel-${name}`);
  try {
    await PARTS[name]?.(panel);
  } catch (error) {
    warn(byId("trouble"), /** @type {Error} */ (error).message);
  }
  panel.removeAttribute("aria-busy");
}

addEventListener("hashchange", open);
open();
