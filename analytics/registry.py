"""Which analyzer listens to which signal, by name: a module is imported when its first stream comes."""

import importlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from analytics.analyzer import Factory

ANALYZERS: Mapping[str, str] = MappingProxyType(
    {
        "ecg": "analytics.ecg:LiveHeartRate",
        "ppg": "analytics.ppg:LivePulse",
        "respiration": "analytics.respiration:LiveBreath",
    }
)
LIVE_MEASURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ecg": ("heart_rate",), "ppg": ("heart_rate",), "respiration": ("respiration_rate",)}
)
"""What each of them answers: screens promise this and no more."""


@cache
def factory(signal: str) -> Factory:
    """The maker of this signal's analyzers; KeyError where nobody listens."""
    module, _, name = ANALYZERS[signal].partition(":")
    made: Factory = getattr(importlib.import_module(module), name)
    return made
