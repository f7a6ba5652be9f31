"""Intervals of many hearts, real and simulated, for the doubt of HRV values: who is fitted on, who is held back.

The simulated ones have spectra as published: 1/f below 0.04 Hz with exponents about 1.1 (Saul 1988; Bigger 1996,
doi:10.1161/01.CIR.93.12.2142), a Mayer and a respiratory band with spreads about the norms of Nunan 2010
(doi:10.1111/j.1540-8159.2010.02841.x), and what keeps real hearts from being stationary: bands that swell and fade,
movements, and changes of level, whose size over a day is the SDANN of 127 ms (Task Force 1996, PMID 8598068).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analytics.beats import Beats, Floats, Intervals, Kind, intervals
from analytics.correction import correct
from sensors import files
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.breath import Breath
from sensors.drivers.simulated.heart import Heart as Driver

GRID = 4.0
"""Points a second of what modulates the simulated heart."""
LEVEL = 0.15
"""Of the mean interval: standard deviation of its level in those who are most up and about (SDANN / mean RR)."""
PIECES = ((1, 25), (26, 50))
"""pyHRV's samples: neighbours are of one person, so the first half is fitted on and the second is held back."""
RECORDS = (("100", "105", "121"), ("103", "116", "123"))
"""MIT-BIH records in sinus rhythm, likewise."""


@dataclass(frozen=True, slots=True)
class Heart:
    """One person's intervals."""

    name: str
    source: str
    series: Intervals
    fitted: bool
    """Whether the laws of doubt may be fitted on it."""


def from_times(times: Floats) -> Intervals:
    """Intervals between beats, all of them held."""
    return intervals(times, np.ones(len(times) - 1, np.bool_))


def beats(times: Floats, kinds: Floats | None = None) -> Beats:
    """What a detector would have said."""
    chosen = np.zeros(len(times)) if kinds is None else kinds
    return Beats("", times, np.ones(len(times) - 1, np.bool_), chosen.astype(np.uint8), 0.0, 1.0, None, None)


def simulated(seed: int, seconds: float = 2100.0) -> Heart:
    """A heart of the generative model."""
    rng = np.random.default_rng((2026, seed))
    count = int(seconds * GRID)
    time = np.arange(count) / GRID
    mean = float(np.clip(rng.normal(0.85, 0.15), 0.5, 1.3))
    lively, fast, mayer, slow = rng.standard_normal(4)
    breath_sd = 0.030 * float(np.exp(0.30 * lively + 0.45 * fast))
    mayer_sd = 0.024 * float(np.exp(0.25 * lively + 0.30 * mayer))
    slow_sd = 0.026 * float(np.exp(0.20 * lively + 0.35 * slow))
    exponent = float(np.clip(rng.normal(1.1, 0.25), 0.5, 1.8))
    rough = float(rng.uniform(0.1, 0.55))

    def noise(power: Callable[[Floats], Floats], lowest: float = 0.0) -> Floats:
        """Gaussian noise with this spectrum; unit variance above `lowest` hertz."""
        frequency = np.fft.rfftfreq(count, 1.0 / GRID)
        amplitude = np.sqrt(power(np.maximum(frequency, 1e-4)))
        amplitude[0] = 0.0
        spectrum = amplitude * (rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency)))
        counted = np.abs(spectrum[frequency >= lowest]) ** 2
        return np.asarray(np.fft.irfft(spectrum, count) * count / np.sqrt(2.0 * counted.sum()))

    def swelling() -> Floats:
        course = np.exp(rough * noise(lambda f: np.maximum(f, 1e-3) ** -1.0 / (1.0 + (f / 0.03) ** 4)))
        return np.asarray(course / np.sqrt(np.mean(course**2)))

    def band(centre: float, width: float) -> Floats:
        return swelling() * noise(lambda f: np.exp(-(((f - centre) / width) ** 2)))

    rr = slow_sd * noise(lambda f: f**-exponent / (1.0 + (f / 0.04) ** 4), 1.0 / 300.0)
    rr += mayer_sd * band(rng.uniform(0.07, 0.12), rng.uniform(0.01, 0.03))
    rr += breath_sd * band(float(np.clip(rng.normal(0.25, 0.06), 0.13, 0.42)), rng.uniform(0.008, 0.06))
    if rng.random() < 0.5:
        rr += _levels(rng, time, mean)
    if rng.random() < 0.7:
        rr += np.clip(_movements(rng, time, float(np.hypot(slow_sd, mayer_sd))), -0.5 * mean, 0.5 * mean)
    rate = 1.0 / np.maximum(mean * np.exp(np.clip(rr / mean, -0.7, 0.6)), 0.35)
    phase = np.concatenate(([0.0], np.cumsum(rate) / GRID))
    times = np.interp(np.arange(1.0, phase[-1]), phase, np.arange(count + 1) / GRID)
    times += rng.normal(0.0, rng.uniform(0.0005, 0.003), len(times))
    return Heart(f"model {seed}", "model", from_times(times), fitted=True)


