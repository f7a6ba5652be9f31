"""The band of the EEG, final and live: without drift below it, without mains and without what is above it.

Final analysis filters with mne's zero-phase FIR (Gramfort et al. 2013, doi:10.3389/fnins.2013.00267; Widmann, Schröger
& Maess 2015, doi:10.1016/j.jneumeth.2014.08.002), flat from 0.5 to 45 Hz; live analysis with a causal high pass and
notches.
"""

import numpy as np
from numpy.typing import NDArray

from analytics import filters
from analytics.eeg.bands import top
from analytics.eeg.montage import Place, scalp
from analytics.filters import Floats

LOW = 0.5
"""Hertz, half of the lowest band's edge: sweat and sway are below."""
EDGE = 5.0
"""Hertz above the band over which the FIR falls: 50 Hz is out."""
LENGTH = 6.6
"""Seconds of the FIR: 3.3 over its narrowest transition of half a hertz (Widmann 2015)."""
MARGIN = LENGTH / 2
ORDER = 4
"""Of the live high pass: at 1 Hz it leaves 99.6 % of the power."""
LARGEST = 1e6
"""Microvolt beyond which a sample is not even filtered: it is lost."""
MAINS = (50.0, 60.0)
TELLING = 10.0
"""Times the power around it that mains must have: an alpha peak over its surroundings has less."""
AROUND = (1.5, 5.0)
"""Hertz from the mains between which its surroundings are."""
REFERENCED = 16
"""Scalp electrodes from which their mean stands for a reference: fewer do not surround the head (of the 19 of the 10-20
system three may be bad; Nunez & Srinivasan 2006)."""


def whole(x: Floats, rate: float) -> Floats:
    """A stretch (samples, channels) of at least `LENGTH`, filtered without delay; lost samples are drawn straight."""
    from mne.filter import filter_data

    x = np.column_stack([filters.filled(channel) for channel in x.T])
    hum = mains(x, rate)
    if hum is not None:
        notch = filters.notch(rate, hum)
        x = np.column_stack([filters.zero_phase(notch, channel) for channel in x.T])
    edge = top(rate)
    clean = filter_data(
        np.ascontiguousarray(x.T), rate, LOW, edge, filter_length=f"{LENGTH}s",
        l_trans_bandwidth=LOW, h_trans_bandwidth=min(EDGE, rate / 2 - edge), phase="zero", verbose="ERROR",
    )  # fmt: skip
    return np.asarray(clean.T)


def mains(x: Floats, rate: float) -> float | None:
    """The mains frequency that the middle channel shows, if any."""
    from scipy.signal import welch

    size = min(len(x), 2 * round(rate))
    found, power = welch(x, rate, nperseg=size, axis=0)
    if len(found) < 2:
        return None
    middle = np.median(power, axis=1)
    heights = []
    for hum in MAINS:
        away = np.abs(found - hum)
        around = (away >= AROUND[0]) & (away <= AROUND[1])
        if hum + AROUND[0] > rate / 2 or not around.any():
            heights.append(0.0)
        else:
            heights.append(float(middle[away <= 0.5].max() / max(np.median(middle[around]), np.finfo(np.float64).tiny)))
    best = int(np.argmax(heights))
    return MAINS[best] if heights[best] > TELLING else None


def causal(rate: float) -> Floats:
    """Sections of the live filter. Both mains are notched: which one it is would have to be learnt.

    No band has either of them, or a harmonic.
    """
    parts = [filters.high_pass(rate, LOW, order=ORDER)]
    parts += [filters.notch(rate, hum) for hum in MAINS if hum < filters.HIGHEST * rate]
    return np.vstack(parts)


def referenced(places: tuple[Place, ...]) -> NDArray[np.intp]:
    """The channels of which a reference is made; none where there are too few."""
    found = np.flatnonzero(scalp(places))
    return found if len(found) >= REFERENCED else found[:0]
