// Light or dark, before the first picture: a classic script in the head. What was chosen is kept in this browser
// alone; where nothing was, the device decides. `data-theme` on <html> is what there is (light or dark),
// `data-choice` what was chosen (auto, light or dark). Pages that draw by hand listen to "themechange" on document.
(() => {
  const root = document.documentElement;
  const device = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "kiosk-theme";
  const CHOICES = ["auto", "light", "dark"];

  function chosen() {
    try {
      const kept = localStorage.getItem(KEY);
      return CHOICES.includes(kept) ? kept : "auto";
    } catch {
      return "auto"; // storage is switched off
    }
  }

  function apply() {
    const choice = chosen();
    const theme = choice === "auto" ? (device.matches ? "dark" : "light") : choice;
    const changed = root.dataset.theme !== theme;
    root.dataset.choice = choice;
    root.dataset.theme = theme;
    if (changed) document.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
  }

  document.addEventListener("themewanted", () => {
    const next = CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length];
    try {
      if (next === "auto") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      return;
    }
    apply();
  });
  device.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === KEY && apply());
  apply();
})();
