"""The one true heart: beat times by integral pulse frequency modulation, drawn as far as somebody looks.

Rate = mean rate (1 + m(t)), a beat wherever its integral passes a whole number (IPFM; Mateo & Laguna 2000,
doi:10.1109/10.855406). m(t) is the sum of respiratory sinus arrhythmia, Mayer waves and a slow 1/f drift.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.chance import Drift, generator
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.variability import MAYER, VLF

_BLOCK = 60  # seconds drawn at once
_GRID = 50  # points a second of the integral
_BEFORE = 45.0  # the heart beats before the session begins, so that its first second is like any other
_RSA_LEAD = 0.9  # radians: the rate is highest shortly before the chest is full
_AHEAD = 6.0  # seconds: at least two beats, however slow the heart


@dataclass(frozen=True, slots=True)
class Beats:
    """Consecutive beats, one array each."""

    times: NDArray[np.float64]
    """R peaks, s."""
    ventricular: NDArray[np.bool_]
    interval: NDArray[np.float64]
    """Since the beat before, s."""
    usual: NDArray[np.float64]
    """Running mean of normal intervals, s: what repolarisation has adapted to."""


class Heart:
    """Beats without end. An hour costs its beat times, not its samples."""

    def __init__(self, person: Person, breath: Breath) -> None:
        self._person = person
        self._breath = breath
        seed = person.seed
        self._drift = Drift(seed, "heart/vlf", *VLF, 5)
        self._mayer_wander = Drift(seed, "heart/mayer", 0.008, 0.03, 4)
        self._mayer_first = float(generator(seed, "heart/mayer/first").uniform(0.0, 2.0 * np.pi))
        self._chance = generator(seed, "heart/ectopic")
        self._gains = self._modulation_gains()
        self._blocks = 0
        self._integral = float(generator(seed, "heart/first").random())
        self._sinus: list[float] = []
        self._last = -_BEFORE - 60.0 / person.heart_rate
        self._was_ectopic = True  # the very first beat may not be one: it has no interval before it
        self._usual = 60.0 / float(self.rate(np.array([-_BEFORE]))[0])
        self._columns: list[list[float]] = [[], [], [], []]
        self._beats = Beats(np.empty(0), np.empty(0, np.bool_), np.empty(0), np.empty(0))

    def rate(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean rate per minute that the dials ask for, without variability."""
        profile = self._person.heart_rate_profile
        if not profile:
            return np.full(times.shape, self._person.heart_rate)
        corners, rates = np.array(profile, dtype=np.float64).T
        rate: NDArray[np.float64] = np.interp(times, corners, rates)
        return rate

    def mayer(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """The 0.1 Hz wave, -1..1; blood pressure and vessels follow it too."""
        return np.sin(2.0 * np.pi * MAYER * times + self._mayer_first + 1.2 * self._mayer_wander.at(times))

    def beats(self, start: float, end: float, *, before: int = 0, after: int = 0) -> Beats:
        """The beats in [start, end), and so many neighbours to either side."""
        self._extend(end + _AHEAD)
        known = self._beats
        first = max(int(np.searchsorted(known.times, start)) - before, 0)
        last = int(np.searchsorted(known.times, end)) + after
        part = slice(first, last)
        return Beats(known.times[part], known.ventricular[part], known.interval[part], known.usual[part])

    def _modulation_gains(self) -> tuple[float, float, float]:
        """Depth of m(t) per rhythm, such that each adds its dial to the standard deviation of RR."""
        person = self._person
        interval = 60.0 / person.heart_rate

        def gain(milliseconds: float, frequency: float) -> float:
            # an interval is a mean of m over its own length, which weakens fast rhythms by a sinc
            return milliseconds / 1000.0 / interval / max(float(np.sinc(frequency * interval)), 0.2)

        root = float(np.sqrt(2.0))
        return (root * gain(person.rsa_ms, person.respiration_rate / 60.0), root * gain(person.mayer_ms, MAYER),
                gain(person.vlf_ms, 0.02))  # fmt: skip

    def _extend(self, until: float) -> None:
        if self._beats.times.size and self._beats.times[-1] > until:
            return
        while not self._columns[0] or self._columns[0][-1] <= until:
            for sinus in self._next_sinus().tolist():
                self._accept(sinus)
        times, ventricular, interval, usual = (np.array(column) for column in self._columns)
        self._beats = Beats(times, ventricular > 0, interval, usual)

    def _next_sinus(self) -> NDArray[np.float64]:
        """Firings of the sinus node in the next block."""
        ticks = np.arange(_BLOCK * _GRID + 1) + self._blocks * _BLOCK * _GRID
        times = ticks / _GRID - _BEFORE
        rsa, mayer, vlf = self._gains
        m = (
            rsa * -np.cos(self._breath.phase(times) + _RSA_LEAD)
            + mayer * self.mayer(times)
            + vlf * self._drift.at(times)
        )
        rate = self.rate(times) / 60.0 * np.maximum(1.0 + m, 0.25)
        integral = np.empty(rate.size)
        integral[0] = self._integral
        integral[1:] = self._integral + np.cumsum((rate[1:] + rate[:-1]) * (0.5 / _GRID))
        whole = np.arange(np.floor(integral[0]) + 1.0, np.floor(integral[-1]) + 1.0)
        self._blocks += 1
        self._integral = float(integral[-1])
        return np.interp(whole, integral, times)

    def _accept(self, sinus: float) -> None:
        """One more beat: the sinus node's, or a premature one of the ventricle in its place.

        The node keeps its own time, so that the beat after a premature one comes when it would have come anyway:
        the pause is fully compensatory.
        """
        chance, coupling, *_ = self._chance.random(2).tolist()
        interval = sinus - self._last
        wanted = self._person.ectopic_rate * self._usual / 60.0
        ectopic = not self._was_ectopic and chance < min(wanted / max(1.0 - wanted, 0.1), 0.9)
        time = self._last + max((0.55 + 0.17 * coupling) * interval, 0.28) if ectopic else sinus
        ectopic = ectopic and time < sinus - 0.05
        time = time if ectopic else sinus
        if not ectopic and not self._was_ectopic:
            self._usual += 0.25 * (interval - self._usual)
        for column, value in zip(self._columns, (time, float(ectopic), time - self._last, self._usual), strict=True):
            column.append(value)
        self._last, self._was_ectopic = time, ectopic
