"""Breath from a camera: the truth of simulated heads and chests, and silence where nobody breathes (all synthetic)."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from analytics.analyzer import Finding
from analytics.beats import Beats, Kind
from analytics.respiration import LiveEffort, from_motion, from_skin, fused
from analytics.respiration.answer import Answer
from analytics.respiration.camera import MOVERS, SEEN, Movement, agreed, gridded, moved
from analytics.respiration.rhythm import Rhythm
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from kiosk.signals import MOTION_CHANNELS
from sensors.drivers.simulated import Body, Person
from sensors.drivers.simulated.scene import Scene
from tests.analytics.visitors import cuts

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

FRAMES = 10.0


def taken(seconds: float, *, seed: int = 0, start: float = 5.0, lost: float = 0.1) -> Times:
    """When pictures were taken: a webcam in dim light, one in ten lost."""
    rng = np.random.default_rng(seed)
    late = np.arange(round(seconds * 20)) / 20 + rng.uniform(0.0, 0.02, round(seconds * 20))
    return np.rint((start + late[rng.random(len(late)) >= lost]) * SECOND).astype(np.int64)


@cache
def visitor(person: Person, scene: Scene, seconds: float = 60.0) -> tuple[Track, float]:
    """What the camera tells of a head and a chest, and the breaths a minute that were taken."""
    body, times = Body(person, scene), taken(seconds, seed=person.seed)
    samples = body.face_motion(times / SECOND).astype(np.float32)
    return motion(times, samples), body.truth(5.0, 5.0 + seconds).respiration_rate


def motion(times: Times, samples: NDArray[np.float32]) -> Track:
    return Track("face_motion", "camera", MOTION_CHANNELS, None, times, samples)


def changed(track: Track, samples: NDArray[np.float32]) -> Track:
    return motion(track.times, samples)


def still(seconds: float, rng: np.random.Generator) -> Iterator[Floats]:
    """What moves a head and a picture of it when nobody breathes, on the grid; one channel."""
    count = round(FRAMES * seconds)
    white = rng.standard_normal(count)
    hertz = np.fft.rfftfreq(count, 1 / FRAMES)
    hertz[0] = hertz[1]
    spectrum = np.fft.rfft(white)
    for slope in (0.0, 0.5, 1.0, 1.5):
        yield np.fft.irfft(spectrum / hertz**slope, count)
    for low, high in ((0.05, 1.0), (0.1, 2.0)):
        yield np.asarray(signal.sosfilt(signal.butter(2, [low, high], "band", fs=FRAMES, output="sos"), white))
    moments = (np.cumsum(rng.exponential(3.0, count)) * FRAMES).astype(np.intp)
    jumps = np.zeros(count)
    jumps[moments[moments < count]] = rng.standard_normal(np.count_nonzero(moments < count))
    yield np.cumsum(jumps) + 1e-3 * white
    yield 3 * jumps + 0.01 * white
    yield np.convolve(jumps, np.hanning(20), "same") + 0.01 * white
    yield np.round(0.6 * white + 0.2)


def window(movers: Floats, *, faces: float = 1.0, moving: float = 0.05) -> Floats:
    return np.column_stack([movers, np.full(len(movers), moving), np.full(len(movers), faces)])


@pytest.mark.parametrize("breath", [6.0, 10.0, 14.0, 20.0, 30.0])
def test_chest_and_head_tell_the_breath(breath: float) -> None:
    track, truth = visitor(Person(seed=round(breath), respiration_rate=breath), Scene())
    found = from_motion(track)
    assert found.value == pytest.approx(truth, abs=1.0)
    assert found.quality is not None
    assert found.quality > 0.5


@pytest.mark.parametrize(
    ("person", "scene"),
    [
        (Person(seed=1, chest_rise=0.004, respiration_rate=15), Scene()),
        (Person(seed=2, talking=0.5, respiration_rate=15), Scene()),
        (Person(seed=3, turn_rate=6.0, respiration_rate=15), Scene()),
        (Person(seed=4, sway=3.0, respiration_rate=15), Scene(distance=1.5)),
    ],
    ids=["shallow breath", "talking", "turning", "swaying far away"],
)
def test_the_chest_tells_it_whatever_the_head_does(person: Person, scene: Scene) -> None:
    track, truth = visitor(person, scene)
    assert from_motion(track).value == pytest.approx(truth, abs=1.0)


def test_a_photo_that_is_held_does_not_breathe() -> None:
    windows = answers = 0
    columns = [MOTION_CHANNELS.index(name) for name in (*MOVERS, *SEEN)]
    for seed in range(8):
        scene = Scene(seed=seed, visitor="photo")
        track, _ = visitor(Person(seed=seed, sway=float(seed % 4)), scene, 200.0)
        assert from_motion(track).absent in ("noisy", "moving")
        rows = gridded(track.seconds, track.samples[:, columns].astype(np.float64))
        for size in (200, 320, 640):
            for begin in range(0, len(rows) - size, size // 2):
                windows += 1
                answers += isinstance(moved(rows[begin : begin + size]), Answer)
    assert windows > 250
    assert answers <= 1


@pytest.mark.parametrize("shared", [False, True], ids=["each by itself", "all alike"])
def test_noise_is_no_breath(shared: bool) -> None:
    """Of 29,700 such windows ten had an answer; here a few hundred."""
    rng = np.random.default_rng(7)
    windows = answers = 0
    for _ in range(20):
        for size in (20.0, 32.0):
            for columns in zip(*(still(size, rng) for _ in MOVERS), strict=True):
                x = np.column_stack(columns)
                if shared:
                    x = x[:, :1] * rng.choice([-1.0, 1.0], len(MOVERS)) + 0.2 * x.std() * rng.standard_normal(x.shape)
                windows += 1
                answers += isinstance(moved(window(x)), Answer)
    assert windows == 400
    assert answers <= 2


def movement(name: str, rate: float, strength: float, breaths: int = 8) -> Movement:
    return Movement(name, Rhythm(rate, strength, breaths))  # type: ignore[arg-type]


def test_two_that_agree_are_believed_where_both_are_certain_or_one_is_the_chest() -> None:
    sure, faint = movement("y", 15.0, 0.8), movement("pitch", 15.5, 0.4)
    assert agreed([sure]) is None
    assert agreed([faint, movement("size", 15.0, 0.4)]) is None
    assert agreed([sure, faint]) is None
    assert agreed([sure, movement("pitch", 15.5, 0.7)]) is not None
    told = agreed([sure, movement("chest", 15.5, 0.4)])
    assert told is not None
    assert told.rate == pytest.approx(15.0, abs=0.5)
    assert agreed([movement("chest", 15.0, 0.8)]) is not None
    assert agreed([movement("chest", 15.0, 0.4)]) is None
    # half the weight says something else
    assert agreed([sure, faint, movement("size", 24.0, 0.6), movement("chest", 24.0, 0.6)]) is None
    # what nobody does at rest is a heart that moves the head
    assert agreed([movement("chest", 55.0, 0.9), movement("y", 55.0, 0.9)]) is None
    assert agreed([]) is None


def test_absence_says_what_the_visitor_can_do() -> None:
    track, _ = visitor(Person(seed=9), Scene())
    away = track.samples.copy()
    away[:] = np.nan
    away[:, MOTION_CHANNELS.index("faces")] = 0.0
    assert from_motion(changed(track, away)).absent == "no_face"
    wild = track.samples.copy()
    for name in MOVERS:
        wild[:, MOTION_CHANNELS.index(name)] = np.random.default_rng(0).standard_normal(len(wild))
    assert from_motion(changed(track, wild)).absent == "noisy"
    wild[:, MOTION_CHANNELS.index("motion")] = 1.0
    assert from_motion(changed(track, wild)).absent == "moving"
    assert from_motion(track.part(0, 300)).absent == "too_short"
    assert from_motion(track.part(0, 0)).absent == "too_short"
    # half of every second is missing
    gaps = motion(
        track.times[(track.times // (SECOND // 2)) % 2 == 0], track.samples[(track.times // (SECOND // 2)) % 2 == 0]
    )
    assert from_motion(gaps).absent == "not_delivered"


def test_a_chest_out_of_view_is_no_reason_of_its_own() -> None:
    track, truth = visitor(Person(seed=12, respiration_rate=15, breath_nod=4.0, sway=0.1), Scene())
    hidden = track.samples.copy()
    hidden[:, MOTION_CHANNELS.index("chest")] = np.nan
    assert from_motion(changed(track, hidden)).value == pytest.approx(truth, abs=1.0)


@pytest.mark.parametrize("value", [np.nan, 0.0, 0.5, 3e38, -3e38])
def test_what_is_no_number_or_never_changes_is_no_breath(value: float) -> None:
    times = taken(40.0)
    track = motion(times, np.full((len(times), len(MOTION_CHANNELS)), value, dtype=np.float32))
    for found in (from_motion(track), *LiveEffort(None, MOTION_CHANNELS).feed(track.times, track.samples)):
        assert found.value is None
        assert found.absent in ("no_face", "not_delivered", "noisy", "moving", "too_short")


def live(track: Track, sizes: list[int]) -> list[Finding]:
    analyzer = LiveEffort(None, track.channels)
    pieces = cuts(len(track.times), sizes)
    return [each for cut in pieces for each in analyzer.feed(track.times[cut], track.samples[cut])]


@settings(max_examples=10, deadline=None)
@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_how_a_stream_is_cut_changes_nothing(sizes: list[int]) -> None:
    track, _ = visitor(Person(seed=14, respiration_rate=14), Scene(away_rate=1.0), 45.0)
    paused = motion(track.times + np.where(track.times > 30 * SECOND, 3 * SECOND, 0), track.samples)
    assert live(paused, sizes) == live(paused, [len(track.times)])


def test_each_second_has_a_breath_after_twenty() -> None:
    track, truth = visitor(Person(seed=15, respiration_rate=18), Scene())
    found = live(track, [20])
    assert len(found) in (59, 60)
    assert {each.absent for each in found[:19]} == {"too_short"}
    answered = [each for each in found[19:] if each.value is not None]
    assert len(answered) > 30
    assert all(each.value == pytest.approx(truth, abs=2.5) for each in answered)
    steps = np.diff([each.end_ns for each in found])
    assert (steps == SECOND).all()
    assert found[-1].end_ns - found[-1].start_ns == 32 * SECOND
    # the same functions as for the whole
    assert answered[-1].value == pytest.approx(from_motion(track).value, abs=1.0)


def test_a_live_breath_begins_anew_after_a_pause_and_a_reset() -> None:
    track, _ = visitor(Person(seed=15, respiration_rate=18), Scene())
    paused = motion(track.times + np.where(track.times > 40 * SECOND, 3 * SECOND, 0), track.samples)
    found = live(paused, [50])
    after = [each for each in found if each.start_ns > 41 * SECOND]
    assert {each.absent for each in after[:19]} == {"too_short"}
    analyzer = LiveEffort(None, track.channels)
    first = analyzer.feed(track.times, track.samples)
    analyzer.reset()
    assert analyzer.feed(track.times, track.samples) == first


def skin(breath: float, *, intervals: bool = True, heights: bool = True) -> tuple[Track, Beats]:
    """A pulse that was found in colours, and its beats: breath makes its heights smaller and its intervals longer."""
    rng = np.random.default_rng(3)
    times = np.arange(0.0, 64.0, 1 / 30.0)
    pace = 2 * np.pi * breath / 60.0
    beats, at = [0.5], 0.5
    while at < 63.0:
        at += 0.85 - intervals * 0.04 * np.sin(pace * at) + 0.015 * rng.standard_normal()
        beats.append(at)
    found = np.array(beats)
    phase = np.interp(times, found, np.arange(len(found)))
    wave = (1.0 - heights * 0.2 * np.sin(pace * times) + 0.03 * rng.standard_normal(len(times))) * np.cos(
        2 * np.pi * phase
    )
    stamps = np.rint(times * SECOND).astype(np.int64)
    kinds = np.full(len(found), Kind.NORMAL, dtype=np.uint8)
    return (
        Track("rgb", "camera", ("fused",), 30.0, stamps, wave.astype(np.float32)[:, None]),
        Beats("fused", found, np.ones(len(found) - 1, dtype=np.bool_), kinds, 0.006, 1.0, None, None),
    )


@pytest.mark.parametrize("breath", [10.0, 14.0, 20.0])
def test_the_skin_tells_it_where_its_pulse_is_modulated(breath: float) -> None:
    assert from_skin(*skin(breath)).value == pytest.approx(breath, abs=1.0)
    assert from_skin(*skin(breath, heights=False)).value == pytest.approx(breath, abs=1.0)
    # heights follow light and movement as well: they are no witness without the intervals
    assert from_skin(*skin(breath, intervals=False)).absent == "noisy"
    assert from_skin(*skin(breath, intervals=False, heights=False)).absent == "noisy"


def test_chest_and_skin_together_are_one_answer_where_they_agree() -> None:
    track, truth = visitor(Person(seed=20, respiration_rate=14), Scene())
    told = [from_motion(track), from_skin(*skin(14.0))]
    assert fused(told).value == pytest.approx(truth, abs=1.0)
    assert fused([told[0], from_skin(*skin(20.0))]).absent == "noisy"


def test_a_recording_of_a_head_alone_has_a_respiration_rate() -> None:
    track, truth = visitor(Person(seed=20, respiration_rate=14), Scene())
    (reading,) = [
        each for each in session(Recording((track,)), Context()).readings if each.measure == "respiration_rate"
    ]
    assert reading.source == "face_motion"
    assert reading.value == pytest.approx(truth, abs=1.0)
    assert (reading.low, reading.high) == (None, None)
