"""Second opinions on the beats of a record: the detectors of neurokit2 and heartpy."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analytics.opinions import asked
from analytics.ppg.wave import Wave

Floats = NDArray[np.float64]

PIECE = 120.0
"""Seconds given to another detector at once: heartpy has one threshold for all it gets."""


def neurokit_beats(wave: Wave) -> Floats | None:
    """Upstrokes in seconds before the systolic peaks of Elgendi et al. 2013 (doi:10.1371/journal.pone.0076585)."""

    def peaks(volume: Floats, rate: float) -> Floats:
        import neurokit2

        return np.asarray(neurokit2.ppg_findpeaks(volume, sampling_rate=round(rate))["PPG_Peaks"], dtype=np.float64)

    return _upstrokes(wave, peaks)


def heartpy_beats(wave: Wave) -> Floats | None:
    """Upstrokes before the peaks over an adaptive moving average (van Gent et al. 2019, doi:10.5334/jors.241)."""

    def peaks(volume: Floats, rate: float) -> Floats:
        import heartpy

        working, _ = heartpy.process(volume, rate, clean_rr=False)
        return np.setdiff1d(working["peaklist"], working["removed_beats"]).astype(np.float64)

    return _upstrokes(wave, peaks)


def _upstrokes(wave: Wave, peaks: Callable[[Floats, float], Floats]) -> Floats | None:
    """Where the slope is greatest in the 0.4 s before each peak; None where the detector failed."""
    found = asked(peaks, wave.volume, wave.rate, piece=PIECE)
    if found is None:
        return None
    tops = np.rint(found).astype(np.intp)
    places = np.clip(tops[:, None] + np.arange(-round(0.4 * wave.rate), 1), 0, len(wave.slope) - 1)
    return np.unique(places[np.arange(len(tops)), np.argmax(wave.slope[places], axis=1)]) / wave.rate
