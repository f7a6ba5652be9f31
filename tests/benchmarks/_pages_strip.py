"""The full-disclosure strip of a whole day in headless chromium: from a turn of the wheel to the frame that shows it.

`first` is the frame that follows the input, drawn from what is there; `sharp` the one that is as fine as the screen.
The clock starts at the input's own time stamp and stops a frame after the one that was drawn.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.api.dashboard.clinic import clinic
from tests.benchmarks import _day
from tests.benchmarks._measuring import percentiles

VIEW = {"width": 1366, "height": 768}
STEPS = 12
"""Turns of the wheel from the whole day to a tenth of a second, and as many back."""
WALKS = 2
TURN = 700
"""Pixels of a turn: three times closer."""
WATCH = """() => {
  const canvas = document.getElementById("strip-canvas");
  window.timed = [];
  canvas.addEventListener("wheel", (event) => {
    const before = canvas.dataset.frame;
    const one = { first: null, sharp: null };
    window.timed.push(one);
    const look = () => {
      if (canvas.dataset.frame !== before) {
        const now = performance.now() - event.timeStamp;
        one.first ??= now;
        if (canvas.dataset.sharp === "true") { one.sharp = now; return; }
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true });
}"""
UNTIL = """(known) => new Promise((done) => {
  const look = () => (window.timed[known]?.sharp ?? null) !== null ? setTimeout(done, 50) : requestAnimationFrame(look);
  look();
})"""
"""In one call: the pages' security policy forbids the way in which playwright waits."""


def run(hours: float = _day.HOURS) -> list[tuple[str, ...]]:
    """Rows of a table: which signals, how many inputs, and milliseconds at p50 and p95."""
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder, clinic(Path(folder)) as here:
        _day.fill(here.database, "s-day", hours=hours)
        with sync_playwright() as playwright:
            found = shutil.which("chromium") or playwright.chromium.executable_path
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(viewport=VIEW, locale="en-GB")  # type: ignore[arg-type]
            here.enter(context)
            rows = walked(context.new_page(), f"{here.address}/sessions/s-day")
            browser.close()
    return rows


def walked(page: Page, address: str) -> list[tuple[str, ...]]:
    """The same of a page that is there."""
    page.goto(address)
    page.wait_for_selector('#strip-canvas[data-sharp="true"]', timeout=60_000)
    page.locator("#strip").scroll_into_view_if_needed()
    page.evaluate(WATCH)
    rows = [_row("ECG, pulse and breathing", _walk(page))]
    for box in page.locator("#strip-choices > label input, #strip-choices > div > label input").all()[1:]:
        box.evaluate("box => box.click()")
    return [*rows, _row("ECG alone", _walk(page))]


def _walk(page: Page) -> list[dict[str, float]]:
    """Zoom in and out about some places of the day."""
    page.evaluate("window.timed.length = 0")
    rng = np.random.default_rng(3)
    box = page.locator("#strip-canvas").bounding_box()
    assert box is not None
    for _ in range(WALKS):
        page.mouse.move(box["x"] + box["width"] * float(rng.uniform(0.1, 0.9)), box["y"] + 60)
        for turn in (-TURN,) * STEPS + (TURN,) * STEPS:
            known = page.evaluate("window.timed.length")
            page.mouse.wheel(0, turn)
            page.evaluate(UNTIL, known)
    timed: list[dict[str, float]] = page.evaluate("window.timed")
    return timed


def _row(name: str, timed: Sequence[dict[str, float]]) -> tuple[str, ...]:
    first, sharp = (percentiles([each[which] for each in timed]) for which in ("first", "sharp"))
    return name, str(len(timed)), f"{first[0]:.0f}", f"{first[1]:.0f}", f"{sharp[0]:.0f}", f"{sharp[1]:.0f}"


HEAD = ("strip of 24 h", "inputs", "first p50", "first p95", "sharp p50", "sharp p95")
