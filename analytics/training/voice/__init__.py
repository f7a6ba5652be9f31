"""Trains the voice network: functionals of acted German speech, judged by least squares behind a Gaussian kernel.

Chosen among four families with the same folds (docs/voice-emotion.md): with eight speakers, networks over frames learn
the speakers; statistics over an utterance generalise.
"""

from dataclasses import dataclass

import numpy as np

from analytics.training.voice.calibration import probabilities
from analytics.training.voice.examples import EMOTIONS, Examples, folds, together
from analytics.training.voice.graph import OWN, PARITY, Written, to_onnx
from analytics.training.voice.judging import Judged, inner_temperature, judged
from analytics.training.voice.rowwise import Rowwise, Shape, Sums

__all__ = [
    "EMOTIONS",
    "OWN",
    "SHAPE",
    "Examples",
    "Judged",
    "Rowwise",
    "Shape",
    "Trained",
    "Written",
    "folds",
    "judged",
    "to_onnx",
    "together",
    "train",
]

SHAPE = Shape()
"""Of the network that is shipped: round numbers, among a few that differed by less than their doubt."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The network's file with floats and with int8."""

    onnx: bytes
    small: bytes
    judge: Rowwise
    temperature: float
    examples: int


def train(examples: Examples, *, shape: Shape = SHAPE, seed: int = 0) -> Trained:
    """From all speakers; the same examples and seed give the same network."""
    if len(set(examples.speakers.tolist())) < 2:
        raise ValueError("a voice network needs two speakers or more")
    if set(examples.emotions.tolist()) != set(range(len(EMOTIONS))):
        raise ValueError("a voice network needs utterances of each of " + ", ".join(EMOTIONS))
    sums = Sums(examples, shape, seed=seed)
    judge = sums.solved()
    warmth = inner_temperature(examples, sums)
    written = to_onnx(judge, warmth)
    _hold_to(judge, warmth, written, examples)
    return Trained(written, to_onnx(judge, warmth, small=True), judge, warmth, len(examples))


def _hold_to(judge: Rowwise, warmth: float, written: bytes, examples: Examples) -> None:
    """Both say the same; else nothing is written."""
    some = examples.of(np.arange(0, len(examples), max(1, len(examples) // 50)))
    apart = np.abs(Written(written).probabilities(some) - probabilities(judge.logits(some), warmth)).max()
    if apart > PARITY:
        raise RuntimeError(f"the written network is off by {float(apart):.1e}")
