"""The clinician's pages in a real browser: what moves, what is said, and what is never pretended."""

import ast
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import httpx2
import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, WebSocketRoute, expect

from analytics.registry import LIVE_MEASURES
from api.dashboard import assets, words
from api.store import patients, sessions, utc_now
from api.tables import PatientRow
from kiosk.measures import Reason
from kiosk.messages import SECOND, Chunk, Command, Status, encode
from tests.api.dashboard.clinic import Clinic, Visit, clinic, close

STYLE = (assets.FOLDER / "kiosk.css").read_text()
# how much the page moved under its reader
WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
_numbers = count(1)
# a busy machine may take seconds to read plotly
expect.set_options(timeout=20_000)


@dataclass
class Seen:
    """What a page asked for, and what it complained about."""

    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        self.asked.append(request.url)

    def console(self, message: ConsoleMessage) -> None:
        # the last is about these tests, which read pixels
        expected = ("GL Driver", "getImageData")
        if message.type in ("error", "warning") and not any(each in message.text for each in expected):
            self.complaints.append(message.text)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(browser: Browser, seen: Seen, here: Clinic) -> Iterator[Page]:
    """A page that must stay on this machine and must not complain, whatever the test does with it."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB", timezone_id="Europe/Berlin")
    here.enter(context)
    made = context.new_page()
    made.add_init_script(WATCH_SHIFTS)
    made.on("request", seen.request)
    made.on("websocket", lambda socket: seen.asked.append(socket.url))
    made.on("console", seen.console)
    made.on("pageerror", lambda error: seen.complaints.append(str(error)))
    yield made
    context.close()
    assert not [url for url in seen.asked if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url)]
    assert not seen.complaints


@pytest.fixture
def visit(here: Clinic) -> Iterator[Visit]:
    """A visitor who sits there, with all signals flowing."""
    made = Visit(here, f"visit-{next(_numbers)}")
    made.begin()
    yield made
    made.leave()
    here.say(made.word("ended"))  # so that the next test finds nobody


def open_visit(page: Page, visit: Visit) -> None:
    page.goto(f"{visit.clinic.address}/sessions/{visit.session}")


def picture(page: Page, signal: str) -> str:
    canvas = page.locator(f'[data-signal="{signal}"] canvas')
    return str(canvas.evaluate("canvas => canvas.toDataURL()"))


def inked(page: Page, signal: str) -> int:
    """How many pixels of a trace are drawn."""
    script = """canvas => {
      const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
      return pixels.filter((value, index) => index % 4 === 3 && value > 128).length;
    }"""
    return int(page.locator(f'[data-signal="{signal}"] canvas').evaluate(script))


def tile(page: Page, measures: str) -> Any:
    return page.locator(f'.tile[data-measures="{measures}"]')


def wait_until(what: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.05)


# --- live


@pytest.mark.parametrize("signal", ["ecg", "ppg", "respiration"])
def test_a_signal_moves_over_the_screen(page: Page, visit: Visit, signal: str) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, signal) > 100)
    for _ in range(3):
        before = picture(page, signal)
        wait_until(lambda: picture(page, signal) != before)  # noqa: B023 - called before the next turn


def test_the_picture_moves_evenly_though_chunks_come_in_bursts(page: Page, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 100)
    # chunks come every 100 ms: a picture that moved with them would stand still in most frames
    moved = page.locator('[data-signal="ecg"] canvas').evaluate("""async canvas => {
      let last = "", moved = 0;
      for (let frame = 0; frame < 30; frame++) {
        await new Promise(requestAnimationFrame);
        const now = canvas.toDataURL();
        moved += now !== last;
        last = now;
      }
      return moved;
    }""")
    assert moved > 15


def test_a_number_is_shown_with_interval_quality_and_source(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    heart = tile(page, "heart_rate")
    expect(heart.locator(".note")).to_have_text("Measuring …")
    wait_until(lambda: inked(page, "ecg") > 10)
    here.say(visit.reading("heart_rate", 72.4, low=70.6, high=74.2, quality=0.91))
    expect(heart.locator(".value")).to_have_text("72")
    expect(heart.locator(".interval")).to_have_text("95 %: 71 – 74")
    expect(heart.locator(".note")).to_have_text("From ECG")
    assert heart.locator(".quality").get_attribute("aria-valuenow") == "91"
    here.say(visit.reading("heart_rate", 75.0))
    expect(heart.locator(".value")).to_have_text("75")
    expect(heart.locator(".interval")).to_have_text("")


def test_a_visit_opened_in_its_middle_shows_what_was_measured_before(page: Page, here: Clinic, visit: Visit) -> None:
    at = visit.now - 9 * SECOND
    here.store(
        visit.reading("temperature", 36.6, scope="spot", source="thermometer", end=at),
        visit.reading("systolic", 121.0, scope="spot", source="cuff", end=at),
        visit.reading("diastolic", 78.0, scope="spot", source="cuff", end=at),
        visit.reading("spo2", None, absent="noisy", scope="spot", source="oximeter", end=at),
        visit.event("step_began", "sit still"),
    )
    open_visit(page, visit)
    temperature = tile(page, "temperature")
    measured_at = datetime.fromtimestamp((visit.origin.utc + at) / SECOND, ZoneInfo("Europe/Berlin")).strftime("%T")
    expect(temperature.locator(".value")).to_have_text("36.6")
    expect(temperature.locator(".note")).to_have_text(f"At {measured_at}")
    expect(tile(page, "systolic diastolic").locator(".value")).to_have_text("121/78")
    expect(tile(page, "spo2").locator(".note")).to_have_text(f"{measured_at}: {words.REASONS['noisy']}")
    expect(page.locator("#live-events")).to_contain_text("sit still")
    page.wait_for_timeout(6000)  # a live number would be old by now
    expect(temperature).to_have_attribute("data-state", "good")
    expect(tile(page, "heart_rate").locator(".note")).to_have_text("Measuring …")


def test_what_was_said_while_the_page_connected_is_shown(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    # not over the socket: as if it had come just before that was open, and was stored just after
    here.store(visit.reading("temperature", 36.6, scope="spot", source="thermometer"))
    expect(tile(page, "temperature").locator(".value")).to_have_text("36.6")


def tiles_of(page: Page) -> list[str]:
    return page.locator(".tile:visible h2").all_inner_texts()


def test_only_what_can_come_has_a_tile(page: Page, tmp_path: Path) -> None:
    with clinic(tmp_path) as fresh:
        fresh.enter(page.context)
        grouped = {name for group in words.GROUPS for name in group.measures}
        live = sorted({name for names in LIVE_MEASURES.values() for name in names} - grouped)
        first = Visit(fresh, "first")
        fresh.store(first.word(), first.status(device="cuff"), first.status(device="scale"))
        open_visit(page, first)
        shown = page.locator(".tile:visible").evaluate_all("tiles => tiles.map((tile) => tile.dataset.measures)")
        assert sorted(shown) == live
        for device, measure in (("cuff", "systolic"), ("cuff", "diastolic"), ("scale", "height"), ("gone", "spo2")):
            fresh.store(first.reading(measure, 50.0, device=device, scope="spot", source=device))
        # what the kiosk's devices measured in one visit is expected in the next one
        second = Visit(fresh, "second")
        fresh.store(first.word("ended"), second.word())
        open_visit(page, second)
        assert tiles_of(page)[len(live) :] == ["Blood pressure", "Body height"]
        expect(tile(page, "height").locator(".note")).to_have_text("Not measured yet")
        fresh.store(Status("scale", "failed", simulated=True))
        page.reload()
        assert tiles_of(page)[len(live) :] == ["Blood pressure"]
        page.goto("about:blank")


def test_two_pressures_are_one_number(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    pressure = tile(page, "systolic diastolic")
    here.say(visit.reading("systolic", 121.0, scope="spot", source="cuff"))
    page.wait_for_timeout(400)
    expect(pressure.locator(".value")).to_have_text("–")
    here.say(visit.reading("diastolic", 78.0, scope="spot", source="cuff"))
    expect(pressure.locator(".value")).to_have_text("121/78")


REASONS: tuple[Reason, ...] = ("noisy", "flat", "no_face", "not_delivered")


@pytest.mark.parametrize("reason", REASONS)
def test_an_absent_number_says_why(page: Page, here: Clinic, visit: Visit, reason: Reason) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    here.say(visit.reading("heart_rate", 72.0))
    expect(tile(page, "heart_rate").locator(".value")).to_have_text("72")
    here.say(visit.reading("heart_rate", None, absent=reason))
    expect(tile(page, "heart_rate").locator(".value")).to_have_text("–")
    expect(tile(page, "heart_rate").locator(".note")).to_have_text(words.REASONS[reason])


def test_a_signal_that_stops_is_marked_and_one_that_returns_is_not(page: Page, visit: Visit) -> None:
    open_visit(page, visit)
    lost = page.locator('[data-signal="ecg"] .lost')
    expect(lost).to_have_text("")
    visit.flows.discard("ecg")
    expect(lost).to_have_text(re.compile(r"^no signal since \d\d:\d\d:\d\d$"))
    assert page.locator('[data-signal="ecg"]').get_attribute("data-silent") is not None
    expect(page.locator('[data-signal="ppg"] .lost')).to_have_text("")
    visit.flows.add("ecg")
    expect(lost).to_have_text("")
    assert page.locator('[data-signal="ecg"]').get_attribute("data-silent") is None


def test_an_old_number_is_struck_out(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    heart = tile(page, "heart_rate")
    here.say(visit.reading("heart_rate", 72.0))
    expect(heart).to_have_attribute("data-state", "good")
    expect(heart).to_have_attribute("data-state", "old")
    expect(heart.locator(".value")).to_have_css("text-decoration-line", "line-through")
    expect(heart.locator(".note")).to_have_text(re.compile(r"^No value since \d\d:\d\d:\d\d$"))
    here.say(visit.reading("heart_rate", 73.0))
    expect(heart).to_have_attribute("data-state", "good")


def test_a_simulated_visitor_is_marked(page: Page, visit: Visit) -> None:
    open_visit(page, visit)
    expect(page.get_by_text("Simulated – no real person")).to_be_visible()


def test_a_broken_connection_is_made_again(page: Page, visit: Visit) -> None:
    sockets: list[WebSocketRoute] = []

    def through(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.connect_to_server()

    page.route_web_socket(re.compile("/live"), through)
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    page.wait_for_timeout(300)
    sockets[0].close(code=1012)
    while len(sockets) < 2:
        page.wait_for_timeout(50)
    page.wait_for_timeout(600)
    before = picture(page, "ecg")
    wait_until(lambda: picture(page, "ecg") != before)
    expect(page.locator('[data-signal="ecg"] .lost')).to_have_text("")
    expect(page.locator("#trouble")).to_be_hidden()


def test_nothing_moves_under_the_reader(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    here.say(visit.reading("heart_rate", 72.0, low=70.0, high=74.0), visit.reading("rmssd", 31.0))
    here.say(visit.reading("respiration_rate", None, absent="noisy", source="respiration"))
    here.say(visit.reading("temperature", 36.6, scope="spot", source="thermometer"))
    page.wait_for_timeout(800)
    assert page.evaluate("window.shifted") < 0.02


def test_the_page_turns_into_the_results_when_the_session_ends(page: Page, here: Clinic, visit: Visit) -> None:
    open_visit(page, visit)
    wait_until(lambda: inked(page, "ecg") > 10)
    visit.leave()
    here.say(visit.word("ended"))
    expect(page.locator("#live")).to_be_hidden(timeout=10_000)
    expect(page.locator("#progress")).to_contain_text("The session has ended")
    close(here, visit, "partial")
    expect(page.locator("#state")).to_have_text("Closed, partial")
    expect(page.locator('#readings [data-measure="heart_rate"]').first).to_contain_text("72")


# --- what is never joined


JOINS = """async ({base, chunks}) => {
  const { decode } = await import(`${base}/js/live/decode.js`);
  const { Trace } = await import(`${base}/js/live/trace.js`);
  const trace = new Trace(60000);
  for (const chunk of chunks) trace.add(decode(JSON.parse(chunk)));
  const found = [];
  trace.walk(0, -Infinity, Infinity, (time, value, joined) => found.push([time, joined]));
  return found;
}"""


def joins(page: Page, here: Clinic, chunks: list[Chunk]) -> list[tuple[float, bool]]:
    page.goto(f"{here.address}/sessions")
    told = [encode(chunk).decode() for chunk in chunks]
    found = page.evaluate(JOINS, {"base": assets.ADDRESS, "chunks": told})
    return [(time, joined) for time, joined in found]


def test_consecutive_chunks_are_one_line(page: Page, here: Clinic) -> None:
    visit = Visit(here, "joined")
    found = joins(page, here, [visit.chunk("ecg", 25 * n, 25) for n in range(4)])
    assert [joined for _, joined in found] == [False] + [True] * 99
    np.testing.assert_allclose([time for time, _ in found], np.arange(100) * 4.0)


def test_a_missing_chunk_is_a_gap(page: Page, here: Clinic) -> None:
    visit = Visit(here, "gap")
    chunks = [visit.chunk("ecg", 25 * n, 25) for n in range(4)]
    found = joins(page, here, [chunks[0], chunks[2], chunks[3]])
    assert [time for time, joined in found if not joined] == [0.0, 200.0]


def test_a_late_chunk_fills_its_gap_and_a_second_copy_changes_nothing(page: Page, here: Clinic) -> None:
    visit = Visit(here, "late")
    chunks = [visit.chunk("ecg", 25 * n, 25) for n in range(4)]
    found = joins(page, here, [chunks[0], chunks[2], chunks[1], chunks[2], chunks[3]])
    assert [joined for _, joined in found] == [False] + [True] * 99


def test_a_sample_that_the_device_lost_is_a_gap(page: Page, here: Clinic) -> None:
    visit = Visit(here, "lost")
    chunk = visit.chunk("ecg", 0, 25)
    samples = chunk.values().copy()
    samples[10] = np.nan
    found = joins(page, here, [Chunk(chunk.stream, 0, 0, chunk.rate, chunk.channels, samples.tobytes())])
    assert [time for time, joined in found if not joined] == [0.0, 44.0]
    assert len(found) == 24


def test_samples_with_times_of_their_own_keep_them(page: Page, here: Clinic) -> None:
    visit = Visit(here, "irregular")
    offsets = np.array([0, 33_000, 65_000, 100_000, 133_000, 400_000, 433_000], dtype="<i4")
    chunk = Chunk(
        visit.stream("ppg"), 0, 1_000_000_000, None, ("green",), np.ones(7, "<f4").tobytes(), offsets.tobytes()
    )
    found = joins(page, here, [chunk])
    assert [time for time, _ in found] == [1000, 1033, 1065, 1100, 1133, 1400, 1433]
    assert [time for time, joined in found if not joined] == [1000, 1400]


# --- the list


def test_an_empty_list_says_what_to_do(page: Page, tmp_path: Path) -> None:
    with clinic(tmp_path) as alone:
        alone.enter(page.context)
        page.goto(f"{alone.address}/sessions")
        expect(page).to_have_url(re.compile("/sessions$"))
        expect(page.get_by_text("No session yet")).to_be_visible()
        expect(page.get_by_text("kiosk up")).to_be_visible()
        page.goto("about:blank")


def test_a_live_session_is_on_top_with_its_heart_rate(page: Page, here: Clinic, visit: Visit) -> None:
    page.goto(f"{here.address}/sessions")
    row = page.locator(f'tr[data-session="{visit.session}"]')
    expect(row).to_contain_text("Live")
    expect(row).to_contain_text("Simulated")
    expect(page.locator("#rows tr").first).to_have_attribute("data-session", visit.session)
    expect(page.locator(".kiosk")).to_contain_text("measuring")

    def read() -> bool:
        here.say(visit.reading("heart_rate", 81.0))
        page.wait_for_timeout(300)
        return "81 /min" in row.inner_text()

    wait_until(read)
    row.get_by_role("link").click()
    expect(page.locator("#live")).to_be_visible()


def test_the_list_is_there_before_any_script(here: Clinic) -> None:
    visit = Visit(here, "scriptless")
    visit.record(2)
    close(here, visit, "complete")
    sitting = Visit(here, "still-there")
    here.store(sitting.word())
    text = httpx2.get(f"{here.address}/sessions", headers=here.headers).text
    row = re.search(r'<tr data-session="scriptless">(.*?)</tr>', text, re.DOTALL)
    assert row
    assert 'href="/sessions/scriptless"' in row[1]
    assert all(each in row[1] for each in ("Closed, complete", "Simulated", "kiosk-1", "72 /min", "UTC"))
    assert text.index('data-session="still-there" class="live"') < row.start()
    here.store(sitting.word("ended"))


def test_the_list_asks_for_nothing_per_session(page: Page, here: Clinic, seen: Seen) -> None:
    with here.database.transaction() as db:
        patients.add(db, PatientRow(id="p-9", pseudonym="K7QF-9M2X-TR4D", created_ns=utc_now()))
    for number in range(3):
        visit = Visit(here, f"one-of-many-{number}")
        visit.record(2)
        with here.database.transaction() as db:
            sessions.assign(db, visit.session, "p-9")
        close(here, visit, "complete")
    page.goto(f"{here.address}/sessions")
    expect(page.locator(".kiosk, .kiosks .quiet")).to_be_visible()
    row = page.locator('tr[data-session="one-of-many-1"]')
    expect(row).to_contain_text("72 /min")
    expect(row).to_contain_text("K7QF-9M2X-TR4D")
    # beside the sockets of live sessions
    asked = [url for url in seen.asked if url.startswith(f"{here.address}/api/")]
    assert {re.sub(r".*/api/v1/|\?.*", "", url) for url in asked} == {"sessions", "kiosks"}


def test_a_device_that_waits_to_be_used_is_ready(page: Page, here: Clinic, visit: Visit) -> None:
    here.say(*(Status(name, "running", session=visit.session) for name in ("ecg", "ppg", "cuff")))
    page.goto(f"{here.address}/sessions")
    devices = page.locator(".kiosk .devices")
    expect(devices).to_contain_text("3 devices ready")
    here.say(Status("cuff", "starting", session=visit.session))
    expect(devices).to_contain_text("2 devices ready · cuff starting")
    here.say(Status("cuff", "failed", detail="no cuff"))
    expect(devices).to_contain_text("cuff failed: no cuff · 2 devices ready")
    here.say(*(Status(name, "stopped") for name in ("ecg", "ppg", "cuff")))


def test_a_kiosk_is_told_to_end_its_session(page: Page, here: Clinic, visit: Visit) -> None:
    with here.listening("command") as heard:
        page.goto(f"{here.address}/sessions")
        page.get_by_role("button", name="End the session").click()
        expect(page.locator(".kiosk .doing")).to_have_text("asked to end …")
        wait_until(lambda: heard)
        assert isinstance(heard[0], Command)
        assert heard[0].action == "stop"
        here.say(Status("sensors", "running", command=heard[0].id))
        expect(page.locator(".kiosk .doing")).to_have_text("done")


def test_a_closed_session_is_listed_with_its_result(page: Page, here: Clinic) -> None:
    visit = Visit(here, "listed")
    visit.record(2)
    close(here, visit, "complete")
    page.goto(f"{here.address}/sessions")
    row = page.locator('tr[data-session="listed"]')
    expect(row).to_contain_text("Closed, complete")
    expect(row).to_contain_text("72 /min")


def test_the_list_is_paged(page: Page, tmp_path: Path) -> None:
    with clinic(tmp_path) as many:
        many.enter(page.context)
        for number in range(23):
            visit = Visit(many, f"s-{number:02}")
            many.store(visit.word("ended"))
        page.goto(f"{many.address}/sessions")
        expect(page.locator("#rows tr")).to_have_count(20)
        expect(page.get_by_role("button", name="Newer")).to_be_disabled()
        page.get_by_role("button", name="Older").click()
        expect(page.locator("#rows tr")).to_have_count(3)
        expect(page.get_by_role("button", name="Older")).to_be_disabled()
        page.get_by_role("button", name="Newer").click()
        expect(page.locator("#rows tr")).to_have_count(20)
        page.goto("about:blank")


def test_text_from_outside_is_only_text(page: Page, here: Clinic) -> None:
    attack = "<img src=x onerror=alert(1)><script>document.title='pwned'</script>"
    visit = Visit(here, "attacked")
    visit.record(2)
    here.store(visit.event("moved", attack))
    with here.database.transaction() as db:
        patients.add(db, PatientRow(id="p-1", pseudonym=attack[:64], created_ns=utc_now()))
        sessions.assign(db, visit.session, "p-1")
    close(here, visit, "complete")
    page.goto(f"{here.address}/sessions")
    expect(page.locator('tr[data-session="attacked"]')).to_contain_text(attack[:64])
    page.goto(f"{here.address}/sessions/attacked")
    expect(page.locator("#events")).to_contain_text(attack)
    expect(page.locator("#person")).to_have_text(attack[:64])
    assert page.locator('main img, main script:not([src^="/static/"])').count() == 0
    assert "pwned" not in page.title()


# --- the stored session


def test_a_closed_session_shows_its_results(page: Page, here: Clinic) -> None:
    visit = Visit(here, "results")
    visit.record(4)
    here.store(
        visit.reading("spo2", 97.0, scope="spot", source="oximeter", end=2 * SECOND),
        visit.reading("spo2", 98.0, scope="spot", source="oximeter", end=3 * SECOND),
    )
    close(here, visit, "complete")
    page.goto(f"{here.address}/sessions/results")
    readings = page.locator("#readings")
    heart = readings.locator('[data-measure="heart_rate"]')
    expect(heart).to_have_count(1)
    expect(heart).to_contain_text("71 – 73")
    heart.get_by_role("button", name="Heart rate").click()
    about = readings.locator(".about-reading")
    expect(about).to_contain_text("vote-3")
    expect(about).to_contain_text("0.1.0")
    expect(about.locator("li")).to_have_count(1)
    expect(readings.locator('[data-measure="lf_power"]')).to_contain_text(words.REASONS["too_short"])
    groups = readings.locator("tr.group").all_inner_texts()
    assert groups == ["Whole recording · revision 1", "Measured by devices"]
    oximeter = readings.locator('[data-measure="spo2"]')
    expect(oximeter).to_have_count(1)
    expect(oximeter.locator(".figure")).to_have_text("98 %")
    expect(oximeter.locator(".window")).to_contain_text("at 0:03")
    expect(oximeter.locator(".window")).to_contain_text("1 earlier")
    oximeter.get_by_role("button").click()
    expect(about.last).to_contain_text("0:02: 97 %")


def test_a_stored_wave_is_drawn_and_zooming_fetches_it_finer(page: Page, here: Clinic, seen: Seen) -> None:
    visit = Visit(here, "stored")
    visit.record(40)
    close(here, visit, "complete")
    page.goto(f"{here.address}/sessions/stored")
    canvas, where = page.locator("#strip-canvas"), page.locator("#strip-where")
    expect(canvas).to_have_attribute("data-sharp", "true")
    expect(where).to_contain_text("0:00.0 – 0:40.0")
    asked = {url for url in seen.asked if "/waveforms/ecg" in url}
    assert asked
    for _ in range(3):
        shown = where.inner_text()
        page.locator("#strip").get_by_role("button", name="Closer").click()
        expect(where).not_to_have_text(shown)
    expect(canvas).to_have_attribute("data-sharp", "true")
    assert {url for url in seen.asked if "/waveforms/ecg" in url} - asked


def test_what_was_not_delivered_is_said(page: Page, here: Clinic) -> None:
    visit = Visit(here, "partial")
    visit.record(10, leave_out=("ppg", 20, 29))
    close(here, visit, "partial")
    page.goto(f"{here.address}/sessions/partial")
    expect(page.locator("#delivery")).to_contain_text("the first gap is after message 20 of 50; 0:08 of signal arrived")
    expect(page.locator("#state")).to_have_text("Closed, partial")


# --- errors, and what needs no browser


def test_errors_outside_the_api_are_pages(page: Page, here: Clinic, seen: Seen) -> None:
    for path in ("/sessions/nobody", "/nowhere", "/sessions/%3Cscript%3E"):
        answer = page.goto(here.address + path)
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("link", name="To where I begin")).to_be_visible()
        assert "default-src" in answer.headers["content-security-policy"]
    # chromium itself notes the status in its console
    assert all("404" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


def test_errors_of_the_api_stay_problems(here: Clinic) -> None:
    for path, accept in (("/api/v1/sessions/nobody", "text/html"), ("/nowhere", "application/json")):
        answer = httpx2.get(here.address + path, headers={"accept": accept, **here.headers})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_files_are_kept_and_pages_are_not(here: Clinic) -> None:
    page = httpx2.get(f"{here.address}/sessions", headers=here.headers)
    assert page.headers["cache-control"] == "no-store"
    for name in ("kiosk.css", "plotly.min.js", "js/session.js"):
        answer = httpx2.get(f"{here.address}{assets.ADDRESS}/{name}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert httpx2.get(f"{here.address}{assets.ADDRESS}/../pages.py").status_code == 404


def test_pages_have_no_inline_script_style_or_handler() -> None:
    for template in (assets.FOLDER.parent / "templates").iterdir():
        text = template.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), template.name
        scripts = re.findall(r"<script([^>]*)>", text)
        assert all("src=" in script or "application/json" in script for script in scripts), template.name


def test_no_script_parses_html() -> None:
    for script in assets.FOLDER.rglob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", script.read_text())


def test_every_reason_is_a_sentence() -> None:
    assert all(text[0].isupper() and text[-1] in ".?" for text in words.REASONS.values())
    # mypy holds every `absent` that is set anywhere to one of these
    assert set(words.REASONS) == set(get_args(Reason))


def test_no_reason_is_a_dead_letter() -> None:
    root = assets.FOLDER.parents[2]
    sources = [*(root / "analytics").rglob("*.py"), root / "api" / "closing.py"]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source.read_bytes()))]
    said = {node.value for node in nodes if isinstance(node, ast.Constant)}
    coming = {"no_face", "no_trained_model", "too_dark", "moving", "too_far"}  # from the next analyzers
    assert set(words.REASONS) - said <= coming


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


LIGHT = _colours(STYLE[: STYLE.index("@media")])
DARK = {**LIGHT, **_colours(STYLE[STYLE.index("@media") : STYLE.index("@media (min-height")])}


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("ink", "quiet") for ground in ("ground", "paper", "soft")),
        *((text, "paper") for text in ("accent", "ecg", "ppg", "breath", "good", "fair", "poor")),
        *(("accent", ground) for ground in ("ground", "good-ground")),
        *(("good", "good-ground"), ("warn", "warn-ground"), ("on-sim", "sim"), ("ink", "good-ground")),
    ],
)
def test_colours_have_enough_contrast(theme: dict[str, str], text: str, ground: str) -> None:
    lights = sorted((_luminance(theme[text]), _luminance(theme[ground])))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5
