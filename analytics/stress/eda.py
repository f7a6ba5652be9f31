"""Skin conductance: how high it is, how it drifts, and how often it answers (electrodermal activity, EDA)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from analytics.stress.drift import RATES, SHORTEST, per_minute

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POSSIBLE = (0.05, 60.0)
"""Microsiemens: below, the electrodes do not touch; above, they are shorted (Kleckner et al. 2018)."""
STEEPEST = 10.0
"""Microsiemens per second: no sweat gland is faster (Kleckner et al. 2018)."""
SPOILT = 5.0
"""Seconds to each side of a sample that cannot be, which are not believed either (Kleckner et al. 2018)."""
CUTOFF = 1.0
"""Hertz of the low-pass filter: a response rises for one second or more (Boucsein et al. 2012)."""
AMPLITUDE = 0.05
"""Microsiemens from foot to peak of a response, the usual lower limit (Boucsein et al. 2012)."""
RISE = (0.5, 5.0)
"""Seconds from foot to peak."""
SLOWEST = 3.0
"""Hertz below which responses are not drawn."""


@dataclass(frozen=True, slots=True)
class Electrodermal:
    """What skin conductance says; None where it says nothing."""

    level: float | None
    """Median in microsiemens (tonic level)."""
    slope: float | None
    """Drift of the level in microsiemens per minute (Theil-Sen, so that responses do not count)."""
    peaks: float | None
    """Responses per minute (phasic, not specific to a stimulus)."""
    usable: float
    """Share of the time that can be believed."""

    @property
    def drift(self) -> float | None:
        """Slope in percent of the level per minute."""
        return 100.0 * self.slope / self.level if self.slope is not None and self.level else None


def electrodermal(x: Floats, rate: float) -> Electrodermal:
    """Level, drift and responses of skin conductance in microsiemens.

    Samples are believed by the rules of Kleckner et al. 2018 (doi:10.1109/TBME.2017.2758643) without the one on skin
    temperature; level and responses as in Boucsein et al. 2012 (doi:10.1111/j.1469-8986.2012.01384.x).
    """
    if not RATES[0] <= rate <= RATES[1] or not len(x):
        return Electrodermal(None, None, None, 0.0)
    good = believed(x, rate)
    usable = float(good.mean())
    seconds = np.count_nonzero(good) / rate
    if seconds < SHORTEST:
        return Electrodermal(None, None, None, usable)
    level = float(np.median(x[good]))
    return Electrodermal(level, per_minute(np.where(good, x, np.nan), rate), _responses(x, good, rate, seconds), usable)


def believed(x: Floats, rate: float) -> Flags:
    """Which samples can be skin conductance."""
    low, high = POSSIBLE
    with np.errstate(invalid="ignore", over="ignore"):
        steep = np.abs(np.diff(x, prepend=x[:1])) * rate > STEEPEST
        wrong = ~np.isfinite(x) | (x < low) | (x > high) | steep
    reach = min(len(x), round(SPOILT * rate))
    return ~np.asarray(ndimage.maximum_filter1d(wrong, 2 * reach + 1, mode="constant", cval=0), dtype=np.bool_)


def _responses(x: Floats, good: Flags, rate: float, seconds: float) -> float | None:
    if rate < SLOWEST:
        return None
    count = 0
    coefficients = signal.butter(2, CUTOFF, fs=rate, output="sos")
    stretches, total = ndimage.label(good)
    for begin, end in (slices[0].indices(len(x))[:2] for slices in ndimage.find_objects(stretches, total)):
        if end - begin > 3 * rate:
            smooth = signal.sosfiltfilt(coefficients, x[begin:end], padlen=round(rate))
            tops, found = signal.find_peaks(smooth, prominence=AMPLITUDE)
            # the foot is the lowest point since the last response that was as high, but no longer ago than a rise lasts
            feet = np.maximum(found["left_bases"], tops - round(RISE[1] * rate))
            rise = (tops - feet) / rate
            count += int(np.count_nonzero((smooth[tops] - smooth[feet] >= AMPLITUDE) & (rise >= RISE[0])))
    return float(60.0 * count / seconds)
