"""A pulse by a small network: an option beside the published methods, with their signature.

The network is fully convolutional: any length goes in, a sample of pulse comes out for each sample of colour, drawn
from about four seconds to both sides. What it sees is made here, for training and use alike.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kiosk import models

Floats = NDArray[np.float64]
Features = NDArray[np.float32]

NETWORK = "rppg_tcn"
RATE = 30.0
"""Hertz at which the network sees and draws; other rates are interpolated."""
FEATURES = 4
WINDOW = 1.6
"""Seconds of the running means: that of CHROM and POS."""
SCALE = 4.0
"""Seconds over which a disturbance sets the scale."""
SHORTEST = 2.0
"""Seconds below which there is no pulse to be seen."""
_NOTHING = 1e-6
_MOST = 6.0


def features(colours: Floats) -> Features:
    """(FEATURES, n) of colours (..., n, 3) at RATE: what changes, without the level and the strength of the light.

    Colours over their running means, split into brightness and the two chrominance signals that brightness does not
    reach (POS: Wang 2017, doi:10.1109/TBME.2016.2609282); both chrominances share one running scale, since their
    proportion tells blood from light; the last row is the scale of brightness over theirs.
    """
    size, wide = round(WINDOW * RATE), round(SCALE * RATE)
    level = ndimage.uniform_filter1d(colours, size, axis=-2, mode="nearest")
    even = colours / np.maximum(level, _NOTHING) - 1.0
    red, green, blue = even[..., 0], even[..., 1], even[..., 2]
    bright = (red + green + blue) / 3.0
    first, second = green - blue, green + blue - 2.0 * red
    chroma = _running(first * first + second * second, wide)
    light = _running(bright * bright, wide)
    rows = (first / chroma, second / chroma, bright / light, np.log(light / chroma) / 2.0)
    return np.clip(np.stack(rows, axis=-2), -_MOST, _MOST).astype(np.float32)


def _running(square: Floats, size: int) -> Floats:
    """The running root of a mean square, never nothing."""
    mean = ndimage.uniform_filter1d(square, size, axis=-1, mode="nearest")
    # sums that run along may end a hair below zero
    return np.asarray(np.sqrt(np.maximum(mean, 0.0)) + _NOTHING)


class NeuralPulse:
    """The network behind the signature of a method: `pulse(colours, rate)`. Keep one: opening it costs more."""

    def __init__(self, network: models.OpenNetwork) -> None:
        self._network = network

    @classmethod
    def installed(cls, folder: Path, name: str = NETWORK) -> "NeuralPulse":
        """The network of this name, or BadModel with the reason."""
        return cls(models.open_network(name, folder))

    def __call__(self, colours: Floats, rate: float) -> Floats:
        """The pulse, systole up and without unit, of finite colours (n, 3) on a regular grid.

        Zeros where it is too short, and where no colour ever changes: the network would draw its own edges there.
        """
        count = len(colours)
        if count < SHORTEST * rate or not np.ptp(colours, axis=0).any():
            return np.zeros(count)
        at = np.arange(count) / rate
        seen, there = colours, at
        if rate != RATE:
            there = np.arange(int(at[-1] * RATE) + 1) / RATE
            seen = np.column_stack([np.interp(there, at, colour) for colour in _smoothed(colours, rate).T])
        (drawn,) = self._network.run(features(seen)[None])
        pulse = drawn[0, 0].astype(np.float64)
        return np.asarray(pulse if rate == RATE else np.interp(at, there, pulse))


def _smoothed(colours: Floats, rate: float) -> Floats:
    """Without what would fold back at RATE."""
    size = int(rate / RATE)
    return ndimage.uniform_filter1d(colours, size, axis=0, mode="nearest") if size > 1 else colours
