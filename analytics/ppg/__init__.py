"""Photoplethysmogram: pulses of finger, wrist and camera in a whole record, and the rate of a stream as it comes."""

from analytics.ppg.live import LivePulse
from analytics.ppg.points import onsets, peaks
from analytics.ppg.record import METHOD, beats
from analytics.ppg.upstroke import Pulses, pulses

__all__ = ["METHOD", "LivePulse", "Pulses", "beats", "onsets", "peaks", "pulses"]
