"""The router: each stream has its own analyzer, and nothing that comes in can break another's."""

import logging
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from analytics import router as routing
from analytics.analyzer import Finding
from analytics.router import Router
from kiosk import messages
from kiosk.messages import SECOND, Chunk, Origin, Reading, Session, Stream
from sensors.drivers.simulated import Person
from tests.analytics.visitors import ecg

RATE = 250.0
SLOW, FAST = Person(seed=31, heart_rate=60, rsa_ms=10), Person(seed=32, heart_rate=100, rsa_ms=10)


def chunks(
    person: Person = SLOW,
    *,
    session: str = "visit-1",
    device: str = "strap",
    run: str = "run-1",
    seconds: float = 20.0,
    size: int = 25,
) -> list[Chunk]:
    samples = ecg(person, RATE, seconds)[0].astype("<f4")
    stream = Stream(session=session, device=device, signal="ecg", run=run)
    return [
        Chunk(
            stream=stream,
            seq=seq,
            start=round(begin / RATE * SECOND),
            rate=RATE,
            channels=("II",),
            samples=samples[begin : begin + size].tobytes(),
        )
        for seq, begin in enumerate(range(0, len(samples), size))
    ]


def play(router: Router, pieces: Iterable[Chunk], kiosk: str = "hall") -> list[Reading]:
    return [reading for chunk in pieces for reading in router.feed(kiosk, chunk)]


@cache
def alone(person: Person) -> list[Reading]:
    return play(Router(run="one"), chunks(person))


def ended(session: str = "visit-1") -> Session:
    return Session(
        stream=Stream(session=session, device="station", signal="session", run="run-1"),
        seq=1,
        state="ended",
        origin=Origin(utc=0, boot=0, boot_id="boot"),
        ended=20 * SECOND,
    )


def values(readings: list[Reading]) -> list[float | None]:
    return [reading.value for reading in readings]


def test_a_reading_comes_each_second_and_passes_its_own_gate() -> None:
    readings = play(Router(run="one"), chunks())
    assert len(readings) == 20
    for seq, reading in enumerate(readings):
        messages.decode(messages.address("hall", reading), messages.encode(reading))
        assert reading.seq == seq
        assert reading.stream == Stream("visit-1", "analytics-strap", "readings", "one")
        assert (reading.measure, reading.source, reading.scope) == ("heart_rate", "ecg", "live")
        assert (reading.low, reading.high) == (None, None)
    assert readings[0].absent == "too_short"
    assert readings[-1].value == pytest.approx(60, abs=4)


@settings(max_examples=15, deadline=None)
@given(order=st.lists(st.booleans(), min_size=50, max_size=400))
def test_two_visitors_never_share_state(order: list[bool]) -> None:
    """Same session name and device at two kiosks, their chunks mixed in any order."""
    left = {True: chunks(SLOW), False: chunks(FAST)}
    router = Router(run="one")
    got: dict[bool, list[Reading]] = {True: [], False: []}
    while left[True] or left[False]:
        who = order.pop() if order else bool(left[True])
        if left[who]:
            got[who] += router.feed("hall" if who else "yard", left[who].pop(0))
    for who, readings in got.items():
        # a session's first seq is the router's business: it only has to count up
        counted = [replace(reading, seq=reading.seq - readings[0].seq) for reading in readings]
        assert counted == alone(SLOW if who else FAST)


def test_two_devices_of_one_visit_are_apart() -> None:
    router = Router()
    first, second = chunks(SLOW), chunks(FAST, device="patch")
    mixed = [chunk for pair in zip(first, second, strict=True) for chunk in pair]
    readings = play(router, mixed)
    for device, rate in (("analytics-strap", 60), ("analytics-patch", 100)):
        own = [reading for reading in readings if reading.stream.device == device]
        assert [reading.seq for reading in own] == list(range(20))
        assert own[-1].value == pytest.approx(rate, abs=5)


def test_duplicates_are_dropped_and_counted() -> None:
    router = Router(run="one")
    pieces = chunks()
    doubled = [chunk for place, chunk in enumerate(pieces) for chunk in (chunk, pieces[max(0, place - 3)])]
    assert play(router, doubled) == play(Router(run="one"), pieces)
    assert router.counters.duplicates == len(pieces)
    assert router.counters.gaps == 0


