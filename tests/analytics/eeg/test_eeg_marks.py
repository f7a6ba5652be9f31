"""Eyes that were closed and open as somebody marked it, and what alpha does meanwhile. Synthetic throughout."""

from dataclasses import replace
from pathlib import Path

import edfio
import numpy as np
import pytest

from analytics import eeg
from analytics.session import FinalReading, session
from kiosk.messages import SECOND
from kiosk.recording import Context, Mark, Recording, Track
from kiosk.signals import UNIT_CHANNELS
from sensors import files
from sensors.drivers.simulated import Body, Person
from tests.analytics.eeg.brains import track

RATE, SECONDS = 125.0, 120
CHANNELS = ("F3", "Cz", "F4", "Pz", "O1", "O2")
CLOSED = (40.0, 80.0)
VISITOR = replace(Person(seed=5, eeg_channels=CHANNELS, eyes_closed=(CLOSED,), alpha_open=6.0).undisturbed())


def head() -> Track:
    times = np.arange(round(SECONDS * RATE)) / RATE
    return track(Body(VISITOR).eeg(times), RATE, CHANNELS)


def truth() -> float:
    """Alpha closed over open at Pz, O1 and O2: expectations, not a measurement."""
    known = Body(VISITOR).eeg_truth(0.0, SECONDS, rate=RATE)
    behind = [CHANNELS.index(name) for name in ("Pz", "O1", "O2")]
    closed, opened = (known.power(8.0, 13.0, closed=state)[behind].mean() for state in (True, False))
    return float(closed / opened)


def noted(*marks: tuple[float, str] | tuple[float, str, float]) -> tuple[Mark, ...]:
    return tuple(Mark(round(each[0] * SECOND), each[1], each[2] if len(each) == 3 else 0.0) for each in marks)


def spans(*marks: tuple[float, str] | tuple[float, str, float]) -> list[tuple[float, float, bool]]:
    still = track(np.zeros((round(SECONDS * RATE), 1)), RATE, ("O1",))
    return [(each.start / SECOND, each.end / SECOND, each.closed) for each in eeg.marked(noted(*marks), still)]


def contrast(recording: Recording) -> FinalReading:
    found = session(recording, Context(), vote=False).readings
    return next(each for each in found if each.measure == "eeg_eyes_contrast")


@pytest.mark.parametrize(
    "text",
    ["eyes closed", "Eyes_Closed", "EYES-CLOSED", "eyesclosed", "EyesClosed", "EC", "ec", "EC 2", "EC1",
     "close your eyes", "Comment/eyes closed", "Stimulus/EC", "rest: eyes closed", "eyes closed (start)",
     "closed eyes", "eyes shut"],
)  # fmt: skip
def test_words_for_closed_eyes(text: str) -> None:
    assert spans((10, text)) == [(11.0, 120.0, True)]


@pytest.mark.parametrize(
    "text", ["eyes open", "eyes_open", "EO", "Open eyes", "eyesopen", "Resting state, eyes opened"]
)
def test_words_for_open_eyes(text: str) -> None:
    assert spans((10, text)) == [(11.0, 120.0, False)]


@pytest.mark.parametrize(
    "text",
    ["", "blink", "eyes", "eye movement", "closed", "open the door", "EOG", "ECG", "BAD_EC", "step_began", "T2",
     "video", "close to the end", "S 10", "глаза закрыты"],
)  # fmt: skip
def test_other_words_say_nothing_and_end_nothing(text: str) -> None:
    expected = [(11.0, 120.0, True)] if text != "BAD_EC" else [(11.0, 19.0, True)]
    assert spans((10, "EC"), (20, text)) == expected
    assert spans((20, text)) == []


@pytest.mark.parametrize(
    "text",
    ["eyes closed end", "EC off", "EC stop", "eyes closed/eyes open", "EO or EC", "opens eyes", "not eyes closed"],
)
def test_what_is_of_the_eyes_and_not_clear_ends_what_was(text: str) -> None:
    assert spans((10, "EC"), (20, text), (40, "EO")) == [(11.0, 19.0, True), (41.0, 120.0, False)]


def test_a_span_lasts_to_the_next_mark_of_the_eyes_or_its_own_duration_or_the_end() -> None:
    assert spans((0, "EO"), (30, "EC", 20.0), (60, "clap"), (90, "EO", 500.0)) == [
        (1.0, 29.0, False), (31.0, 49.0, True), (91.0, 120.0, False),
    ]  # fmt: skip
    assert spans((10, "EC", 60.0), (20, "EO", 10.0)) == [(11.0, 19.0, True), (21.0, 29.0, False)]
    assert spans((-20, "EC"), (30, "EO"), (500, "EC")) == [(0.0, 29.0, True), (31.0, 120.0, False)]


def test_the_order_of_the_marks_does_not_matter() -> None:
    marks = [(0, "EO"), (30, "EC"), (60, "EO"), (90, "EC")]
    assert spans(*reversed(marks)) == spans(*marks)


