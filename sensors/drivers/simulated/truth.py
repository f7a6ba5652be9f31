"""What really happened: the yardstick for everything that is read off the signals."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.heart import Beats

Kind = Literal["N", "V"]


@dataclass(frozen=True, slots=True)
class Truth:
    """A window of a simulated visit. Figures that the window is too short for are None."""

    start: float
    end: float
    beats: NDArray[np.float64]
    """R peaks in [start, end), s."""
    kinds: tuple[Kind, ...]
    """N: from the sinus node; V: premature, from a ventricle."""
    pulses: NDArray[np.float64]
    """When the foot of each beat's pulse is at the finger, s."""
    rr: NDArray[np.float64]
    """Intervals between normal neighbours, s."""
    heart_rate: float | None
    """All beats, per minute."""
    sdnn: float | None
    """ms, like the next; of normal intervals (Task Force 1996, doi:10.1161/01.CIR.93.5.1043)."""
    rmssd: float | None
    pnn50: float | None
    """Percent."""
    breaths: NDArray[np.float64]
    """Starts of inspirations in the window, s."""
    respiration_phase: NDArray[np.float64]
    """At each beat, 0..2 pi; 0 is the start of an inspiration."""
    respiration_rate: float
    """Per minute."""
    motion: tuple[tuple[float, float], ...]
    """Movements as (start, end), s."""
    blinks: tuple[tuple[float, float], ...]
    """Likewise, those while the eyes are open; so the next."""
    smiles: tuple[tuple[float, float], ...]
    turns: tuple[tuple[float, float], ...]
    """Sudden turns of the head."""
    away: tuple[tuple[float, float], ...]
    """Nobody in the picture."""
    dropouts: tuple[tuple[str, float, float], ...]
    """Losses as (signal, start, end)."""


@dataclass(frozen=True, slots=True)
class EegTruth:
    """What is in the EEG of a window. Densities are expectations: a window's own spectrum scatters about them."""

    channels: tuple[str, ...]
    frequencies: NDArray[np.float64]
    """Hz, from 0 to half the rate, evenly."""
    density_open: NDArray[np.float64]
    """(frequencies, channels) uV2/Hz of brain and amplifier with open eyes; without mains, blinks and movement."""
    density_closed: NDArray[np.float64]
    """Likewise with eyes that stay closed: more alpha, nothing else."""
    alpha_peak: float
    """Hz."""
    alpha_open: NDArray[np.float64]
    """uV, root mean square of alpha alone at each channel; likewise the next."""
    alpha_closed: NDArray[np.float64]
    alpha_asymmetry: float
    """ln of F4's alpha amplitude minus ln of F3's; of powers it is twice that, less where there is background."""
    closed: tuple[tuple[float, float], ...]
    """Eyes that stay closed, as (start, end), s; likewise the next two."""
    blinks: tuple[tuple[float, float], ...]
    motion: tuple[tuple[float, float], ...]
    mains_frequency: float
    mains: NDArray[np.float64]
    """uV, root mean square at each channel."""

    def power(self, low: float, high: float, *, closed: bool = False) -> NDArray[np.float64]:
        """uV2 in low..high Hz at each channel."""
        density = self.density_closed if closed else self.density_open
        inside = (self.frequencies >= low) & (self.frequencies <= high)
        return np.asarray(np.trapezoid(density[inside], self.frequencies[inside], axis=0))


@dataclass(frozen=True, slots=True)
class Variability:
    """Normal intervals and what is computed from them."""

    rr: NDArray[np.float64]
    sdnn: float | None
    rmssd: float | None
    pnn50: float | None


def variability(beats: Beats) -> Variability:
    """Of consecutive beats: only intervals between two normal beats, only differences of two such neighbours."""
    normal = ~beats.ventricular
    intervals = np.diff(beats.times)
    between = normal[1:] & normal[:-1]
    rr = intervals[between]
    steps = np.diff(intervals)[between[1:] & between[:-1]] * 1000.0
    return Variability(
        rr=rr,
        sdnn=float(np.std(rr, ddof=1) * 1000.0) if rr.size > 1 else None,
        rmssd=float(np.sqrt(np.mean(np.square(steps)))) if steps.size else None,
        pnn50=float(np.mean(np.abs(steps) > 50.0) * 100.0) if steps.size else None,
    )
