"""Action units -> expressions, valence and arousal, by rules that can be read: no weights, nothing learnt.

How often each expression shows each unit is published: Du, Tao & Martinez 2014 (PNAS 111:E1454, DOI
10.1073/pnas.1322355111, table 1: consistent units, those of more than 70 % of people, are .9 here; the others as
printed) and, for parted lips, dropped jaws and raised lids, the share of variants in which the coding manual has them
(Ekman, Friesen & Hager 2002, Investigator's Guide, table 10-2). Landmarks see a unit that is there only so often, and
see some that are not: the table below. From these the probability of an expression follows by Bayes with equal priors
and units independent of each other.

Valence and arousal are the probabilities' mean of where people put the words (Russell & Mehrabian 1977, DOI
10.1016/0092-6566(77)90037-X).

An expression is what a face shows, not what a person feels (Barrett et al. 2019, DOI 10.1177/1529100619832930).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from analytics.face.words import BASIC, Floats
from kiosk.signals import UNIT_CHANNELS

SHOWN: Final[Mapping[str, Mapping[int, float]]] = MappingProxyType(
    {
        "neutral": {25: 0.2},  # people speak
        "happiness": {12: 0.9, 25: 0.9, 6: 0.51},
        "sadness": {4: 0.9, 15: 0.9, 17: 0.67, 1: 0.6, 6: 0.5, 25: 0.3, 26: 0.2},
        "surprise": {1: 0.9, 2: 0.9, 25: 0.9, 26: 0.9, 5: 0.66},
        "anger": {4: 0.9, 7: 0.9, 24: 0.9, 17: 0.52, 5: 0.5, 25: 0.45, 26: 0.3, 23: 0.29, 10: 0.26},
        "fear": {1: 0.9, 4: 0.9, 20: 0.9, 25: 0.9, 5: 0.63, 2: 0.57, 26: 0.33},
        "disgust": {9: 0.9, 10: 0.9, 17: 0.9, 25: 0.4, 4: 0.31, 26: 0.3, 24: 0.26},
    }
)
"""The share of people who show a unit."""
ELSEWHERE = 0.05
"""Of people who show one that does not belong to the expression."""
SEEN_BEST, SEEN, SEEN_COARSELY = 0.9, 0.7, 0.35
"""How often landmarks see a unit that is there..."""
IMAGINED = 0.1
"""... and one that is not. Orders of magnitude (furrows and bulges are no landmarks), set on one half of the people of
the evaluation among a few pairs of round numbers."""
BEST: Final = (12, 25)
COARSE: Final = (4, 7, 9, 10, 14, 17, 23, 24)
FULL = 2.0
"""Intensity (B of A to E, "slight" but plain) from which a unit counts as shown; less counts in part."""
PLACES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "neutral": (0.0, 0.0),
        "happiness": (0.81, 0.51),
        "sadness": (-0.63, -0.27),
        "surprise": (0.40, 0.67),
        "anger": (-0.51, 0.59),
        "fear": (-0.64, 0.60),
        "disgust": (-0.60, 0.35),
    }
)
"""Valence and arousal of the words."""

_NUMBERS: Final = tuple(int(channel[2:]) for channel in UNIT_CHANNELS)
_USED: Final = np.array([number != 43 for number in _NUMBERS])
"""Closed eyes are tiredness or a blink."""


def _expected() -> Floats:
    """(expressions, units): how often landmarks show each unit."""
    shown = np.array([[SHOWN[name].get(number, ELSEWHERE) for number in _NUMBERS] for name in BASIC])
    seen = np.array(
        [SEEN_BEST if each in BEST else SEEN_COARSELY if each in COARSE else SEEN for each in _NUMBERS],
        dtype=np.float64,
    )
    return np.asarray((seen * shown + IMAGINED * (1.0 - shown))[:, _USED])


_EXPECTED: Final = _expected()
_COORDINATES: Final = np.array([PLACES[name] for name in BASIC])


def expressions(units: Floats) -> Floats:
    """(n, 7) probabilities of `BASIC` from (n, units) intensities; a row with a missing unit is NaN."""
    there = np.clip(np.asarray(units, dtype=np.float64)[:, _USED] / FULL, 0.0, 1.0)
    logs = there @ np.log(_EXPECTED).T + (1.0 - there) @ np.log(1.0 - _EXPECTED).T
    odds = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def valence_arousal(probabilities: Floats) -> Floats:
    """(n, 2) from (n, 7) probabilities of `BASIC`."""
    return np.asarray(probabilities @ _COORDINATES)
