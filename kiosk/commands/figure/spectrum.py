"""The density behind the powers of the bands: the same windows, trends and estimators as the numbers."""

from dataclasses import dataclass

import numpy as np

from analytics.beats import Intervals
from analytics.hrv.spectrum import HF, LF, SQUARE_MILLISECONDS, VLF, lomb_scargle, welch
from analytics.hrv.windows import split
from kiosk.commands.figure.waves import Floats

BANDS = (("VLF", VLF), ("LF", LF), ("HF", HF))
SHORTEST = 2 / LF[0]
"""Seconds of intervals below which no band can be told from another."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Density over frequency, the mean over the windows of a long recording."""

    frequencies: Floats
    density: Floats
    """ms2/Hz."""
    method: str


def spectrum(used: Intervals) -> Spectrum | None:
    """The spectrum of intervals in seconds; None where they are too few."""
    parts = [_density(part) for part in split(used) if len(part.values) >= 4 and part.values.sum() >= SHORTEST]
    if not parts:
        return None
    frequencies = parts[0].frequencies
    method = "Welch" if all(part.method == "Welch" for part in parts) else "Lomb-Scargle"
    if len(parts) > 1:
        method += f", mean of {len(parts)} windows"
    return Spectrum(frequencies, np.mean([part.density for part in parts], axis=0), method)


def _density(used: Intervals) -> Spectrum:
    if not used.follows[1:].all():
        frequencies, density = lomb_scargle(used.ends, used.values)
        return Spectrum(frequencies, density * SQUARE_MILLISECONDS, "Lomb-Scargle")
    frequencies, flat = welch(used.ends, used.values)
    _, slow = welch(used.ends, used.values, smoothness=None)
    within = (frequencies >= VLF[0]) & (frequencies < HF[1])
    # smoothness priors take VLF away, and so its power is that of the series without them
    density = np.where(frequencies < VLF[1], slow, flat)
    return Spectrum(frequencies[within], density[within] * SQUARE_MILLISECONDS, "Welch")
