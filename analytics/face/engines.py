"""Several engines look at one face: what they say together.

A logarithmic pool: the weighted geometric mean of their probabilities (Genest & Zidek 1986, DOI
10.1214/ss/1177013825), which no single engine's certainty can overrule. Equal priors: a screening kiosk expects no
expression more than another. Dividing by the shares of classes in the training data, where these are published
(FER2013), gained nothing on the half of the evaluation that choices were made on, and is left out. Contempt comes
from the engines that know it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from analytics.face.words import AXES, BASIC, EXPRESSIONS, Floats

WEIGHTS: Final = (("emotieffnet", 2.0), ("faceapi", 1.0), ("mini_xception", 0.5))
"""Of networks, by their published accuracy: EmotiEffNet .61 to .63 of eight classes on AffectNet (Savchenko 2022, DOI
10.1109/TAFFC.2022.3188390), mini_XCEPTION .66 of seven on the smaller and easier FER2013 (Arriaga 2017,
arXiv:1710.07557); face-api.js publishes none and stands between. Round numbers; the pool hardly depends on them."""
RULES_WEIGHT = 0.25
"""Rules see landmarks only."""
OTHER_WEIGHT = 0.5
"""Of a network that nobody compared yet."""
ROUNDED = 0.41
"""By which eight probabilities in tenths may miss one."""
LEAST = 1e-3
"""The smallest probability that an engine may claim: it is wrong more often than that."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What one engine says of each picture: (n, 8) probabilities, NaN contempt where it knows none; (n, 2) axes."""

    name: str
    weight: float
    probabilities: Floats
    axes: Floats | None = None


def of_scores(channels: tuple[str, ...], samples: Floats) -> tuple[Engine, ...]:
    """The networks behind a stream of `face_scores`; channels that no rule explains are left out."""
    columns: dict[str, dict[str, int]] = {}
    for column, channel in enumerate(channels):
        name, _, label = channel.rpartition(".")
        columns.setdefault(name, {})[label] = column
    engines = []
    for name, places in columns.items():
        if not set(BASIC) <= set(places):
            continue
        rows = np.full((len(samples), len(EXPRESSIONS)), np.nan)
        for index, label in enumerate(EXPRESSIONS):
            if label in places:
                rows[:, index] = samples[:, places[label]]
        axes = np.clip(samples[:, [places[axis] for axis in AXES]], -1.0, 1.0) if set(AXES) <= set(places) else None
        engines.append(Engine(name, _weight(name), _proper(rows), axes))
    return tuple(engines)


def of_rules(basic: Floats) -> Engine:
    """The rules as an engine, from probabilities of `BASIC`."""
    return Engine("facs", RULES_WEIGHT, _proper(np.column_stack((basic, np.full(len(basic), np.nan)))))


def pooled(engines: tuple[Engine, ...]) -> Floats:
    """(n, 8) probabilities: without a word on a picture an engine is left out; NaN contempt where nobody knows it."""
    rows = len(engines[0].probabilities) if engines else 0
    logs, weights = np.zeros((rows, len(BASIC))), np.zeros(rows)
    contempt, knowing = np.zeros(rows), np.zeros(rows)
    for engine in engines:
        says = np.isfinite(engine.probabilities[:, 0])
        basic = engine.probabilities[:, :-1]
        basic = np.maximum(basic / basic.sum(axis=1, keepdims=True), LEAST)
        weight = np.where(says, engine.weight, 0.0)
        logs = logs + weight[:, None] * np.where(says[:, None], np.log(basic), 0.0)
        weights = weights + weight
        knows = np.where(np.isfinite(engine.probabilities[:, -1]), weight, 0.0)
        contempt = contempt + knows * np.nan_to_num(engine.probabilities[:, -1])
        knowing = knowing + knows
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = logs / weights[:, None]
        odds = np.exp(mean - mean.max(axis=1, keepdims=True))
        basic = odds / odds.sum(axis=1, keepdims=True)
        share = np.where(knowing > 0, contempt / knowing, np.nan)
    # an engine that does not know contempt calls it something else: the others share what is left
    left = 1.0 - np.nan_to_num(share)
    return np.column_stack((basic * left[:, None], share))


def _weight(name: str) -> float:
    return next((weight for family, weight in WEIGHTS if name.startswith(family)), OTHER_WEIGHT)


def _proper(rows: Floats) -> Floats:
    """Rows that are no probabilities say nothing."""
    basic = rows[:, :-1]
    with np.errstate(invalid="ignore"):
        total = np.nansum(rows, axis=1)
        good = np.isfinite(basic).all(axis=1) & (basic >= -1e-3).all(axis=1) & (np.abs(total - 1.0) < ROUNDED)
        out = np.clip(rows, 0.0, 1.0) / total[:, None]
    out[~good] = np.nan
    return np.asarray(np.minimum(out, 1.0))
