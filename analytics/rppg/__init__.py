"""Heart rate, its variability and breath from the colour of the skin (remote photoplethysmography)."""

from analytics.rppg.live import LiveCamera
from analytics.rppg.methods import chrom, pos
from analytics.rppg.record import METHOD, Pulse, as_track, beats, heart_rate, pulse

__all__ = ["METHOD", "LiveCamera", "Pulse", "as_track", "beats", "chrom", "heart_rate", "pos", "pulse"]
