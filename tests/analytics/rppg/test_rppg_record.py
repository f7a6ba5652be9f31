"""The camera's pulse of a recording: the rate and the beats that it has, or the reason for none (synthetic)."""

import numpy as np
import pytest

from analytics import rppg
from analytics.rppg.disturbed import flickering, frame_rate
from kiosk.messages import SECOND
from kiosk.recording import Track
from kiosk.signals import REGIONS, RGB_CHANNELS
from tests.analytics.rppg.faces import Face, Floats, beats, changed, clock, colours, lifeless, motion, track, volume


def true_rate(face: Face, seconds: float) -> float:
    at = beats(face, seconds)
    inside = at[(at >= 0) & (at <= seconds)]
    return float(60.0 / np.diff(inside).mean())


@pytest.mark.parametrize(
    ("tone", "rate"), [(0, 52.0), (1, 133.0), (2, 96.0), (3, 61.0), (4, 78.0), (5, 110.0), (5, 55.0)]
)
def test_each_skin_has_its_rate(tone: int, rate: float) -> None:
    face = Face(rate=rate, tone=tone, seed=tone + round(rate))
    found = rppg.heart_rate(rppg.pulse(colours(face, 24.0)))
    assert found.value == pytest.approx(true_rate(face, 24.0), abs=1.5)
    assert found.quality is not None
    assert found.quality > 0.5


@pytest.mark.parametrize(("frames", "dropped", "jitter"), [(15.0, 0.05, 0.008), (30.0, 0.3, 0.008), (60.0, 0.1, 0.003)])
def test_lost_and_late_frames_do_not_move_the_rate(frames: float, dropped: float, jitter: float) -> None:
    face = Face(rate=83.0, frames=frames, dropped=dropped, jitter=jitter, seed=5)
    assert rppg.heart_rate(rppg.pulse(colours(face, 24.0))).value == pytest.approx(true_rate(face, 24.0), abs=1.5)


def test_what_does_not_live_has_no_pulse() -> None:
    for seed in range(2):
        for name, known in lifeless(24.0, seed):
            found = rppg.pulse(known)
            assert rppg.heart_rate(found).value is None, (seed, name)
            assert set(found.reasons) <= {"noisy", "moving"}, (seed, name)
            assert np.isnan(found.rates).all(), (seed, name)


def test_beats_are_where_the_heart_beats() -> None:
    face = Face(amplitude=0.01, seed=8, motion=0.001)
    found = rppg.beats(rppg.pulse(colours(face, 40.0)))
    truth = beats(face, 40.0) + 1.0
    ours = found.times[1:][found.held]
    assert len(ours) > 35
    nearest = truth[np.argmin(np.abs(ours[:, None] - 0.1 - truth), axis=1)]
    late = ours - nearest
    assert late.std() < 0.015
    # what it says of its own error is true
    assert 0.4 * late.std() < found.precision < 3.0 * late.std() + 0.006


def test_a_faint_pulse_has_a_rate_but_no_beats_to_measure() -> None:
    face = Face(amplitude=0.0012, seed=2, noise=9.0)
    found = rppg.pulse(colours(face, 40.0))
    assert rppg.heart_rate(found).value == pytest.approx(true_rate(face, 40.0), abs=1.5)
    told = rppg.beats(found)
    assert told.held.sum() < 5 or told.precision > 0.015


def test_a_heart_that_speeds_up_is_followed() -> None:
    slow, fast = (colours(Face(rate=rate, seed=4), 30.0) for rate in (66.0, 84.0))
    times = np.concatenate((slow.times, fast.times + 30 * SECOND))
    found = rppg.pulse(Track("rgb", "camera", RGB_CHANNELS, None, times, np.concatenate((slow.samples, fast.samples))))
    assert np.median(found.rates[4:20]) == pytest.approx(66.0, abs=2.0)
    assert np.median(found.rates[-20:-4]) == pytest.approx(84.0, abs=2.0)


def test_seconds_without_a_face_have_no_rate_and_the_others_do() -> None:
    face = Face(rate=90.0, seed=3)
    known = colours(face, 50.0)
    gone = (known.times > 21 * SECOND) & (known.times < 29 * SECOND)
    first, last = np.flatnonzero(gone)[[0, -1]].tolist()
    found = rppg.pulse(changed(known, slice(first, last + 1), colour=np.nan, pixels=0.0))
    middle = (found.starts > 21 * SECOND) & (found.starts < 27 * SECOND)
    assert {reason for reason, inside in zip(found.reasons, middle, strict=True) if inside} == {"no_face"}
    assert np.isfinite(found.rates[~middle]).mean() > 0.8
    assert rppg.heart_rate(found).value == pytest.approx(true_rate(face, 50.0), abs=1.5)
    assert np.diff(found.times).max() > 6 * SECOND


@pytest.mark.parametrize(
    ("colour", "pixels", "speed", "reason"),
    [
        (np.nan, 0.0, 0.0, "no_face"),
        (0.1, None, 0.0, "too_dark"),
        (2.0, None, 0.0, "saturated"),
        (None, 400.0, 0.0, "too_far"),
        (None, None, 0.6, "moving"),
        (None, None, 0.0, "noisy"),
    ],
)
def test_where_there_is_no_pulse_it_says_why(
    colour: float | None, pixels: float | None, speed: float, reason: str
) -> None:
    known = colours(Face(amplitude=0.0, seed=6), 20.0)
    known = changed(known, slice(None), colour=colour, pixels=pixels)
    found = rppg.heart_rate(rppg.pulse(known, motion(known.times, speed=speed)))
    assert (found.value, found.absent) == (None, reason)


