// Elements without markup: text is only ever text.
const DRAWN = "http://www.w3.org/2000/svg";

function filled(made, { text, on = {}, ...attributes }, inner) {
  for (const [name, value] of Object.entries(attributes)) {
    // of aria-* false is a value, of others it is none
    if (value === true && !name.startsWith("aria-")) made.setAttribute(name, "");
    else if ((value !== false || name.startsWith("aria-")) && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  if (text !== undefined) made.textContent = text;
  for (const [name, heard] of Object.entries(on)) made.addEventListener(name, heard);
  made.append(...inner.filter((each) => each !== null && each !== undefined));
  return made;
}

export const node = (name, made = {}, ...inner) => filled(document.createElement(name), made, inner);
export const shape = (name, made = {}, ...inner) => filled(document.createElementNS(DRAWN, name), made, inner);
export const button = (kind, text, then, made = {}) =>
  node("button", { type: "button", class: kind, text, on: { click: then }, ...made });

// The screen's title takes the focus when the screen changes: what is new is read out, and Tab goes on from there.
export const title = (text) => node("h1", { text, tabindex: -1 });

// Text that is read out when it changes, and only then.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
