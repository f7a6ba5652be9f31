"""Spectra against direct formulas and sinusoids of known power."""

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Intervals
from analytics.hrv import spectrum

Floats = NDArray[np.float64]


def modulated(frequency: float, seconds: float, *, amplitude: float = 0.050, mean: float = 0.800) -> Intervals:
    """Intervals with RR(t) = mean + amplitude sin(2 pi f t), t where the interval ends."""
    ends = [0.0]
    while ends[-1] < seconds:
        value = mean
        for _ in range(60):
            value = mean + amplitude * np.sin(2 * np.pi * frequency * (ends[-1] + value))
        ends.append(ends[-1] + value)
    times = np.array(ends)
    follows = np.ones(len(times) - 1, dtype=np.bool_)
    follows[0] = False
    return Intervals(times[1:], np.diff(times), follows)


def without(intervals: Intervals, first: int, last: int) -> Intervals:
    """With a gap."""
    keep = np.r_[0:first, last : len(intervals.values)]
    follows = intervals.follows[keep].copy()
    follows[first] = False
    return Intervals(intervals.ends[keep], intervals.values[keep], follows)


@pytest.mark.parametrize("seconds", [125, 300, 560])
@pytest.mark.parametrize(("frequency", "name"), [(0.1, "lf"), (0.25, "hf"), (0.3, "hf")])
def test_a_sinusoid_of_50_ms_has_1250_ms2_in_its_band(frequency: float, name: str, seconds: float) -> None:
    found = hrv.power(modulated(frequency, seconds))
    assert found is not None
    assert found.method == "welch"
    powers = {"vlf": found.vlf, "lf": found.lf, "hf": found.hf}
    # smoothness priors take 1 % at 0.1 Hz, the spline 1 to 5 % above
    assert powers.pop(name) == pytest.approx(1250, rel=0.05)
    assert max(powers.values()) < 5


def test_a_slow_sinusoid_is_in_vlf_although_smoothness_priors_would_take_it() -> None:
    found = hrv.power(modulated(0.02, 310))
    assert found is not None
    assert found.vlf == pytest.approx(1250, rel=0.02)


@pytest.mark.parametrize(("frequency", "name"), [(0.1, "lf"), (0.25, "hf")])
def test_with_a_gap_lomb_and_scargle_find_the_same_power(frequency: float, name: str) -> None:
    found = hrv.power(without(modulated(frequency, 300), 120, 150))
    assert found is not None
    assert found.method == "lomb-scargle"
    assert {"lf": found.lf, "hf": found.hf}[name] == pytest.approx(1250, rel=0.05)


def test_ratios_are_those_of_the_powers() -> None:
    power = hrv.Power(100.0, 300.0, 100.0, "welch", 1)
    assert (power.total, power.lf_nu, power.hf_nu, power.lf_hf) == (500.0, 75.0, 25.0, 3.0)
    silent = hrv.Power(0.0, 0.0, 0.0, "welch", 1)
    assert (silent.lf_nu, silent.hf_nu, silent.lf_hf) == (None, None, None)


def test_smoothness_priors_are_the_dense_matrix_of_the_paper() -> None:
    z: Floats = np.asarray(np.random.default_rng(1).standard_normal(60).cumsum(), np.float64)
    second = np.diff(np.eye(60), 2, axis=0)
    for smoothness in (1.0, 20.0, 500.0):
        dense = np.linalg.inv(np.eye(60) + smoothness**2 * second.T @ second) @ z
        assert spectrum.trend(z, smoothness) == pytest.approx(dense, abs=1e-9)


def test_smoothness_priors_leave_nothing_of_a_line() -> None:
    line = np.linspace(0.8, 1.2, 400)
    assert spectrum.trend(line) == pytest.approx(line, abs=1e-8)


def test_welch_is_the_explicit_sum_over_one_hann_segment() -> None:
    # intervals of 250 ms end on the 4 Hz grid itself, so that the spline passes through them
    values = 0.25 + 0.02 * np.random.default_rng(2).standard_normal(200)
    times: Floats = 0.25 * np.arange(1.0, 201.0)
    frequencies, density = spectrum.welch(times, values, smoothness=None)
    even = values[:-1]
    line = np.polyval(np.polyfit(times[:-1], even, 1), times[:-1])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(199) / 199)
    rest = (even - line - (even - line).mean()) * window
    for index in (10, 60, 333, 900, 2000):
        turns = np.exp(-2j * np.pi * frequencies[index] * 0.25 * np.arange(199))
        expected = 2 * abs(np.sum(rest * turns)) ** 2 / (4.0 * np.sum(window**2))
        assert density[index] == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_lomb_scargle_is_the_explicit_formula() -> None:
    found = without(modulated(0.12, 100), 40, 60)
    frequencies, density = spectrum.lomb_scargle(found.ends, found.values)
    rest = found.values - np.polyval(np.polyfit(found.ends, found.values, 1), found.ends)
    for index in (5, 100, 140, 300, len(frequencies) - 1):
        w = 2 * np.pi * frequencies[index]
        tau = np.arctan2(np.sin(2 * w * found.ends).sum(), np.cos(2 * w * found.ends).sum()) / (2 * w)
        cos, sin = np.cos(w * (found.ends - tau)), np.sin(w * (found.ends - tau))
        periodogram = 0.5 * ((rest @ cos) ** 2 / (cos @ cos) + (rest @ sin) ** 2 / (sin @ sin))
        assert density[index] == pytest.approx(2 * periodogram * found.values.mean(), rel=1e-8)


def test_a_long_recording_is_the_mean_of_its_five_minute_windows() -> None:
    quiet, loud = modulated(0.1, 300.2), modulated(0.1, 1500, amplitude=0.1)
    values = np.concatenate((quiet.values, loud.values))
    follows = np.ones(len(values), dtype=np.bool_)
    follows[0] = False
    found = hrv.power(Intervals(np.cumsum(values), values, follows))
    assert found is not None
    assert found.windows == 6
    assert found.lf == pytest.approx((1250 + 5 * 5000) / 6, rel=0.03)


def test_bands_share_no_frequency() -> None:
    frequencies = np.arange(0, 500) / 1000
    parts = [spectrum.band(frequencies, np.ones(500), limits) for limits in (spectrum.VLF, spectrum.LF, spectrum.HF)]
    assert parts == pytest.approx([36e3, 110e3, 250e3])