def test_a_few_seconds_are_too_short() -> None:
    known = colours(Face(), 6.0)
    assert rppg.heart_rate(rppg.pulse(known)).absent == "too_short"
    assert len(rppg.beats(rppg.pulse(known)).times) == 0


def test_a_rate_that_the_head_sways_at_takes_more_to_be_believed() -> None:
    face = Face(rate=75.0, amplitude=0.0012, noise=9.0, seed=1, varying=0.005)
    known = colours(face, 24.0)
    still, swaying = (
        rppg.pulse(known, motion(known.times, sway=sway, hertz=75.0 / 60.0)).quality for sway in (0.0, 0.02)
    )
    elsewhere = rppg.pulse(known, motion(known.times, sway=0.02, hertz=0.4)).quality
    assert swaying.mean() < still.mean()
    assert elsewhere == pytest.approx(still)


def test_lamps_are_known_by_the_frame_rate() -> None:
    times = clock(Face(frames=24.0, dropped=0.3), 30.0)
    assert frame_rate(times) == pytest.approx(24.0, abs=0.02)
    assert flickering(np.array([1.0, 2.0, 3.5]), 24.0).tolist() == [False, True, False]
    assert not flickering(np.array([1.0, 2.0, 3.5]), 30.0).any()


def test_one_region_is_enough_for_a_strong_pulse() -> None:
    face = Face(rate=66.0, amplitude=0.012, seed=9, motion=0.0005, light=0.003)
    known = colours(face, 24.0)
    samples = known.samples.copy()
    samples[:, 4:] = np.nan
    samples[:, 7::4] = 0.0
    alone = Track("rgb", "camera", RGB_CHANNELS, None, known.times, samples)
    assert rppg.heart_rate(rppg.pulse(alone)).value == pytest.approx(true_rate(face, 24.0), abs=1.5)


def test_a_fingertip_on_the_lens_is_read_as_contact() -> None:
    face = Face(rate=68.0, frames=30.0, jitter=0.002, seed=2)
    times = clock(face, 60.0)
    at = times / SECOND - 1.0
    rows = np.full((len(at), len(REGIONS), 4), np.nan)
    rows[:, :, 3] = 0.0
    red: Floats = 200.0 - 2.0 * volume(at, beats(face, 60.0))
    rows[:, 0] = np.stack([red, 0.1 * red, 0.05 * red, np.full(len(at), 3e5)], axis=1)
    found = rppg.pulse(track(times, rows))
    assert found.method.startswith("rgb-ppg")
    assert rppg.heart_rate(found).value == pytest.approx(true_rate(face, 60.0), abs=1.0)
    told = rppg.beats(found)
    assert np.diff(told.times)[told.held].std() == pytest.approx(np.diff(beats(face, 60.0)).std(), rel=0.25)


def test_nothing_bad_is_a_number() -> None:
    none = np.empty(0, dtype=np.int64)
    nothing = rppg.pulse(Track("rgb", "camera", RGB_CHANNELS, None, none, np.empty((0, 20), dtype=np.float32)))
    assert rppg.heart_rate(nothing).absent == "too_short"
    assert len(rppg.beats(nothing).times) == 0
    times = clock(Face(), 20.0)
    for value in (np.nan, np.inf, 0.0, -5.0, 120.0, 1e30):
        samples = np.full((len(times), 20), value, dtype=np.float32)
        found = rppg.pulse(Track("rgb", "camera", RGB_CHANNELS, None, times, samples))
        assert rppg.heart_rate(found).value is None, value
        assert len(rppg.beats(found).times) == 0
    with pytest.raises(ValueError, match="not the channels"):
        rppg.pulse(Track("rgb", "camera", ("a", "b"), None, times, np.zeros((len(times), 2), dtype=np.float32)))


def test_a_camera_of_few_frames_is_not_believed() -> None:
    known = colours(Face(frames=6.0), 30.0)
    assert rppg.heart_rate(rppg.pulse(known)).value is None


def test_a_long_night_between_two_looks_costs_nothing() -> None:
    known = colours(Face(seed=7), 20.0)
    times = np.concatenate((known.times, known.times + 36_000 * SECOND))
    found = rppg.pulse(
        Track("rgb", "camera", RGB_CHANNELS, None, times, np.concatenate((known.samples, known.samples)))
    )
    assert len(found.starts) < 50
    assert rppg.heart_rate(found).value == pytest.approx(72.0, abs=2.0)


def test_the_same_track_has_the_same_pulse() -> None:
    known = colours(Face(seed=11), 20.0)
    one, other = rppg.pulse(known), rppg.pulse(known)
    assert np.array_equal(one.wave, other.wave)
    assert np.array_equal(one.rates, other.rates, equal_nan=True)


def test_two_hearts_have_no_rate_in_between() -> None:
    slow, fast = (colours(Face(rate=rate, seed=31), 20.0) for rate in (55.0, 95.0))
    times = np.concatenate((slow.times, fast.times + 21 * SECOND))
    both = Track("rgb", "camera", slow.channels, None, times, np.concatenate((slow.samples, fast.samples)))
    found = rppg.heart_rate(rppg.pulse(both))
    assert found.value is None or min(abs(found.value - 55.0), abs(found.value - 95.0)) < 3.0
    assert (found.value is None) == (found.absent is not None)
