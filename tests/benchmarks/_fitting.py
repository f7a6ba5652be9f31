"""Fitting the laws of doubt: weights that minimise the mean interval score, on one part of the hearts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, minimize

from analytics.beats import Flags, Floats
from analytics.doubt.laws import LAWS
from analytics.doubt.traits import NAMES, traits
from tests.benchmarks._hearts import real, simulated
from tests.benchmarks._windows import Case, cases, error, spoilt

LENGTHS = (30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0)
MODELS = 800
"""Simulated hearts."""
REAL_SHARE = 1 / 3
"""Of all weight, what the real hearts have; each recording as much as another, however long."""
TAIL = 0.015
"""To either side, what may lie beyond. Less than the 0.025 that it shall be, for among hearts not fitted on it is more:
with it no source that was fitted on is held in less than 94 % at any of these lengths."""
HELD_AT = (30.0, 60.0, 120.0)
RIDGE = 1e-4
SMOOTH = (0.1, 0.03, 0.01)
"""Widths of the pinball's rounded corner, in turn."""
LEAST_GROWTH = (0.1, 0.0)
"""Of `rest` and `length`: the reach grows as the window shrinks, and vanishes as it becomes the whole."""
SHAPE = 3
"""Traits that the window's length alone makes."""
FREE = 9.0
"""A border where there is none."""
DERIVED = ("heart_rate", "sdsd", "sd1")
"""They have the law of another."""
SHARES = (0.01, 0.02, 0.04)
"""Of the beats, missed, invented or early."""
POWERS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def fitted_cases(folder: Path) -> tuple[list[Case], Floats]:
    """Windows to fit on, and their weights."""
    model = [case for seed in range(MODELS) for case in cases(simulated(seed), LENGTHS, seed=seed, step=600.0)]
    hearts = [heart for heart in real(folder) if heart.fitted]
    groups = [list(cases(heart, LENGTHS, seed=seed, each=2)) for seed, heart in enumerate(hearts)]
    share = [np.full(len(group), 1.0 / len(group)) for group in groups]
    weight = np.concatenate(share)
    weight *= REAL_SHARE / weight.sum()
    chosen = model + [case for group in groups for case in group]
    return chosen, np.concatenate((np.full(len(model), (1.0 - REAL_SHARE) / len(model)), weight))


def spoilt_cases(folder: Path) -> list[Case]:
    """Whole five minutes with beats missed, invented and early, and corrected."""
    whole = [case for seed in range(100) for case in cases(simulated(seed, 320.0), (300.0,), seed=seed, each=0)]
    for seed, heart in enumerate(heart for heart in real(folder) if heart.fitted):
        whole += list(cases(heart, (300.0,), seed=seed, each=0, step=300.0))
    whole = [case for case in whole if case.truth.follows[1:].all()]
    return [spoilt(case, share, index) for index, case in enumerate(whole) for share in SHARES]


def laws(folder: Path) -> Iterator[str]:
    """The constants of analytics/doubt/laws.py."""
    chosen, weight = fitted_cases(folder)
    found = [traits(case.window, case.seconds) for case in chosen]
    told = np.array([each is not None for each in found])
    chosen, weight = [case for case, tells in zip(chosen, told, strict=True) if tells], weight[told]
    seen = np.array([each for each in found if each is not None])
    border = np.quantile(seen, (0.005, 0.995), axis=0)
    # how much of the five minutes a window is has no border
    border[:, :SHAPE] = (-FREE,), (FREE,)
    seen = np.clip(seen, *border)
    spoiled = spoilt_cases(folder)
    yield f"RANGE = ({_written(border)})"
    for measure, law in LAWS.items():
        if measure in DERIVED:
            continue
        errors = np.array([_known(error(measure, case)) for case in chosen])
        known = np.isfinite(errors)
        errors, told, owners = (
            errors[known],
            seen[known],
            [case for case, yes in zip(chosen, known, strict=True) if yes],
        )
        below, above = (_weights(told, sign * errors, weight[known]) for sign in (-1.0, 1.0))
        worst = _worst(owners, (errors >= -np.exp(told @ below)) & (errors <= np.exp(told @ above)))
        rest = [(case.source == "model", case.corrected, error(measure, case)) for case in spoiled if case.corrected]
        yield f"# {measure}: at worst {worst:.1%} of a source and length that it was fitted on"
        limits = f"{law.shortest}, {law.coarsest}, {law.most_corrected}"
        yield f'"{measure}": Law("{law.kind}", {limits}, {_written(np.array((below, above)))}, {_repair(rest)}),'


def _worst(owners: list[Case], hits: Flags) -> float:
    """The least coverage of a source at a length."""
    groups: defaultdict[tuple[str, float], list[bool]] = defaultdict(list)
    for case, hit in zip(owners, hits.tolist(), strict=True):
        if case.seconds in HELD_AT:
            groups[case.source, case.seconds].append(hit)
    return min(float(np.mean(group)) for group in groups.values())


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def _weights(seen: Floats, errors: Floats, weight: Floats) -> Floats:
    """Weights whose reach has the least pinball loss against errors to one side: a quantile."""
    lower = np.full(len(NAMES), -np.inf)
    lower[[NAMES.index("rest"), NAMES.index("length")]] = LEAST_GROWTH
    weight = weight / weight.sum()

    def loss(weights: Floats, width: float) -> tuple[float, Floats]:
        far = np.exp(np.clip(seen @ weights, -8.0, 4.0))
        over = (errors - far) / width
        pinball = (-TAIL * over + np.logaddexp(0.0, over)) * width
        slope = -(-TAIL + 0.5 * (1.0 + np.tanh(0.5 * over))) * far * weight
        return float(weight @ pinball) + RIDGE * float(weights[1:] @ weights[1:]), np.asarray(
            slope @ seen + 2.0 * RIDGE * np.concatenate(([0.0], weights[1:]))
        )

    weights = np.zeros(len(NAMES))
    weights[:3] = np.log(0.3), 0.4, 0.4
    for width in SMOOTH:
        weights = minimize(
            loss, weights, (width,), jac=True, method="L-BFGS-B", bounds=Bounds(lower), options={"maxiter": 2000}
        ).x
    return np.asarray(weights)


def _repair(rest: Iterable[tuple[bool, float, float | None]]) -> tuple[float, float, float]:
    """Reach below and above, and the power of the share, with the least score; simulated and real hearts both hold."""
    simulated, share, errors = np.array([(model, share, off) for model, share, off in rest if off is not None]).T
    groups = (simulated == 1.0, simulated == 0.0)
    best: tuple[float, ...] = (np.inf,)
    for power in POWERS:
        grown = share**power
        ways = [np.maximum(sign * errors, 0.0) for sign in (-1.0, 1.0)]
        sides = [max(float(np.quantile((way / grown)[group], 1.0 - TAIL)) for group in groups) for way in ways]
        score = sum(
            float(np.mean(side * grown + np.maximum(way - side * grown, 0.0) / TAIL))
            for side, way in zip(sides, ways, strict=True)
        )
        best = min(best, (float(score), *sides, power))
    return round(best[1], 3), round(best[2], 3), best[3]


def _written(rows: Floats) -> str:
    return ", ".join("(" + ", ".join(f"{each:.3g}" for each in row) + ")" for row in rows)