def test_marks_that_contradict_each_other_say_neither() -> None:
    assert spans((10, "EC"), (10, "EO"), (50, "EC")) == [(51.0, 120.0, True)]
    assert spans((10, "EC"), (10, "eyes closed", 30.0)) == [(11.0, 39.0, True)]


def test_a_span_that_holds_no_window_is_left_out() -> None:
    assert spans(*((at, "EC" if at % 2 else "EO") for at in range(0, 110, 3))) == [(109.0, 120.0, False)]
    assert spans((10, "EC", 0.02)) == []


def test_of_nothing_nothing_is_marked() -> None:
    empty = Track("eeg", "cap", ("O1",), RATE, np.empty(0, np.int64), np.empty((0, 1), np.float32))
    assert eeg.marked(noted((0, "EC")), empty) == ()
    assert spans() == []


def test_marks_that_lie_about_their_times_do_no_harm() -> None:
    still = track(np.zeros((1000, 1)), RATE, ("O1",))
    wild = (Mark(-(2**70), "EC"), Mark(2**70, "EO"), Mark(2**62, "EC", 1e300), Mark(0, "EO", float("nan")))
    assert [(each.start, each.closed) for each in eeg.marked(wild, still)] == [(SECOND, False)]


@pytest.mark.parametrize(
    "marks",
    [((0, "eyes_open"), (40, "eyes_closed"), (80, "eyes_open")), ((0, "EO", 40.0), (40, "EC", 40.0))],
    ids=["until the next", "with durations"],
)
def test_the_contrast_is_that_of_the_visitor(marks: tuple[tuple[float, str], ...]) -> None:
    found = contrast(Recording((head(),), marks=noted(*marks)))
    # 40 s of a rhythm of 2 Hz width scatter by 1/sqrt(80) on each side
    assert found.value == pytest.approx(truth(), rel=0.3)
    assert "marks say" in found.note
    assert truth() > 4.0


def test_the_contrast_of_an_edf_file_is_told(tmp_path: Path) -> None:
    wave = head()
    edfio.Edf(
        [
            edfio.EdfSignal(wave.channel(name), RATE, label=f"EEG {name}", physical_dimension="uV")
            for name in wave.channels
        ],
        annotations=[
            edfio.EdfAnnotation(0, None, "eyes open"),
            edfio.EdfAnnotation(*(CLOSED[0], CLOSED[1] - CLOSED[0], "eyes closed")),
            edfio.EdfAnnotation(55, None, "cough"),
        ],
    ).write(tmp_path / "a.edf")
    assert contrast(files.read(tmp_path / "a.edf")).value == pytest.approx(truth(), rel=0.3)


def test_marks_the_wrong_way_round_would_show() -> None:
    found = contrast(Recording((head(),), marks=noted((0, "EC"), (40, "EO"), (80, "EC"))))
    assert found.value == pytest.approx(1.0 / truth(), rel=0.3)


@pytest.mark.parametrize(
    ("marks", "absent"),
    [((), "no_reference"), (((40, "EC"),), "no_reference"), (((0, "step_began"), (40, "T2")), "no_reference"),
     (((0, "EO"), (40, "EC", 8.0)), "insufficient"), (((0, "EO"), (0, "EC")), "no_reference")],
)  # fmt: skip
def test_without_enough_of_both_there_is_no_contrast(marks: tuple[tuple[float, str], ...], absent: str) -> None:
    found = contrast(Recording((head(),), marks=noted(*marks)))
    assert (found.value, found.absent) == (None, absent)


def camera(closed: bool) -> Track:
    """Who saw the eyes closed from 40 to 80 s, or open all the time."""
    times = np.arange(30 * SECONDS) / 30.0
    samples = np.full((len(times), len(UNIT_CHANNELS)), 0.2, np.float32)
    inside = (times >= CLOSED[0]) & (times < CLOSED[1])
    samples[inside & closed, UNIT_CHANNELS.index("au43")] = 4.7
    return Track("face_units", "webcam", UNIT_CHANNELS, None, np.rint(times * SECOND).astype(np.int64), samples)


def test_a_camera_that_saw_it_otherwise_leaves_nothing_of_the_marks() -> None:
    marks = noted((0, "EO"), (40, "EC"), (80, "EO"))
    assert contrast(Recording((head(), camera(closed=False)), marks=marks)).absent == "insufficient"
    agreed = contrast(Recording((head(), camera(closed=True)), marks=marks))
    assert agreed.value == pytest.approx(truth(), rel=0.3)
    # marked ten seconds early: what the camera saw to be open does not count as closed
    early = contrast(Recording((head(), camera(closed=True)), marks=noted((0, "EO"), (30, "EC"), (80, "EO"))))
    assert early.value == pytest.approx(truth(), rel=0.3)


def test_a_recording_without_marks_of_the_eyes_gives_what_it_gave() -> None:
    plain = Recording((head(), camera(closed=True)))
    other = replace(plain, marks=noted((3, "cough"), (50, "step_began")))
    assert session(plain, Context()).readings == session(other, Context()).readings
    assert session(plain, Context()).events == ()
    only = replace(plain, tracks=plain.tracks[:1])
    assert session(only, Context()).readings == session(replace(only, marks=other.marks), Context()).readings
