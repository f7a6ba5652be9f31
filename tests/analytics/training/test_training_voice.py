"""Voice training in miniature: it learns, nobody is on both sides, and the same seed writes the same bytes."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from analytics.training import voice
from analytics.training.voice import EMOTIONS, Examples, Shape, Written, card, rowwise
from analytics.training.voice.calibration import belief, by_speakers, probabilities, temperature, unweighted
from analytics.training.voice.disturbances import disturbed, noisy, reverberant
from analytics.training.voice.examples import FUNCTIONALS, STREAMS, folds, importance, together
from analytics.training.voice.judging import judged
from analytics.training.voice.rowwise import Sums
from kiosk import models
from sensors.sound.emotion import NETWORK
from tests.conftest import require

SHAPE = Shape(landmarks=80, width=0.9, penalty=0.1)
TOLD = 300
"""Functionals that an emotion moves; of the others they tell nothing."""


def people(count: int = 4, each: int = 35, *, seed: int = 0, strange: float = 0.5) -> Examples:
    """Speakers with habits of their own, and emotions that move some functionals of everybody."""
    rng = np.random.default_rng(seed)
    total = count * each
    emotions = np.arange(total, dtype=np.int64) % len(EMOTIONS)
    speakers = np.repeat(np.arange(count, dtype=np.int64), each)
    rows = rng.standard_normal((total, FUNCTIONALS)) + strange * rng.standard_normal((count, FUNCTIONALS))[speakers]
    moved = np.random.default_rng(99).standard_normal((len(EMOTIONS), TOLD))
    rows[:, :TOLD] += 1.0 * moved[emotions]
    frames = rng.standard_normal((10 * total, STREAMS)).astype(np.float16)
    frames[:, :7] += 3.0 * np.repeat(np.eye(7), 10, axis=0).reshape(7, 10, 7)[emotions].reshape(-1, 7)
    return Examples(
        rows.astype(np.float32), frames, np.arange(0, 10 * total + 1, 10, dtype=np.int64), emotions, speakers,
        np.zeros(total, np.int64), np.arange(total) % 5 == 4,
    )  # fmt: skip


@pytest.fixture(scope="module")
def examples() -> Examples:
    return people()


@pytest.fixture(scope="module")
def trained(examples: Examples) -> voice.Trained:
    require(find_spec("onnx"), "onnx")
    return voice.train(examples, shape=SHAPE, seed=3)


def test_it_learns_what_is_true_of_everybody(examples: Examples) -> None:
    found = judged(examples, SHAPE)
    assert found.recall(0) > 0.9
    assert len(found.places) == (~examples.disturbed).sum()


def test_chance_is_what_is_left_where_nothing_is_told(examples: Examples) -> None:
    shuffled = np.random.default_rng(1).permutation(examples.emotions)
    nothing = Examples(
        examples.functionals, examples.frames, examples.begins, shuffled, examples.speakers, examples.corpora,
        examples.disturbed,
    )  # fmt: skip
    assert judged(nothing, SHAPE).recall(0) < 0.35


def test_nobody_is_on_both_sides(examples: Examples) -> None:
    both = together([examples, people(seed=2)])  # the same speakers in a second corpus
    for fold in folds(both):
        assert not set(both.speakers[fold.known].tolist()) & set(both.speakers[fold.unknown].tolist())
        assert not both.disturbed[fold.unknown].any()
        assert set(both.speakers[~fold.known].tolist()) == set(fold.speakers)
    assert sorted(speaker for fold in folds(both) for speaker in fold.speakers) == [0, 1, 2, 3]


def test_who_is_judged_enters_neither_network_nor_normalisation_nor_temperature(examples: Examples) -> None:
    """Whatever the held-back speaker's rows are, the fold's network is the same, bit by bit."""
    rows = examples.functionals.copy()
    rows[examples.speakers == 0] = 1e3
    other = Examples(
        rows, examples.frames, examples.begins, examples.emotions, examples.speakers, examples.corpora,
        examples.disturbed,
    )  # fmt: skip
    ours, theirs = (judged(each, SHAPE, groups=[(0,)]) for each in (examples, other))
    for name in ("mean", "scale", "weights", "landmarks", "added", "offsets"):
        assert (getattr(ours.judges[0][1], name) == getattr(theirs.judges[0][1], name)).all()
    assert set(ours.temperatures.tolist()) == set(theirs.temperatures.tolist())


def test_who_is_left_out_of_the_sums_has_no_say(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner folds' shortcut: other emotions of the one who is left out change no weight of an emotion."""
    monkeypatch.setattr(rowwise, "_weights", lambda standard, *_: np.ones(standard.shape[1], np.float32))
    emotions = examples.emotions.copy()
    own = np.flatnonzero((examples.speakers == 1) & ~examples.disturbed)
    emotions[own] = np.roll(emotions[own], 1)
    other = Examples(
        examples.functionals, examples.frames, examples.begins, emotions, examples.speakers, examples.corpora,
        examples.disturbed,
    )  # fmt: skip
    ours, theirs = (Sums(each, SHAPE) for each in (examples, other))
    assert ours.solved(without=(1,)).added == pytest.approx(theirs.solved(without=(1,)).added, abs=1e-3)
    assert np.abs(ours.solved().added - theirs.solved().added).max() > 1e-2


