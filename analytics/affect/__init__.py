"""Valence and arousal from an ECG and an EEG, as far as an operator's own network (`affect_own`) tells them."""

from analytics.affect.ecg import ECG_FEATURES, ecg_values
from analytics.affect.eeg import CHANNELS, EEG_FEATURES, eeg_values
from analytics.affect.opinion import METHODS, NETWORK, AffectNetwork, Opinion, opinion
from analytics.affect.record import answer, findings

__all__ = [
    "CHANNELS",
    "ECG_FEATURES",
    "EEG_FEATURES",
    "METHODS",
    "NETWORK",
    "AffectNetwork",
    "Opinion",
    "answer",
    "ecg_values",
    "eeg_values",
    "findings",
    "opinion",
]
