"""Stress from any of pulse, sweat, skin temperature and motion by a network that imagines the rest: an option."""

from analytics.fusion_learned.features import FEATURES, MODALITIES, Signals, values
from analytics.fusion_learned.network import IS_DEFAULT, METHOD, NETWORK, LearnedFusion, Opinion
from analytics.fusion_learned.reference import Deviations, Reference, deviations, reference

__all__ = [
    "FEATURES",
    "IS_DEFAULT",
    "METHOD",
    "MODALITIES",
    "NETWORK",
    "Deviations",
    "LearnedFusion",
    "Opinion",
    "Reference",
    "Signals",
    "deviations",
    "reference",
    "values",
]
