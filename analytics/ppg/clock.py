"""Camera frames: taken by an even clock, delivered with jitter. Which of the two clocks a track has, its wave tells."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics import filters
from analytics.resample import regular
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]

FRAMES = 8.0
"""Frames (SD of the Gaussian) over which the clock is evened: delays are forgotten, drift is kept."""
ROUGH, PULSE = (6.0, 14.0), (0.7, 4.0)
"""Hertz: where a wrong time shows as roughness, and what it is measured against."""
SMOOTHER = 0.97
"""Share of the roughness that evening must bring it to. Of seven phones' recordings it brought two to 0.90 and 0.94,
three stayed within 0.01 of 1, and two became rougher by 0.06 and 0.09: those had lost frames."""
FINE = 100.0
"""Hertz of the grid on which that is measured."""
FEWEST = 100
"""Frames of which a clock can be known."""


def steadied(track: Track) -> Track:
    """The track at evened times where its wave is the smoother for it, else as it came."""
    if track.rate is not None or len(track.times) < FEWEST:
        return track
    evened = Track(track.signal, track.device, track.channels, None, _evened(track.times), track.samples)
    return evened if _roughness(evened) < SMOOTHER * _roughness(track) else track


def _evened(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same number of strictly rising times, each close to where its neighbours say that it should be."""
    seconds = (times - times[0]) / SECOND
    index = np.arange(len(times))
    line = np.polyval(np.polyfit(index, seconds, 1), index)
    even = line + ndimage.gaussian_filter1d(seconds - line, FRAMES, mode="nearest")
    whole = np.rint(np.maximum.accumulate(even) * SECOND).astype(np.int64)
    # a stall may make two equal: one nanosecond apart is enough to be in order
    return np.asarray(times[0] + np.maximum.accumulate(whole - index) + index)


def _roughness(track: Track) -> float:
    """What lies above the pulse over the pulse, of the channel where that is least."""
    drawn = regular(track, FINE)
    rough, pulse = filters.band_pass(FINE, *ROUGH), filters.band_pass(FINE, *PULSE)
    shares = []
    for column in drawn.samples.T.astype(np.float64):
        size = float(np.median(np.abs(filters.zero_phase(pulse, column))))
        if size > 0:
            shares.append(float(np.median(np.abs(filters.zero_phase(rough, column)))) / size)
    return min(shares, default=0.0)
