"""How exactly the R maxima of a record are placed."""

import numpy as np
from numpy.typing import NDArray

from analytics.ecg import peaks

Floats = NDArray[np.float64]

MOST = 512
"""Beats that are looked at, spread over the record."""
QUIET = (0.060, 0.120)
"""Seconds to both sides of R in which noise is measured: beside the complex."""
COARSE = 250.0
"""Hertz, at least, of the readings whose changes are noise: faster ones would not see a muscle's, which is slower."""
BETWEEN_SAMPLES = 0.03
"""Of a sample: what the parabola is wrong by where there is no noise."""


def precision(x: Floats, at: Floats, rate: float) -> float:
    """Standard deviation in seconds of the error of maxima at these broken indices, by noise and sampling.

    A maximum is where the slope is zero: noise in the slope moves it by that over the curvature. Noise is what changes
    from reading to reading beside the complex (its median second difference), taken as white.
    """
    # a reading is the mean of so many samples
    step = max(1, int(rate / COARSE))
    kernel, coarse = peaks.kernel(rate), peaks.kernel(rate / step)
    half = len(kernel) // 2 + step
    far, near = (max(1, round(seconds * rate / step)) for seconds in QUIET[::-1])
    middles = np.rint(at).astype(np.intp)
    reach = (far + 2) * step + half
    middles = middles[(middles >= reach) & (middles < len(x) - reach)]
    grain = BETWEEN_SAMPLES / rate
    if not len(middles):
        return grain
    middles = middles[np.linspace(0, len(middles) - 1, min(MOST, len(middles))).astype(np.intp)]
    places = middles[:, None] + np.arange(-(far + 1) * step, (far + 2) * step)
    readings = x[places].reshape(len(middles), -1, step).mean(axis=2)
    # white noise of standard deviation 1 has second differences of sqrt(6); those of P and T waves are small
    bends = np.abs(np.diff(readings, 2))
    noise = np.median(bends[:, np.abs(np.arange(-far, far + 1)) >= near], axis=1) / 0.6745 / np.sqrt(6.0)
    slope = 0.5 * noise * np.sqrt(np.sum(np.convolve(coarse, (1.0, 0.0, -1.0)) ** 2))
    around = np.arange(-(len(kernel) // 2), len(kernel) // 2 + 1)
    smooth = np.stack([x[middles[:, None] + lag * step + around] @ kernel for lag in (-1, 0, 1)])
    curvature = np.abs(smooth[0] - 2.0 * smooth[1] + smooth[2])
    errors = slope / np.maximum(curvature, 1e-9) * step / rate
    # noise moves no maximum farther than it is looked for
    errors = np.minimum(errors, peaks.SEARCH)
    return float(np.sqrt(np.median(errors) ** 2 + grain**2))
