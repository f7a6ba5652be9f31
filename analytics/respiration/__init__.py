"""Respiration rate: from a belt, from the beats of an ECG or a PPG, from all of them together, and live."""

from analytics.respiration.belt import breaths, from_belt
from analytics.respiration.ecg import from_ecg
from analytics.respiration.fusion import fused
from analytics.respiration.live import LiveBreath
from analytics.respiration.ppg import from_ppg

__all__ = ["LiveBreath", "breaths", "from_belt", "from_ecg", "from_ppg", "fused"]
