"""The published methods: the pulse as it is, more blood up, whatever the light does (synthetic)."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.rppg import chrom, pos
from tests.analytics.rppg.faces import BLOOD, TONES, slow, volume

Floats = NDArray[np.float64]
Method = Callable[[Floats, float], Floats]
METHODS = pytest.mark.parametrize("method", [chrom, pos])

RATE = 30.0
AT = np.arange(900) / RATE
PULSE = volume(AT, np.arange(-2.0, 34.0, 60.0 / 75.0))


def skin(tone: int, light: Floats | float = 1.0) -> Floats:
    level = np.array(TONES[tone], dtype=np.float64)
    return np.asarray(level * (1.0 - 0.01 * PULSE[:, None] * BLOOD) * np.asarray(light).reshape(-1, 1))


def likeness(x: Floats, y: Floats) -> float:
    inner = slice(60, -60)
    return float(np.corrcoef(x[inner], y[inner])[0, 1])


@METHODS
@pytest.mark.parametrize("tone", range(6))
def test_the_pulse_of_any_skin_rises_with_the_blood(method: Method, tone: int) -> None:
    assert likeness(method(skin(tone), RATE), PULSE) > 0.9


@METHODS
def test_light_that_changes_for_all_colours_alike_is_no_pulse(method: Method) -> None:
    # its chrominance is what a product of light and skin leaves
    lamp = 1.0 + 0.03 * slow(np.random.default_rng(3), len(AT), 8)
    assert likeness(method(skin(1, lamp), RATE), PULSE) > 0.8
    assert likeness(-skin(1, lamp)[:, 1], PULSE) < 0.5


@METHODS
@pytest.mark.parametrize("count", [0, 1, 5, 47, 49, 200])
def test_as_many_samples_come_out_as_go_in(method: Method, count: int) -> None:
    wave = method(skin(2)[:count], RATE)
    assert wave.shape == (count,)
    assert np.isfinite(wave).all()


@METHODS
def test_what_does_not_change_has_no_pulse(method: Method) -> None:
    assert np.abs(method(np.full((300, 3), 120.0), RATE)).max() < 1e-9
    assert np.isfinite(method(np.zeros((300, 3)), RATE)).all()


@METHODS
def test_brightness_does_not_matter(method: Method) -> None:
    assert method(skin(3) * 0.4, RATE) == pytest.approx(method(skin(3), RATE), abs=1e-9)
