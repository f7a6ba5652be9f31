"""The network's side of the methods: what it sees, and that its pulse comes at any rate and length."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.rppg import methods
from analytics.rppg.neural import FEATURES, NETWORK, RATE, NeuralPulse, features
from kiosk import models
from kiosk.errors import BadModel

Floats = NDArray[np.float64]
SKIN = np.array([180.0, 120.0, 95.0])
BLOOD = np.array([0.33, 0.77, 0.53]) / 0.77


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NeuralPulse:
    return NeuralPulse.installed(tmp_path_factory.mktemp("models"))


def beating(rate: float, seconds: float, *, per_minute: float, size: float = 0.004) -> tuple[Floats, Floats]:
    """Colours of a still face, and its pulse: quick rise, slow fall."""
    at = np.arange(round(seconds * rate)) / rate
    phase = 2.0 * np.pi * per_minute / 60.0 * at
    pulse = np.sin(phase) + 0.35 * np.sin(2.0 * phase - 0.8)
    noise = np.random.default_rng(5).standard_normal((len(at), 3))
    return SKIN * (1.0 - size * pulse[:, None] * BLOOD + 0.0003 * noise), pulse


def per_minute(pulse: Floats, rate: float) -> float:
    density = np.abs(np.fft.rfft(pulse * np.hanning(len(pulse)), 16 * len(pulse)))
    return 60.0 * rate * float(np.argmax(density)) / (16 * len(pulse))


def test_the_network_is_part_of_the_product() -> None:
    assert models.known(NETWORK).shipped
    assert models.known(NETWORK).licence == "Apache-2.0"


@pytest.mark.parametrize("rate", [15.0, 24.0, 29.97, 30.0, 60.0, 100.0])
def test_its_pulse_has_the_hearts_rate_at_any_rate_of_pictures(network: NeuralPulse, rate: float) -> None:
    colours, _ = beating(rate, 20.0, per_minute=72.0)
    pulse = network(colours, rate)
    assert pulse.shape == (len(colours),)
    assert per_minute(pulse, rate) == pytest.approx(72.0, abs=1.0)


@pytest.mark.parametrize("rate", [45.0, 60.0, 90.0, 130.0, 170.0])
def test_systole_is_up_and_in_its_place(network: NeuralPulse, rate: float) -> None:
    colours, pulse = beating(RATE, 20.0, per_minute=rate)
    ours = network(colours, RATE)
    assert np.corrcoef(ours[60:-60], pulse[60:-60])[0, 1] > 0.9


def test_it_has_the_signature_of_the_methods(network: NeuralPulse) -> None:
    colours, _ = beating(RATE, 15.0, per_minute=80.0)
    for method in (methods.chrom, methods.pos, network):
        assert per_minute(method(colours, RATE), RATE) == pytest.approx(80.0, abs=1.0)


def test_brightness_and_colour_of_the_light_do_not_matter(network: NeuralPulse) -> None:
    colours, _ = beating(RATE, 12.0, per_minute=75.0)
    assert network(colours * 0.4, RATE) == pytest.approx(network(colours, RATE), abs=1e-3)
    assert network(colours * [1.1, 1.0, 0.8], RATE) == pytest.approx(network(colours, RATE), abs=1e-3)


def test_far_away_colours_do_not_change_a_pulse(network: NeuralPulse) -> None:
    """What is drawn depends on the seconds around it, so that live windows and whole recordings agree inside."""
    colours, _ = beating(RATE, 40.0, per_minute=75.0)
    whole = network(colours, RATE)
    part = network(colours[300:900], RATE)
    reach = 250
    assert part[reach:-reach] == pytest.approx(whole[300 + reach : 900 - reach], abs=1e-3)


def test_a_face_without_a_pulse_has_a_flatter_one(network: NeuralPulse) -> None:
    beats, _ = beating(RATE, 20.0, per_minute=75.0)
    still, _ = beating(RATE, 20.0, per_minute=75.0, size=0.0)
    assert network(still, RATE).std() < 0.5 * network(beats, RATE).std()


@pytest.mark.parametrize("count", [0, 1, 2, 59])
def test_what_is_too_short_has_no_pulse(network: NeuralPulse, count: int) -> None:
    assert network(np.full((count, 3), 100.0), RATE).tolist() == [0.0] * count


@pytest.mark.parametrize("value", [0.0, 1.0, 255.0, 1e8])
def test_a_frozen_picture_has_no_pulse_at_any_rate(network: NeuralPulse, value: float) -> None:
    for rate in (RATE, 15.0, 60.0):
        assert network(np.full((300, 3), value), rate).tolist() == [0.0] * 300


def test_steps_and_spikes_give_finite_numbers(network: NeuralPulse) -> None:
    colours, _ = beating(RATE, 20.0, per_minute=75.0)
    colours[200:] *= 4.0
    colours[400] = 0.0
    colours[450] = 1e6
    assert np.isfinite(network(colours, RATE)).all()


def test_features_are_bounded_and_of_many_at_once() -> None:
    colours = np.random.default_rng(1).uniform(0.0, 255.0, (5, 200, 3))
    seen = features(colours)
    assert seen.shape == (5, FEATURES, 200)
    assert seen.dtype == np.float32
    assert np.abs(seen).max() <= 6.0
    for one, row in zip(colours, seen, strict=True):
        assert np.array_equal(features(one), row)


def test_a_network_that_is_not_here_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="rppg_own is not installed"):
        NeuralPulse.installed(tmp_path, "rppg_own")
