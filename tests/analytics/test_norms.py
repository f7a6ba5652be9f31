import math
from collections.abc import Iterator

import numpy as np
import pytest

from analytics import norms
from kiosk.measures import MEASURES


def bands() -> Iterator[tuple[norms.Norm, norms.Norm]]:
    """Every pair of rows."""
    rows = norms.listed()
    for index, row in enumerate(rows):
        for other in rows[index + 1 :]:
            yield row, other


def test_every_row_is_a_known_measure_with_a_source_that_can_be_looked_up() -> None:
    for row in norms.listed():
        assert row.measure in MEASURES
        assert row.doi.startswith("10.")
        assert row.source
        assert row.obtained
        assert row.window
        assert row.ages[0] <= row.ages[1]


def test_every_row_has_the_values_that_its_statistics_promise() -> None:
    for row in norms.listed():
        if row.statistics == "quartiles":
            lower, middle, upper = row.values
            assert lower < middle < upper
        else:
            mean, sd = row.values
            assert 0 < sd < mean
        assert MEASURES[row.measure].possible(row.middle())


def test_no_two_rows_of_one_width_claim_the_same_person() -> None:
    for row, other in bands():
        same = row.measure == other.measure and (row.sex == other.sex or "any" in (row.sex, other.sex))
        overlap = max(row.ages[0], other.ages[0]) <= min(row.ages[1], other.ages[1])
        if same and overlap:
            assert row.ages[1] - row.ages[0] != other.ages[1] - other.ages[0], (row, other)


def test_published_quartiles_are_read_as_quartiles() -> None:
    for logarithm, percentile in ((2.80, 25.0), (3.20, 50.0), (3.45, 75.0)):
        assert norms.percentile("rmssd", math.exp(logarithm), age=50, sex="male") == pytest.approx(percentile)


def test_a_published_mean_heart_rate_is_the_middle_and_one_sd_the_84th_percentile() -> None:
    assert norms.percentile("heart_rate", 68.0, age=50, sex="female") == pytest.approx(50.0)
    assert norms.percentile("heart_rate", 72.0, age=50, sex="male") == pytest.approx(84.13, abs=0.01)


def test_a_log_normal_quantity_is_described_by_the_moments_of_its_logarithm() -> None:
    mean, sd = norms.log_moments(43.7, 17.3)
    drawn = np.random.default_rng(1).lognormal(mean, sd, 400_000)
    assert drawn.mean() == pytest.approx(43.7, rel=0.005)
    assert drawn.std() == pytest.approx(17.3, rel=0.02)


@pytest.mark.parametrize("age", [None, math.nan, math.inf, -1.0, 12.0, 34.99, 66.0, 120.0])
def test_nothing_is_said_outside_the_ages_of_the_table(age: float | None) -> None:
    assert norms.percentile("rmssd", 30.0, age=age, sex="female") is None


def test_the_year_of_age_counts_as_completed() -> None:
    assert norms.norm("rmssd", age=44.9, sex="male") is norms.norm("rmssd", age=36.0, sex="male")
    assert norms.norm("rmssd", age=65.9, sex="male") is not None


def test_a_norm_that_differs_by_sex_needs_the_sex() -> None:
    assert norms.percentile("heart_rate", 70.0, age=50, sex=None) is None
    assert norms.percentile("rmssd", 30.0, age=50, sex=None) is not None


def test_age_is_preferred_to_sex_where_one_source_has_each() -> None:
    row = norms.norm("sdnn", age=50, sex="female")
    assert row is not None
    assert row.ages == (45, 54)
    row = norms.norm("sdnn", age=70, sex="female")
    assert row is not None
    assert row.sex == "female"


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -3.0])
def test_no_percentile_of_what_is_no_value(value: float) -> None:
    assert norms.percentile("rmssd", value, age=50, sex="male") is None


def test_far_values_stay_within_what_so_few_people_resolve() -> None:
    assert norms.percentile("rmssd", 1900.0, age=50, sex="male") == 99.0
    assert norms.percentile("rmssd", 0.1, age=50, sex="male") == 1.0


def test_a_measure_without_norms_has_none() -> None:
    assert norms.percentile("lf_hf", 1.0, age=50, sex="male") is None
