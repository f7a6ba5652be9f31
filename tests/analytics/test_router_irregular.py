"""Streams whose samples have times of their own: brought to their analyzers with the same care as regular ones."""

from collections.abc import Iterable

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from analytics import router as routing
from analytics.analyzer import Finding
from analytics.router import PAUSE, Router
from kiosk import messages
from kiosk.messages import SECOND, Chunk, Reading, Stream
from sensors.drivers.simulated import Body, Person

Times = NDArray[np.int64]

BODY = Body(Person(seed=41, heart_rate=72))


def frames(seconds: float, *, start: float = 2.0, seed: int = 0) -> Times:
    rng = np.random.default_rng(seed)
    late = np.arange(round(seconds * 30)) / 30 + rng.uniform(0.0, 0.008, round(seconds * 30))
    # whole microseconds, as the wire carries them
    return np.asarray(np.rint((start + late[rng.random(len(late)) > 0.03]) * 1e6).astype(np.int64) * 1000)


def chunk(times: Times, seq: int, *, signal: str = "ppg", run: str = "run-1", session: str = "visit-1") -> Chunk:
    samples = BODY.ppg(times / SECOND)[:, :1].astype("<f4")
    stream = Stream(session=session, device="camera", signal=signal, run=run)
    offsets = ((times - times[0]) // 1000).astype("<i4").tobytes()
    return Chunk(stream, seq, int(times[0]), None, ("green",), samples.tobytes(), offsets)


def chunks(times: Times, *, size: int = 15, run: str = "run-1", session: str = "visit-1") -> list[Chunk]:
    begins = range(0, len(times), size)
    return [chunk(times[at : at + size], seq, run=run, session=session) for seq, at in enumerate(begins)]


def play(router: Router, pieces: Iterable[Chunk]) -> list[Reading]:
    return [reading for piece in pieces for reading in router.feed("hall", piece)]


def test_a_finger_on_a_camera_has_a_live_heart_rate() -> None:
    router = Router(run="one")
    pieces = chunks(frames(20.0))
    for piece in pieces:
        messages.decode(messages.address("hall", piece), messages.encode(piece))
    readings = play(router, pieces)
    assert len(readings) == 19
    for seq, reading in enumerate(readings):
        messages.decode(messages.address("hall", reading), messages.encode(reading))
        assert (reading.seq, reading.source, reading.measure) == (seq, "ppg", "heart_rate")
    assert readings[-1].value == pytest.approx(72, abs=4)
    assert (router.counters.ignored, router.counters.gaps, router.counters.failures) == (0, 0, 0)


@pytest.mark.parametrize("size", [1, 33, 10_000])
def test_how_frames_are_packed_into_chunks_changes_nothing(size: int) -> None:
    times = np.concatenate((frames(9.0), frames(9.0, start=30.0)))  # a long pause, wherever a chunk ends
    routers = Router(run="one"), Router(run="one")
    assert play(routers[0], chunks(times, size=size)) == play(routers[1], chunks(times))
    assert routers[0].counters.gaps == routers[1].counters.gaps == 1


def test_duplicates_are_dropped_and_counted() -> None:
    router = Router(run="one")
    pieces = chunks(frames(12.0))
    doubled = [each for place, piece in enumerate(pieces) for each in (piece, pieces[max(0, place - 3)])]
    assert play(router, doubled) == play(Router(run="one"), pieces)
    assert router.counters.duplicates == len(pieces)
    assert router.counters.gaps == 0


def test_a_lost_chunk_starts_over() -> None:
    router = Router()
    pieces = chunks(frames(20.0))
    readings = play(router, pieces[:12] + pieces[13:])
    assert router.counters.gaps == 1
    after = [reading for reading in readings if reading.start >= pieces[13].start]
    assert [reading.absent for reading in after[:5]] == ["too_short"] * 5
    # no window reaches over the gap
    assert all(reading.end < pieces[13].start or reading.start >= pieces[13].start for reading in readings)


@pytest.mark.parametrize(("seconds", "gaps"), [(PAUSE - 0.5, 0), (PAUSE + 0.5, 1)])
def test_a_pause_is_a_gap_when_it_is_long(seconds: float, gaps: int) -> None:
    router = Router()
    pieces = chunks(frames(3.0))
    later = frames(3.0, start=5.0 + seconds)
    play(router, [*pieces, chunk(later, len(pieces))])
    assert router.counters.gaps == gaps


def test_time_that_goes_back_starts_over() -> None:
    router = Router()
    pieces = chunks(frames(3.0))
    play(router, [*pieces, chunk(frames(8.0, start=3.0), len(pieces))])
    assert router.counters.gaps == 1
    assert router.counters.failures == 0


def test_a_new_run_starts_afresh_and_the_old_one_stays_old() -> None:
    router = Router()
    first, second = chunks(frames(8.0)), chunks(frames(8.0, start=12.0), run="run-2")
    play(router, first[:10])
    readings = play(router, second)
    assert router.counters.restarts == 1
    assert readings[0].absent == "too_short"
    assert readings[0].start >= second[0].start
    assert play(router, first[10:12]) == []
    assert router.counters.stale == 2


def test_a_camera_that_gets_a_steady_clock_starts_afresh() -> None:
    router = Router()
    play(router, chunks(frames(3.0)))
    steady = Chunk(Stream("visit-1", "camera", "ppg", "run-1"), 99, 8 * SECOND, 30.0, ("green",), bytes(4 * 30))
    play(router, [steady])
    assert (router.counters.restarts, router.counters.failures) == (1, 0)


def test_a_signal_that_has_no_times_of_its_own_is_ignored() -> None:
    router = Router()
    piece = chunk(frames(1.0), 0)
    assert router.feed("hall", replace(piece, stream=replace(piece.stream, signal="ecg"))) == []
    assert router.counters.ignored == 1
    assert router.counters.sessions == 0


def test_sessions_of_cameras_are_forgotten_like_others() -> None:
    router = Router(most_sessions=3)
    for visit in range(6):
        play(router, chunks(frames(1.0), session=f"visit-{visit}"))
    assert router.counters.sessions == 3
    assert router.counters.evicted == 3


class Watching:
    """Remembers what it was given."""

    def __init__(self, rate: float | None, channels: tuple[str, ...]) -> None:
        self.rate, self.seen = rate, list[Times | None]()
        made.append(self)

    def feed(self, times: Times, samples: NDArray[np.float32]) -> list[Finding]:
        assert len(times) == len(samples) > 0
        if self.seen and self.seen[-1] is not None:
            assert times[0] > self.seen[-1][-1]
        self.seen.append(times)
        return []

    def reset(self) -> None:
        self.seen.append(None)


made: list[Watching] = []


def test_every_time_reaches_the_analyzer_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    monkeypatch.setattr(routing, "factory", lambda signal: Watching)
    times = np.concatenate((frames(4.0), frames(4.0, start=20.0)))
    play(Router(), chunks(times, size=400))
    (analyzer,) = made
    assert analyzer.rate is None
    assert [each is None for each in analyzer.seen] == [False, True, False]
    np.testing.assert_array_equal(np.concatenate([each for each in analyzer.seen if each is not None]), times)
