"""Filters: one output whatever the chunks, no poison, the bands that they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from analytics import filters
from tests.analytics.visitors import cuts

RATE = 250.0
DESIGNS = {
    "high": filters.high_pass(RATE, 0.5),
    "low": filters.low_pass(RATE, 40.0, order=4),
    "band": filters.band_pass(RATE, 8.0, 20.0),
    "notch 50": filters.notch(RATE, 50.0),
    "notch 60": filters.notch(RATE, 60.0),
}


def gain(sections: NDArray[np.float64], hertz: float, rate: float = RATE) -> float:
    _, response = signal.freqz_sos(sections, worN=np.array([hertz]), fs=rate)
    return float(np.abs(response[0]))


def noise(count: int = 1500, channels: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(4).standard_normal((count, channels))


@pytest.mark.parametrize("design", DESIGNS)
@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=6).filter(any), lost=st.booleans())
def test_any_chunking_gives_the_same_bits(design: str, sizes: list[int], lost: bool) -> None:
    x = noise()
    if lost:
        x[200:240, 1] = np.nan
        x[0, 2] = np.nan
    whole = filters.Causal(DESIGNS[design], 3).feed(x)
    filtering = filters.Causal(DESIGNS[design], 3)
    parts = np.concatenate([filtering.feed(x[cut]) for cut in cuts(len(x), sizes)])
    assert parts.tobytes() == whole.tobytes()


@pytest.mark.parametrize("design", DESIGNS)
def test_a_lost_sample_does_not_poison_what_follows(design: str) -> None:
    x = noise()
    damaged = x.copy()
    damaged[100:105] = np.nan
    damaged[300] = np.inf
    filtered = filters.Causal(DESIGNS[design], 3).feed(damaged)
    assert np.isfinite(filtered).all()
    # the high pass remembers longest: 1.2 s later nothing is left of it
    assert np.allclose(filtered[-300:], filters.Causal(DESIGNS[design], 3).feed(x)[-300:], atol=2e-2)
    assert np.isfinite(filters.zero_phase(DESIGNS[design], damaged[:, 0])).all()


def test_a_constant_makes_no_step_at_the_start() -> None:
    assert np.abs(filters.Causal(DESIGNS["high"]).feed(np.full((500, 1), 7.0))).max() < 1e-9
    assert np.allclose(filters.Causal(DESIGNS["low"]).feed(np.full((500, 1), 7.0)), 7.0)


def test_channels_do_not_mix() -> None:
    x = noise()
    alone = filters.Causal(DESIGNS["band"]).feed(x[:, [1]])
    assert np.array_equal(filters.Causal(DESIGNS["band"], 3).feed(x)[:, [1]], alone)


def test_a_reset_filter_is_a_new_one() -> None:
    x = noise()
    filtering = filters.Causal(DESIGNS["band"], 3)
    first = filtering.feed(x)
    filtering.reset()
    assert np.array_equal(filtering.feed(x), first)


def test_bands_pass_and_stop_what_they_promise() -> None:
    assert gain(DESIGNS["band"], 13.0) > 0.98
    assert gain(DESIGNS["band"], 1.0) < 0.02
    assert gain(DESIGNS["notch 50"], 50.0) < 1e-6 < 0.95 < gain(DESIGNS["notch 50"], 45.0)
    assert gain(DESIGNS["notch 60"], 60.0) < 1e-6 < 0.95 < gain(DESIGNS["notch 60"], 66.0)
    assert gain(DESIGNS["high"], 0.5) == pytest.approx(2**-0.5)


def test_zero_phase_moves_nothing_in_time() -> None:
    bump = np.exp(-0.5 * ((np.arange(1000) - 500) / 6.0) ** 2)
    assert int(np.argmax(filters.zero_phase(DESIGNS["band"], bump))) == 500
    delay = filters.group_delay(DESIGNS["band"], RATE, 12.6) * RATE
    causal = filters.Causal(DESIGNS["band"]).feed(bump[:, None])[:, 0]
    assert abs(int(np.argmax(np.abs(signal.hilbert(causal)))) - 500 - delay) < 4


def test_a_band_that_the_rate_cannot_carry_is_refused() -> None:
    with pytest.raises(ValueError, match="no notch"):
        filters.notch(100.0, 50.0)
    with pytest.raises(ValueError, match="no band"):
        filters.band_pass(15.0, 8.0, 20.0)
    # the upper edge gives way
    assert gain(filters.band_pass(40.0, 8.0, 20.0), 12.0, 40.0) > 0.9
