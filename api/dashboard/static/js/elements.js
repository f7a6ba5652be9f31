// Builds elements. Text is always text: nothing here, and nothing on any page, parses HTML.

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] false, null: left out
 * @param {...(Node | string | null)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element with an id; a page without it is a mistake of ours.
 * @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return element;
}

/** Set text where it differs, so that a screen reader is not told the same thing again.
 * @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide a line of trouble.
 * @param {Element} element @param {string} text */
export function warn(element, text) {
  say(element, text);
  /** @type {HTMLElement} */ (element).hidden = !text;
}
