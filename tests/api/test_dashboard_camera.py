"""What a camera tells, on the clinician's pages in a real browser: named, beside the others, and one calm group."""

import re
from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from analytics.registry import LIVE_MEASURES
from api.dashboard import words
from api.store import results, sessions, utc_now
from api.store.results import Found
from api.store.sessions import Due
from kiosk.measures import MEASURES
from kiosk.messages import SECOND, Reading
from tests.api.dashboard.clinic import Clinic, Visit

SHOWN = {
    "neutral": 0.21, "happiness": 0.64, "sadness": 0.03, "surprise": 0.05, "anger": 0.02, "fear": 0.02,
    "disgust": 0.02, "contempt": 0.01,
}  # fmt: skip
SIZES = ((1366, 768), (1080, 1920), (390, 844))
_numbers = count(1)
# a busy machine may take seconds to start
expect.set_options(timeout=20_000)


@pytest.fixture
def page(browser: Browser, here: Clinic) -> Iterator[Page]:
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    here.enter(context)
    made = context.new_page()
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    context.close()
    assert not complaints


@pytest.fixture
def visit(here: Clinic) -> Iterator[Visit]:
    made = Visit(here, f"camera-{next(_numbers)}")
    made.begin()
    yield made
    made.leave()
    here.say(made.word("ended"))


def watch(page: Page, visit: Visit) -> None:
    """Open the live page, and wait until it listens."""
    page.goto(f"{visit.clinic.address}/sessions/{visit.session}")
    expect(page.locator('[data-signal="ecg"] .lost')).to_have_text("")


def tile(page: Page, measure: str) -> Locator:
    return page.locator(f'.tile[data-measures="{measure}"]')


def camera(
    visit: Visit, measure: str, value: float | None, *, absent: str | None = None, source: str = "rgb"
) -> Reading:
    return visit.reading(measure, value, absent=absent, device="analytics-camera", source=source)


def face(visit: Visit, *, source: str = "face_scores", absent: str | None = None) -> list[Reading]:
    shown = {**{f"face_{name}": value for name, value in SHOWN.items()}, "face_valence": 0.52, "face_arousal": 0.18}
    return [
        camera(visit, name, None if absent else value, absent=absent, source=source) for name, value in shown.items()
    ]


