"""The figures of a session and the comparison of two, in a browser: drawn, told, linked, and absent in words."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update
from sqlmodel import col

from analytics.session import Result
from api.answers import courses_of, row_of
from api.store import courses, results
from api.store.sealing import vault_of
from api.tables import PatientRow, SessionRow
from kiosk.messages import SECOND
from tests.api.dashboard.clinic import Clinic
from tests.api.records import BEGAN, analysed
from tests.api.test_courses import result

WAIT = 30_000
"""Milliseconds: a figure waits for a large library."""


def kept(clinic: Clinic, session: str, found: Result, day: int) -> None:
    """An analysed session of the one patient, with how its numbers went."""
    with clinic.database.transaction() as db:
        if db.get(PatientRow, "p-figures") is None:
            db.add(PatientRow(id="p-figures", clinic_id="main", pseudonym="P-FIGURES", created_ns=BEGAN))
    analysed(clinic.database, session, {}, whose="p-figures", day=day)
    with clinic.database.transaction() as db:
        vault_of(db).assign(session, "p-figures")
        rows = [row_of(each, None) for each in found.readings]
        results.add(db, session, 2, outcome="complete", version="1", context={}, beats=None, readings=rows, now=BEGAN)
        courses.add(db, courses.sealed(clinic.database.vault, session, 2, courses_of(found)))
        last = {"revision": 2, "ended_ns": 150 * SECOND}
        db.execute(update(SessionRow).where(col(SessionRow.id) == session).values(**last))


@pytest.fixture(scope="module")
def page(browser: Browser, here: Clinic) -> Page:
    kept(here, "s-figures", result(), 0)
    kept(here, "s-later", result(), 1)
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    here.enter(context)
    made = context.new_page()
    made.set_default_timeout(WAIT)
    return made


def serious(page: Page) -> list[str]:
    """What axe finds that somebody could not use."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found if each["impact"] in ("serious", "critical")
    ]


def test_figures_are_drawn_when_they_come_into_view_and_told_in_words(here: Clinic, page: Page) -> None:
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{here.address}/sessions/s-figures")
    card = page.locator('[data-figure="tachogram"]')
    far = page.locator('[data-figure="eeg_spectrum"] .main-svg').first
    expect(card.locator(".told")).to_contain_text("ECG:", timeout=WAIT)
    expect(far).to_have_count(0)
    card.scroll_into_view_if_needed()
    expect(card.locator(".main-svg").first).to_be_visible(timeout=WAIT)
    assert "beats" in (card.locator(".chart").get_attribute("aria-label") or "")
    # the table is there for whoever asks, by keyboard too
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card.locator("tbody tr").nth(20)).to_contain_text("measured")
    # another source
    card.locator("select").select_option("ppg")
    expect(card.locator(".told")).to_contain_text("PPG:")
    # no camera and no face here: why, in words, and no empty frame
    empty = page.locator('[data-figure="emotions"]')
    expect(empty).to_have_class("card plotted wide without")
    expect(empty.locator(".told")).to_have_text("Nothing of this kind was recorded in this session.")
    expect(empty.locator(".chart")).to_be_hidden()
    agreement = page.locator('[data-figure="agreement"]')
    agreement.scroll_into_view_if_needed()
    expect(agreement.locator(".told")).to_contain_text("limits of agreement")

    # the window that the strip shows is shaded, and a stretch that is dragged across is told to it
    rates = page.locator('[data-figure="rates"]')
    rates.scroll_into_view_if_needed()
    expect(rates.locator(".main-svg").first).to_be_visible(timeout=WAIT)
    page.evaluate("document.dispatchEvent(new CustomEvent('kiosk:window', {detail: {start: 30, end: 60}}))")
    expect(rates.locator(".shapelayer path, .layer-below .shapelayer path").first).to_be_attached(timeout=WAIT)
    # not wait_for_function: it evaluates text, which the content security policy forbids
    page.evaluate(
        "document.addEventListener('kiosk:window', (event) => { window.heard = event.detail; "
        "document.body.dataset.heard = event.detail.from; })"
    )
    box = rates.locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 62, steps=4)
    page.mouse.up()
    expect(page.locator("body")).to_have_attribute("data-heard", "analysis", timeout=WAIT)
    heard = page.evaluate("window.heard")
    assert 0 < heard["start"] < heard["end"] < 150
    assert heard["from"] == "analysis"
    assert serious(page) == []
    assert faults == []
    assert all(url.startswith((here.address, "data:", "blob:")) for url in asked)


def test_two_sessions_are_held_beside_each_other(here: Clinic, page: Page) -> None:
    page.goto(f"{here.address}/compare?a=s-figures")
    expect(page.locator("#same")).to_have_text("Same person", timeout=WAIT)
    expect(page.locator(".side")).to_have_count(2)
    row = page.locator("#rows tr", has_text="RMSSD").first
    expect(row).to_contain_text("Within what measuring leaves open.", timeout=WAIT)
    expect(page.locator('[data-figure="overlaid_tachogram"] .main-svg').first).to_be_visible()
    expect(page.locator("#other option")).to_have_count(1)
    assert serious(page) == []
    page.locator("#swap").click()
    page.wait_for_url("**/compare?a=s-later&b=s-figures")
    page.emulate_media(media="print")
    expect(page.locator("details.more").first).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(f"{here.address}/compare")
    expect(page.locator("#empty")).to_be_visible()
