"""What makes an ECG hard to read, applied to waves with known beats. `electrode_motion` is real, all else synthetic."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import filters

Floats = NDArray[np.float64]

_SHARED = 20_000, 34_450
"""Samples by which the excerpt at 12 dB begins after that at 24 dB, and from which that one has noise there."""


def electrode_motion(recordings: Path) -> Floats:
    """24 s of real electrode motion (em of the MIT-BIH noise stress test), 360 Hz, of mean 0 and variance 1.

    The excerpts at 24 and 12 dB share 64 s of the same clean record 118, the last 24 s of them with the same noise at
    two sizes: the difference is that noise and nothing else.
    """
    loud, soft = (np.loadtxt(recordings / "ecg" / "noise" / f"118e{level}.csv") for level in ("12", "24"))
    offset, noisy = _SHARED
    noise = loud[noisy - offset : len(soft) - offset] - soft[noisy:]
    return np.asarray((noise - noise.mean()) / noise.std())


def muscle(count: int, rate: float, seed: int) -> Floats:
    """Synthetic muscle-like noise: white between 20 and 100 Hz, of variance 1."""
    white = np.random.default_rng(seed).standard_normal(count)
    noise = filters.Causal(filters.band_pass(rate, 20.0, 100.0)).feed(white[:, None])[:, 0]
    return np.asarray(noise / noise.std())


def lasting(noise: Floats, count: int, seed: int) -> Floats:
    """Noise repeated as it is, backwards or upside down, by chance, faded over half a second."""
    rng = np.random.default_rng(seed)
    fade = np.linspace(0.0, 1.0, 180)
    out = noise.copy()
    while len(out) < count:
        more = noise[:: rng.choice((-1, 1))] * rng.choice((-1.0, 1.0))
        more = more - more[: len(fade)].mean() + out[-len(fade) :].mean()
        joint = out[-len(fade) :] * (1.0 - fade) + more[: len(fade)] * fade
        out = np.concatenate((out[: -len(fade)], joint, more[len(fade) :]))
    return out[:count]


def scaled(noise: Floats, x: Floats, beats: Floats, rate: float, decibels: float) -> Floats:
    """Noise at a signal-to-noise ratio as the noise stress test tool defines it.

    The signal's power is that of a sine of the median QRS's peak-to-peak amplitude, amplitude^2 / 8, and the noise's
    its variance (Moody, Muldrow & Mark 1984, A noise stress test for arrhythmia detectors, Computers in Cardiology
    11:381-384).
    """
    power = peak_to_peak(x, beats, rate) ** 2 / 8.0
    return np.asarray(noise / noise.std() * np.sqrt(power / 10.0 ** (decibels / 10.0)))


def peak_to_peak(x: Floats, beats: Floats, rate: float) -> float:
    """The median QRS, from its lowest to its highest point."""
    half = round(0.06 * rate)
    middles = np.rint(beats * rate).astype(np.intp)
    middles = middles[(middles > half) & (middles < len(x) - half)]
    return float(np.median(np.ptp(x[middles[:, None] + np.arange(-half, half + 1)], axis=1)))


def bumps(x: Floats, rate: float, at: Floats, height: float, width: float) -> Floats:
    """Gaussian waves of this height and standard deviation added at these times."""
    out = x.copy()
    reach = round(4 * width * rate)
    for moment in at.tolist():
        places = np.arange(max(0, round(moment * rate) - reach), min(len(x), round(moment * rate) + reach))
        out[places] += height * np.exp(-0.5 * ((places / rate - moment) / width) ** 2)
    return out
