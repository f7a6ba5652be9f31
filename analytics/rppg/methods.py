"""Published pulses from one region's mean colours: CHROM and POS. Each takes what it needs and nothing of ours.

Colours are red, green, blue on a regular grid without lost samples; the pulse rises with the blood and has no unit.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics import filters

Floats = NDArray[np.float64]

WINDOW = 1.6
"""Seconds of a window of both methods."""
CHROM_BAND = (0.7, 4.0)
"""Hertz in which CHROM compares its two chrominance signals (40 to 240 beats a minute)."""
_NOTHING = 1e-12


def chrom(colours: Floats, rate: float) -> Floats:
    """CHROM: X = 3R - 2G and Y = 1.5R + G - 1.5B of colours over their means; X - (sd X / sd Y) Y, Hann overlap-add.

    de Haan & Jeanne 2013, doi:10.1109/TBME.2013.2266196. Windows of 1.6 s overlap by half. Means run along, and the
    band pass is taken over the whole signal, so that no window's edges ring.
    """
    count, half = len(colours), max(1, round(0.5 * WINDOW * rate))
    pulse = np.zeros(count)
    if count <= 2 * half:
        return pulse
    level = ndimage.uniform_filter1d(colours, 2 * half, axis=0, mode="nearest")
    red, green, blue = (colours / np.maximum(level, _NOTHING)).T
    band = filters.band_pass(rate, *CHROM_BAND)
    x = filters.zero_phase(band, 3.0 * red - 2.0 * green)
    y = filters.zero_phase(band, 1.5 * red + green - 1.5 * blue)
    shape = np.hanning(2 * half + 1)
    # from before the first sample to beyond the last: every sample lies in two windows
    for begin in range(-half, count, half):
        first, end = max(0, begin), min(count, begin + 2 * half)
        alpha = x[first:end].std() / max(float(y[first:end].std()), _NOTHING)
        pulse[first:end] += (x[first:end] - alpha * y[first:end]) * shape[first - begin : end - begin]
    return pulse


def pos(colours: Floats, rate: float) -> Floats:
    """POS: S1 = G - B and S2 = G + B - 2R of colours over their window's means; S1 + (sd S1 / sd S2) S2, overlap-add.

    Wang, den Brinker, Stuijk & de Haan 2017, doi:10.1109/TBME.2016.2609282, algorithm 1: a window of 1.6 s for every
    sample. The sum is of light that comes back, which blood swallows: it is turned over.
    """
    count, size = len(colours), max(2, round(WINDOW * rate))
    pulse = np.zeros(count)
    if count < size:
        return pulse
    rows = np.lib.stride_tricks.sliding_window_view(colours, size, axis=0)
    even = rows / np.maximum(rows.mean(axis=2, keepdims=True), _NOTHING)
    first = even[:, 1] - even[:, 2]
    second = even[:, 1] + even[:, 2] - 2.0 * even[:, 0]
    share = first.std(axis=1) / np.maximum(second.std(axis=1), _NOTHING)
    pieces = first + share[:, None] * second
    pieces -= pieces.mean(axis=1, keepdims=True)
    for place in range(size):
        pulse[place : place + len(pieces)] -= pieces[:, place]
    return pulse
