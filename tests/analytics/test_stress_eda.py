import gzip
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from analytics.stress import electrodermal
from analytics.stress.eda import believed

Floats = NDArray[np.float64]
RATE = 4.0


def conductance(seconds: float, *, level: float = 2.0, slope: float = 0.0, peaks: int = 0, size: float = 0.3) -> Floats:
    """Synthetic: a drifting level (microsiemens per minute) and evenly spaced responses that rise 1.5 s and decay."""
    times = np.arange(0.0, seconds, 1.0 / RATE)
    x = level + slope * times / 60.0
    for start in (np.arange(peaks) + 0.5) * seconds / max(1, peaks):
        since = np.clip(times - start, 0.0, None)
        x += size * 1.9 * (np.exp(-since / 4.0) - np.exp(-since / 0.9)) * (times > start)
    return x


@pytest.mark.parametrize("peaks", [0, 1, 3, 6])
def test_known_responses_are_counted(peaks: int) -> None:
    assert electrodermal(conductance(60.0, peaks=peaks), RATE).peaks == pytest.approx(peaks)


def test_known_level_and_drift_are_read_whatever_responds() -> None:
    found = electrodermal(conductance(120.0, level=3.0, slope=0.6, peaks=8), RATE)
    assert found.level == pytest.approx(3.6, abs=0.2)
    assert found.slope == pytest.approx(0.6, abs=0.1)
    assert found.drift == pytest.approx(100 * 0.6 / 3.6, abs=3.0)


def test_responses_below_the_usual_limit_do_not_count() -> None:
    assert electrodermal(conductance(60.0, peaks=4, size=0.03), RATE).peaks == 0.0


def test_steps_of_a_moved_electrode_are_no_responses() -> None:
    x = conductance(120.0)
    x[200:] += 4.0
    x[280:] -= 4.0
    found = electrodermal(x, RATE)
    assert found.peaks == 0.0
    assert found.usable < 0.9


def test_electrodes_that_do_not_touch_say_nothing() -> None:
    found = electrodermal(np.full(400, 0.01), RATE)
    assert (found.level, found.slope, found.peaks, found.drift, found.usable) == (None, None, None, None, 0.0)


def test_half_a_minute_is_needed() -> None:
    assert electrodermal(conductance(29.0), RATE).level is None
    assert electrodermal(conductance(31.0), RATE).level is not None


def test_what_surrounds_an_impossible_sample_is_not_believed() -> None:
    x = conductance(60.0)
    x[120] = math.nan
    wrong = np.flatnonzero(~believed(x, RATE))
    assert wrong.min() == 120 - 20
    assert wrong.max() == 120 + 20


def test_a_rate_too_slow_for_responses_still_has_a_level() -> None:
    found = electrodermal(np.full(200, 2.0), 1.0)
    assert found.level == 2.0
    assert found.peaks is None


@given(
    x=hnp.arrays(np.float64, st.integers(0, 400), elements=st.floats(allow_nan=True, allow_infinity=True)),
    rate=st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from([4.0, 1000.0, 1e-6])),
)
def test_nothing_raises_and_every_number_is_finite(x: Floats, rate: float) -> None:
    found = electrodermal(x, rate)
    assert 0.0 <= found.usable <= 1.0
    assert all(value is None or math.isfinite(value) for value in (found.level, found.slope, found.peaks, found.drift))


def test_a_real_recording_has_as_many_responses_as_neurokit2_finds(recordings: Path) -> None:
    import neurokit2

    with gzip.open(recordings / "misc" / "biosppy" / "eda.txt.gz", "rt") as file:
        counts = np.loadtxt(file)
    # 12 bit at 3.3 V over 0.132 V/uS: the transfer function of the sensor family; only sizes depend on it
    x = (counts * 3.3 / 4096 / 0.132)[::100]
    found = electrodermal(x, 10.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, theirs = neurokit2.eda_process(x, sampling_rate=10)
    large = int(np.count_nonzero(np.asarray(theirs["SCR_Amplitude"]) >= 0.05))
    assert found.usable == 1.0
    assert found.peaks is not None
    assert abs(found.peaks * len(x) / 600.0 - large) <= 2
