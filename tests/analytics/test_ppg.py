"""Pulses of a whole record against the simulated visitor's truth (synthetic), whatever sensor it comes from."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from analytics import ppg
from analytics.beats import Beats, Kind
from analytics.ecg.vote import matched
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import clock

Floats = NDArray[np.float64]

CALM = Person(seed=31, heart_rate=68)


@cache
def pulse(person: Person, rate: float, seconds: float) -> tuple[Floats, Floats]:
    """A visitor's finger and when the feet of the pulses are there."""
    body = Body(person)
    return body.sample("ppg", np.arange(round(seconds * rate)) / rate)[:, 0], body.truth(0.0, seconds).pulses


def track(*columns: Floats, rate: float = 100.0) -> Track:
    samples = np.column_stack(columns).astype(np.float32)
    return Track("ppg", "clip", ("a", "b", "c")[: len(columns)], rate, clock(len(samples), rate), samples)


def intervals(found: Beats, truth: Floats) -> tuple[Floats, Floats]:
    """Held intervals of both between beats that both have; the upstroke follows the foot."""
    shift = float(np.median([found.times[np.argmin(np.abs(found.times - foot - 0.08))] - foot for foot in truth]))
    right = np.clip(np.searchsorted(truth + shift, found.times), 1, len(truth) - 1)
    nearest = right - (np.abs(truth[right - 1] + shift - found.times) < np.abs(truth[right] + shift - found.times))
    near = np.abs(truth[nearest] + shift - found.times) < 0.1
    both = found.held & (np.diff(nearest) == 1) & near[1:] & near[:-1]
    return np.diff(found.times)[both], np.diff(truth[nearest])[both]


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("rate", [30.0, 64.0, 125.0, 1000.0])
def test_every_interval_is_the_truth_within_milliseconds(rate: float, inverted: bool) -> None:
    x, truth = pulse(CALM, rate, 60.0)
    found = ppg.beats(track(2000.0 - 30.0 * x if inverted else x, rate=rate), vote=False)
    ours, theirs = intervals(found, truth)
    assert len(ours) >= len(truth) - 4
    assert np.std(ours - theirs) < 0.008
    assert found.signal_quality > 0.9
    assert (found.trouble, set(found.kinds.tolist())) == (None, {Kind.NORMAL})
    assert 0 < found.precision < 0.02


def test_frames_with_times_of_their_own_are_honoured() -> None:
    rng = np.random.default_rng(3)
    seconds = np.sort(np.arange(0, 60, 1 / 30) + rng.uniform(-0.012, 0.012, 1800))[1:]
    seconds = np.delete(seconds, rng.integers(0, len(seconds), 40))
    body = Body(CALM)
    samples = -body.sample("ppg", seconds).astype(np.float32)
    times = np.rint(seconds * SECOND).astype(np.int64)
    found = ppg.beats(Track("ppg", "camera", ("red",), None, times, samples), vote=False)
    ours, theirs = intervals(found, body.truth(0.0, 60.0).pulses)
    assert len(ours) > 55
    assert np.std(ours - theirs) < 0.010


def test_an_even_camera_that_delivers_late_is_evened() -> None:
    rng = np.random.default_rng(4)
    taken = np.arange(0, 60, 1 / 30)
    body = Body(CALM)
    late = np.maximum.accumulate(taken + np.abs(rng.normal(0, 0.012, len(taken)))) + 1e-6 * np.arange(len(taken))
    times = np.rint(late * SECOND).astype(np.int64)
    samples = body.sample("ppg", taken).astype(np.float32)
    found = ppg.beats(Track("ppg", "camera", ("red",), None, times, samples), vote=False)
    ours, theirs = intervals(found, body.truth(0.0, 60.0).pulses)
    # left as they came the intervals are off by more than 8 ms
    assert np.std(ours - theirs) < 0.006


@pytest.mark.parametrize("rate", [30.0, 100.0])
def test_onsets_upstrokes_and_peaks_follow_each_other(rate: float) -> None:
    x, truth = pulse(CALM, rate, 40.0)
    feet, tops = ppg.onsets(x, rate), ppg.peaks(x, rate)
    ups = ppg.pulses(x, rate)
    middles = ups.at / ups.wave.rate
    inner = (middles > 1) & (middles < 38)
    assert len(feet) == len(middles)
    assert (feet < middles)[inner].all()
    assert matched(feet, truth, tolerance=0.08) >= len(truth) - 2
    for middle in middles[inner]:
        assert ((tops > middle) & (tops < middle + 0.4)).sum() == 1


def test_a_channel_without_a_pulse_is_not_read() -> None:
    x, truth = pulse(CALM, 100.0, 30.0)
    noise = np.random.default_rng(0).standard_normal(len(x))
    found = ppg.beats(track(np.zeros(len(x)), noise, x), vote=False)
    assert found.channel == "c"
    assert matched(found.times - 0.08, truth, tolerance=0.08) >= len(truth) - 2


def test_a_gap_is_no_interval_and_lost_samples_hold_none() -> None:
    x, _ = pulse(CALM, 100.0, 60.0)
    lost = x.copy()
    lost[3000:3400] = np.nan
    whole = track(lost)
    times = whole.times.copy()
    times[2000:] += 7 * SECOND
    found = ppg.beats(Track("ppg", "clip", ("a",), 100.0, times, whole.samples), vote=False)
    across = (found.times[:-1] < 20.0) & (found.times[1:] > 27.0)
    assert across.sum() == 1
    assert not found.held[across].any()
    dark = (found.times[1:] > 37.2) & (found.times[:-1] < 40.8)
    assert not found.held[dark].any()
    assert found.held.sum() > 55
    assert found.trouble == "not_delivered"


