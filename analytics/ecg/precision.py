"""How exactly the R maxima of a record are placed."""

import numpy as np
from numpy.typing import NDArray

from analytics.ecg import peaks

Floats = NDArray[np.float64]

MOST = 512
"""Beats that are looked at, spread over the record."""
QUIET = (0.060, 0.120)
"""Seconds to both sides of R in which noise is measured: beside the complex."""
BETWEEN_SAMPLES = 0.03
"""Of a sample: what the parabola is wrong by where there is no noise."""


def precision(x: Floats, at: Floats, rate: float) -> float:
    """Standard deviation in seconds of the error of maxima at these broken indices, by noise and sampling.

    A maximum is where the slope is zero: noise in the slope moves it by that over the curvature. Noise is what changes
    from sample to sample beside the complex (its median second difference), taken as white.
    """
    kernel = peaks.kernel(rate)
    half = len(kernel) // 2
    far, near = (max(1, round(seconds * rate)) for seconds in QUIET[::-1])
    middles = np.rint(at).astype(np.intp)
    middles = middles[(middles >= far + half + 1) & (middles < len(x) - far - half - 1)]
    grain = BETWEEN_SAMPLES / rate
    if not len(middles):
        return grain
    middles = middles[np.linspace(0, len(middles) - 1, min(MOST, len(middles))).astype(np.intp)]
    beside = np.concatenate((np.arange(-far, -near + 1), np.arange(near, far + 1)))
    places = middles[:, None] + beside
    # white noise of standard deviation 1 has second differences of sqrt(6); those of P and T waves are small
    bends = x[places - 1] - 2.0 * x[places] + x[places + 1]
    noise = np.median(np.abs(bends), axis=1) / 0.6745 / np.sqrt(6.0)
    slope = 0.5 * noise * np.sqrt(np.sum(np.convolve(kernel, (1.0, 0.0, -1.0)) ** 2))
    smooth = np.stack([x[middles[:, None] + lag + np.arange(-half, half + 1)] @ kernel for lag in (-1, 0, 1)])
    curvature = np.abs(smooth[0] - 2.0 * smooth[1] + smooth[2])
    errors = slope / np.maximum(curvature, 1e-9) / rate
    # noise moves no maximum farther than it is looked for
    errors = np.minimum(errors, peaks.SEARCH)
    return float(np.sqrt(np.median(errors) ** 2 + grain**2))
