// What the page says: catalogues from the station, by language. A third language is one file there.
const meta = document.querySelector('meta[name="languages"]').content;
export const LANGUAGES = new Map(
  meta.split("|").map((each) => [each.slice(0, each.indexOf(" ")), each.slice(each.indexOf(" ") + 1)]),
);
const catalogues = new Map();
let words = {};
// The browser's own language, which each visitor finds at first.
export const HOME = preferred();
export let language = HOME;

export async function load() {
  await Promise.all(
    [...LANGUAGES.keys()].map(async (each) => {
      const answer = await fetch(`/words/${each}.json`);
      if (answer.ok) catalogues.set(each, await answer.json());
    }),
  );
  speak(language);
}

// Go on in this language; what is shown must be written anew.
export function speak(next) {
  if (!catalogues.has(next)) next = "en";
  language = next;
  words = catalogues.get(next) ?? {};
  document.documentElement.lang = next;
}

export const has = (key) => key in words;

// `{name}` in a text is replaced by the value of that name.
export function t(key, values = {}) {
  return (words[key] ?? "").replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

export const number = (value, decimals) =>
  value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false });

function preferred() {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, ...navigator.languages].filter(Boolean).map((each) => each.slice(0, 2).toLowerCase());
  return wanted.find((each) => LANGUAGES.has(each)) ?? "en";
}
