"""Nonlinear measures against naive loops and processes of known scaling."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Intervals

Floats = NDArray[np.float64]


def series(values: Floats, *, breaks: tuple[int, ...] = ()) -> Intervals:
    follows = np.ones(len(values), dtype=np.bool_)
    follows[[0, *breaks]] = False
    return Intervals(np.cumsum(values), values, follows)


def noise(count: int, seed: int) -> Floats:
    return np.asarray(0.8 + 0.05 * np.random.default_rng(seed).standard_normal(count))


def naive_entropy(values: Floats, breaks: tuple[int, ...]) -> float:
    """Richman and Moorman's counts, one pair of templates at a time."""
    border = 0.2 * values.std(ddof=1)
    starts = [
        start for start in range(len(values) - 2) if not any(start < cut <= start + 2 for cut in breaks)
    ]  # fmt: skip
    pairs = triples = 0
    for place, first in enumerate(starts):
        for second in starts[place + 1 :]:
            if max(abs(values[first + shift] - values[second + shift]) for shift in (0, 1)) <= border:
                pairs += 1
                triples += abs(values[first + 2] - values[second + 2]) <= border
    return math.log(pairs / triples)


@pytest.mark.parametrize("breaks", [(), (70, 71, 130)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sample_entropy_is_the_naive_loop(seed: int, breaks: tuple[int, ...]) -> None:
    values = np.round(noise(220, seed), 3)
    assert hrv.sample_entropy(series(values, breaks=breaks)) == pytest.approx(naive_entropy(values, breaks))


def test_sample_entropy_of_blocks_is_that_of_the_whole() -> None:
    values = np.round(0.4 + 0.2 * (noise(1300, 4) - 0.8), 4)
    assert hrv.sample_entropy(series(values)) == pytest.approx(naive_entropy(values, ()))


def test_sample_entropy_of_white_noise_is_what_probability_says() -> None:
    # a third value lies within r of another with probability erf(r / (2 sd)), so the entropy is -log erf(0.1)
    found = hrv.sample_entropy(series(0.5 * noise(1400, 5)))
    assert found == pytest.approx(-math.log(math.erf(0.1)), abs=0.06)


def test_equal_intervals_have_no_scaling_and_no_stress_index() -> None:
    flat = series(np.full(400, 0.8))
    assert hrv.dfa_alpha1(flat) is None
    assert hrv.stress_index(flat) is None
    assert hrv.sd_ratio(flat) is None


def test_dfa_is_one_half_for_white_and_one_and_a_half_for_brownian_noise() -> None:
    # in boxes of 4 to 16 the line takes a little more of the shortest, which lifts white noise's slope by 0.06
    white = [hrv.dfa_alpha1(series(noise(4000, seed))) for seed in range(8)]
    brown = [hrv.dfa_alpha1(series(0.8 + 0.01 * (noise(4000, seed) - 0.8).cumsum())) for seed in range(8)]
    assert np.mean([value for value in white if value]) == pytest.approx(0.5, abs=0.1)
    assert np.mean([value for value in brown if value]) == pytest.approx(1.5, abs=0.1)


def test_dfa_is_the_naive_loop_over_boxes() -> None:
    values = noise(250, 6) + 0.05 * np.sin(np.arange(250) / 7)
    profile = np.cumsum(values - values.mean())
    logs = []
    for size in range(4, 17):
        rest = []
        for begin in range(0, len(profile) - size + 1, size):
            box = profile[begin : begin + size]
            axis = np.arange(size)
            rest += list((box - np.polyval(np.polyfit(axis, box, 1), axis)) ** 2)
        logs.append((math.log(size), 0.5 * math.log(np.mean(rest))))
    x, y = np.array(logs).T
    slope = ((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean()))
    assert hrv.dfa_alpha1(series(values)) == pytest.approx(slope, rel=1e-9)


def test_a_gap_is_in_no_box() -> None:
    values = np.concatenate((noise(200, 7), 0.3 + noise(200, 8)))
    stepped, broken = hrv.dfa_alpha1(series(values)), hrv.dfa_alpha1(series(values, breaks=(200,)))
    apart = [hrv.dfa_alpha1(series(values[:200])), hrv.dfa_alpha1(series(values[200:]))]
    assert broken == pytest.approx(np.mean([each for each in apart if each]), abs=0.03)
    assert stepped != pytest.approx(broken, abs=0.001)
    assert hrv.dfa_alpha1(series(noise(60, 9), breaks=(15, 30, 45))) is None
