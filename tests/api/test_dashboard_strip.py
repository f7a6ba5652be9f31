"""The session page in a real browser: the strip, its beats and corrections, and every number with all about it."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from api.store import courses
from api.store.courses import Kept
from kiosk.messages import EVENTS, End
from tests.api.dashboard.clinic import Clinic, Visit, close

BEATS = np.arange(0, 30, 0.8)
ATTACK = "<img src=x onerror=alert(1)>"
HEAR = """() => document.addEventListener('kiosk:window', (event) => {
  window.heard = event.detail;
  document.body.dataset.heard = event.detail.from;
})"""
SAY = """([start, end]) => document.dispatchEvent(
  new CustomEvent('kiosk:window', {detail: {start, end, from: 'analysis'}}))"""
expect.set_options(timeout=30_000)


@pytest.fixture
def page(browser: Browser, here: Clinic) -> Iterator[Page]:
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 900}, locale="en-GB")
    here.enter(context)
    made = context.new_page()
    made.on("pageerror", lambda error: complaints.append(str(error)))

    def refused(dialog: Dialog) -> None:
        complaints.append(dialog.message or dialog.type)
        dialog.dismiss()

    made.on("dialog", refused)
    yield made
    context.close()
    assert not complaints


@pytest.fixture(scope="module")
def session(here: Clinic) -> str:
    """Thirty seconds with a hole in the ECG, a mark from outside, and beats: one is ectopic, one was added."""
    visit = Visit(here, "strip")
    visit.record(30.0, leave_out=("ecg", 50, 59))
    here.store(visit.event("step_began", ATTACK), End(visit.stream(EVENTS), 0))
    close(here, visit, "partial")
    kinds, codes = np.zeros(len(BEATS)), np.zeros(len(BEATS))
    kinds[10], codes[20] = 1, 2
    kept = [
        Kept("beats", "ecg", "test", 0.0, BEATS, codes),
        Kept("beats_found", "ecg", "test", 0.0, np.delete(BEATS, 20), np.delete(kinds, 20)),
    ]
    with here.database.transaction() as db:
        courses.add(db, courses.sealed(here.database.vault, visit.session, 1, kept))
    return visit.session


def ready(page: Page) -> None:
    """All is drawn as fine as the screen is, and the beats are there."""
    expect(page.locator("#strip-canvas")).to_have_attribute("data-sharp", "true")
    expect(page.locator("#strip-legend li")).to_have_count(3)


def test_a_recording_is_read_from_the_whole_to_single_beats(page: Page, here: Clinic, session: str) -> None:
    page.goto(f"{here.address}/sessions/{session}")
    ready(page)
    where, canvas = page.locator("#strip-where"), page.locator("#strip-canvas")
    expect(where).to_contain_text("0:00.0 – 0:30.0")
    assert page.locator("#strip-legend li").all_inner_texts() == [
        "beat · 36",
        "added by the analysis · 1",
        "ectopic · 1",
    ]
    # a mark from outside is text: on the canvas, and in the list of events
    expect(page.locator("#events")).to_contain_text(ATTACK)
    canvas.focus()
    page.keyboard.press("+")
    expect(where).not_to_contain_text("0:00.0 – 0:30.0")
    page.keyboard.press("n")
    # the figures are told where the strip looks, and it goes where they point
    page.evaluate(HEAR)
    page.keyboard.press("ArrowRight")
    expect(page.locator("body")).to_have_attribute("data-heard", "strip")
    heard = page.evaluate("window.heard")
    assert 0 <= heard["start"] < heard["end"] <= 30
    page.evaluate(SAY, [10, 12.5])
    expect(where).to_contain_text("0:10.00 – 0:12.50")
    assert page.evaluate("window.heard.from") == "analysis"
    page.keyboard.press("c")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 300, box["y"] + 60)
    page.mouse.click(box["x"] + 400, box["y"] + 90)
    page.keyboard.press("c")
    page.keyboard.press("v")
    expect(where).to_contain_text("page 0:00:00")
    page.mouse.click(box["x"] + 400, box["y"] + 40)
    expect(page.locator("#strip-pages")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("0")
    expect(where).to_contain_text("0:00.0 – 0:30.0")
    # corrections wait, are taken back and done again, and go to the server as one batch
    page.keyboard.press("e")
    canvas.focus()
    for key in ("]", "Delete", "]", "Delete", "Control+z"):
        page.keyboard.press(key)
    pending = page.locator("#edit-pending")
    expect(pending).to_contain_text("0 added, 0 moved, 1 removed")
    page.keyboard.press("Control+Shift+z")
    expect(pending).to_contain_text("2 removed")
    page.locator("#edit-save").click()
    expect(page.locator(".toast")).to_contain_text("2 corrections are in force")


def test_all_about_a_number_is_one_key_away(page: Page, here: Clinic, session: str) -> None:
    page.goto(f"{here.address}/sessions/{session}")
    expect(page.locator('[data-key="heart_rate"] .value')).to_have_text("72 /min")
    page.locator('#readings tr[data-measure="heart_rate"] .open').focus()
    page.keyboard.press("i")
    about = page.locator("#readings tr.about")
    for words in ("95 %: 71 – 73 /min", "vote-3", "0.1.0", "loinc.org 8867-4", "simulated PPG: 72 /min, quality 81 %"):
        expect(about).to_contain_text(words)
    page.keyboard.press("i")
    expect(about).to_have_count(0)
    # and the assistant answers about this session
    page.locator("#assistant-question").fill("What about the heart rate?")
    page.keyboard.press("Enter")
    expect(page.locator('#assistant-talk [data-who="assistant"]')).to_contain_text("72")
