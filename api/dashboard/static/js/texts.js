// What scripts say, in the page's language: the parts of the catalogue that the page put into itself.
const texts = JSON.parse(document.getElementById("texts").textContent);
export const language = document.documentElement.lang;

export const has = (key) => key in texts;

// `{name}` in a text is replaced by the value of that name.
export function t(key, values = {}) {
  if (!(key in texts)) throw new Error(`no text ${key}`);
  return texts[key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

const rules = new Intl.PluralRules(language);

// "3 sessions": the key's `.one`, `.few` or `.many`, by the number, which the text has as `{n}`.
export function plural(key, n, values = {}) {
  const kind = rules.select(n);
  return t(`${key}.${kind === "one" || kind === "few" ? kind : "many"}`, { n, ...values });
}
