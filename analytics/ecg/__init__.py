"""Electrocardiogram: R peaks of a whole stretch, and the heart rate of a stream as it comes."""

from analytics.ecg.detector import Detector
from analytics.ecg.live import LiveHeartRate
from analytics.ecg.peaks import Beats, beats, r_peaks
from analytics.ecg.trust import trust

__all__ = ["Beats", "Detector", "LiveHeartRate", "beats", "r_peaks", "trust"]
