"""Streams for the tests of analytics: simulated visitors as arrays, and what is no heart."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from kiosk.messages import SECOND
from kiosk.recording import Recording, Track
from sensors.drivers.simulated import Body, Person

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


def clock(count: int, rate: float, *, start: float = 0.0) -> Times:
    """Times of a regular stream."""
    return np.rint((start + np.arange(count) / rate) * SECOND).astype(np.int64)


@cache
def ecg(person: Person, rate: float, seconds: float) -> tuple[NDArray[np.float32], Floats]:
    """A visitor's ECG, (n, leads), and the times of the R peaks in it."""
    body = Body(person)
    samples = body.ecg(np.arange(round(seconds * rate)) / rate).astype(np.float32)
    return samples, body.truth(0.0, seconds).beats


def track(samples: NDArray[np.float32], rate: float, *, channels: tuple[str, ...] = ("II",)) -> Track:
    """A stream without gaps as a track."""
    return Track("ecg", "strap", channels, rate, clock(len(samples), rate), samples)


def recording(samples: NDArray[np.float32], rate: float) -> Recording:
    """A recording of nothing else."""
    return Recording((track(samples, rate),))


def cuts(count: int, sizes: list[int]) -> Iterator[slice]:
    """Consecutive slices of these sizes, over and over."""
    begin, turn = 0, 0
    while begin < count:
        yield slice(begin, begin + sizes[turn % len(sizes)])
        begin += sizes[turn % len(sizes)]
        turn += 1


def heartless(rate: float, seconds: float, seed: int) -> Iterator[tuple[str, Floats]]:
    """Signals about 1 mV in size that no heart made, each with the name of its generator."""
    rng = np.random.default_rng(seed)
    count = round(rate * seconds)
    times = np.arange(count) / rate
    white = rng.standard_normal(count)
    hertz = np.fft.rfftfreq(count, 1 / rate)
    hertz[0] = hertz[1]
    spectrum = np.fft.rfft(white)

    def scaled(x: Floats) -> Floats:
        return np.asarray(0.3 * (x - x.mean()) / x.std())

    yield "white noise", scaled(white)
    yield "pink noise", scaled(np.fft.irfft(spectrum / np.sqrt(hertz), count))
    yield "brown noise", scaled(np.fft.irfft(spectrum / hertz, count))
    for name, low, high in (("muscle", 20.0, 0.45 * rate), ("band of the QRS", 8.0, 20.0), ("motion", 1.0, 10.0)):
        band = signal.butter(2, [low, min(high, 120.0)], "band", fs=rate, output="sos")
        yield name, scaled(np.asarray(signal.sosfilt(band, white)))
    moments = (np.cumsum(rng.exponential(1.0, round(2 * seconds))) * rate).astype(np.intp)
    moments = moments[moments < count]
    steps = np.zeros(count)
    steps[moments] = rng.standard_normal(len(moments))
    yield "steps", np.cumsum(steps)
    yield "clicks", 3 * steps + 0.02 * white
    yield "hum", np.sin(2 * np.pi * 50.03 * times) + 0.01 * white
    yield "hum that clips", np.clip(2 * np.sin(2 * np.pi * 49.97 * times), -1.0, 1.0)
    yield "saturation", np.full(count, 5.0)
    yield "flat line", 0.002 * white
    yield "nothing at all", np.full(count, np.nan)