def test_the_cameras_heart_rate_stands_beside_that_of_the_ecg(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    here.say(visit.reading("heart_rate", 72.0), camera(visit, "heart_rate", 74.0))
    heart = tile(page, "heart_rate")
    expect(heart.locator(".value")).to_have_text("72")
    expect(heart.locator(".note")).to_have_text("From ECG")
    expect(heart.locator(".also")).to_have_text("Camera: 74")
    here.say(
        visit.reading("heart_rate", 72.0),
        visit.reading("heart_rate", 73.0, device="analytics-finger", source="ppg"),
        camera(visit, "heart_rate", None, absent="moving"),
    )
    expect(heart.locator(".also")).to_have_text(f"PPG: 73 · Camera: {words.REASONS['moving']}")


def test_a_camera_alone_is_named_in_words(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    here.say(
        camera(visit, "heart_rate", 66.0),
        camera(visit, "respiration_rate", 14.0, source="face_motion"),
    )
    expect(tile(page, "heart_rate").locator(".note")).to_have_text("From camera")
    expect(tile(page, "respiration_rate").locator(".note")).to_have_text("From camera (head and chest)")
    here.say(camera(visit, "heart_rate", None, absent="too_dark"))
    expect(tile(page, "heart_rate").locator(".value")).to_have_text("–")
    expect(tile(page, "heart_rate").locator(".note")).to_have_text(words.REASONS["too_dark"])


def test_what_a_face_shows_is_one_group_that_states_its_limits(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    group = page.locator("#face")
    expect(group).to_be_hidden()
    tiles = page.locator(".tile:visible").count()
    here.say(*face(visit))
    expect(group).to_be_visible()
    expect(group.locator(".note")).to_have_text("Shows mostly happiness")
    expect(group.locator(".from")).to_have_text("From camera (networks)")
    expect(group.locator(".limits")).to_have_text(words.BY_NAME["face"].limits)
    assert page.locator(".tile:visible").count() == tiles
    rows = group.locator("li:visible")
    assert rows.count() == len(SHOWN) + 2
    for name, value in SHOWN.items():
        row = group.locator(f'[data-measure="face_{name}"]')
        expect(row.locator(".figure")).to_have_text(f"{value:.2f}")
        assert row.locator(".bar span").evaluate("bar => bar.style.width") == f"{round(100 * value)}%"
    expect(group.locator('[data-measure="face_valence"] .figure')).to_have_text("0.52")


def test_no_face_is_said_and_old_readings_are_not_left_standing(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    group = page.locator("#face")
    here.say(*face(visit, absent="no_face"))
    expect(group.locator(".note")).to_have_text(words.REASONS["no_face"])
    expect(group.locator('[data-measure="face_happiness"] .figure')).to_have_text("–")
    heart = tile(page, "heart_rate")
    here.say(visit.reading("heart_rate", 72.0), camera(visit, "heart_rate", 74.0), *face(visit))
    expect(group.locator(".note")).to_have_text("Shows mostly happiness")
    expect(heart.locator(".also")).to_have_text("Camera: 74")
    expect(group.locator(".note")).to_have_text("No face reading any more")
    assert set(group.locator(".figure").all_inner_texts()) <= {"–", ""}
    # nor is an old number of another source
    here.say(visit.reading("heart_rate", 71.0))
    expect(heart.locator(".value")).to_have_text("71")
    expect(heart.locator(".also")).to_have_text("")


def test_networks_go_before_rules(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    rules = [camera(visit, "face_neutral", 0.9, source="face_units")]
    here.say(*rules, *face(visit))
    expect(page.locator('#face [data-measure="face_neutral"] .figure')).to_have_text("0.21")
    expect(page.locator("#face .from")).to_have_text("From camera (networks)")


def test_a_page_with_a_face_fits_laptop_portrait_and_phone(page: Page, here: Clinic, visit: Visit) -> None:
    watch(page, visit)
    sides = "all => all.map((each) => each.getBoundingClientRect()).flatMap(({left, right}) => [left, right])"
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        here.say(camera(visit, "heart_rate", 74.0), visit.reading("heart_rate", 72.0), *face(visit))
        expect(page.locator("#face .note")).to_have_text("Shows mostly happiness")
        expect(tile(page, "heart_rate").locator(".also")).to_have_text("Camera: 74")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for element in ("#face li:visible", "#face .limits", ".tile .also:visible"):
            places = page.locator(element).evaluate_all(sides)
            assert places
            assert all(0 <= place <= width for place in places), element


def test_stored_face_readings_are_a_group_of_their_own(page: Page, here: Clinic) -> None:
    visit = Visit(here, f"camera-{next(_numbers)}")
    visit.record(6.0)
    span = (0, 6 * SECOND)
    faces = [
        Found(f"face_{name}", value, None, None, 0.8, None, "face_scores", "recording", "pool", True, *span)
        for name, value in SHOWN.items()
    ]
    others = [
        Found("heart_rate", 66.0, None, None, 0.8, None, "rgb", "recording", "rgb-matched-blood-2", True, *span),
        Found("blink_rate", 14.0, None, None, 0.8, None, "face_units", "recording", "landmarks-1", True, *span),
    ]
    with here.database.transaction() as db:
        due = Due(visit.session, "complete", 0)
        assert sessions.claim(db, due, "test", utc_now())
        assert sessions.close(db, due, "test", utc_now())
        results.add(
            db, visit.session, 1, outcome="complete", version="0.1.0", context={}, beats=np.empty(0).tobytes(),
            now=utc_now(), readings=[*others, *faces],
        )  # fmt: skip
    page.goto(f"{here.address}/sessions/{visit.session}")
    groups = page.locator("#readings tr.group th")
    expect(groups.nth(1)).to_contain_text("Face")
    expect(groups.nth(1)).to_contain_text(words.BY_NAME["face"].limits)
    rows = page.locator("#readings tbody tr").all()
    names = [row.get_attribute("data-measure") or row.get_attribute("class") for row in rows]
    assert names[:4] == ["group", "heart_rate", "group", "summary"]
    assert set(names[4:]) == {"blink_rate", *(f"face_{name}" for name in SHOWN)}
    expect(page.locator('#readings tr[data-measure="heart_rate"]')).to_contain_text("camera")
    assert not re.search(r"face_|\brgb\b", page.locator("#readings table").inner_text().replace("rgb-matched", ""))


def test_every_face_measure_and_source_has_its_words() -> None:
    assert all(set(group.measures) <= MEASURES.keys() for group in words.GROUPS)
    assert {name for name in MEASURES if name.startswith("face_")} <= set(words.BY_NAME["face"].measures)
    cameras = {signal for signal in LIVE_MEASURES if signal == "rgb" or signal.startswith("face_")}
    assert cameras <= words.SOURCES.keys()
