"""Powers, background and peaks of waves whose truth is known, beside mne and scipy."""

import math

import numpy as np
import pytest
from mne.time_frequency import psd_array_welch
from scipy import signal

from analytics.eeg import features, spectra
from analytics.eeg.bands import LIMITS, carried, top, weights
from tests.analytics.eeg.brains import background, rhythm, spindles

RATES = [125.0, 128.0, 160.0, 250.0, 500.0, 1000.0]


def welch(x: np.ndarray, rate: float) -> np.ndarray:
    size, hop = spectra.size(rate), spectra.hop(rate)
    windows = [spectra.density(spectra.transformed(x[at : at + size], rate)) for at in range(0, len(x) - size + 1, hop)]
    found: np.ndarray = np.mean(windows, axis=0)
    return found


@pytest.mark.parametrize("rate", RATES)
def test_the_density_is_that_of_scipy_and_mne(rate: float) -> None:
    x = background(60, rate, 3)
    ours = welch(x, rate)
    found = spectra.frequencies(rate)
    size = spectra.size(rate)
    hertz, theirs = signal.welch(x, rate, nperseg=size, axis=0)
    assert np.allclose(hertz[1 : len(found) + 1], found)
    assert np.allclose(ours, theirs[1 : len(found) + 1].T, rtol=1e-9)
    edges = {"fmin": found[0] / 2, "fmax": found[-1] + 0.1}
    mnes, _ = psd_array_welch(
        x.T, rate, n_fft=size, n_per_seg=size, n_overlap=size // 2, window="hann", verbose="ERROR", **edges
    )
    assert np.allclose(ours, mnes, rtol=1e-9)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("band", "frequency"), [("delta", 2.5), ("theta", 6.1), ("alpha", 10.3), ("beta", 21.7), ("gamma", 37.0)]
)
def test_a_sine_has_its_power_in_its_band_to_two_percent(rate: float, band: str, frequency: float) -> None:
    power = welch(rhythm(30, rate, frequency, 40.0), rate) @ weights(spectra.frequencies(rate), rate)
    at = list(LIMITS).index(band)
    assert power[0, at] == pytest.approx(40.0, rel=0.02)
    assert power[0].sum() == pytest.approx(40.0, rel=0.02)


def test_bands_add_up_to_the_whole_and_share_their_limits() -> None:
    found = spectra.frequencies(250.0)
    each = weights(found, 250.0)
    assert each.sum() == pytest.approx(44.0)
    assert each.sum(axis=0) == pytest.approx([3.0, 4.0, 5.0, 17.0, 15.0])
    at_eight = each[np.flatnonzero(found == 8.0)[0]]
    assert at_eight == pytest.approx([0, 0.25, 0.25, 0, 0])


def test_gamma_goes_as_far_as_the_rate_carries_it() -> None:
    assert top(1000.0) == 45.0
    assert top(90.0) == pytest.approx(40.5)
    assert carried(90.0).tolist() == [True] * 5
    assert carried(70.0).tolist() == [True, True, True, True, False]
    assert carried(50.0).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("exponent", [0.8, 1.2, 2.0])
@pytest.mark.parametrize("height", [0.0, 25.0])
def test_the_exponent_is_found_under_an_alpha_peak(exponent: float, height: float) -> None:
    rate = 250.0
    x = background(180, rate, exponent=exponent, seed=4)
    if height:
        x = x + spindles(180, rate, 10.0, height)
    under = spectra.background(spectra.frequencies(rate), np.log10(welch(x, rate)[0]))
    assert under is not None
    assert under.exponent == pytest.approx(exponent, abs=0.12)


@pytest.mark.parametrize("frequency", [7.8, 9.0, 10.2, 11.6])
def test_the_alpha_peak_is_found_where_it_is(frequency: float) -> None:
    rate = 250.0
    x = background(120, rate, seed=5) + spindles(120, rate, frequency, 20.0)
    found, log_power = spectra.frequencies(rate), np.log10(welch(x, rate)[0])
    under = spectra.background(found, log_power)
    assert under is not None
    assert spectra.alpha_peak(found, log_power, under) == pytest.approx(frequency, abs=0.3)


def test_a_background_without_a_rhythm_seldom_has_a_peak() -> None:
    found = spectra.frequencies(250.0)
    peaks = []
    for seed in range(20):
        log_power = np.log10(welch(background(120, 250.0, seed=100 + seed), 250.0)[0])
        under = spectra.background(found, log_power)
        assert under is not None
        peaks.append(spectra.alpha_peak(found, log_power, under))
    assert peaks.count(None) >= 18


def test_hjorth_is_that_of_a_sine() -> None:
    found = spectra.frequencies(250.0)
    activity, mobility, complexity = features.hjorth(welch(rhythm(30, 250.0, 10.0, 30.0), 250.0)[0], found, 250.0)
    assert activity == pytest.approx(30.0, rel=0.02)
    assert mobility == pytest.approx(2 * math.pi * 10.0, rel=0.02)
    assert complexity == pytest.approx(1.0, abs=0.02)


def test_hjorth_by_moments_is_hjorth_by_differences_where_sampling_is_fine() -> None:
    rate = 1000.0
    sections = signal.butter(8, (1.0, 45.0), "band", fs=rate, output="sos")
    x = signal.sosfiltfilt(sections, background(120, rate)[:, 0])
    first, second = np.diff(x) * rate, np.diff(x, 2) * rate**2
    mobility = first.std() / x.std()
    complexity = second.std() / first.std() / mobility
    _, by_moments, complex_by_moments = features.hjorth(welch(x[:, None], rate)[0], spectra.frequencies(rate), rate)
    assert by_moments == pytest.approx(mobility, rel=0.05)
    assert complex_by_moments == pytest.approx(complexity, rel=0.05)


def test_differential_entropy_is_that_of_a_gaussian() -> None:
    assert features.differential_entropy(np.array([9.0]))[0] == pytest.approx(
        0.5 * math.log(2 * math.pi * math.e * 9.0)
    )


def test_asymmetry_is_positive_where_the_right_has_more_alpha() -> None:
    assert features.asymmetry(4.0, 8.0) == pytest.approx(math.log(2.0))
    assert features.asymmetry(8.0, 4.0) == pytest.approx(-math.log(2.0))