def _levels(rng: np.random.Generator, time: Floats, mean: float) -> Floats:
    """Rising, walking, sitting down: the level changes within seconds to minutes, and stays."""
    changes = np.sort(rng.uniform(0.0, time[-1], rng.poisson(time[-1] / rng.uniform(120.0, 600.0))))
    levels = mean * rng.uniform(0.03, LEVEL) * rng.standard_normal(len(changes) + 1)
    course = np.full(len(time), levels[0])
    for change, size in zip(changes, np.diff(levels), strict=True):
        course += size * 0.5 * (1.0 + np.tanh(0.5 * (time - change) / rng.uniform(2.0, 25.0)))
    return course


def _movements(rng: np.random.Generator, time: Floats, size: float) -> Floats:
    """A turn, a sigh, a start: mostly a few faster beats, and back."""
    course = np.zeros(len(time))
    often = float(np.exp(rng.normal(np.log(0.4), 0.8))) / 60.0
    for start in rng.uniform(-60.0, time[-1], rng.poisson(often * (time[-1] + 60.0))):
        since = np.maximum(time - start, 0.0)
        rise, fall = rng.uniform(1.5, 6.0), 3.0 + rng.exponential(8.0)
        depth = size * np.exp(rng.normal(np.log(2.0), 0.6)) * (1.0 if rng.random() < 0.25 else -1.0)
        course += depth * (1.0 - np.exp(-since / rise)) * np.exp(-np.maximum(since - 1.5 * rise, 0.0) / fall)
    return course


def visitor(seed: int, seconds: float = 2100.0) -> Heart:
    """A heart of the product's own simulator: another model than the one that was fitted on."""
    person = Person.random(seed).undisturbed()
    found = Driver(person, Breath(person)).beats(0.0, seconds)
    mended = correct(beats(found.times, np.where(found.ventricular, Kind.ECTOPIC, Kind.NORMAL)))
    return Heart(f"visitor {seed}", "visitor", mended.intervals, fitted=False)


def real(folder: Path) -> Iterator[Heart]:
    """The intervals below KIOSK_RECORDINGS. What was not published as normal-to-normal is corrected first."""
    for fitted, (first, last) in zip((True, False), PIECES, strict=True):
        for number in range(first, last + 1):
            times = _given(folder / "rr" / "pyhrv_samples" / f"series_{number}.txt")
            yield Heart(f"pyhrv {number}", "pyhrv", from_times(times), fitted)
    for number in (1, 2):
        times = _given(folder / "rr" / "kubios" / f"kubios_series_{number}_rr_ms.txt")
        yield Heart(f"kubios {number}", "kubios", from_times(times), fitted=False)
    times = _given(folder / "rr" / "nsr2db" / "nsr001_rr_fs125.csv")
    yield Heart("nsr001", "nsr2db", correct(beats(times)).intervals, fitted=False)
    for name, fitted in (("rest_rri.txt", False), ("exercise_rri.hrm", False), ("noisy_rri.hrm", True)):
        times = _given(folder / "rr" / "hrv" / name)
        yield Heart(
            name, "exercise" if name.startswith("exercise") else "polar", correct(beats(times)).intervals, fitted
        )
    for fitted, names in zip((True, False), RECORDS, strict=True):
        for name in names:
            with np.load(folder / "ecg" / "mitbih" / f"{name}.npz") as record:
                times = np.asarray(record["r"], np.float64) / 360.0
                kinds = np.where(np.isin(record["symbol"], ("N", "-")), Kind.NORMAL, Kind.ECTOPIC)
            yield Heart(f"mitbih {name}", "mitbih", correct(beats(times, kinds)).intervals, fitted)


def _given(path: Path) -> Floats:
    given = files.read(path).beats
    assert given is not None, path
    return np.asarray(given)
