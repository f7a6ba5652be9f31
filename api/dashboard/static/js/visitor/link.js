// Times as the reader's own clock has them, and printing. Without this script the page says the same, in UTC.
const language = document.documentElement.lang;
for (const time of document.querySelectorAll("time")) {
  const when = new Date(time.dateTime);
  const today = when.toDateString() === new Date().toDateString();
  time.textContent = when.toLocaleString(language, today ? { timeStyle: "short" } : { dateStyle: "long", timeStyle: "short" });
}
const button = document.getElementById("print");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
