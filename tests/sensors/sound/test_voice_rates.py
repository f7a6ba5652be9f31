"""Any rate becomes 16 kHz: what was there stays, what cannot be there does not fold, and pieces leave no seams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from sensors.sound.rates import RATE, Resampler

RATES = (4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 192_000)


def whole(rate: int, samples: NDArray[np.float64]) -> NDArray[np.float64]:
    made = Resampler(rate)
    return np.concatenate([made.feed(samples), made.finish()])


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_the_same_tone_at_16_khz_in_place(rate: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate + 0.3)
    found = whole(rate, tone)
    assert len(found) == 2 * RATE
    expected = np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE + 0.3)
    assert np.abs(found - expected)[RATE // 8 : -RATE // 8].max() < 1e-4


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 192_000])
def test_what_lies_above_8_khz_does_not_fold(rate: int) -> None:
    tone = np.sin(2 * np.pi * 8600 * np.arange(2 * rate) / rate)
    assert np.abs(whole(rate, tone))[RATE // 8 : -RATE // 8].max() < 2e-4


@given(st.sampled_from((8_000, 11_025, 44_100)), st.lists(st.integers(0, 30_000), max_size=6))
def test_pieces_leave_no_seams(rate: int, cuts: list[int]) -> None:
    sound = np.random.default_rng(rate).normal(size=30_000)
    made = Resampler(rate)
    pieces = [made.feed(piece) for piece in np.split(sound, sorted(cuts))]
    assert np.array_equal(np.concatenate([*pieces, made.finish()]), whole(rate, sound))


@pytest.mark.parametrize("rate", [0, 3_999, 192_001, 44_100.5, float("nan"), float("inf"), -48_000])
def test_rates_that_no_microphone_has_are_refused(rate: float) -> None:
    with pytest.raises(DriverFailed, match="cannot be used"):
        Resampler(rate)