def test_real_irregularity_is_not_smoothed_away() -> None:
    rng = np.random.default_rng(8)
    beats = np.cumsum(np.clip(rng.normal(0.75, 0.15, 80), 0.4, 1.3))
    seconds = np.arange(6000) / 100.0
    after = seconds[:, None] - beats
    strength = np.clip(0.5 + 0.6 * np.diff(beats, prepend=0.0) / 0.75, 0.5, 1.4)
    x = (
        strength * (np.exp(-0.5 * ((after - 0.2) / 0.07) ** 2) + 0.3 * np.exp(-0.5 * ((after - 0.45) / 0.1) ** 2))
    ).sum(1)
    found = ppg.beats(track(x), vote=False)
    truth = beats[(beats > 1) & (beats < 58.5)]
    assert matched(found.times - 0.13, truth, tolerance=0.1) >= 0.95 * len(truth)
    ours, theirs = intervals(found, beats)
    assert len(ours) > 40
    assert np.std(ours) == pytest.approx(np.std(theirs), rel=0.1)


def test_motion_takes_its_own_seconds_and_leaves_the_others() -> None:
    x, truth = pulse(replace(CALM, motion_rate=1.5, motion_size=3.0), 64.0, 120.0)
    found = ppg.beats(track(x, rate=64.0), vote=False)
    ours, theirs = intervals(found, truth)
    assert found.held.sum() > 0.5 * len(truth)
    # whatever is held, is right
    assert len(ours) >= 0.95 * found.held.sum()
    assert np.abs(ours - theirs).max() < 0.12


def jolted(x: Floats, rate: float, end: float) -> Floats:
    """With slow rises and sudden falls, far larger than the pulse, at odd moments before `end` (seconds)."""
    moments = np.cumsum(np.random.default_rng(5).uniform(0.7, 1.7, round(2 * end)))
    seconds = np.arange(len(x)) / rate
    since = seconds - moments[np.maximum(0, np.searchsorted(moments, seconds) - 1)]
    shape = np.interp(since, (0.0, 0.5, 0.65), (0.0, 1.0, 0.0), left=0.0)
    return np.asarray(x + 6.0 * np.ptp(x) * np.where(seconds < end, shape, 0.0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_motion_that_falls_steeply_does_not_turn_the_pulse_over(sign: float) -> None:
    x, truth = pulse(CALM, 64.0, 120.0)
    moved = sign * jolted(x, 64.0, 60.0)
    assert ppg.pulses(moved, 64.0).wave.inverted == (sign < 0)
    found = ppg.beats(track(moved, rate=64.0), vote=False)
    after = found.times[found.times > 65.0]
    delay = after - truth[np.searchsorted(truth, after) - 1]
    assert np.all((delay > 0.03) & (delay < 0.2))


def test_a_part_before_a_gap_is_not_turned_over_by_its_motion() -> None:
    x, _ = pulse(CALM, 64.0, 60.0)
    moved = jolted(x, 64.0, 9.0)
    assert ppg.pulses(moved[:640], 64.0).wave.inverted
    whole = track(moved, rate=64.0)
    times = whole.times.copy()
    times[640:] += SECOND
    found = ppg.beats(Track("ppg", "clip", ("a",), 64.0, times, whole.samples), vote=False)
    upright = ppg.pulses(whole.samples[:640, 0].astype(np.float64), 64.0, inverted=False)
    assert np.allclose(found.times[found.times < 10.0], upright.at / upright.wave.rate)


def test_a_faint_pulse_on_a_large_offset_and_one_of_huge_units_read_the_same() -> None:
    x, _ = pulse(CALM, 100.0, 30.0)
    plain, faint, huge = (ppg.beats(track(values), vote=False).times for values in (x, 1e4 + 5.0 * x, 1e8 * x))
    assert np.allclose(plain, faint, atol=0.003)
    assert np.allclose(plain, huge, atol=1e-4)


def test_the_voters_agree_about_a_clean_pulse() -> None:
    x, _ = pulse(CALM, 100.0, 40.0)
    found = ppg.beats(track(x))
    assert found.agreement is not None
    assert found.agreement > 0.95
    assert ppg.beats(track(x), vote=False).agreement is None


@pytest.mark.parametrize("level", [np.nan, 0.0, 255.0, 3e38, np.inf])
def test_what_is_constant_has_no_beats(level: float) -> None:
    found = ppg.beats(track(np.full(3000, level)))
    assert not found.held.any()
    assert found.signal_quality == 0.0
    assert found.trouble in {"flat", "not_delivered"}


@pytest.mark.parametrize("rate", [None, 1.0, 5.0])
def test_what_is_too_slow_for_a_pulse_is_refused(rate: float | None) -> None:
    times = clock(60, 2.0 if rate is None else rate)
    found = ppg.beats(Track("ppg", "clip", ("a",), rate, times, np.zeros((60, 1), dtype=np.float32)))
    assert (len(found.times), len(found.held), found.trouble) == (0, 0, "unsuitable_rate")


samples = arrays.arrays(np.float32, st.tuples(st.integers(0, 400), st.integers(1, 2)),
                        elements=st.floats(width=32, allow_nan=True, allow_infinity=True))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(x=samples, rate=st.sampled_from([16.0, 30.0, 64.0, 300.0, None]), gap=st.integers(0, 10**10))
def test_no_numbers_raise_an_error(x: NDArray[np.float32], rate: float | None, gap: int) -> None:
    times = clock(len(x), rate or 30.0)
    times[len(times) // 2 :] += gap
    found = ppg.beats(Track("ppg", "clip", ("a", "b")[: x.shape[1]], rate, times, x))
    assert np.isfinite(found.times).all()
    assert (np.diff(found.times) > 0).all()
    assert len(found.held) == max(0, len(found.times) - 1)
    assert 0.0 <= found.signal_quality <= 1.0
