"""Golden vectors: small series whose every number is had again here, in exact or 50-digit arithmetic."""

import math
from collections import Counter
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import interpolate

from analytics import hrv
from analytics.beats import Intervals

getcontext().prec = 50

SERIES = {
    "three": (800, 810, 790),
    "borders of pNN": (800, 850, 901, 850, 870, 891, 871, 850, 800),
    "borders of bins": (750, 800, 850, 900, 950, 1000, 1050, 875, 625, 1125),
    "alternating": (700, 900) * 8,
    "falling": tuple(range(1200, 600, -7)),
    "odd one": (*(1000,) * 20, 400, *(1000,) * 20),
    "prime steps": tuple(700 + (n * n * 37) % 211 for n in range(150)),
    "slow": (2999, 3000, 2001, 2003, 2999),
}
"""Milliseconds."""


def series(milliseconds: tuple[int, ...], *, breaks: tuple[int, ...] = ()) -> Intervals:
    """Intervals one after the other; those at `breaks` do not follow the one before."""
    values = np.array(milliseconds, dtype=np.float64) / 1000
    follows = np.ones(len(values), dtype=np.bool_)
    follows[[0, *breaks]] = False
    return Intervals(np.cumsum(values), values, follows)


def root(value: Fraction) -> float:
    return float((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def variance(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction(0)) / len(values)
    return sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)


def fullest(values: tuple[int, ...], width: Fraction) -> int:
    return max(Counter(math.floor(Fraction(value) / width) for value in values).values())


@pytest.mark.parametrize("rr", SERIES.values(), ids=SERIES.keys())
def test_time_domain_is_what_exact_arithmetic_says(rr: tuple[int, ...]) -> None:
    given_ = series(rr)
    exact = [Fraction(value) for value in rr]
    steps = [after - before for before, after in pairwise(exact)]
    mean = sum(exact, Fraction(0)) / len(exact)
    expected = {
        hrv.mean_rr: float(mean),
        hrv.heart_rate: float(60000 / mean),
        hrv.sdnn: root(variance(exact)),
        hrv.cvnn: root(variance(exact) * 10000 / mean**2),
        hrv.rmssd: root(sum((step**2 for step in steps), Fraction(0)) / len(steps)),
        hrv.sdsd: root(variance(steps)),
        hrv.pnn50: float(Fraction(100 * sum(abs(step) > 50 for step in steps), len(steps))),
        hrv.pnn20: float(Fraction(100 * sum(abs(step) > 20 for step in steps), len(steps))),
        hrv.triangular_index: float(Fraction(len(rr), fullest(rr, Fraction(1000, 128)))),
    }
    for function, value in expected.items():
        assert function(given_) == pytest.approx(value, rel=1e-11, abs=1e-11), function.__name__


@pytest.mark.parametrize("rr", SERIES.values(), ids=SERIES.keys())
def test_poincare_is_what_exact_arithmetic_says(rr: tuple[int, ...]) -> None:
    given_ = series(rr)
    exact = [Fraction(value) for value in rr]
    steps = [after - before for before, after in pairwise(exact)]
    sums = [after + before for before, after in pairwise(exact)]
    across, along = root(variance(steps) / 2), root(variance(sums) / 2)
    assert hrv.sd1(given_) == pytest.approx(across, rel=1e-9, abs=1e-9)
    assert hrv.sd2(given_) == pytest.approx(along, rel=1e-9, abs=1e-9)
    if across:
        assert hrv.sd_ratio(given_) == pytest.approx(along / across, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["borders of pNN", "borders of bins", "alternating", "odd one", "prime steps"])
def test_the_stress_index_is_its_formula_after_the_dense_matrix_of_smoothness_priors(name: str) -> None:
    given_ = series(SERIES[name])
    times = np.arange(given_.ends[0], given_.ends[-1] + 1e-9, 0.25)
    even = interpolate.CubicSpline(given_.ends, given_.values)(times)
    second = np.diff(np.eye(len(even)), 2, axis=0)
    slow = np.linalg.inv(np.eye(len(even)) + 500.0**2 * second.T @ second) @ even
    rest = given_.values - np.interp(given_.ends, times, slow)
    places = Counter(math.floor((value - np.median(rest)) / 0.050 + 0.5 + 1e-6) for value in rest.tolist())
    mode = 100 * max(places.values()) / len(rest)
    index = mode / (2 * np.median(given_.values) * (rest.max() - rest.min()))
    assert hrv.stress_index(given_) == pytest.approx(math.sqrt(index), rel=1e-6)


def test_three_intervals_have_no_trend_and_the_stress_index_of_their_formula() -> None:
    # all three within 25 ms of the median: 100 % / (2 x 0.8 s x 0.02 s)
    assert hrv.stress_index(series(SERIES["three"])) == pytest.approx(math.sqrt(100 / (2 * 0.8 * 0.02)), rel=1e-11)


def test_a_slow_trend_does_not_lower_the_stress_index() -> None:
    quick = tuple(800 + 20 * (number % 3) for number in range(300))
    drifting = tuple(value + number // 2 for number, value in enumerate(quick))
    steady, with_trend = hrv.stress_index(series(quick)), hrv.stress_index(series(drifting))
    assert steady is not None
    # the median interval is 9 % longer, and that is all
    assert with_trend == pytest.approx(steady / math.sqrt(1.09), rel=0.05)


def test_a_difference_needs_two_intervals_that_follow_one_another() -> None:
    rr = (800, 860, 500, 530, 520, 900)
    broken = series(rr, breaks=(2, 5))
    steps = (60, 30, -10)
    assert hrv.rmssd(broken) == pytest.approx(math.sqrt(sum(step**2 for step in steps) / 3))
    assert hrv.pnn50(broken) == pytest.approx(100 / 3)
    assert hrv.pnn20(broken) == pytest.approx(200 / 3)
    assert hrv.sdnn(broken) == hrv.sdnn(series(rr))
    assert hrv.sd2(broken) == pytest.approx(float(np.std([1660, 1030, 1050], ddof=1)) / math.sqrt(2))


def test_a_difference_of_fifty_milliseconds_is_not_above_fifty() -> None:
    for base in range(300, 2000, 7):
        assert hrv.pnn50(series((base, base + 50, base, base + 50))) == 0.0
        assert hrv.pnn50(series((base, base + 51, base, base + 51))) == 100.0


@pytest.mark.parametrize("rr", [(), (800,)])
def test_what_a_series_is_too_short_for_is_none(rr: tuple[int, ...]) -> None:
    short = series(rr) if rr else Intervals(np.empty(0), np.empty(0), np.empty(0, np.bool_))
    needs_two = (hrv.sdnn, hrv.cvnn, hrv.rmssd, hrv.sdsd, hrv.pnn50, hrv.pnn20, hrv.sd1, hrv.sd2, hrv.sd_ratio)
    for function in (*needs_two, hrv.dfa_alpha1, hrv.sample_entropy, hrv.stress_index, hrv.power):
        assert function(short) is None, function.__name__
    assert (hrv.mean_rr(short) is None) == (not rr)


@given(st.lists(st.integers(250, 2500), min_size=3, max_size=60))
def test_the_poincare_identity_holds(rr: list[int]) -> None:
    # over the same pairs: SD1^2 + SD2^2 = var(first) + var(second)
    found = series(tuple(rr))
    across, along = hrv.sd1(found), hrv.sd2(found)
    assert across is not None
    assert along is not None
    both = np.var(rr[:-1], ddof=1) + np.var(rr[1:], ddof=1)
    assert across**2 + along**2 == pytest.approx(both, rel=1e-9, abs=1e-6)


@given(st.lists(st.integers(250, 2500), min_size=3, max_size=60), st.integers(1, 500))
def test_variability_does_not_see_where_the_mean_is(rr: list[int], more: int) -> None:
    here, there = series(tuple(rr)), series(tuple(value + more for value in rr))
    for function in (hrv.sdnn, hrv.rmssd, hrv.sdsd, hrv.pnn50, hrv.pnn20, hrv.sd1, hrv.sd2):
        assert function(there) == pytest.approx(function(here), rel=1e-9, abs=1e-7), function.__name__
