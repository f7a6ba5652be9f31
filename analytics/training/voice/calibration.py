"""How far probabilities can be believed: a temperature, and what it is worth.

Temperature scaling: Guo et al. 2017 (arXiv:1706.04599). It is fitted on speakers that the network did not know.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from analytics.training.voice.examples import Floats

BINS = 10
"""Of confidence, in the expected calibration error."""
RANGE = (0.02, 20.0)
"""Temperatures that are looked at."""


@dataclass(frozen=True, slots=True)
class Belief:
    """How far probabilities are from what happened."""

    brier: float
    """Sum over classes of squared errors, on average: 0 to 2 (Brier 1950)."""
    log_loss: float
    error: float
    """Expected calibration error: how far confidence is from accuracy."""


def probabilities(logits: Floats, temperature: float) -> Floats:
    """(k, classes)."""
    scaled = logits / temperature
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def temperature(logits: Floats, emotions: NDArray[np.int64]) -> float:
    """At which the logarithmic loss is least."""

    def loss(logarithm: float) -> float:
        return belief(probabilities(logits, float(np.exp(logarithm))), emotions).log_loss

    found = minimize_scalar(loss, bounds=(np.log(RANGE[0]), np.log(RANGE[1])), method="bounded")
    return float(np.exp(found.x))


def belief(told: Floats, emotions: NDArray[np.int64]) -> Belief:
    """Of probabilities (k, classes) and what was true."""
    rows = np.arange(len(told))
    truth = np.eye(told.shape[1])[emotions]
    confidence, right = told.max(axis=1), told.argmax(axis=1) == emotions
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    error = 0.0
    for place in range(BINS):
        inside = places == place
        if inside.any():
            error += inside.mean() * abs(float(confidence[inside].mean()) - float(right[inside].mean()))
    return Belief(
        float(((told - truth) ** 2).sum(axis=1).mean()),
        float(-np.log(np.maximum(told[rows, emotions], 1e-12)).mean()),
        error,
    )


def recalls(told: NDArray[np.int64], emotions: NDArray[np.int64]) -> dict[int, float]:
    """Share of each emotion that was told as itself."""
    return {int(each): float((told[emotions == each] == each).mean()) for each in np.unique(emotions)}


def unweighted(told: NDArray[np.int64], emotions: NDArray[np.int64]) -> float:
    """Unweighted average recall: every emotion counts alike, however rare (Schuller et al. 2009)."""
    return float(np.mean(list(recalls(told, emotions).values())))


def by_speakers(
    told: NDArray[np.int64], emotions: NDArray[np.int64], speakers: NDArray[np.int64], *, draws: int = 2000
) -> tuple[float, float]:
    """95 % of what the unweighted average recall is when speakers are drawn anew (bootstrap of whole people)."""
    rng = np.random.default_rng(0)
    known = np.unique(speakers)
    places = {speaker: np.flatnonzero(speakers == speaker) for speaker in known.tolist()}
    found = []
    for _ in range(draws):
        chosen = np.concatenate([places[speaker] for speaker in rng.choice(known, len(known)).tolist()])
        found.append(unweighted(told[chosen], emotions[chosen]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
