"""ECG quality: what spoils a second spoils that second, and is named."""

import numpy as np
import pytest

from analytics import quality
from sensors.drivers.simulated import Person
from tests.analytics.visitors import Floats, ecg


def wave(rate: float = 250.0) -> Floats:
    return ecg(Person(seed=2, heart_rate=70), rate, 20.0)[0][:, 0].astype(np.float64)


@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 500.0, 1000.0])
def test_a_clean_ecg_is_good(rate: float) -> None:
    judged = quality.ecg(wave(rate), rate)
    assert len(judged.value) == 20
    assert judged.value.min() > 0.8
    assert not any(judged.reason)


def test_what_is_wrong_is_named_for_its_seconds_alone() -> None:
    x = wave()
    x[5 * 250 : 8 * 250] = np.nan
    x[10 * 250 : 13 * 250] = 5.0
    x[16 * 250 : 18 * 250] += np.random.default_rng(0).standard_normal(500)
    judged = quality.ecg(x, 250.0)
    assert judged.reason[5:8] == ("not_delivered",) * 3
    assert set(judged.reason[10:13]) <= {"saturated", "flat"}
    assert judged.reason[11] == "flat"
    assert judged.reason[16:18] == ("noisy",) * 2
    for second in (1, 2, 3, 4, 9, 15):
        assert judged.reason[second] is None
    assert ((judged.value >= 0) & (judged.value <= 1)).all()


def test_clipping_is_seen_where_it_eats_the_wave() -> None:
    x = wave()
    hard = np.clip(3 * np.sin(np.arange(len(x)) / 30.0) + x, -1.0, 1.0)
    assert set(quality.ecg(hard, 250.0).reason) == {"saturated"}


def test_nothing_is_said_of_less_than_a_second() -> None:
    assert len(quality.ecg(np.zeros(200), 250.0).value) == 0


def test_a_long_record_is_judged_as_its_parts_are() -> None:
    x = np.concatenate([wave()] * 13)
    x[119 * 250 : 121 * 250] += 2.0
    x[30000:30100] = np.nan
    judged = quality.ecg(x, 250.0)
    assert len(judged.value) == 260
    # a second and the one before it are all that counts
    for second in (1, 118, 119, 120, 121, 122, 259):
        alone = quality.ecg(x[(second - 1) * 250 : (second + 1) * 250], 250.0)
        assert judged.value[second] == pytest.approx(alone.value[1], abs=0.02)
        assert judged.reason[second] == alone.reason[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-300])
def test_impossible_samples_are_taken_without_complaint(value: float) -> None:
    x = wave()
    x[1000:1200:7] = value
    judged = quality.ecg(x, 250.0)
    assert ((judged.value >= 0) & (judged.value <= 1)).all()
    assert len(quality.ecg(np.full(1000, value), 250.0).value) == 4
