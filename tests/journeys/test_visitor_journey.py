"""A visitor's whole visit in a real browser, with a film before its camera and a voice before its microphone: from the
first screen to results that come from the clinic - and what happens when something goes wrong on the way."""

import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from api.store import consents, patients, readings, responses, streams
from kiosk.errors import DriverFailed
from sensors.clock import Clock
from sensors.driver import AlwaysOpen, DriverFactory, Item, Port, Visit
from sensors.drivers.simulated.driver import signal_factory
from sensors.station import visit as stages
from tests.api import staff
from tests.journeys.house import House, house
from tests.journeys.visitor import SLOW, Visitor, browser_before, one_face, two_faces, voice


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("house"), patch) as made:
        yield made


@pytest.fixture(scope="module")
def player() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voice(tmp_path_factory.mktemp("sound") / "voice.wav")


@pytest.fixture(scope="module")
def alone(player: Playwright, tmp_path_factory: pytest.TempPathFactory, sound: Path) -> Iterator[Browser]:
    film = one_face(tmp_path_factory.mktemp("film") / "one.y4m")
    with browser_before(player, film, sound) as made:
        yield made


@pytest.fixture
def visitor(alone: Browser, home: House) -> Iterator[Visitor]:
    context = alone.new_context(viewport={"width": 1080, "height": 1920}, locale="en-GB")
    made = Visitor(context.new_page())
    made.arrive(home.station)
    yield made
    context.close()
    home.leave()


def sit_down(visitor: Visitor, *purposes: str) -> None:
    """From the first screen to the check-in."""
    visitor.choose("brief")
    visitor.agree(*(purposes or ("measure", "store")))


def measured(visitor: Visitor) -> None:
    """From the picture to the end of measuring."""
    visitor.sit_well()
    visitor.go_on()
    visitor.at("measure")
    visitor.at("questionnaire")


