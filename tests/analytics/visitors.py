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


def bumps(seconds: float, rate: float, beats: Floats, waves: tuple[tuple[float, float, float], ...]) -> Floats:
    """Gaussians of (height in mV, seconds after the beat, width in s) at every beat: an ECG of any rhythm and shape."""
    times = np.arange(round(seconds * rate)) / rate
    x = np.zeros(len(times))
    for beat in beats.tolist():
        near = slice(max(0, round((beat - 0.5) * rate)), max(0, round((beat + 0.8) * rate)))
        for height, after, width in waves:
            x[near] += height * np.exp(-0.5 * ((times[near] - beat - after) / width) ** 2)
    return x


SINUS_BEAT = ((0.12, -0.16, 0.025), (-0.1, -0.03, 0.010), (1.1, 0.0, 0.012), (-0.2, 0.03, 0.010), (0.3, 0.28, 0.050))
WIDE_BEAT = ((1.3, 0.0, 0.035), (-0.5, 0.09, 0.030), (-0.35, 0.30, 0.060))


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
    brown = np.fft.irfft(spectrum / hertz, count)
    yield "white noise", _scaled(white)
    yield "pink noise", _scaled(np.fft.irfft(spectrum / np.sqrt(hertz), count))
    yield "brown noise", _scaled(brown)
    highest = min(120.0, 0.45 * rate)
    for name, low, high in (("muscle", 20.0, highest), ("band of the QRS", 8.0, 20.0), ("motion", 1.0, 10.0)):
        if low < 0.8 * highest:
            band = signal.butter(2, [low, min(high, highest)], "band", fs=rate, output="sos")
            # a muscle works in bursts, and so does who moves
            effort = np.exp(
                np.interp(times, np.arange(0.0, seconds + 1.0, 0.5), rng.normal(0, 0.7, int(2 * seconds) + 2))
            )
            plain = np.asarray(signal.sosfilt(band, white))
            yield name, _scaled(plain)
            yield f"{name} in bursts", _scaled(plain * effort)
    moments = (np.cumsum(rng.exponential(1.0, round(2 * seconds))) * rate).astype(np.intp)
    moments = moments[moments < count]
    steps = np.zeros(count)
    steps[moments] = rng.standard_normal(len(moments))
    yield "steps", np.cumsum(steps)
    yield "clicks", 3 * steps + 0.02 * white
    yield (
        "jerks",
        _scaled(np.asarray(signal.lfilter([1.0], [1.0, -np.exp(-1.0 / (0.15 * rate))], steps)) + 0.02 * white),
    )
    yield "speech", _scaled(speech(rate, seconds, rng))
    yield "hum", np.sin(2 * np.pi * 50.03 * times) + 0.01 * white
    yield "hum that clips", np.clip(2 * np.sin(2 * np.pi * 49.97 * times), -1.0, 1.0)
    yield "saturation", np.full(count, 5.0)
    yield "saturation now and then", np.clip(4 * _scaled(brown + 0.1 * brown.std() * white), -1.0, 1.0)
    yield "flat line", 0.002 * white
    yield "nothing at all", np.full(count, np.nan)


def _scaled(x: Floats) -> Floats:
    return np.asarray(0.3 * (x - x.mean()) / max(float(x.std()), 1e-12))


def speech(rate: float, seconds: float, rng: np.random.Generator) -> Floats:
    """A voice on the electrodes: glottal pulses through three formants, in syllables and pauses, at this rate."""
    fine = 8000
    count = round(fine * seconds)
    x = np.zeros(count)
    begin = 0
    while begin < count:
        size = min(round(fine * rng.uniform(0.12, 0.35)), count - begin)
        pitch = rng.uniform(90.0, 220.0) * np.linspace(1.0, rng.uniform(0.8, 1.2), size)
        pulses = np.diff(np.floor(np.cumsum(pitch) / fine), prepend=0.0)
        for formant, width in zip(rng.uniform((300, 900, 2200), (800, 2000, 3000)), (80.0, 120.0, 200.0), strict=True):
            radius = np.exp(-np.pi * width / fine)
            turn = 2 * radius * np.cos(2 * np.pi * formant / fine)
            pulses = np.asarray(signal.lfilter([1.0 - radius], [1.0, -turn, radius**2], pulses))
        x[begin : begin + size] = pulses * np.hanning(size) * rng.lognormal(0.0, 0.4)
        begin += size + round(fine * (rng.exponential(0.4) if rng.random() < 0.2 else 0.02))
    # a cheap converter has no filter before it: what it cannot carry it folds down
    return np.asarray(np.interp(np.arange(round(rate * seconds)) / rate, np.arange(count) / fine, x))
