"""R peaks of whole stretches: where they are, at every rate, whichever way they point."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import ecg as cardiogram
from analytics.ecg.precision import precision
from analytics.ecg.vote import matched, voices
from sensors.drivers.simulated import Person
from tests.analytics.stress import bumps, muscle, scaled
from tests.analytics.visitors import SINUS_BEAT, WIDE_BEAT, Floats, ecg
from tests.analytics.visitors import bumps as lines

RATES = [100.0, 125.0, 128.0, 250.0, 360.0, 500.0, 1000.0]


def wave(person: Person, rate: float, seconds: float = 60.0) -> tuple[Floats, Floats]:
    samples, truth = ecg(person, rate, seconds)
    return samples[:, 0].astype(np.float64), inner(truth, seconds)


def inner(beats: Floats, seconds: float) -> Floats:
    """Beats whose complexes are whole."""
    return beats[(beats > 0.2) & (beats < seconds - 0.2)]


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


@pytest.mark.parametrize(("rate", "most"), [(125.0, 0.0015), (250.0, 0.0005), (360.0, 0.0005), (1000.0, 0.0005)])
def test_rmssd_does_not_suffer_from_the_sampling_rate(rate: float, most: float) -> None:
    quiet = Person(seed=3, ecg_white=0, ecg_muscle=0, ecg_mains=0, ecg_wander=0)
    x, truth = wave(quiet, rate, 120.0)
    found = peaks(x, rate)[1:-1]
    true = truth[np.argmin(np.abs(truth[:, None] - found), axis=0)]
    assert abs(rmssd(found) - rmssd(true)) < most


def rmssd(beats: Floats) -> float:
    return float(np.sqrt(np.mean(np.diff(beats, 2) ** 2)))


def f1(x: Floats, truth: Floats, rate: float = 250.0) -> float:
    found = peaks(x, rate)
    return 2 * matched(found, truth, tolerance=0.1) / (len(found) + len(truth))


def test_paced_beats_are_found_and_their_spikes_are_none() -> None:
    x, truth = wave(Person(seed=9), 500.0)
    spiked = x.copy()
    spiked[np.rint((truth - 0.06) * 500.0).astype(np.intp)] += 3.0
    assert f1(spiked, truth, 500.0) == 1.0


def test_beats_five_times_as_high_hide_none_of_the_others() -> None:
    x, truth = wave(Person(seed=10), 250.0, 120.0)
    loud = np.zeros(len(x), dtype=bool)
    for begin in (20.0, 60.0, 95.0):
        loud[round(begin * 250) : round((begin + 10) * 250)] = True
    assert f1(np.where(loud, 5.0 * x, x), truth) > 0.98


def test_early_wide_beats_are_found_beside_the_usual_ones() -> None:
    x, truth = wave(Person(seed=12, heart_rate=60), 250.0, 120.0)
    early = truth[2:-2:4] + 0.5
    x = bumps(bumps(x, 250.0, early, 1.6, 0.022), 250.0, early + 0.06, -1.0, 0.03)
    assert f1(x, np.sort(np.concatenate((truth, early)))) > 0.98


def every(interval: float, first: float = 0.5, *, until: float = 58.0) -> Floats:
    return np.arange(first, until, interval, dtype=np.float64)


WIDE_RHYTHMS = {
    "bigeminus": (every(1.6), every(1.6, 1.05)),
    "trigeminus": (np.sort(np.append(every(2.4), every(2.4, 1.3))), every(2.4, 1.8)),
    "put between two": (every(0.95), every(5.7, 0.97)),
    "a run of 150 per minute": (np.append(every(0.8, until=19.9), every(0.8, 26.1)), every(0.4, 20.1, until=25.4)),
    "throughout, 75 per minute": (np.empty(0), every(0.8)),
    "throughout, 150 per minute": (np.empty(0), every(0.4)),
}
"""Narrow beats and wide ones."""


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
@pytest.mark.parametrize("name", WIDE_RHYTHMS)
def test_smooth_wide_beats_are_beats(name: str, rate: float) -> None:
    normal, wide = WIDE_RHYTHMS[name]
    x = lines(59.0, rate, normal, SINUS_BEAT) + lines(59.0, rate, wide, WIDE_BEAT)
    x += 0.01 * np.random.default_rng(2).standard_normal(len(x))
    truth = inner(np.sort(np.concatenate((normal, wide))), 59.0)
    for sign in (1, -1):
        found = peaks(sign * x, rate)
        assert matched(found, truth, tolerance=0.1) >= len(truth) - 2
        assert len(found) <= len(truth)


@pytest.mark.parametrize("rate", [125.0, 250.0, 360.0, 1000.0])
@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_precision_is_the_scatter_of_the_peaks(rate: float, noise: float) -> None:
    """In white noise."""
    truth = 0.5 + np.cumsum(np.random.default_rng(1).uniform(0.7, 0.9, 150))
    x = lines(truth[-1] + 1.0, rate, truth, SINUS_BEAT)
    x += noise * np.random.default_rng(2).standard_normal(len(x))
    at = cardiogram.beats(x, rate).at
    errors = offsets(at / rate, truth[1:-1])
    scatter = float(np.median(np.abs(errors - np.median(errors)))) / 0.6745
    assert precision(x, at, rate) == pytest.approx(scatter, rel=0.35, abs=0.0001)


@pytest.mark.parametrize("rate", [250.0, 500.0])
def test_precision_sees_a_muscle_as_well(rate: float) -> None:
    truth = 0.5 + np.cumsum(np.random.default_rng(1).uniform(0.7, 0.9, 150))
    x = lines(truth[-1] + 1.0, rate, truth, SINUS_BEAT)
    x += 0.05 * muscle(len(x), rate, 3)
    at = cardiogram.beats(x, rate).at
    errors = offsets(at / rate, truth[1:-1])
    assert precision(x, at, rate) == pytest.approx(float(errors.std()), rel=0.35)


@pytest.mark.parametrize("seconds", [2.0, 6.0])
def test_in_a_pause_there_are_no_beats(seconds: float) -> None:
    x, truth = wave(Person(seed=13), 250.0)
    cut = round((truth[30] + 0.6 * (truth[31] - truth[30])) * 250.0)
    rest = np.linspace(x[cut - 1], x[cut], round(seconds * 250.0))
    rest += 0.01 * np.random.default_rng(1).standard_normal(len(rest))
    rest = bumps(rest, 250.0, np.arange(0.4, seconds - 0.3, 0.8), 0.12, 0.025)
    later = truth + np.where(truth > cut / 250.0, seconds, 0.0)
    found = cardiogram.r_peaks(np.concatenate((x[:cut], rest, x[cut:])), 250.0)
    assert 2 * matched(found, later, tolerance=0.1) / (len(found) + len(later)) > 0.97
    assert not ((found > cut / 250.0) & (found < cut / 250.0 + seconds - 0.1)).any()


def test_saturation_and_a_loose_lead_hide_only_the_beats_in_them() -> None:
    x, truth = wave(Person(seed=14), 250.0, 90.0)
    x[30 * 250 : 33 * 250] = 5.0
    x[60 * 250 : 64 * 250] = 0.0
    out = ((truth > 29.8) & (truth < 33.4)) | ((truth > 59.8) & (truth < 64.4))
    found = peaks(x, 250.0)
    assert matched(found, truth[~out], tolerance=0.05) == (~out).sum()


@pytest.mark.parametrize("decibels", [12.0, 6.0])
def test_muscle_noise_hides_few_beats(decibels: float) -> None:
    x, truth = wave(Person(seed=15), 250.0, 120.0)
    x = x + scaled(muscle(len(x), 250.0, 1), x, truth, 250.0, decibels)
    assert f1(x, truth) > (0.99 if decibels > 10 else 0.95)


def test_where_a_long_record_is_cut_for_reading_changes_no_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = wave(Person(seed=16), 250.0, 120.0)
    whole = cardiogram.beats(x, 250.0)
    monkeypatch.setattr("analytics.ecg.candidates.PIECE", 7.0)
    cut = cardiogram.beats(x, 250.0)
    assert np.allclose(whole.at, cut.at, atol=1e-9)
    assert np.allclose(whole.energies, cut.energies, atol=1e-9)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, -1e300, 1e-300])
def test_impossible_numbers_are_taken_without_complaint(value: float) -> None:
    x, _ = wave(Person(seed=17), 250.0)
    x[1000:1010] = value
    assert np.isfinite(cardiogram.r_peaks(x, 250.0)).all()
    assert len(cardiogram.r_peaks(np.full(2500, value), 250.0)) == 0
    assert len(cardiogram.r_peaks(x, 5.0)) == 0


def test_beats_agree_with_an_independent_detector() -> None:
    x, _ = wave(Person(seed=8, heart_rate=66), 250.0, 120.0)
    theirs = voices(x, 250.0)[0]
    found = peaks(x, 250.0)
    assert 2 * matched(found, theirs, tolerance=0.02) / (len(found) + len(theirs)) > 0.99


@pytest.mark.parametrize("count", [0, 1, 3, 100, 249, 260])
def test_short_stretches_are_taken_without_complaint(count: int) -> None:
    assert len(cardiogram.r_peaks(np.zeros(count), 250.0)) == 0
    assert len(cardiogram.r_peaks(np.full(count, np.nan), 250.0)) == 0
    cardiogram.r_peaks(np.random.default_rng(0).standard_normal(count), 250.0)
