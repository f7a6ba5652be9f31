"""Waves in their signal's own unit; for ECG, EEG and acceleration guessed from their size where the file is silent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import SIGNALS
from sensors.files import naming
from sensors.files.content import Wave

Samples = NDArray[np.floating]

# the unit (that many of the signal's own) whose typical spread of an undisturbed signal this is
_SPREADS = {
    "ecg": (("V", 1e3, 0.02), ("mV", 1.0, 20.0), ("uV", 1e-3, 20_000.0)),
    "eeg": (("V", 1e6, 0.002), ("mV", 1e3, 2.0), ("uV", 1.0, 10_000.0)),
}
_MOST = {"ecg": 20.0, "eeg": 10_000.0}


@dataclass(frozen=True, slots=True)
class Scale:
    """What to multiply with, and what had to be assumed for it (empty: nothing)."""

    factor: float
    assumed: str = ""

    def of(self, values: Samples) -> NDArray[np.float32]:
        """The values in the signal's unit; what does not fit is a lost sample, like what the device lost itself."""
        with np.errstate(over="ignore", invalid="ignore"):
            product = values if self.factor == 1 else values.astype(np.float64) * self.factor
            single = product.astype(np.float32)
        single[~np.isfinite(single)] = np.nan
        return single


def scale_of(waves: Sequence[Wave], signal: str) -> Scale:
    """The one scale of waves that were recorded together in one unit."""
    unit = waves[0].unit
    known = naming.factor(signal, unit) if unit or signal not in _SPREADS else None
    if known is not None:
        return Scale(known)
    if signal == "acceleration":
        return _gravity(waves)
    if signal in _SPREADS:
        return _by_spread(waves, signal)
    return Scale(1.0, f"{unit}, taken as it is" if unit else f"{SIGNALS[signal].unit}, for none is named")


def _by_spread(waves: Sequence[Wave], signal: str) -> Scale:
    bounds = []
    for wave in waves:
        good = wave.values[np.isfinite(wave.values)]
        low, high = np.percentile(good, (1, 99)) if len(good) else (0.0, 0.0)
        if low != high or not len(waves) > 1:
            bounds.append((float(high - low), float(max(abs(low), abs(high)))))
    # most leads are in order: the middle one settles it
    spread, size = np.median(bounds, axis=0).tolist() if bounds else (0.0, 0.0)
    for unit, factor, most in _SPREADS[signal]:
        if 0 < spread < most and size * factor <= _MOST[signal]:
            return Scale(factor, f"{unit}, from the size of the values")
    if size == 0:
        return Scale(1.0, "unknown: all values are zero")
    # counts of a converter: a power of ten that makes them possible, no more is known
    power = max(0, int(np.ceil(np.log10(size / _MOST[signal]))))
    return Scale(10.0**-power, f"counts of unknown size, divided by 1e{power}")


def _gravity(waves: Sequence[Wave]) -> Scale:
    """One axis says little; the largest usual value is gravity in some unit."""
    usual = 0.0
    for wave in waves:
        good = np.abs(wave.values[np.isfinite(wave.values)])
        usual = max(usual, float(np.percentile(good, 99)) if len(good) else 0.0)
    for unit, one, most in (("g", 1.0, 4.0), ("m/s2", 9.80665, 30.0), ("1/64 g", 64.0, 300.0), ("mg", 1e3, 4e4)):
        if usual < most:
            return Scale(1 / one, f"{unit}, from the size of the values")
    return Scale(1.0, "unknown, taken as it is")