@pytest.mark.parametrize("missing", [1, 5, 40])
def test_a_gap_starts_over(missing: int) -> None:
    router = Router()
    pieces = chunks(seconds=24.0)
    readings = play(router, pieces[:100] + pieces[100 + missing :])
    assert router.counters.gaps == 1
    after = [reading for reading in readings if reading.start >= pieces[100].start]
    assert [reading.absent for reading in after[:4]] == ["too_short"] * 4
    assert after[5].value == pytest.approx(60, abs=5)
    # no window reaches over the gap
    assert all(reading.end < pieces[100].start or reading.start >= pieces[100].start for reading in readings)


def test_a_jump_in_time_starts_over_though_no_seq_is_missing() -> None:
    router = Router()
    pieces = chunks()
    late = [
        Chunk(c.stream, c.seq, c.start + (SECOND if c.seq >= 100 else 0), c.rate, c.channels, c.samples) for c in pieces
    ]
    play(router, late)
    assert router.counters.gaps == 1
    # a clock fit may move a chunk by a hair
    router = Router()
    play(router, [Chunk(c.stream, c.seq, c.start + c.seq % 3 * 100_000, c.rate, c.channels, c.samples) for c in pieces])
    assert router.counters.gaps == 0


def test_a_new_run_starts_afresh_and_the_old_one_stays_old() -> None:
    router = Router()
    play(router, chunks()[:150])
    readings = play(router, chunks(FAST, run="run-2"))
    assert readings[0].absent == "too_short"
    assert readings[-1].value == pytest.approx(100, abs=5)
    assert [reading.seq for reading in readings] == list(range(readings[0].seq, readings[0].seq + 20))
    assert router.counters.restarts == 1
    assert play(router, chunks()[150:160]) == []
    assert router.counters.stale == 10


def test_the_end_of_a_session_forgets_it() -> None:
    router = Router()
    play(router, chunks()[:60])
    router.session("yard", ended())
    assert router.counters.sessions == 1  # another kiosk's visit
    router.session("hall", ended())
    assert router.counters.sessions == 0
    assert play(router, chunks()[60:]) == []
    assert router.counters.stale == 140


def test_the_longest_silent_session_goes_when_there_are_too_many() -> None:
    router = Router(most_sessions=3)
    seqs: set[int] = set()
    for turn in range(2):
        for visit in range(5):
            readings = play(router, chunks(session=f"visit-{visit}", run=f"run-{turn}")[:60])
            if visit == 0:
                assert not seqs & {reading.seq for reading in readings}
                seqs |= {reading.seq for reading in readings}
    assert router.counters.sessions == 3
    assert router.counters.evicted == 7


def test_a_session_cannot_have_endless_streams() -> None:
    router = Router()
    for number in range(50):
        play(router, chunks(device=f"strap-{number}")[:1])
    assert router.counters.overflowing == 50 - routing.MOST_STREAMS


def test_what_nobody_analyses_is_ignored() -> None:
    router = Router()
    piece = chunks()[0]
    other = Chunk(Stream("visit-1", "strap", "eda", "run-1"), 0, 0, RATE, ("left",), piece.samples)
    assert router.feed("hall", other) == []
    assert router.counters.ignored == 1
    assert router.counters.sessions == 0


def test_lost_samples_pass_through() -> None:
    pieces = chunks()
    lost = np.full(25, np.nan, dtype="<f4").tobytes()
    holed = [
        Chunk(c.stream, c.seq, c.start, c.rate, c.channels, lost if 80 <= c.seq < 83 or c.seq == 0 else c.samples)
        for c in pieces
    ]
    assert values(play(Router(), holed))[-1] == pytest.approx(60, abs=4)


class Broken:
    """Fails at its third second."""

    def __init__(self, rate: float, channels: tuple[str, ...]) -> None:
        self.rate, self.seen = rate, 0

    def feed(self, times: NDArray[np.int64], samples: NDArray[np.float32]) -> list[Finding]:
        self.seen += len(samples)
        if self.seen > 3 * self.rate:
            raise RuntimeError(f"cannot bear {samples[0, 0]}")
        return [Finding("heart_rate", float("nan"), "none", int(times[0]), int(times[-1]))]

    def reset(self) -> None:
        self.seen = 0


def test_a_broken_analyzer_is_counted_and_its_samples_stay_out_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(routing, "factory", lambda signal: Broken)
    router = Router()
    with caplog.at_level(logging.DEBUG):
        readings = play(router, chunks())
    assert router.counters.failures == 6
    assert "RuntimeError" in caplog.text
    assert "cannot bear" not in caplog.text
    assert not any(record.exc_info for record in caplog.records)
    # and a number that none can have is a reason
    assert {reading.absent for reading in readings} == {"impossible"}
