"""Training in miniature: it learns, it writes what it learnt, and the same seed learns the same."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.rppg.neural import RATE, NeuralPulse
from analytics.training import card, rppg
from analytics.training.disturbances import disturbed
from analytics.training.evaluation import compare, rate
from analytics.training.rppg import LENGTH, OPSET, Pulses
from kiosk import models
from tests.conftest import require

Floats = NDArray[np.float64]


def pulses(count: int, seed: int, *, seconds: float = 24.0) -> Pulses:
    """Plain pulses: two harmonics, a rate that wanders. The simulated visitor is not analytics' to know."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    waves, skins = [], []
    for _ in range(count):
        hertz = rng.uniform(0.8, 2.5) * (1.0 + 0.03 * np.sin(2.0 * np.pi * 0.1 * at + rng.uniform(0.0, 6.0)))
        phase = 2.0 * np.pi * np.cumsum(hertz) / RATE
        waves.append(np.sin(phase) + 0.35 * np.sin(2.0 * phase - 0.8))
        skins.append(rng.uniform(40.0, 200.0) * np.array([1.4, 1.0, 0.8]))
    return Pulses(np.array(waves), np.array(skins))


@pytest.fixture
def torch() -> None:
    require(find_spec("torch"), "torch")


@pytest.fixture(scope="module")
def trained() -> Iterator[rppg.Trained]:
    require(find_spec("torch"), "torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rppg, "BATCH", 8)
        yield rppg.train(pulses(40, 1), batches=60, seed=3)


def test_it_learns(trained: rppg.Trained) -> None:
    losses = np.array(trained.losses)
    assert len(losses) == 60
    assert losses[-5:].mean() < 0.6 * losses[:5].mean()
    assert trained.weights == sum(array.size for array in _initializers(trained.onnx))


def _initializers(content: bytes) -> list[NDArray[np.float32]]:
    import onnx
    from onnx import numpy_helper

    return [numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer]


def test_what_it_wrote_draws_pulses_of_visitors_it_never_saw(trained: rppg.Trained) -> None:
    network = NeuralPulse(models.open_bytes(models.known(rppg.OWN), trained.onnx))
    unknown = pulses(6, 2)
    waves = unknown.waves / unknown.waves.std(axis=1, keepdims=True)
    colours = disturbed(waves, unknown.skins, np.random.default_rng(0), strengths=(0.01, 0.02))
    assert compare("network", network, colours, waves).likeness > 0.8


def test_its_file_is_small_of_one_version_and_of_any_length(trained: rppg.Trained) -> None:
    import onnx

    model = onnx.load_from_string(trained.onnx)
    assert [each.version for each in model.opset_import] == [OPSET]
    assert len(trained.onnx) < 300_000
    opened = models.open_bytes(models.known(rppg.OWN), trained.onnx)
    for examples, count in ((1, 60), (3, 333), (1, 3000)):
        (drawn,) = opened.run(np.zeros((examples, 4, count), dtype=np.float32))
        assert drawn.shape == (examples, 1, count)


def test_the_same_seed_learns_the_same(torch: None) -> None:
    known = pulses(8, 1)
    first, again, other = (rppg.train(known, batches=2, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.onnx != other.onnx


def test_training_leaves_the_threads_and_chance_of_torch_alone(torch: None) -> None:
    import torch as library

    library.manual_seed(1)
    expected = library.rand(3)
    library.manual_seed(1)
    threads = library.get_num_threads()
    rppg.train(pulses(4, 1), batches=1)
    assert library.equal(library.rand(3), expected)
    assert library.get_num_threads() == threads


def test_a_written_network_that_is_off_is_not_given_out(torch: None, monkeypatch: pytest.MonkeyPatch) -> None:
    to_onnx = rppg.to_onnx
    monkeypatch.setattr(rppg, "to_onnx", lambda layers: to_onnx([(w * 1.01, b) for w, b in layers]))
    with pytest.raises(RuntimeError, match="off by"):
        rppg.train(pulses(4, 1), batches=1)


def test_the_card_tells_what_is_known(trained: rppg.Trained) -> None:
    written = card.text(trained, pulses(5, 9), seed=3)
    assert "Apache-2.0" in written
    assert "Synthetic figures: 5 visitors" in written
    assert written.count("| network |") == written.count("| POS |") == len(card.STRENGTHS)


@pytest.mark.parametrize(
    ("waves", "skins"),
    [
        (np.zeros((2, LENGTH - 1)), np.ones((2, 3))),
        (np.zeros((2, LENGTH)), np.ones((3, 3))),
        (np.zeros((0, LENGTH)), np.ones((0, 3))),
        (np.full((2, LENGTH), np.nan), np.ones((2, 3))),
        (np.zeros((2, LENGTH)), np.full((2, 3), np.inf)),
    ],
)
def test_pulses_that_teach_nothing_are_refused(waves: Floats, skins: Floats) -> None:
    with pytest.raises(ValueError, match="pulses"):
        Pulses(waves, skins)


def test_no_batch_is_refused(torch: None) -> None:
    with pytest.raises(ValueError, match="no batch"):
        rppg.train(pulses(2, 1), batches=0)


def test_examples_have_a_pulse_of_unit_deviation_or_none() -> None:
    seen, goal = rppg.examples(pulses(10, 4), np.random.default_rng(0))
    deviations = goal.std(axis=1)
    assert np.all((deviations == 0.0) | (np.abs(deviations - 1.0) < 1e-3))
    assert 0 < (deviations == 0.0).sum() < len(goal) // 2
    assert np.isfinite(seen).all()


def test_disturbed_skin_keeps_its_pulse_where_it_is_calm() -> None:
    """Against the model's own words: more blood, less light, and along the blood's vector."""
    known = pulses(200, 3)
    waves = known.waves / known.waves.std(axis=1, keepdims=True)
    colours = disturbed(waves, known.skins, np.random.default_rng(0), strengths=(0.3, 0.3))
    even = colours / colours.mean(axis=1, keepdims=True) - 1.0
    slopes = (even * waves[:, :, None]).mean(axis=1)
    assert np.median(slopes, axis=0) == pytest.approx(-0.3 * np.array([0.33, 0.77, 0.53]) / 0.77, rel=0.15)
    assert np.isfinite(colours).all()
    assert colours.min() >= 1.0


def test_rates_and_likeness_are_those_of_the_wave() -> None:
    at = np.arange(600) / RATE
    wave = np.sin(2.0 * np.pi * 1.2 * at)
    assert rate(wave) == pytest.approx(72.0, abs=0.3)
    colours = np.repeat(wave[None, :, None], 3, axis=2)
    right = compare("right", lambda seen, _: seen[:, 0], colours, wave[None])
    assert (right.error, right.wrong) == (0.0, 0.0)
    assert right.likeness == pytest.approx(1.0)
    turned = compare("turned", lambda seen, _: -seen[:, 0], colours, wave[None])
    assert turned.likeness == pytest.approx(-1.0)
    slow = compare("slow", lambda seen, _: np.sin(2.0 * np.pi * 1.0 * at), colours, wave[None])
    assert slow.error == pytest.approx(12.0, abs=0.5)
    assert slow.wrong == 1.0
    flat = compare("flat", lambda seen, _: np.zeros(len(seen)), colours, wave[None])
    assert flat.likeness == 0.0