@pytest.mark.timeout(240)
def test_a_whole_visit_ends_with_results_that_come_from_the_clinic(visitor: Visitor, home: House) -> None:
    visitor.check_access("welcome")
    # in Russian and back: whoever reads the one reads the other
    visitor.page.locator('.tongues [lang="ru"]').click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "ru")
    visitor.page.locator('.tongues [lang="en"]').click()
    visitor.choose("brief")
    visitor.check_access("consent")
    # without the first purpose there is no visit, and the page says so
    visitor.page.locator("#agree").click()
    expect(visitor.page.locator(".warning")).not_to_be_empty()
    visitor.agree("measure", "store")
    visitor.check_access("check-in")
    visitor.tell(given="Ada", family="Visitor", year=1982, sex="female")
    visitor.sit_well()
    visitor.check_access("electrodes")
    expect(visitor.page.locator('[data-signal="ecg"][data-state="good"]')).to_be_visible(timeout=SLOW)
    visitor.go_on()
    visitor.at("measure")
    visitor.check_access("measuring")
    visitor.answer(2, 1)
    visitor.at("results")
    tile = visitor.page.locator('[data-measure="heart_rate"]')
    expect(tile).to_be_visible(timeout=60_000)
    shown = float(tile.locator(".value b").inner_text())
    visitor.check_access("results")
    row = home.rows()[0]
    with home.database.reading() as db:
        stored = readings.results(db, [row.id], "heart_rate")[row.id]
        assert row.patient_id is not None
        assert consents.allowed(db, row.patient_id) == {"measure", "store"}
        person = patients.get(db, row.patient_id)
        assert person is not None
        assert (person.birth_year, person.sex) == (1982, "female")
        assert [each.questionnaire for each in responses.of_session(db, row.id)] == ["phq2"]
        delivered = {each.signal for each in streams.of_session(db, row.id) if each.upto >= 0}
    assert stored is not None
    assert shown == round(stored)
    assert shown == pytest.approx(home.person.heart_rate, abs=4)
    assert {"ecg", "ppg", "respiration", "rgb", "face_motion", "voice_functionals", "entries"} <= delivered
    assert row.protocol == "brief"
    assert row.simulated
    # a clinician finds the same
    asked = urllib.request.Request(
        f"{home.address}/api/v1/sessions/{row.id}/readings?measure=heart_rate",
        headers=staff.bearer(home.database, home.clinician),
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert json.loads(answer.read())["items"]
    visitor.page.locator("#done").click()
    visitor.at("goodbye")
    # nothing of it is left on the screen
    assert "Ada" not in visitor.page.content()
    visitor.check()


@pytest.mark.timeout(120)
def test_who_does_not_agree_leaves_no_trace(visitor: Visitor, home: House) -> None:
    before = {row.id for row in home.rows()}
    with home.database.reading() as db:
        people = len(patients.newest(db, limit=1000))
    visitor.choose("brief")
    visitor.page.locator("#refuse").click()
    visitor.at("goodbye")
    visitor.at("welcome")
    assert {row.id for row in home.rows()} == before
    with home.database.reading() as db:
        assert len(patients.newest(db, limit=1000)) == people
    assert home.outbox.kept_visit() is None
    visitor.check()


@pytest.mark.timeout(240)
def test_without_a_network_the_visit_goes_on_and_nothing_is_lost(
    visitor: Visitor, home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "RESULTS_WITHIN", 3.0)
    before = {row.id for row in home.rows()}
    sit_down(visitor)
    visitor.page.locator("#anonymous").click()
    visitor.at("position")
    home.cut()
    try:
        expect(visitor.page.locator("#offline")).to_be_visible(timeout=SLOW)
        measured(visitor)
        visitor.answer(2)
        expect(visitor.page.locator('[data-outcome="follow"]')).to_be_visible(timeout=SLOW)
    finally:
        home.mend()
    new: list[str] = []

    def closed(_: object) -> bool:
        new[:] = [row.id for row in home.rows() if row.id not in before and row.state == "closed"]
        return bool(new)

    home.wait_for("the session is closed once the network is back", closed, 90)
    row = next(each for each in home.rows() if each.id == new[0])
    assert row.outcome == "complete"
    with home.database.reading() as db:
        found = streams.of_session(db, row.id)
        assert all(each.last is not None and each.upto == each.last for each in found)
        assert not streams.losses_of_session(db, row.id)
        extents = streams.extents(db, row.id)
        ecg = next(each for each in found if each.signal == "ecg")
        assert ecg.id is not None
        span = extents[ecg.id]
        # without a hole: as many samples as the time holds
        assert span.samples == pytest.approx((span.end - span.start) / 1e9 * 250.0, abs=2)
    visitor.check()


class Dead(AlwaysOpen):
    """A finger sensor that cannot be opened."""

    simulated = True
    name = "dead-ppg"

    def __init__(self) -> None:
        self.ports = (Port("ppg", ("green",), 100.0),)

    async def items(self) -> AsyncIterator[Item]:
        """Nothing but a complaint."""
        raise DriverFailed("no contact")
        yield  # type: ignore[unreachable] # so that it is a generator


def dead(visit: Visit, clock: Clock) -> Dead:
    """What makes it."""
    return Dead()


@pytest.mark.timeout(240)
def test_a_dead_sensor_is_said_and_the_others_measure(visitor: Visitor, home: House) -> None:
    broken: DriverFactory = dead
    usual = home.devices
    home.devices = lambda: [
        *(signal_factory(signal, person=home.person) for signal in ("ecg", "respiration")),
        broken,
        *home._made,
    ]
    try:
        sit_down(visitor)
        visitor.page.locator("#anonymous").click()
        visitor.sit_well()
        expect(visitor.page.locator('[data-signal="ppg"]')).to_have_attribute("data-state", "silent", timeout=SLOW)
        expect(visitor.page.locator('[data-signal="ecg"]')).to_have_attribute("data-state", "good", timeout=SLOW)
        visitor.go_on()
        visitor.at("measure")
        expect(visitor.page.locator(".troubles")).to_be_visible(timeout=SLOW)
        visitor.answer(2)
        expect(visitor.page.locator('[data-measure="heart_rate"]')).to_be_visible(timeout=60_000)
        visitor.page.locator("#done").click()
        visitor.check()
    finally:
        home.devices = usual


@pytest.mark.timeout(120)
def test_two_faces_are_told_to_be_one(player: Playwright, home: House, sound: Path, tmp_path: Path) -> None:
    with browser_before(player, two_faces(tmp_path / "two.y4m"), sound) as browser:
        visitor = Visitor(browser.new_page(locale="en-GB"))
        visitor.arrive(home.station)
        sit_down(visitor)
        visitor.page.locator("#anonymous").click()
        visitor.at("position")
        expect(visitor.page.locator("#advice")).to_have_text("One person at a time, please", timeout=SLOW)
        visitor.check_access("position")
        # the visitor ends it: asked once more, and then it is over
        visitor.page.locator("#stop").click()
        visitor.page.get_by_role("button", name="Yes, stop").click()
        visitor.at("goodbye")
        visitor.check()
    home.leave()
