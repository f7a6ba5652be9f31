"""Respiration rate: from a belt, from the beats of an ECG or a PPG, from a camera, from all together, and live."""

from analytics.respiration.belt import breaths, from_belt
from analytics.respiration.camera import from_motion, from_skin
from analytics.respiration.ecg import from_ecg
from analytics.respiration.effort import LiveEffort
from analytics.respiration.fusion import fused
from analytics.respiration.live import LiveBreath
from analytics.respiration.ppg import from_ppg

__all__ = [
    "LiveBreath",
    "LiveEffort",
    "breaths",
    "from_belt",
    "from_ecg",
    "from_motion",
    "from_ppg",
    "from_skin",
    "fused",
]
