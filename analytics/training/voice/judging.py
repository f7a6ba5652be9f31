"""What a judge of functionals is worth on speakers that it does not know, and how far it can be believed.

Each speaker is held back once. The temperature of a fold comes from its own training speakers, each held back in turn:
nothing of the one who is judged enters the network, its normalisation or its temperature.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.training.voice.calibration import Belief, belief, probabilities, temperature, unweighted
from analytics.training.voice.examples import Examples, Floats, folds
from analytics.training.voice.rowwise import Rowwise, Shape, Sums


@dataclass(frozen=True, slots=True)
class Judged:
    """Every utterance as it was recorded, by a network that did not know its speaker."""

    places: NDArray[np.int64]
    """Which examples these are."""
    emotions: NDArray[np.int64]
    speakers: NDArray[np.int64]
    corpora: NDArray[np.int64]
    logits: Floats
    temperatures: Floats
    judges: tuple[tuple[tuple[int, ...], Rowwise], ...]
    """Of each fold: who was held back, and the network."""

    @property
    def probabilities(self) -> Floats:
        """At each fold's temperature."""
        return probabilities(self.logits / self.temperatures[:, None], 1.0)

    @property
    def told(self) -> NDArray[np.int64]:
        """The likeliest emotion."""
        return np.asarray(self.logits.argmax(axis=1))

    def beliefs(self) -> tuple[Belief, Belief]:
        """Before the temperature (of one) and with it."""
        return belief(probabilities(self.logits, 1.0), self.emotions), belief(self.probabilities, self.emotions)

    def recall(self, corpus: int, classes: Sequence[int] | None = None) -> float:
        """Unweighted average recall in a corpus; among some emotions where it is known that it is one of them."""
        of = self.corpora == corpus
        logits = self.logits[of]
        if classes is not None:
            logits = np.where(np.isin(np.arange(logits.shape[1]), classes), logits, -np.inf)
        return unweighted(logits.argmax(axis=1), self.emotions[of])


def judged(examples: Examples, shape: Shape, *, seed: int = 0, groups: Sequence[Sequence[int]] | None = None) -> Judged:
    """Each group of speakers (each speaker) held back once."""
    found: list[tuple[NDArray[np.int64], Floats, Floats]] = []
    judges = []
    for fold in folds(examples, groups):
        sums = Sums(examples.of(fold.known), shape, seed=seed)
        judge = sums.solved()
        places = np.flatnonzero(fold.unknown)
        logits = judge.logits(examples.of(places))
        found.append((places, logits, np.full(len(places), inner_temperature(examples.of(fold.known), sums))))
        judges.append((fold.speakers, judge))
    places = np.concatenate([each[0] for each in found])
    return Judged(
        places,
        examples.emotions[places],
        examples.speakers[places],
        examples.corpora[places],
        np.concatenate([each[1] for each in found]),
        np.concatenate([each[2] for each in found]),
        tuple(judges),
    )


def inner_temperature(examples: Examples, sums: Sums) -> float:
    """Fitted on each training speaker in turn, judged without that one; one where there is a single speaker."""
    if len(sums.speakers) < 2:
        return 1.0
    logits, emotions = [], []
    for speaker in sums.speakers:
        clean = examples.of((examples.speakers == speaker) & ~examples.disturbed)
        logits.append(sums.solved(without=(speaker,)).logits(clean))
        emotions.append(clean.emotions)
    return temperature(np.concatenate(logits), np.concatenate(emotions))
