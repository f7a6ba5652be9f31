"""Which analyzer listens to which signal, by name: a module is imported when its first stream comes."""

import importlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from analytics.analyzer import Analyzer, Factory
from analytics.irregular import OnGrid
from kiosk.measures import BANDS, EXPRESSIONS, VOICE_EMOTIONS

ANALYZERS: Mapping[str, str] = MappingProxyType(
    {
        "ecg": "analytics.ecg:LiveHeartRate",
        "eeg": "analytics.eeg:LiveEeg",
        "ppg": "analytics.ppg:LivePulse",
        "respiration": "analytics.respiration:LiveBreath",
        "rgb": "analytics.rppg:LiveCamera",
        "face_motion": "analytics.respiration:LiveEffort",
        "face_scores": "analytics.face:LiveExpression",
        "face_units": "analytics.face:LiveUnits",
        "voice_functionals": "analytics.voice:LiveVoice",
        "voice_scores": "analytics.voice:LiveEmotion",
    }
)
FACE = (
    "face_neutral", "face_happiness", "face_sadness", "face_surprise", "face_anger", "face_fear", "face_disgust",
    "face_contempt", "face_valence", "face_arousal",
)  # fmt: skip
EEG = (
    *(f"eeg_{band}" for band in BANDS), *(f"eeg_{band}_relative" for band in BANDS),
    "eeg_alpha_peak", "eeg_asymmetry", "eeg_engagement", "eeg_slowing",
)  # fmt: skip
VOICE = (
    "speech_share", "speech_rate", "speech_pause", "vocal_effort", "voice_pitch", "voice_pitch_range", "voice_jitter",
    "voice_shimmer", "voice_hnr",
)  # fmt: skip
LIVE_MEASURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ecg": ("heart_rate",),
        "eeg": EEG,
        "ppg": ("heart_rate",),
        "respiration": ("respiration_rate",),
        "rgb": ("heart_rate",),
        "face_motion": ("respiration_rate",),
        "face_scores": FACE,
        "face_units": FACE,
        "voice_functionals": VOICE,
        "voice_scores": (*(f"voice_{name}" for name in VOICE_EMOTIONS), "voice_valence", "voice_arousal"),
    }
)
"""What each of them may answer: screens promise this and no more."""
FUSED = ("arousal", "valence", *(f"emotion_{name}" for name in EXPRESSIONS))
"""What the router tells of all streams of a session together (`analytics/fusion/live.py`)."""
OWN_TIMES: frozenset[str] = frozenset(
    {"rgb", "face_motion", "face_units", "face_scores", "voice_functionals", "voice_scores"}
)
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
