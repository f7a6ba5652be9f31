"""A whole visit from the first touch to the results: screen, sensors, recorder, closing on one bus. Simulated."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from analytics.service import serve as serve_analytics
from analytics.session import session as analysed
from api.closing import Closer, load
from api.recorder import Recorder
from api.store import Database, sessions
from kiosk import protocols, topics
from kiosk.assistant.rules import RuleAssistant
from kiosk.bus import MemoryBus, send
from kiosk.messages import Answered, Ask, Chosen, ConsentText, Entry, Event, Person, Results, Said, Setup, Shown, decode
from kiosk.recording import Context
from kiosk.settings import Settings
from sensors.clock import ManualClock
from sensors.drivers.simulated import Person as Body
from sensors.drivers.simulated.driver import camera_factory, signal_factory, spot_factory
from sensors.outbox import Outbox
from sensors.service import Sensors
from sensors.station import visit
from sensors.station.progress import step_of
from sensors.station.reception import Reception
from sensors.station.showing import view_of
from sensors.station.view import Agree, Answer, Begin, CheckIn, Do, Say, View
from sensors.station.visit import RESULTS_WITHIN
from tests import databases

SHORT = """
id = "short"
version = "1"
minutes = 1
[title]
en = "Short"
[about]
en = "For tests."
[[steps]]
id = "consent"
kind = "consent"
[[steps]]
id = "check_in"
kind = "check_in"
[[steps]]
id = "position"
kind = "position"
needs = ["face_motion"]
[[steps]]
id = "electrodes"
kind = "electrodes"
needs = ["ecg", "ppg", "eeg"]
[[steps]]
id = "eyes_open"
kind = "measure"
seconds = 14
mark = "eyes_open"
[[steps]]
id = "eyes_closed"
kind = "measure"
seconds = 14
mark = "eyes_closed"
needs = ["eeg"]
[[steps]]
id = "rest"
kind = "measure"
seconds = 3
mark = "rest"
[[steps]]
id = "spot"
kind = "spot"
needs = ["weight", "spo2"]
[[steps]]
id = "mood"
kind = "questionnaire"
questionnaire = "phq2"
[[steps]]
id = "talk"
kind = "conversation"
[[steps]]
id = "results"
kind = "results"
"""
PERSON = replace(
    Body(seed=5, eeg_channels=("Pz", "O1", "O2"), eyes_closed=((17.0, 31.5),), alpha_open=6.0).undisturbed()
)
DEVICES = [
    *(signal_factory(signal, person=PERSON) for signal in ("ecg", "eeg", "respiration")),
    camera_factory(person=PERSON),
    spot_factory("scale", person=PERSON),
]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    made = MappingProxyType({"short": protocols.read(SHORT)})
    monkeypatch.setattr(protocols, "listed", lambda: made)


class Kiosk:
    """A kiosk with a clinic, on a clock that is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.bus = ManualClock(), MemoryBus()
        self.outbox = Outbox(folder / "outbox.sqlite", "k1", limit=10**9)
        self.sensors = Sensors(
            kiosk="k1", bus=self.bus, outbox=self.outbox, clock=self.clock, visitor=lambda: DEVICES, simulated=True
        )
        self.reception = Reception(
            sensors=self.sensors, outbox=self.outbox, bus=self.bus, kiosk="k1", clock=self.clock,
            assistant=RuleAssistant(), simulated=True,
        )  # fmt: skip
        self.heard: list[object] = []
        self.views: list[View] = []

    def look(self) -> Any:
        self.views.append(view_of(self.reception))
        return self.views[-1]

    @property
    def at(self) -> str:
        step = step_of(self.reception.progress)
        return step.id if step is not None else self.reception.progress.screen

    @asynccontextmanager
    async def running(self, *others: Coroutine[None, None, None]) -> AsyncIterator["Kiosk"]:
        async with self.bus.subscribe("kiosk/v1/k1/#") as arriving:
            background: list[asyncio.Task[None]] = [
                asyncio.create_task(each) for each in (*others, self._listen(arriving))
            ]
            await asyncio.sleep(0.1)
            async with self.sensors.running(), self.reception.running():
                yield self
                async with asyncio.timeout(20):
                    while others and self.outbox.waiting_count:
                        await asyncio.sleep(0.02)
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
        self.outbox.close()

    async def _listen(self, arriving: object) -> None:
        async for delivery in arriving:  # type: ignore[attr-defined]
            self.heard.append(decode(*delivery)[1])

    async def until(self, step: str, seconds: float = 60, *, every: float = 0.5) -> None:
        """Time passes until a step is reached."""
        for _ in range(round(seconds / every)):
            if self.at == step:
                return
            await self.clock.advance(every)
            # the station's own tick is of real time: it must not be outrun
            async with self.reception._turn:
                change = visit.passed(self.reception.progress, self.clock.now(), self.reception.kit)
                await self.reception._take(change)
            await asyncio.sleep(0.005)
        raise AssertionError(f"never at {step}, but at {self.at}")

    def said(self, kind: type[object]) -> list[object]:
        return [each.content for each in self.heard if isinstance(each, Entry) and isinstance(each.content, kind)]

    async def settles(self, condition: object, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # type: ignore[operator]
                await asyncio.sleep(0.02)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = databases.database(tmp_path)
    made.migrate()
    return made


async def answering(bus: MemoryBus) -> None:
    """A clinic that has the results at the second question."""
    asked = 0
    async with bus.subscribe(topics.pattern("ask")) as arriving:
        async for delivery in arriving:
            message = decode(*delivery)[1]
            assert isinstance(message, Ask)
            asked += 1
            told = Results(message.session, "waiting")
            if asked > 1:
                values = (Shown("heart_rate", 61.2), Shown("sdnn", None, absent="too_short"))
                told = Results(
                    message.session, "ready", code="K7QF-9M2X-TR4D", link="https://clinic.example/r/abc",
                    link_until=1_700_003_600 * 10**9, values=values,
                )  # fmt: skip
            await send(bus, "k1", told)


@pytest.mark.timeout(120)
async def test_a_visit_from_the_first_touch_to_the_results(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.station.reception.ASK_EVERY", 0.1)
    kiosk = Kiosk(tmp_path)
    recorder = Recorder(database)
    setup = Setup("Clinic on the Hill", (ConsentText("2026-1", "en", "We measure (measure) and keep (store)."),))
    await send(kiosk.bus, "k1", setup)
    others = (recorder.serve(kiosk.bus), serve_analytics(kiosk.bus), answering(kiosk.bus))
    async with kiosk.running(*others):
        act = kiosk.reception.act
        await kiosk.settles(lambda: kiosk.look().clinic == "Clinic on the Hill" and kiosk.look().online)
        assert [each.id for each in kiosk.look().offers] == ["short"]
        await act(Begin("short", "en"))
        assert kiosk.look().consent is not None
        assert kiosk.look().consent.purposes == ("measure", "store", "talk")
        # choosing and reading starts nothing
        await kiosk.clock.advance(5)
        before = kiosk.sensors.visit
        assert before is None
        await act(Agree(("measure", "store", "talk")))
        assert kiosk.sensors.visit is not None
        session = kiosk.sensors.visit.session
        await kiosk.clock.advance(1)
        await act(CheckIn(given="Ann", birth_year=1980, sex="female", height=170.0, weight=60.0))
        assert (kiosk.look().screen, kiosk.look().step) == ("position", 3)
        await kiosk.clock.advance(2)
        # the clock is moved by hand, the devices' tasks run when the machine lets them
        await kiosk.settles(lambda: kiosk.look().position is not None)
        assert kiosk.look().position is not None
        assert kiosk.look().position.advice == "good"
        await act(Do("next"))
        assert {each.signal for each in kiosk.look().contacts} == {"ecg", "eeg"}
        await act(Do("next"))
        await kiosk.until("eyes_closed")
        assert kiosk.views
        assert kiosk.look().measuring is not None
        assert kiosk.look().measuring.mark == "eyes_closed"
        assert 55 < kiosk.look().measuring.rates["heart_rate"] < 80
        await kiosk.until("spot", 40)
        assert [each.measure for each in kiosk.look().spots] == ["weight"]
        await kiosk.until("mood")
        assert kiosk.look().question is not None
        assert (kiosk.look().question.item, kiosk.look().question.count) == ("q1", 2)
        await act(Answer("q1", 1))
        await act(Answer("q2", 2))
        assert kiosk.look().screen == "conversation"
        await kiosk.settles(lambda: kiosk.look().talk and not kiosk.look().thinking)
        await act(Say("I am tired"))
        await kiosk.settles(lambda: len(kiosk.look().talk) == 3 and not kiosk.look().thinking)
        await act(Do("next"))
        assert kiosk.look().outcome is not None
        assert kiosk.look().outcome.state == "working"
        await kiosk.settles(lambda: kiosk.look().outcome and kiosk.look().outcome.state == "ready")
        outcome = kiosk.look().outcome
        assert outcome is not None
        assert outcome.code == "K7QF-9M2X-TR4D"
        assert outcome.qr
        assert outcome.minutes is not None
        assert {each.measure: each.value for each in outcome.tiles}["heart_rate"] == "61"
        assert all(each.simulated for each in kiosk.views)
        await kiosk.settles(lambda: kiosk.sensors.visit is None)
        # what is kept of the visit is destroyed when the visitor is done
        assert kiosk.outbox.kept_visit() is not None
        await act(Do("leave"))
        await kiosk.settles(lambda: kiosk.outbox.kept_visit() is None)
        assert kiosk.look().screen == "goodbye"
        assert not kiosk.look().talk
    assert kiosk.said(Chosen) == [Chosen("short", "1", "en")]
    assert kiosk.said(Person) == [Person(given="Ann", birth_year=1980, sex="female")]
    assert kiosk.said(Answered) == [Answered("phq2", "1", "en", {"q1": 1, "q2": 2})]
    assert [each.who for each in kiosk.said(Said)] == ["assistant", "visitor", "assistant"]  # type: ignore[attr-defined]
    events = [each for each in kiosk.heard if isinstance(each, Event) and each.stream.device == "station"]
    assert [each.event for each in events] == [
        "eyes_open", "step_began", "step_ended", "eyes_open_end", "eyes_closed", "step_began", "step_ended",
        "eyes_closed_end", "rest", "step_began", "step_ended", "rest_end",
    ]  # fmt: skip
    with ThreadPoolExecutor(1) as inline:
        assert await Closer(database, Settings(data=tmp_path, close_after=600)).sweep(inline) == 1
    with database.reading() as db:
        row = sessions.get(db, session)
        assert row is not None
        assert (row.state, row.outcome, row.simulated) == ("closed", "complete", True)
    recording = load(database, session)
    assert recording.duration > 30
    marks = [mark.text for mark in recording.marks]
    assert marks.count("eyes_closed") == 1
    contrast = next(
        each for each in analysed(recording, Context(), vote=False).readings if each.measure == "eeg_eyes_contrast"
    )
    # of this body the alpha is several times as strong with closed eyes: the marks say when
    assert contrast.value is not None
    assert contrast.value > 2


async def test_without_an_answer_the_results_follow(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    async with kiosk.running():
        await kiosk.reception.act(Begin("short", "en"))
        await kiosk.reception.act(Agree(("measure",)))
        session = kiosk.reception.record.session
        await kiosk.clock.advance(1)
        for _ in range(3):
            await kiosk.reception.act(Do("next"))
        await kiosk.until("mood", 50, every=2)
        for _ in range(3):
            await kiosk.reception.act(Do("next"))
        assert kiosk.at == "results"
        asked = [each for each in kiosk.heard if isinstance(each, Ask)]
        await kiosk.settles(lambda: [each for each in kiosk.heard if isinstance(each, Ask)] != asked)
        assert {each.session for each in kiosk.heard if isinstance(each, Ask)} == {session}
        await kiosk.clock.advance(RESULTS_WITHIN)
        await kiosk.settles(lambda: kiosk.look().outcome is not None and kiosk.look().outcome.state == "follow")
        await kiosk.until("welcome", 300, every=5)
        assert not kiosk.reception.record.session


async def test_refused_consent_measures_and_keeps_nothing(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    async with kiosk.running():
        await kiosk.reception.act(Begin("short", "en"))
        await kiosk.clock.advance(3)
        await kiosk.reception.act(Do("refuse"))
        assert kiosk.look().screen == "goodbye"
        await kiosk.until("welcome", 15)
        assert kiosk.sensors.visit is None
        assert kiosk.outbox.waiting_count == 0
        assert kiosk.outbox.kept_visit() is None


async def test_a_session_of_the_clinic_is_shown_and_its_end_too(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    async with kiosk.running():
        await kiosk.sensors.start_visit()
        assert (kiosk.look().screen, kiosk.look().step) == ("measure", 0)
        await kiosk.sensors.end_visit()
        assert kiosk.look().screen == "welcome"


async def test_the_clinic_may_stop_a_visit(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    async with kiosk.running():
        await kiosk.reception.act(Begin("short", "en"))
        await kiosk.reception.act(Agree(("measure",)))
        await kiosk.sensors.end_visit()
        await kiosk.settles(lambda: kiosk.at == "goodbye")
        await kiosk.settles(lambda: kiosk.outbox.kept_visit() is None)
