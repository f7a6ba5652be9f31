"""A session whose protocol marks closed and open eyes has their contrast. Synthetic."""

from dataclasses import replace

import numpy as np
import pytest

from analytics.session import FinalReading, session
from api.closing import load
from api.store import Database
from kiosk.messages import SECOND, Event, Stream
from kiosk.recording import LONGEST_MARK, MOST_MARKS, Context, Mark, Recording
from sensors.drivers.simulated import Body, Person
from tests.api.conftest import chunks_of, opened, record

SESSION, RATE, SECONDS = "s-eyes", 125.0, 60
MARKS = Stream(SESSION, "station", "events", "r1")
STREAM = Stream(SESSION, "headband", "eeg", "r1")
VISITOR = replace(
    Person(seed=5, eeg_channels=("Pz", "O1", "O2"), eyes_closed=((30.0, 60.0),), alpha_open=6.0).undisturbed()
)


def event(seq: int, at: float, name: str, detail: str = "", stream: Stream = MARKS) -> Event:
    return Event(stream, seq, name, round(at * SECOND), detail)


def contrast(recording: Recording) -> FinalReading:
    found = session(recording, Context(), vote=False).readings
    return next(each for each in found if each.measure == "eeg_eyes_contrast")


def wave(database: Database) -> None:
    samples = Body(VISITOR).eeg(np.arange(round(SECONDS * RATE)) / RATE).astype(np.float32)
    record(database, opened(SESSION), *chunks_of(STREAM, samples, RATE, VISITOR.eeg_channels, size=125))


def truth() -> float:
    known = Body(VISITOR).eeg_truth(0.0, SECONDS, rate=RATE)
    closed, open_ = (known.power(8.0, 13.0, closed=state).mean() for state in (True, False))
    return float(closed / open_)


@pytest.mark.parametrize("own", [True, False], ids=["its protocol's", "a marker stream's"])
def test_a_sessions_events_tell_the_contrast_of_its_eyes(database: Database, own: bool) -> None:
    wave(database)
    assert contrast(load(database, SESSION)).absent == "no_reference"
    # it came late, and in another order
    told = [(30.0, "eyes_closed"), (0.0, "eyes_open")]
    record(database, *(event(i, at, *((text,) if own else ("lsl_mark", text))) for i, (at, text) in enumerate(told)))
    record(database, event(2, 45.0, "moved", "a bit"))
    loaded = load(database, SESSION)
    words = [mark.text for mark in loaded.marks]
    assert words == ["eyes_open", "eyes_closed", "moved"]
    assert contrast(loaded).value == pytest.approx(truth(), rel=0.3)


def test_a_session_without_events_has_no_marks(database: Database) -> None:
    wave(database)
    assert load(database, SESSION).marks == ()


def test_the_marks_of_another_session_are_not_its_own(database: Database) -> None:
    wave(database)
    other = Stream("s-other", "station", "events", "r1")
    record(database, opened("s-other"), event(0, 0, "eyes_open", stream=other))
    assert load(database, SESSION).marks == ()
    assert load(database, "s-other").marks == (Mark(0, "eyes_open"),)


def test_of_very_many_events_the_first_are_kept_and_their_texts_are_short(database: Database) -> None:
    record(database, opened(SESSION))
    record(database, *(event(i, i / 10, "lsl_mark", "x\x1b" * 200) for i in range(MOST_MARKS + 50)))
    marks = load(database, SESSION).marks
    assert len(marks) == MOST_MARKS
    assert {len(mark.text) for mark in marks} == {LONGEST_MARK}
    assert marks[-1].time == (MOST_MARKS - 1) * SECOND // 10
