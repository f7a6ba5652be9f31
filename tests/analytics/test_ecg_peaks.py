"""R peaks of whole stretches: where they are, at every rate, whichever way they point."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import ecg as cardiogram
from analytics.ecg.vote import matched, neurokit_peaks
from sensors.drivers.simulated import Person
from tests.analytics.visitors import Floats, ecg

RATES = [100.0, 125.0, 128.0, 250.0, 360.0, 500.0, 1000.0]


def wave(person: Person, rate: float, seconds: float = 60.0) -> tuple[Floats, Floats]:
    samples, truth = ecg(person, rate, seconds)
    return samples[:, 0].astype(np.float64), inner(truth, seconds)


def inner(beats: Floats, seconds: float) -> Floats:
    """Beats whose complexes are whole."""
    return beats[(beats > 0.1) & (beats < seconds - 0.1)]


def peaks(x: Floats, rate: float) -> Floats:
    return inner(cardiogram.r_peaks(x, rate), len(x) / rate)


def offsets(found: Floats, truth: Floats) -> NDArray[np.float64]:
    """Of each true beat, how far the nearest one found is."""
    return np.array([found[np.argmin(np.abs(found - beat))] - beat for beat in truth])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("inverted", [False, True])
def test_every_beat_is_found_at_every_rate_and_polarity(rate: float, inverted: bool) -> None:
    x, truth = wave(Person(seed=11, heart_rate=72, inverted=inverted), rate)
    found = peaks(x, rate)
    assert matched(found, truth, tolerance=0.05) == len(truth) == len(found)


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_peaks_are_placed_below_one_sample(rate: float) -> None:
    quiet = Person(seed=3, ecg_white=0, ecg_muscle=0, ecg_mains=0, ecg_wander=0)
    x, truth = wave(quiet, rate)
    inner = offsets(peaks(x, rate), truth[1:-1])
    # the shape of the simulated complex may put its maximum beside the model's mark: it must not scatter
    assert inner.std() < 0.0008
    assert np.abs(inner).max() < 0.006


@pytest.mark.parametrize("heart_rate", [35, 45, 110, 160, 190])
def test_slow_and_fast_hearts_are_followed(heart_rate: int) -> None:
    x, truth = wave(Person(seed=5, heart_rate=heart_rate), 250.0)
    found = peaks(x, 250.0)
    assert 2 * matched(found, truth, tolerance=0.05) / (len(found) + len(truth)) > 0.985


def test_a_tall_t_wave_is_no_beat() -> None:
    x, truth = wave(Person(seed=6, ecg_amplitude=1.0, t_height=1.2), 250.0)
    found = peaks(x, 250.0)
    assert matched(found, truth, tolerance=0.05) == len(truth) == len(found)


@pytest.mark.parametrize("hum", [50.0, 60.0])
def test_hum_and_wander_hide_no_beat(hum: float) -> None:
    x, truth = wave(Person(seed=7), 500.0)
    t = np.arange(len(x)) / 500.0
    x = x + 0.2 * np.sin(2 * np.pi * hum * t) + 1.0 * np.sin(2 * np.pi * 0.3 * t)
    found = peaks(x, 500.0)
    assert matched(found, truth, tolerance=0.05) == len(truth) == len(found)


def test_beats_agree_with_an_independent_detector() -> None:
    x, _ = wave(Person(seed=8, heart_rate=66), 250.0, 120.0)
    theirs = neurokit_peaks(x, 250.0)
    assert theirs is not None
    found = peaks(x, 250.0)
    assert 2 * matched(found, theirs, tolerance=0.02) / (len(found) + len(theirs)) > 0.99


@pytest.mark.parametrize("count", [0, 1, 3, 100, 249, 260])
def test_short_stretches_are_taken_without_complaint(count: int) -> None:
    assert len(cardiogram.r_peaks(np.zeros(count), 250.0)) == 0
    assert len(cardiogram.r_peaks(np.full(count, np.nan), 250.0)) == 0
    cardiogram.r_peaks(np.random.default_rng(0).standard_normal(count), 250.0)
