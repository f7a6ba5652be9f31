"""Electrocardiogram: R peaks of a whole stretch, and the heart rate of a stream as it comes."""

from analytics.ecg.live import LiveHeartRate, recent_beats
from analytics.ecg.peaks import Beats, beats, r_peaks
from analytics.ecg.trust import trust

__all__ = ["Beats", "LiveHeartRate", "beats", "r_peaks", "recent_beats", "trust"]
