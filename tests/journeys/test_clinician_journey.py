"""A clinician's whole way through the dashboard in a real browser: what waits, the alert behind it, the signals, a beat
set by hand and the numbers that follow, a note, a review, the person, two sessions side by side, and out."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from api.recorder import Recorder
from api.store import alerts, corrections, notes, patients, reviews, rules, sessions, utc_now
from api.tables import MAIN, PatientRow, RuleRow
from kiosk.bus import Delivery
from kiosk.commands.demo.signals import chunks, tracks
from kiosk.messages import SECOND, SESSION, End, Message, Origin, Session, Stream, address, encode
from sensors.drivers.simulated.person import Person
from tests.api.staff import PASSWORD
from tests.journeys.house import KIOSK, House, house
from tests.journeys.visitor import SLOW, Watched, browser_before, one_face, voice

SECONDS = 60.0
NOW, BEFORE = "s-now", "s-before"
PATIENT = "p-00000000000000aa"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("house"), patch) as made:
        with made.database.transaction() as db:
            patients.add(
                db,
                PatientRow(
                    id=PATIENT, clinic_id=MAIN, pseudonym="QUIET-HERON", birth_year=1979, sex="female",
                    created_ns=utc_now(),
                ),
            )  # fmt: skip
            rules.add(
                db,
                RuleRow(
                    id="r-00000000000000aa", clinic_id=MAIN, measure="heart_rate", high=90.0, severity="urgent",
                    author_id="system", created_ns=utc_now(),
                ),
            )  # fmt: skip
        _record(made, BEFORE, Person(seed=31, heart_rate=64.0), timedelta(days=30))
        _record(made, NOW, Person(seed=31, heart_rate=104.0), timedelta(hours=1))
        made.wait_for("both are analysed", lambda db: all(_revision(made, each) for each in (NOW, BEFORE)), 90)
        yield made


def _revision(home: House, session: str) -> int:
    with home.database.reading() as db:
        row = sessions.get(db, session)
        return 0 if row is None or row.changed else row.revision


def _record(home: House, session: str, person: Person, ago: timedelta) -> None:
    """A visit with a heart, a finger, a breath and a face."""
    recorder = Recorder(home.database)

    def commit(*messages: Message) -> None:
        recorder.commit([Delivery(address(KIOSK, message), encode(message)) for message in messages])

    word = Stream(session, "station", SESSION, "r1")
    origin = Origin(utc_now() - round(ago.total_seconds()) * SECOND, 0, "boot")
    commit(Session(word, 0, "open", origin, simulated=True))
    with home.database.transaction() as db:
        sessions.assign(db, session, PATIENT)
    streams = []
    for track in tracks(person, SECONDS, ("ecg", "ppg", "respiration", "camera")):
        sent = list(chunks(track, session, "r1"))
        streams.append(sent[0].stream)
        commit(*sent, End(sent[0].stream, len(sent) - 1))
    commit(
        Session(word, 1, "ended", origin, round(SECONDS * SECOND), tuple(streams), simulated=True),
        End(word, 1),
    )


@pytest.fixture(scope="module")
def player() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def window(player: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    folder: Path = tmp_path_factory.mktemp("film")
    with browser_before(player, one_face(folder / "one.y4m"), voice(folder / "voice.wav")) as made:
        yield made


def row_of(page: Page, session: str) -> str:
    return f'#work [data-session="{session}"]'


@pytest.mark.timeout(300)
def test_a_clinician_works_off_what_waits(window: Browser, home: House) -> None:
    context = window.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    page.set_default_timeout(SLOW)
    seen = Watched(page)

    # in
    page.goto(home.address)
    expect(page.locator("#login")).to_be_visible()
    seen.check_access("login")
    page.locator("#login").fill(home.clinician.login)
    page.locator("#password").fill(PASSWORD)
    page.locator("#go").click()
    page.wait_for_url("**/worklist")

    # what waits: the alert is first
    first = page.locator("#work > li").first
    expect(first).to_have_attribute("data-session", NOW)
    expect(first).to_have_attribute("data-why", "urgent")
    expect(first).to_contain_text("QUIET-HERON")
    seen.check_access("work list")
    first.get_by_role("button", name="Seen to").or_(first.get_by_role("button", name="Acknowledge")).first.click()
    expect(page.locator(row_of(page, NOW))).not_to_have_attribute("data-why", "urgent")
    with home.database.reading() as db:
        [(alert, _)] = alerts.newest(db, limit=10, clinic=MAIN)
        assert (alert.state, alert.acknowledged_by) == ("acknowledged", home.clinician.id)

    # the session, its signals and its numbers
    page.locator(row_of(page, NOW)).get_by_role("link", name="Open").click()
    page.wait_for_url(f"**/sessions/{NOW}")
    canvas = page.locator("#strip-canvas")
    expect(canvas).to_be_visible()
    expect(page.locator("#strip-where")).to_contain_text(":")
    expect(page.locator("#readings")).to_contain_text("Heart rate")
    expect(page.locator("#simulated")).to_be_visible()
    page.wait_for_load_state("networkidle")
    seen.check_access("session")
    before = page.locator("#strip-where").inner_text()
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("+")
    expect(page.locator("#strip-where")).not_to_have_text(before)

    # a beat is taken away by hand: the numbers follow as a new revision
    page.locator("#strip-edit").click()
    expect(page.locator("#editing")).to_be_visible()
    canvas.focus()
    page.keyboard.press("]")
    page.locator("#edit-remove").click()
    expect(page.locator("#edit-save")).to_be_enabled()
    page.locator("#edit-save").click()
    home.wait_for("the correction makes a revision", lambda db: _revision(home, NOW) == 2, 60)
    with home.database.reading() as db:
        [set_by_hand] = corrections.of_session(db, NOW)
        assert (set_by_hand.kind, set_by_hand.author_id) == ("remove", home.clinician.id)
    expect(page.locator("#revision option")).to_have_count(2, timeout=2 * SLOW)

    # a note and a review
    page.locator("#note-text").fill("Came up the stairs.")
    page.locator("#note button[type=submit]").click()
    expect(page.locator("#notes")).to_contain_text("Came up the stairs.")
    page.locator('#review [data-verdict="repeat"]').click()
    page.locator("#review-comment").fill("Once more after five minutes of rest.")
    page.locator("#review button[type=submit]").click()
    expect(page.locator("#reviews")).to_contain_text("Once more after five minutes of rest.")
    with home.database.reading() as db:
        assert [notes.read(db, each) for each in notes.newest(db, limit=5, session=NOW)] == ["Came up the stairs."]
        [said] = reviews.of_session(db, NOW)
        assert (said.verdict, said.revision) == ("repeat", 2)

    # the person, and both sessions side by side
    page.locator("#person a").first.click()
    page.wait_for_url(f"**/patients/{PATIENT}")
    expect(page.locator("main")).to_contain_text("QUIET-HERON")
    page.wait_for_load_state("networkidle")
    seen.check_access("patient")
    page.goto(f"{home.address}/compare?a={BEFORE}&b={NOW}")
    expect(page.locator("main")).to_contain_text("Heart rate")
    page.wait_for_load_state("networkidle")
    seen.check_access("compare")

    # out, and nothing can be seen any more
    page.locator("#leave").click()
    page.wait_for_url("**/login**")
    page.goto(f"{home.address}/patients/{PATIENT}")
    page.wait_for_url("**/login**")
    expect(page.locator("body")).not_to_contain_text("QUIET-HERON")
    assert not seen.strangers
    assert not [each for each in seen.complaints if "401" not in each]
    context.close()
