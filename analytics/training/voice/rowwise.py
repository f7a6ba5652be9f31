"""Functionals and a linear judge: regularised least squares, straight or behind a Gaussian kernel to known utterances.

Least squares to one-against-all goals with a penalty is the least-squares support vector machine (Suykens & Vandewalle
1999, doi:10.1023/A:1018628609742); a kernel to some of the examples stands for all of them (Williams & Seeger 2001,
"Using the Nystroem method to speed up kernel machines"). Functionals weigh by how much emotions move them beside all
else that does: speakers, rooms, noise (Fisher's ratio). The solution is exact: nothing is drawn but which disturbed
examples are among those some, and a speaker is held back by leaving out that speaker's sums.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.training.voice.examples import EMOTIONS, Examples, Features, Floats, importance

MOST = 3.0
"""Deviations from the mean beyond which a functional says no more: others' rooms go far."""
CLEAN = 4.0
"""What an utterance as recorded counts beside its disturbed versions: they are several, and none is real."""
LINEAR = 0.2
"""Scale of the functionals themselves, so that the penalty weighs them like the cosines."""


WEIGHED = 0.5
"""Exponent of Fisher's ratio: a standard deviation counts by the ratio of standard deviations."""
RIDGE = 1e-4
"""Of the mean square of a feature: what keeps the sums solvable where two utterances are one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How functionals become features."""

    landmarks: int = 800
    """Utterances that the kernel compares with; 0: straight."""
    width: float = 0.9
    """Of the kernel: one over its length, in root mean squares of a row."""
    penalty: float = 0.5
    """Of the function's roughness, or of the weights in mean squares of a feature."""


@dataclass(frozen=True, slots=True)
class Rowwise:
    """Standardise, clip, compare, add up."""

    mean: Features
    scale: Features
    """By which a functional is divided: its deviation."""
    weights: Features
    """Of each functional, after it was clipped."""
    landmarks: Features
    """(utterances, functionals): standardised, clipped and weighted."""
    reach: float
    """The kernel falls by exp(-reach) for each unit of squared distance."""
    added: Features
    """(features, emotions)."""
    offsets: Features

    def logits(self, examples: Examples) -> Floats:
        """(k, emotions): one is yes, nothing is no."""
        return np.asarray(self.likeness(examples.functionals) @ self.added + self.offsets, np.float64)

    def likeness(self, functionals: Features) -> Features:
        """(k, landmarks): 1 for the very same."""
        return _features(_standard(functionals, self.mean, self.scale) * self.weights, self.landmarks, self.reach)


class Sums:
    """What least squares needs of examples, speaker by speaker: anyone is left out by leaving out two sums."""

    def __init__(self, examples: Examples, shape: Shape, *, seed: int = 0) -> None:
        rng = np.random.default_rng([seed, 17])
        self.shape = shape
        rows = examples.functionals
        self._mean, self._scale = rows.mean(axis=0), rows.std(axis=0) + np.float32(1e-6)
        standard = _standard(rows, self._mean, self._scale)
        counts = importance(examples, clean=CLEAN).astype(np.float32)
        self._weights = _weights(standard, examples.emotions, counts)
        if not shape.landmarks:
            self._weights = np.full_like(self._weights, LINEAR)
        standard *= self._weights
        chosen = _chosen(examples, shape.landmarks, rng)
        self._landmarks, self._reach = _rounded(standard[chosen]), shape.width**2 / 2.0 / rows.shape[1]
        goals = np.eye(len(EMOTIONS), dtype=np.float32)[examples.emotions]
        self.speakers = tuple(np.unique(examples.speakers).tolist())
        self._squares: dict[int, Floats] = {}
        self._products: dict[int, Floats] = {}
        for speaker in self.speakers:
            of = examples.speakers == speaker
            features = self._features(standard[of])
            weighted = features * counts[of][:, None]
            self._squares[speaker] = (weighted.T @ features).astype(np.float64)
            self._products[speaker] = (weighted.T @ goals[of]).astype(np.float64)

    def solved(self, *, without: tuple[int, ...] = ()) -> Rowwise:
        """The judge that knows all speakers but these."""
        known = [speaker for speaker in self.speakers if speaker not in without]
        squares = sum((self._squares[speaker] for speaker in known), np.zeros_like(self._squares[known[0]]))
        products = sum((self._products[speaker] for speaker in known), np.zeros_like(self._products[known[0]]))
        size = np.trace(squares) / len(squares)
        if self.shape.landmarks:
            kernel = _features(self._landmarks, self._landmarks, self._reach).astype(np.float64)
            squares[:-1, :-1] += self.shape.penalty * kernel + RIDGE * size * np.eye(len(kernel))
        else:
            squares[:-1, :-1] += self.shape.penalty * size * np.eye(len(squares) - 1)
        # how frequent an emotion is costs nothing
        squares[-1, -1] += 1e-9 * size
        found = np.linalg.solve(squares, products).astype(np.float32)
        return Rowwise(self._mean, self._scale, self._weights, self._landmarks, self._reach, found[:-1], found[-1])

    def _features(self, rows: Features) -> Features:
        found = _features(rows, self._landmarks, self._reach)
        return np.concatenate([found, np.ones((len(rows), 1), np.float32)], axis=1)


def _features(rows: Features, landmarks: Features, reach: float) -> Features:
    """Likeness to each landmark; without any, the rows themselves."""
    if not len(landmarks):
        return rows
    turned = 2 * reach * (rows @ landmarks.T) - reach * (landmarks**2).sum(axis=1)
    return np.asarray(np.exp(turned - reach * (rows**2).sum(axis=1, keepdims=True)), np.float32)


def _rounded(landmarks: Features) -> Features:
    """To so many steps as int8 has: a landmark may lie anywhere, and the file with int8 then loses nothing."""
    if not len(landmarks):
        return landmarks
    step = np.maximum(np.abs(landmarks).max(axis=1, keepdims=True), np.float32(1e-6)) / np.float32(127)
    return np.asarray(np.rint(landmarks / step) * step, np.float32)


def _chosen(examples: Examples, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Utterances as recorded first, then disturbed ones."""
    places = [rng.permutation(np.flatnonzero(of)) for of in (~examples.disturbed, examples.disturbed)]
    return np.sort(np.concatenate(places)[:count])


def _weights(standard: Features, emotions: NDArray[np.int64], counts: Features) -> Features:
    """Of each functional: variance between emotions over variance within them, to a power; one in mean square."""
    means = np.array([
        np.average(standard[emotions == each], axis=0, weights=counts[emotions == each])
        for each in np.unique(emotions)
    ])  # fmt: skip
    own = means[np.searchsorted(np.unique(emotions), emotions)]
    within = np.average((standard - own) ** 2, axis=0, weights=counts)
    ratios = (means.var(axis=0) / (within + 1e-6)) ** WEIGHED
    return np.asarray(ratios / np.sqrt((ratios**2).mean() + 1e-12), np.float32)


def _standard(rows: Features, mean: Features, scale: Features) -> Features:
    return np.asarray(np.clip((rows - mean) / scale, -MOST, MOST), np.float32)
