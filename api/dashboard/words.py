"""What pages say in words. A kiosk screens, it does not diagnose: sentences state what was measured and no more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from kiosk.measures import MEASURES, Reason
from kiosk.signals import SIGNALS

REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        "too_short": "There is not enough signal for this value.",
        "noisy": "The signal is too disturbed to be read.",
        "flat": "The sensor delivers a flat line. Is it attached?",
        "saturated": "The signal exceeds the sensor's range.",
        "unsuitable_rate": "The signal was recorded too slowly for this value.",
        "impossible": "The computed value is physically impossible and was discarded.",
        "no_face": "No face is in the camera's view.",
        "no_trained_model": "No trained network is installed for this value.",
        "not_delivered": "Part of the recording was not delivered.",
        "analysis_failed": "The analysis of this recording failed.",
        "too_many_corrected": "Too many beats had to be corrected for this value to mean anything.",
        "irregular": "The rhythm is irregular: its variability says nothing about strain or recovery.",
        "insufficient": "There is too little evidence for a statement.",
        "no_reference": "There is nothing to compare with: no earlier sessions, and no norms for this age and sex.",
        "too_dark": "The face is too dark for the camera. More light would help.",
        "moving": "The head moved too much. Please hold still.",
        "too_far": "The face is too far from the camera. Please come closer.",
    }
)
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "face_motion": "camera (head and chest)",
        "face_scores": "camera (networks)",
        "face_units": "camera (landmarks)",
        "rgb": "camera",
    }
)
"""Where a number comes from, where the signal's name is not what people say."""
FACE = (
    *(name for name in MEASURES if name.startswith("face_")),
    "blink_rate", "blink_duration", "perclos", "gaze_aversion", "yawns",
)  # fmt: skip
"""What a camera reads from a face: one group, not a screen full of numbers."""
LIMITS = (
    "An estimate of what the face shows, not of what a person feels. Light, glasses, beard, age and custom change it; "
    "it is not a finding."
)
STATES: Mapping[str, str] = MappingProxyType(
    {
        "live": "Live now",
        "silent": "Open, silent",
        "ended": "Ended",
        "complete": "Closed, complete",
        "partial": "Closed, partial",
    }
)
"""What a session in the list is doing. A closed one is complete or partial."""
SILENT = timedelta(seconds=30)
"""An open session of which nothing was heard for so long is not called live."""
UNITS: Mapping[str, str] = MappingProxyType(
    {"1": "", "mm[Hg]": "mmHg", "Cel": "°C", "Cel/min": "°C/min", "ms2": "ms²", "uV": "µV", "uS": "µS"}
)
"""How people write a UCUM unit, where that differs."""


def unit(ucum: str) -> str:
    """A unit as people write it."""
    return UNITS.get(ucum, ucum)


def state_of(state: str, outcome: str | None, last_seen: datetime, now: datetime) -> str:
    """Which of STATES a session is in."""
    if state == "open":
        return "live" if now - last_seen < SILENT else "silent"
    return outcome or state


def duration(seconds: float) -> str:
    """Hours only where there are any: 2:05, 1:02:05."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def catalogue() -> Mapping[str, object]:
    """What scripts need of the words, so that these have one home."""
    return {
        "measures": {
            m.name: {"title": m.title, "unit": unit(m.unit), "decimals": m.decimals} for m in MEASURES.values()
        },
        "signals": {s.name: {"title": s.title, "unit": unit(s.unit)} for s in SIGNALS.values() if s.leaves},
        "reasons": dict(REASONS),
        "sources": dict(SOURCES),
        "face": {"measures": list(FACE), "limits": LIMITS},
        "states": dict(STATES),
        "silent": SILENT.total_seconds(),
    }
