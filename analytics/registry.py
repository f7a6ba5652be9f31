"""Which analyzer listens to which signal, by name: a module is imported when its first stream comes."""

import importlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from analytics.analyzer import Analyzer, Factory
from analytics.irregular import OnGrid

ANALYZERS: Mapping[str, str] = MappingProxyType(
    {
        "ecg": "analytics.ecg:LiveHeartRate",
        "ppg": "analytics.ppg:LivePulse",
        "respiration": "analytics.respiration:LiveBreath",
        "rgb": "analytics.rppg:LiveCamera",
        "face_motion": "analytics.respiration:LiveEffort",
        "face_scores": "analytics.face:LiveExpression",
        "face_units": "analytics.face:LiveUnits",
    }
)
FACE = (
    "face_neutral", "face_happiness", "face_sadness", "face_surprise", "face_anger", "face_fear", "face_disgust",
    "face_contempt", "face_valence", "face_arousal",
)  # fmt: skip
LIVE_MEASURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ecg": ("heart_rate",),
        "ppg": ("heart_rate",),
        "respiration": ("respiration_rate",),
        "rgb": ("heart_rate",),
        "face_motion": ("respiration_rate",),
        "face_scores": FACE,
        "face_units": FACE,
    }
)
"""What each of them may answer: screens promise this and no more."""
OWN_TIMES: frozenset[str] = frozenset({"rgb", "face_motion", "face_units", "face_scores"})
"""Signals whose analyzers take samples at times of their own. The others are given a grid."""


@cache
def factory(signal: str) -> Factory:
    """The maker of this signal's analyzers; KeyError where nobody listens."""
    module, _, name = ANALYZERS[signal].partition(":")
    made: Factory = getattr(importlib.import_module(module), name)
    return made if signal in OWN_TIMES else _gridded(made)


def _gridded(make: Factory) -> Factory:
    def made(rate: float | None, channels: tuple[str, ...]) -> Analyzer:
        return OnGrid(make, channels) if rate is None else make(rate, channels)

    return made
