"""Three classifiers of one shape - linear layers - so that each can be written as ONNX: logistic, linear SVM, network.

All that a pipeline knows, its centre and scale too, comes from the rows that it is given to learn from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from analytics.training.fusion.logistic import Platt, calibrated, fitted, prior

Floats = NDArray[np.float64]
Kind = Literal["logistic", "svm", "network"]

KINDS: tuple[Kind, ...] = ("logistic", "svm", "network")
RIDGE = 10.0
"""Of the logistic regression: sixty features and some hundred rows need more than scikit-learn's default of 1."""
COST = 0.01
"""Of the support vector machine's errors (C), for the same reason."""
HIDDEN, STEPS, RATE, DECAY, DROPOUT = 16, 150, 1e-2, 1e-1, 0.3
"""Of the network: neurons, whole batches, and AdamW's numbers. Fixed; nothing here was tuned on anybody's ratings."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Linear layers with ReLU in between; the first standardises."""

    layers: tuple[tuple[Floats, Floats], ...]

    def score(self, features: Floats) -> Floats:
        """Above 0 is high."""
        x = features
        for place, (weight, bias) in enumerate(self.layers):
            x = (x if place == 0 else np.maximum(x, 0.0)) @ weight.T + bias
        return np.asarray(x[:, 0])


Fit = Callable[[Floats, Floats], Scorer]


@dataclass(frozen=True, slots=True)
class Head:
    """A scorer with Platt's numbers in its last layer: its scores are logits."""

    scorer: Scorer

    def logit(self, features: Floats) -> Floats:
        """Of high."""
        return self.scorer.score(features)


def fit(kind: Kind, features: Floats, labels: Floats, *, seed: int = 0) -> Scorer:
    """One of KINDS. Where there is one label alone, its prior."""
    if len(np.unique(labels)) < 2:
        return Scorer(((np.zeros((1, features.shape[1])), np.array([prior(labels)])),))
    centre = features.mean(axis=0)
    scale = np.maximum(features.std(axis=0), 1e-6)
    x = (features - centre) / scale
    layers = {"logistic": _logistic, "svm": _svm, "network": _network}[kind](x, labels, seed)
    weight, bias = layers[0]
    first = weight / scale
    return Scorer(((first, bias - first @ centre), *layers[1:]))


def calibrated_head(
    kind: Kind, features: Floats, labels: Floats, groups: NDArray[np.int64], *, folds: int = 5, seed: int = 0
) -> Head:
    """Fitted on all rows; calibrated on groups (people or films) that its like had not learnt from."""
    names = np.unique(groups)
    told = np.empty(len(labels))
    for place in range(min(folds, len(names))):
        out = np.isin(groups, names[place :: min(folds, len(names))])
        told[out] = fit(kind, features[~out], labels[~out], seed=seed).score(features[out])
    return Head(_with(fit(kind, features, labels, seed=seed), calibrated(told, labels)))


def _with(scorer: Scorer, platt: Platt) -> Scorer:
    weight, bias = scorer.layers[-1]
    return Scorer((*scorer.layers[:-1], (platt.slope * weight, platt.slope * bias + platt.offset)))


def _logistic(x: Floats, labels: Floats, seed: int) -> tuple[tuple[Floats, Floats], ...]:
    found = fitted(x, labels, ridge=RIDGE)
    weight = found.weights / found.scale
    return ((weight[None], np.array([found.offset - weight @ found.centre])),)


def _svm(x: Floats, labels: Floats, seed: int) -> tuple[tuple[Floats, Floats], ...]:
    """Linear, with the squared hinge (Fan et al. 2008, LIBLINEAR)."""
    sign = 2.0 * labels - 1.0

    def loss(both: Floats) -> tuple[float, Floats]:
        weight, bias = both[:-1], both[-1]
        short = np.maximum(0.0, 1.0 - sign * (x @ weight + bias))
        pull = -2.0 * COST * short * sign
        return (
            float(0.5 * weight @ weight + COST * (short**2).sum()),
            np.append(weight + x.T @ pull, pull.sum()),
        )

    found = optimize.minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return ((np.asarray(found[:-1])[None], np.asarray(found[-1:])),)


def _network(x: Floats, labels: Floats, seed: int) -> tuple[tuple[Floats, Floats], ...]:
    import torch
    from torch import nn

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            one, two = nn.Linear(x.shape[1], HIDDEN), nn.Linear(HIDDEN, 1)
            model = nn.Sequential(nn.Dropout(DROPOUT), one, nn.ReLU(), two)
            optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
            rows, goal = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(labels.astype(np.float32))
            for _ in range(STEPS):
                error = nn.functional.binary_cross_entropy_with_logits(model(rows)[:, 0], goal)
                optimizer.zero_grad()
                error.backward()  # type: ignore[no-untyped-call, unused-ignore]
                optimizer.step()
    finally:
        torch.set_num_threads(before)
    return tuple(
        (each.weight.detach().numpy().astype(np.float64), each.bias.detach().numpy().astype(np.float64))
        for each in (one, two)
    )