def test_the_same_seed_writes_the_same_bytes(examples: Examples, trained: voice.Trained) -> None:
    again = voice.train(examples, shape=SHAPE, seed=3)
    assert (again.onnx, again.small) == (trained.onnx, trained.small)
    assert voice.train(examples, shape=SHAPE, seed=4).onnx != trained.onnx


def test_the_file_says_what_the_network_says(examples: Examples, trained: voice.Trained) -> None:
    ours = probabilities(trained.judge.logits(examples), trained.temperature)
    assert Written(trained.onnx).probabilities(examples) == pytest.approx(ours, abs=1e-4)


def test_int8_is_close_and_small(examples: Examples, trained: voice.Trained) -> None:
    ours, small = (Written(content).probabilities(examples) for content in (trained.onnx, trained.small))
    assert np.abs(ours - small).max() < 0.05
    assert (ours.argmax(axis=1) == small.argmax(axis=1)).mean() > 0.97
    assert len(trained.small) < 0.35 * len(trained.onnx)


def test_the_card_names_data_limits_and_every_speaker(examples: Examples, trained: voice.Trained) -> None:
    text = card.text(trained, judged(examples, SHAPE), ["acted"], versions=2, seed=3)
    for words in ("Burkhardt", "Acted German", "CC0", hashlib.sha256(trained.onnx).hexdigest(), "--seed 3", "## acted"):
        assert words in text
    assert all(f"| {speaker} |" in text for speaker in range(4))
    assert all(f"| {emotion} |" in text for emotion in EMOTIONS)


def test_a_temperature_makes_belief_better() -> None:
    rng = np.random.default_rng(0)
    emotions = rng.integers(0, 3, 400)
    logits = 8.0 * (np.eye(3)[emotions] + 0.8 * rng.standard_normal((400, 3)))
    found = temperature(logits, emotions)
    before, after = belief(probabilities(logits, 1.0), emotions), belief(probabilities(logits, found), emotions)
    assert found > 1.5
    assert after.log_loss < before.log_loss
    assert after.brier < before.brier
    assert after.error < before.error
    perfect = belief(np.eye(3)[emotions], emotions)
    assert (perfect.brier, perfect.error) == (0.0, 0.0)


def test_recall_counts_rare_emotions_like_common_ones() -> None:
    emotions = np.array([0] * 98 + [1] * 2)
    assert unweighted(np.zeros(100, np.int64), emotions) == 0.5
    low, high = by_speakers(emotions, emotions, np.arange(100) % 5, draws=50)
    assert (low, high) == (1.0, 1.0)


def test_emotions_weigh_alike(examples: Examples) -> None:
    some = examples.of(np.flatnonzero((examples.emotions != 3) | (np.arange(len(examples)) < 20)))
    weights = importance(some, clean=4.0)
    totals = np.bincount(some.emotions, weights)
    assert totals == pytest.approx(np.full(len(EMOTIONS), totals[0]))
    assert weights.mean() == pytest.approx(1.0)


def test_bad_examples_are_refused(examples: Examples) -> None:
    broken = examples.functionals.copy()
    broken[0, 0] = np.nan
    rest = (examples.frames, examples.begins, examples.emotions, examples.speakers, examples.corpora)
    with pytest.raises(ValueError, match="finite"):
        Examples(broken, *rest, examples.disturbed)
    with pytest.raises(ValueError, match="each"):
        Examples(examples.functionals[:, :10], *rest, examples.disturbed)
    with pytest.raises(ValueError, match="two speakers"):
        voice.train(examples.of(examples.speakers == 0), shape=SHAPE)
    with pytest.raises(ValueError, match="boredom"):
        voice.train(examples.of(examples.emotions != 6), shape=SHAPE)


def test_disturbances_are_as_strong_as_asked() -> None:
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(16_000)
    noise = noisy(sound, 10.0, rng, ()) - sound
    assert 20 * np.log10(sound.std() / noise.std()) == pytest.approx(10.0, abs=0.01)
    click = np.zeros(16_000)
    click[0] = 1.0
    room = reverberant(click, 0.5, 2.0, rng)
    assert room[0] == pytest.approx(1.0)
    assert np.sqrt((room[1:] ** 2).sum()) == pytest.approx(0.5, abs=0.01)
    assert (room[9000:] ** 2).sum() < 1e-6
    for light in (True, False):
        found = disturbed(sound, np.random.default_rng(4), [sound], light=light)
        assert np.isfinite(found).all()
        assert (disturbed(sound, np.random.default_rng(4), [sound], light=light) == found).all()


@pytest.mark.parametrize("name", ["Cepstral", "Mobile", "Cross"])
def test_networks_over_frames_learn_and_are_the_same_again(examples: Examples, name: str) -> None:
    require(find_spec("torch"), "torch")
    from analytics.training.voice import framewise, layers

    few = examples.of(examples.speakers < 2)
    made = [framewise.trained(getattr(layers, name), few, steps=2, seed=1).logits(few) for _ in range(2)]
    assert made[0].shape == (len(few), len(EMOTIONS))
    assert np.isfinite(made[0]).all()
    assert (made[0] == made[1]).all()


def test_the_shipped_network_has_its_card_beside_it() -> None:
    network = models.known(NETWORK)
    text = (models.SHIPPED / Path(network.file).with_suffix(".md").name).read_text("utf-8")
    assert network.sha256 in text
    assert "Acted German" in text
