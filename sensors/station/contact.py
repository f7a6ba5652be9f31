"""How a sensor on the body sits, by what its last two seconds look like: pure functions, before any analysis.

They say what helps to put a sensor right, and judge no measurement: that is the analysis' work.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import SIGNALS

State = Literal["good", "noisy", "flat", "saturated", "silent"]
Samples = NDArray[np.floating]

WINDOW = 2.0
"""Seconds: at 30 beats a minute each such stretch has a beat."""
THERE = 0.5
"""Of the samples of a window that must be there; else nothing comes."""
STUCK = 0.2
"""Seconds at one extreme value: no pulse and no QRS (0.12 s at most, Surawicz 2009, doi:10.1016/j.jacc.2008.12.013)
stays at its top that long, a converter at its end does."""
MAINS = (50.0, 60.0)
"""Hertz."""
MAINS_WIDTH = 1.0
"""Hertz on either side; two seconds tell half a hertz apart, and grids stay within 0.2."""
PULSE_BAND = 8.0
"""Hertz below which a pulse wave has its harmonics; EN ISO 80601-2-61 devices pass no more."""
ROUGH = 0.3
"""Share of a pulse wave's power above that from which it is not a pulse that is seen."""
SEVERAL = 4
"""Channels from which a device is judged by a quarter of them, as an EEG cap; with fewer, one bad lead is told."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one signal, in its unit."""

    flat: float = 0.0
    """Peak to peak; below there is no body behind it."""
    flat_share: float = 0.0
    """The same as a share of its level, where the unit is the device's own."""
    large: float = np.inf
    """Peak to peak; above it is movement, not a body's signal."""
    mains: float = np.inf
    """Root mean square of the mains' hum that is too much."""
    clips: float = 0.0
    """Peak to peak below which a constant stretch is a coarse converter's, not one at its end."""
    level: float = -np.inf
    """Median below which nothing is connected."""
    pulse: bool = False
    """Whether what is faster than a pulse is noise."""


LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        # low voltage is a QRS below 0.5 mV (Surawicz 2009); a tenth of it is none. A P wave is 0.1 mV or more high: hum
        # of that size hides it. R waves reach 3 mV, seldom 5
        "ecg": Limits(flat=0.05, large=10.0, mains=0.1, clips=2.0),
        # the perfusion index that oximeters show ends at 0.02 % (Lima 2002, doi:10.1097/00003246-200206000-00006)
        "ppg": Limits(flat_share=2e-4, pulse=True),
        # less than 2 uV is electrocerebral silence (ACNS guideline 3, doi:10.1097/00004691-200604000-00006), on a
        # living head an electrode that touches nothing. A blink reaches some 200 uV; alpha has some 30
        "eeg": Limits(flat=2.0, large=500.0, mains=30.0, clips=500.0),
        "respiration": Limits(),
        # below 0.05 uS nobody is connected (Boucsein 2012, doi:10.1007/978-1-4614-1126-0)
        "eda": Limits(level=0.05, flat=-1.0, clips=np.inf),
    }
)
"""Signals of sensors that are put on a body."""


def contact(signal: str, rows: Samples, rate: float) -> State:
    """The state of a device's signal, by its last two seconds: (samples, channels) at a rate in hertz."""
    states = [channel(signal, column, rate) for column in np.atleast_2d(np.asarray(rows, dtype=np.float64).T)]
    worst: tuple[State, ...] = ("silent", "flat", "saturated", "noisy")
    enough = max(1, len(states) // SEVERAL)
    bad = 0
    for state in worst:
        bad += states.count(state)
        if bad >= enough:
            return state
    return "good"


def channel(signal: str, samples: Samples, rate: float) -> State:
    """The state of one channel."""
    limits = LIMITS.get(signal, Limits())
    there = samples[np.isfinite(samples)]
    if len(there) < max(2.0, THERE * WINDOW * rate):
        return "silent"
    span, level = float(np.ptp(there)), float(np.median(there))
    known = SIGNALS[signal]
    if known.low < 0 and max(abs(there.max() / known.high), abs(there.min() / known.low)) >= 1:
        return "saturated"
    if span <= max(limits.flat, limits.flat_share * abs(level)) or level < limits.level:
        return "flat"
    if span > limits.clips and _stuck(there) >= max(3.0, STUCK * rate):
        return "saturated"
    if span > limits.large or _hum(there, rate) > limits.mains:
        return "noisy"
    if limits.pulse and rate > 2.5 * PULSE_BAND and _fast(there, rate) > ROUGH:
        return "noisy"
    return "good"


def _stuck(samples: Samples) -> int:
    """The longest run of samples at the highest or the lowest value."""
    longest = 0
    for extreme in (samples.max(), samples.min()):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], (samples == extreme).astype(np.int8), [0]))))
        longest = max(longest, int((edges[1::2] - edges[::2]).max(initial=0)))
    return longest


def _power(samples: Samples, rate: float) -> tuple[Samples, Samples]:
    """Frequencies, and the power of a channel without its trend at each; their sum is the mean square."""
    count = len(samples)
    slope = np.linspace(-1, 1, count)
    flat = samples - samples.mean() - slope * (samples @ slope) / (slope @ slope)
    window = np.hanning(count)
    power = np.abs(np.fft.rfft(flat * window)) ** 2 * 2 / (count * float((window**2).sum()))
    return np.fft.rfftfreq(count, 1 / rate), power


def _hum(samples: Samples, rate: float) -> float:
    """Root mean square of what is at a mains frequency and not beside it: a QRS is on either side of it too."""
    frequencies, power = _power(samples, rate)
    most = 0.0
    for mains in MAINS:
        near = np.abs(frequencies - mains)
        inside, beside = near <= MAINS_WIDTH, (near > MAINS_WIDTH) & (near <= 4 * MAINS_WIDTH)
        if inside.any() and beside.any() and rate > 2 * mains:
            most = max(most, float(power[inside].sum() - inside.sum() * np.median(power[beside])))
    return float(np.sqrt(most))


def _fast(samples: Samples, rate: float) -> float:
    """Share of the power that is faster than a pulse."""
    frequencies, power = _power(samples, rate)
    beating = frequencies >= 0.5
    return float(power[frequencies > PULSE_BAND].sum() / max(power[beating].sum(), 1e-300))
