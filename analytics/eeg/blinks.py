"""Blinks, taken out of the other channels by regression on what an electrode near the eyes shows of them.

How far a blink reaches is learnt from the average of several (Croft & Barry 2000, doi:10.1016/S0987-7053(00)00055-1):
the brain's own part in the eye's channel is not bound to blinks, and averages out. Only blinks are corrected, below
8 Hz. The channels that the blinks were taken from are not corrected: nothing would be left of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from analytics import filters
from analytics.eeg.montage import FOREHEAD, Place, at
from analytics.filters import Floats

SLOW = 8.0
"""Hertz up to which a blink reaches (Gratton, Coles & Donchin 1983, doi:10.1016/0013-4694(83)90135-9)."""
LEAST_HEIGHT, STEEP = 40.0, 4.0
"""Microvolt, and robust standard deviations of the eye's channel, from which a swing is a blink."""
WIDTH = (0.05, 0.6)
"""Seconds at half height (Caffier 2003, doi:10.1007/s00421-003-0807-5)."""
HALF = 0.5
"""Seconds to either side of its peak that are corrected."""
LEAST = 5
"""Blinks from which on their average is one."""
MOST_SHARE = 2.0
"""Of a blink near the eye that can reach another electrode: more is no blink."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Channels without blinks, and where the blinks were."""

    samples: Floats
    during: NDArray[np.bool_]
    """Per sample."""
    at: NDArray[np.intp]
    """The samples at which they were highest."""


def eyes(places: tuple[Place, ...]) -> tuple[list[int], list[int]]:
    """Channels whose mean shows blinks best - of the eyes, else the forehead - and those of them that are EEG."""
    own = [number for number, each in enumerate(places) if each.kind == "eye"]
    if own:
        vertical = [number for number in own if "v" in places[number].channel.lower().replace("uv", "")]
        return vertical[:1] or own[:1], []
    for electrodes in FOREHEAD:
        if found := at(places, electrodes):
            return found, found
    return [], []


def peaks(source: Floats, rate: float) -> NDArray[np.intp]:
    """Samples at which the eyes blink; of either sign, the one of most of the large swings."""
    slow = filters.zero_phase(filters.low_pass(rate, SLOW), source)
    spread = 1.4826 * float(np.median(np.abs(slow - np.median(slow))))
    least = max(LEAST_HEIGHT, STEEP * spread)
    width = (WIDTH[0] * rate, WIDTH[1] * rate)
    found = [
        find_peaks(sign * slow, height=least, prominence=least, width=width, distance=max(1, round(HALF * rate)))[0]
        for sign in (1.0, -1.0)
    ]
    return np.asarray(max(found, key=len))


def corrected(x: Floats, source: Floats, rate: float) -> Corrected:
    """Channels (samples, channels) without what they show of the source's blinks; as they are where it has too few."""
    during = np.zeros(len(x), dtype=np.bool_)
    half = round(HALF * rate)
    found = peaks(source, rate)
    for peak in found.tolist():
        during[max(0, peak - half) : peak + half + 1] = True
    whole = found[(found >= half) & (found < len(x) - half)]
    if len(whole) < LEAST:
        return Corrected(x, during, found)
    low = filters.low_pass(rate, SLOW)
    slow = filters.zero_phase(low, source)
    rows = whole[:, None] + np.arange(-half, half + 1)
    shape = _from_edges(slow[rows].mean(axis=0))
    reach = np.array(
        [
            float(shape @ _from_edges(filters.zero_phase(low, channel)[rows].mean(axis=0)) / (shape @ shape))
            for channel in x.T
        ]
    )
    reach[np.abs(reach) > MOST_SHARE] = 0.0
    eye = np.zeros(len(x))
    for peak in whole.tolist():
        around = slice(peak - half, peak + half + 1)
        eye[around] += _blink(_from_edges(slow[around]), shape)
    return Corrected(x - eye[:, None] * reach, during, found)


def _blink(epoch: Floats, shape: Floats) -> Floats:
    """What of an epoch is a blink: the usual one, higher or lower, earlier or later, longer or shorter.

    No more than these three: all of the epoch would be the brain, too, which the other electrodes share.
    """
    slope = np.gradient(shape)
    basis = np.column_stack((shape, slope, slope * np.linspace(-1.0, 1.0, len(shape))))
    found, *_ = np.linalg.lstsq(basis / np.abs(basis).max(axis=0), epoch, rcond=None)
    return np.asarray(basis / np.abs(basis).max(axis=0) @ found * np.hanning(len(shape)) ** 0.25)


def _from_edges(epoch: Floats) -> Floats:
    """Against the straight line between its ends: what was before and after it is not the blink."""
    return epoch - np.linspace(float(epoch[:5].mean()), float(epoch[-5:].mean()), len(epoch))
