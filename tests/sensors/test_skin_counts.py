"""Pixel counts leave roughly, and colours as they are."""

import numpy as np
import pytest

from kiosk.signals import RGB_CHANNELS
from sensors.skin.counts import rough

COUNTS = [number for number, name in enumerate(RGB_CHANNELS) if name.endswith("_pixels")]
COLOURS = [number for number in range(len(RGB_CHANNELS)) if number not in COUNTS]


def row(*counts: float) -> np.typing.NDArray[np.float32]:
    made = np.linspace(60, 200, len(RGB_CHANNELS)).astype(np.float32)
    made[COUNTS] = counts
    return made


def test_counts_are_powers_of_two_within_a_half_of_the_truth() -> None:
    counts = np.geomspace(24, 4e6, 200)
    for five in counts.reshape(-1, 5):
        told = rough(row(*five))[COUNTS]
        assert np.log2(told) == pytest.approx(np.round(np.log2(told)))
        assert np.abs(np.log2(told / five)).max() <= 0.5 + 1e-6


def test_colours_stay_to_the_bit_and_the_row_given_stays_too() -> None:
    given = row(5000, 800, 700, 600, 300)
    before = given.copy()
    told = rough(given)
    assert np.array_equal(told[COLOURS], given[COLOURS])
    assert np.array_equal(given, before)
    assert told.dtype == np.float32


def test_a_region_that_is_not_seen_still_has_none() -> None:
    given = row(4000, 0, 500, 500, 0)
    given[COLOURS[3:6]] = np.nan
    told = rough(given)
    assert told[COUNTS].tolist() == [4096, 0, 512, 512, 0]
    assert np.isnan(told[COLOURS[3:6]]).all()


def test_less_than_a_pixel_is_no_power_below_one() -> None:
    assert rough(row(0.3, 1, 1.5, 0, 2))[COUNTS].tolist() == [1, 1, 2, 0, 2]
