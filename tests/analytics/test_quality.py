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
