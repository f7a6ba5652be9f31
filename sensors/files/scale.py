"""A wave's values in its signal's own unit; for ECG and EEG it is guessed from their size where the file is silent."""

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import SIGNALS
from sensors.files import naming
from sensors.files.content import Wave

# the unit (that many of the signal's own) whose typical spread of an undisturbed signal this is
_SPREADS = {
    "ecg": (("V", 1e3, 0.02), ("mV", 1.0, 20.0), ("uV", 1e-3, 20_000.0)),
    "eeg": (("V", 1e6, 0.002), ("mV", 1e3, 2.0), ("uV", 1.0, 10_000.0)),
}
_MOST = {"ecg": 20.0, "eeg": 10_000.0}


def scaled(wave: Wave, signal: str) -> tuple[NDArray[np.float32], str]:
    """The values in the signal's unit, and what had to be assumed for it (empty: nothing)."""
    values = wave.values
    known = naming.factor(signal, wave.unit) if wave.unit or signal not in _SPREADS else None
    if known is not None:
        return _times(values, known), ""
    if signal == "acceleration":
        return _gravity(values)
    if signal not in _SPREADS:
        return _times(
            values, 1.0
        ), f"{SIGNALS[signal].unit}, for none is named" if not wave.unit else f"{wave.unit}, taken as it is"
    good = values[np.isfinite(values)]
    low, high = np.percentile(good, (1, 99)) if len(good) else (0.0, 0.0)
    spread, size = float(high - low), float(max(abs(low), abs(high)))
    for unit, factor, most in _SPREADS[signal]:
        if 0 < spread < most and size * factor <= _MOST[signal]:
            return _times(values, factor), f"{unit}, from the size of the values"
    if size == 0:
        return _times(values, 1.0), "unknown: all values are zero"
    # counts of a converter: a power of ten that makes them possible, no more is known
    power = int(np.ceil(np.log10(size / _MOST[signal])))
    return _times(values, 10.0**-power), f"counts of unknown size, divided by 1e{power}"


def _times(values: NDArray[np.floating], factor: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        product = (values if factor == 1 else values.astype(np.float64) * factor).astype(np.float32)
    # what does not fit is a lost sample, like what the device lost itself
    product[~np.isfinite(product)] = np.nan
    return product


def _gravity(values: NDArray[np.floating]) -> tuple[NDArray[np.float32], str]:
    """One axis says little; its largest usual value is gravity in some unit."""
    good = np.abs(values[np.isfinite(values)])
    usual = float(np.percentile(good, 99)) if len(good) else 0.0
    for unit, one, most in (("g", 1.0, 4.0), ("m/s2", 9.80665, 30.0), ("1/64 g", 64.0, 300.0), ("mg", 1e3, 4e4)):
        if usual < most:
            return _times(values, 1 / one), f"{unit}, from the size of the values"
    return _times(values, 1.0), "unknown, taken as it is"
