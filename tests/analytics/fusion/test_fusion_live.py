"""What all streams of a session tell together while it lasts: once a second, bounded, of nobody else."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.analyzer import Finding
from analytics.fusion import live
from analytics.fusion.live import Fuser
from analytics.registry import FUSED
from analytics.router import Router
from kiosk import messages
from kiosk.measures import EXPRESSIONS, MEASURES
from kiosk.messages import SECOND, Chunk, Reading, Stream


def finding(measure: str, value: float | None, second: float, quality: float | None = None) -> Finding:
    end = round(second * SECOND)
    return Finding(
        measure, value, "x", end - 3 * SECOND, end, quality=quality, absent="no_face" if value is None else None
    )


def smile(second: float, happiness: float = 0.85) -> list[Finding]:
    rest = (1.0 - happiness) / 7
    return [
        *(finding(f"face_{name}", happiness if name == "happiness" else rest, second) for name in EXPRESSIONS),
        finding("face_valence", 0.6, second),
        finding("face_arousal", 0.2, second),
    ]


def played(fuser: Fuser, seconds: Iterable[int], heart: float = 66.0) -> list[Finding]:
    told = []
    for second in seconds:
        told += fuser.feed("face_scores", "camera", smile(second + 0.3))
        told += fuser.feed("ecg", "strap", [finding("heart_rate", heart, second + 0.6, 0.9)])
    return told


def test_every_measure_is_told_once_a_second_at_most() -> None:
    told = played(Fuser(), range(30))
    for measure in FUSED:
        ends = [each.end_ns // SECOND for each in told if each.measure == measure]
        assert len(ends) == len(set(ends)) == 29
    assert all(MEASURES[each.measure].possible(each.value) for each in told if each.value is not None)
    assert all(each.quality is not None and 0.0 <= each.quality <= 1.0 for each in told)


def test_a_smile_is_a_smile_and_a_heart_counts_after_its_own_first_minute() -> None:
    fuser = Fuser()
    before = played(fuser, range(70))
    assert [each.value for each in before if each.measure == "valence"] == pytest.approx([0.6] * 69)
    happy = [each.value for each in before if each.measure == "emotion_happiness"]
    assert min(each for each in happy if each is not None) > 0.4
    calm = next(each.value for each in reversed(before) if each.measure == "arousal")
    after = played(fuser, range(70, 80), heart=82.0)
    fast = next(each.value for each in reversed(after) if each.measure == "arousal")
    assert calm is not None
    assert fast is not None
    assert fast > calm + 0.1


def test_what_is_usual_of_one_sensor_is_not_what_is_usual_of_another() -> None:
    told: list[list[float | None]] = []
    for camera in (None, 120.0):
        fuser, found = Fuser(), list[Finding]()
        for second in range(80):
            found += fuser.feed("ecg", "strap", [finding("heart_rate", 66.0, second, 0.9)])
            if camera is not None:
                found += fuser.feed("rgb", "camera", [finding("heart_rate", camera, second + 0.5, 0.2)])
        told.append([each.value for each in found if each.measure == "arousal"][-10:])
    assert told[0] == told[1] == pytest.approx([0.0] * 10)


def test_the_heart_alone_tells_no_emotion_live_either() -> None:
    fuser = Fuser()
    told = []
    for second in range(90):
        told += fuser.feed("ecg", "strap", [finding("heart_rate", 66.0 + (second > 70) * 12, second, 0.9)])
    assert {each.measure for each in told} == {"arousal"}
    assert min(each.end_ns for each in told) > live.REST * SECOND


def test_what_is_too_old_is_no_longer_told_and_its_absence_is_told_once() -> None:
    fuser = Fuser()
    played(fuser, range(5))
    told = []
    for second in range(5, 40):
        told += fuser.feed("ecg", "strap", [finding("heart_rate", 66.0, second, 0.9)])
    valence = [each for each in told if each.measure == "valence"]
    assert [each.absent for each in valence if each.value is None] == ["insufficient"]
    assert valence[-1].value is None
    assert valence[-1].end_ns <= (5 + live.OLDEST + 2) * SECOND


def test_a_face_that_left_takes_its_opinion_with_it() -> None:
    fuser = Fuser()
    played(fuser, range(5))
    gone = [finding(f"face_{name}", None, 5.3) for name in (*EXPRESSIONS, "valence", "arousal")]
    fuser.feed("face_scores", "camera", gone)
    told = fuser.feed("ecg", "strap", [finding("heart_rate", 66.0, 7.0, 0.9)])
    assert {each.absent for each in told} == {"insufficient"}


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_how_findings_come_together_changes_nothing(cuts: list[int]) -> None:
    whole = [each for second in range(20) for each in smile(second, 0.5 + 0.02 * second)]
    at_once = Fuser().feed("face_scores", "camera", whole)
    fuser, begin, told = Fuser(), 0, []
    turn = 0
    while begin < len(whole):
        size = cuts[turn % len(cuts)]
        told += fuser.feed("face_scores", "camera", whole[begin : begin + size])
        begin, turn = begin + size, turn + 1
    assert told == at_once


def test_it_remembers_no_more_than_it_may() -> None:
    fuser = Fuser()
    for device in range(2 * live.MOST):
        fuser.feed("face_scores", f"camera-{device}", smile(device / 10))
    assert len(fuser._heard) <= live.MOST


def test_measures_of_nothing_affective_are_passed_over() -> None:
    assert Fuser().feed("ecg", "strap", [finding("spo2", 97.0, second) for second in range(5)]) == []


def chunks(session: str, happiness: float, *, seconds: int = 20, device: str = "camera") -> list[Chunk]:
    channels = tuple(f"net.{name}" for name in EXPRESSIONS[:-1])
    row = np.full(len(channels), (1.0 - happiness) / (len(channels) - 1), "<f4")
    row[EXPRESSIONS.index("happiness")] = happiness
    offsets = (np.arange(5, dtype="<i4") * 200_000).tobytes()
    stream = Stream(session=session, device=device, signal="face_scores", run="run-1")
    return [
        Chunk(
            stream=stream,
            seq=second,
            start=second * SECOND,
            rate=None,
            channels=channels,
            samples=np.tile(row, (5, 1)).tobytes(),
            offsets=offsets,
        )
        for second in range(seconds)
    ]


def fused(readings: Iterable[Reading], session: str) -> list[Reading]:
    return [each for each in readings if each.stream.session == session and each.stream.device == "analytics-fusion"]


def test_the_router_sends_them_and_two_sessions_never_touch() -> None:
    router = Router(run="one")
    glad, sad = chunks("visit-1", 0.9), chunks("visit-2", 0.05)
    readings = [each for pair in zip(glad, sad, strict=True) for chunk in pair for each in router.feed("hall", chunk)]
    for session, pieces in (("visit-1", glad), ("visit-2", sad)):
        mine = fused(readings, session)
        assert mine
        assert [each.seq - mine[0].seq for each in mine] == list(range(len(mine)))
        for each in mine:
            messages.decode(messages.address("hall", each), messages.encode(each))
            assert (each.source, each.scope, each.method) == ("fusion", "live", live.METHOD)
        alone = Router(run="one")
        again = fused([each for chunk in pieces for each in alone.feed("hall", chunk)], session)
        assert [(each.measure, each.value, each.end) for each in again] == [
            (each.measure, each.value, each.end) for each in mine
        ]
    happy = {
        session: [each.value for each in fused(readings, session) if each.measure == "emotion_happiness"]
        for session in ("visit-1", "visit-2")
    }
    assert min(each for each in happy["visit-1"] if each is not None) > 0.4
    assert max(each for each in happy["visit-2"] if each is not None) < 0.2


def test_a_fusion_that_breaks_starts_over_and_no_stream_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    router, plain = Router(run="one"), Router(run="one")
    pieces = chunks("visit-1", 0.9)
    expected = [each for chunk in pieces for each in plain.feed("hall", chunk)]

    def broken(*_: object) -> list[Finding]:
        raise ZeroDivisionError

    monkeypatch.setattr(Fuser, "feed", broken)
    readings = [each for chunk in pieces for each in router.feed("hall", chunk)]
    assert fused(readings, "visit-1") == []
    assert [each.value for each in readings] == [
        each.value for each in expected if each.stream.device != "analytics-fusion"
    ]
    assert router.counters.failures > 0
