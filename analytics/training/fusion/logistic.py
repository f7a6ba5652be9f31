"""Logistic regression with a ridge, and Platt's two numbers: Newton's method in a few lines, the same everywhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = 1.0
"""Weight of the squared coefficients of standardised features, as in scikit-learn's default C = 1."""
STEPS = 50
SURE = 12.0
"""Logit beyond which nobody is surer."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted model."""

    centre: Floats
    scale: Floats
    weights: Floats
    offset: float

    def logit(self, features: Floats) -> Floats:
        """Evidence for the label 1."""
        told = (features - self.centre) / self.scale @ self.weights + self.offset
        return np.asarray(np.clip(told, -SURE, SURE))


def fitted(features: Floats, labels: Floats, *, ridge: float = RIDGE) -> Logistic:
    """Of standardised features; centre and scale are of these rows alone. The offset is not held back."""
    if not len(features):
        # nobody showed it: it tells nothing
        return Logistic(np.zeros(features.shape[1]), np.ones(features.shape[1]), np.zeros(features.shape[1]), 0.0)
    centre = features.mean(axis=0)
    scale = np.maximum(features.std(axis=0), 1e-6)
    x = np.column_stack([(features - centre) / scale, np.ones(len(features))])
    held = np.append(np.full(features.shape[1], ridge), 1e-6)
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        told = share(x @ weights)
        slope = x.T @ (told - labels) + held * weights
        curve = (x * (told * (1.0 - told))[:, None]).T @ x + np.diag(held)
        step = np.linalg.solve(curve, slope)
        # where classes are apart, whole steps overshoot
        weights = weights - step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-9:
            break
    return Logistic(centre, scale, weights[:-1], float(weights[-1]))


@dataclass(frozen=True, slots=True)
class Platt:
    """What turns a logit into one that can be believed (Platt 1999): slope and offset."""

    slope: float
    offset: float

    def logit(self, told: Floats) -> Floats:
        """The calibrated one."""
        return np.asarray(np.clip(self.slope * told + self.offset, -SURE, SURE))


def calibrated(told: Floats, labels: Floats) -> Platt:
    """From logits of rows that their model had not learnt from; never turned round: a slope below 0 is chance."""
    if len(np.unique(labels)) < 2:
        return Platt(0.0, prior(labels))
    # Platt's targets: nobody is certain after so few examples
    ones = float(labels.sum())
    targets = np.where(labels > 0, (ones + 1.0) / (ones + 2.0), 1.0 / (len(labels) - ones + 2.0))
    model = fitted(told[:, None], targets, ridge=1e-3)
    slope = float(model.weights[0] / model.scale[0])
    if slope <= 0:
        return Platt(0.0, prior(labels))
    return Platt(slope, model.offset - slope * float(model.centre[0]))


def prior(labels: Floats) -> float:
    """The logit of the share of ones, a little away from certainty."""
    ones = float(labels.sum())
    return float(np.log((ones + 0.5) / (len(labels) - ones + 0.5)))


def share(logit: Floats) -> Floats:
    """Logits as probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))
