"""Agreement of two methods: known truth, an independent computation, and how often its intervals hold."""

import math

import numpy as np
import pytest
from scipy import stats

from analytics.agreement import FEWEST, Paired, independent, of_one, over_people, paired


def pairs(differences: np.ndarray, *, base: float = 70.0) -> Paired:
    times = np.asarray(10.0 * np.arange(len(differences)) + 5.0, np.float64)
    reference = base + 3.0 * np.sin(times / 40.0)
    return Paired(times, reference, reference + differences)


def test_bias_and_limits_are_those_of_a_computation_by_hand() -> None:
    differences = np.array([1.0, -2.0, 0.5, 3.0, -1.0, 2.0, 0.0, -0.5, 1.5, -1.5])
    found = of_one(pairs(differences))
    assert found is not None
    # Bland & Altman 1999, from the differences alone
    n, mean, sd = len(differences), float(np.mean(differences)), float(np.sqrt(np.var(differences, ddof=1)))
    assert found.pairs == n
    assert found.bias.value == pytest.approx(mean)
    assert (found.lower.value, found.upper.value) == pytest.approx((mean - 1.96 * sd, mean + 1.96 * sd))
    assert found.mean_absolute_error == pytest.approx(float(np.mean(np.abs(differences))))
    # these differences do not resemble the ones before them, and so count as independent: scipy's interval of a mean
    assert found.independent == pytest.approx(n)
    low, high = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert (found.bias.low, found.bias.high) == pytest.approx((low, high))
    half = stats.t.ppf(0.975, n - 1) * sd * math.sqrt(1 / n + 1.96**2 / (2 * (n - 1)))
    assert found.upper.high - found.upper.value == pytest.approx(half)


def test_windows_of_many_people_are_told_by_what_varies_within_and_between_them() -> None:
    """A balanced design (synthetic), whose components of variance scipy's analysis of variance gives as well."""
    rng = np.random.default_rng(5)
    people = [pairs(rng.normal(rng.normal(2.0, 1.5), 2.0, 8)) for _ in range(200)]
    found = over_people(people)
    assert found is not None
    assert (found.people, found.pairs) == (200, 1600)
    groups = [each.compared - each.reference for each in people]
    anova = stats.f_oneway(*groups)
    within = float(np.mean([np.var(each, ddof=1) for each in groups]))
    apart = (anova.statistic * within - within) / 8
    assert found.sd == pytest.approx(math.sqrt(within + apart))
    assert found.sd == pytest.approx(math.hypot(1.5, 2.0), rel=0.08)
    assert found.bias.low < 2.0 < found.bias.high


@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_intervals_hold_the_truth_about_as_often_as_they_say(alike: float) -> None:
    rng = np.random.default_rng(11)
    held = np.zeros(2)
    turns = 500
    for _ in range(turns):
        shocks = rng.normal(0.0, math.sqrt(1.0 - alike**2), 60)
        x = np.empty(60)
        x[0] = rng.normal()
        for place in range(1, 60):
            x[place] = alike * x[place - 1] + shocks[place]
        found = of_one(pairs(x))
        assert found is not None
        held += (found.bias.low <= 0.0 <= found.bias.high, found.upper.low <= 1.96 <= found.upper.high)
    # of 500 with a chance of .95 fewer than .92 would be held once in a thousand turns; where windows resemble each
    # other the number of independent ones is itself an estimate
    least = 0.92 if alike == 0.0 else 0.88
    assert (held / turns >= least).all(), held / turns


def test_windows_that_resemble_the_ones_before_them_count_for_less() -> None:
    steady = np.repeat([1.0, -1.0, 2.0, 0.0, -2.0, 1.0], 10)
    mixed = np.random.default_rng(1).permutation(steady)
    assert independent(steady) < 10 < 30 < independent(mixed) <= 60


def test_windows_are_paired_by_their_times_and_do_not_overlap() -> None:
    at = np.asarray(5.0 + 5.0 * np.arange(20), np.float64)
    reference = (at, np.arange(20.0))
    compared = (at[3:], np.where(np.arange(17) % 4 == 0, np.nan, np.arange(17.0) + 4.0))
    found = paired(reference, compared, 10.0)
    assert np.diff(found.times).min() >= 10.0
    assert found.missed == int((np.isfinite(found.reference) & np.isnan(found.compared)).sum()) > 0
    assert np.allclose(found.both.compared - found.both.reference, 1.0)


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_too_few_windows_have_no_limits(count: int) -> None:
    assert of_one(pairs(np.arange(count, dtype=np.float64))) is None
    assert over_people([pairs(np.arange(4.0))] * (FEWEST - 1)) is None


def test_two_methods_that_say_the_same_have_limits_of_nothing() -> None:
    found = of_one(pairs(np.zeros(12)))
    assert found is not None
    assert (found.bias.value, found.sd, found.mean_absolute_error) == (0.0, 0.0, 0.0)
    assert found.lower.value == found.upper.value == 0.0
