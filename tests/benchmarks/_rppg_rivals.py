"""Seven published methods, written from their papers, with the steps that usually follow: what ours is held against.

Each takes the mean colour of the whole face, (n, 3) in red, green, blue on a regular grid, and gives the pulse with
systole up. CHROM and POS are the product's own; the others live here alone, for they are no part of it. The eighth is
the network that is shipped as an option, which is not published: it is asked in the same way.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, linalg, signal, sparse
from scipy.sparse.linalg import splu

from analytics import correction, hrv
from analytics.beats import Beats, Kind
from analytics.rppg import methods
from analytics.rppg.neural import NETWORK, NeuralPulse

Floats = NDArray[np.float64]
Method = Callable[[Floats, float], Floats]

HEART = ("heart_rate", "sdnn", "rmssd")

BAND = (0.7, 4.0)
"""Hertz, 42 to 240 per minute: what all rivals are filtered to and searched in (Poh 2011)."""
SMOOTHNESS = 100.0
"""Lambda of the detrending; the pulse stays from about 0.3 Hz on at 30 frames a second."""
STRIDE = 1.6
"""Seconds of a window of PBV: one beat and more (as Wang 2017 compares the methods)."""
BLOOD = np.array([0.33, 0.77, 0.53])
"""Relative pulse of red, green, blue under white light (de Haan & van Leest 2014)."""
FINE = 256.0
"""Hertz to which a pulse is drawn before its peaks are looked for (Poh 2011)."""
SEGMENT = 12.0
"""Seconds of a segment of Welch's mean; a shorter trace is one segment."""


def green(colours: Floats, rate: float) -> Floats:
    """The green channel alone; blood swallows green light, so that it falls with every beat.

    Verkruysse, Svaasand & Nelson 2008, doi:10.1364/OE.16.021434.
    """
    del rate
    return -colours[:, 1]


def ica(colours: Floats, rate: float) -> Floats:
    """The independent component whose spectrum has the highest peak in the band.

    Detrended, each colour to unit variance, JADE; Poh, McDuff & Picard 2010, doi:10.1364/OE.18.010762 and 2011,
    doi:10.1109/TBME.2010.2086456. A component's sign is chance: it is turned against the green.
    """
    even = detrended(colours)
    even = (even - even.mean(axis=0)) / np.maximum(even.std(axis=0), 1e-12)
    components = jade(even)
    hertz, density = signal.periodogram(components, rate, "hann", axis=0)
    inside = (hertz >= BAND[0]) & (hertz <= BAND[1])
    best = int(np.argmax(density[inside].max(axis=0) / np.maximum(density[inside].sum(axis=0), 1e-300)))
    pulse = components[:, best]
    return -pulse if float(pulse @ even[:, 1]) > 0 else pulse


def pbv(colours: Floats, rate: float) -> Floats:
    """The mixture whose correlation with the colours is the signature of blood, window by window.

    W = k P (C C')^-1, pulse = W C; de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913; overlap-add of windows
    of 1.6 s, each of mean zero and unit deviation.
    """
    length = min(len(colours), max(8, round(STRIDE * rate)))
    pulse = np.zeros(len(colours))
    taper = np.hanning(length + 2)[1:-1]
    for begin in {*range(0, len(colours) - length + 1, max(1, length // 2)), len(colours) - length}:
        part = colours[begin : begin + length]
        relative = part / np.maximum(part.mean(axis=0), 1e-9) - 1.0
        weights = linalg.pinvh(relative.T @ relative) @ BLOOD
        wave = -(relative @ weights)
        spread = float(wave.std())
        if spread > 0:
            pulse[begin : begin + length] += taper * (wave - wave.mean()) / spread
    return pulse


def lgi(colours: Floats, rate: float) -> Floats:
    """The green of what is orthogonal to the colours' main direction, which light and motion have in common.

    Pilz, Zaunseder, Krajewski & Blazek 2018, doi:10.1109/CVPRW.2018.00172.
    """
    del rate
    main = np.linalg.svd(colours.T, full_matrices=False)[0][:, 0]
    return -(colours - np.outer(colours @ main, main))[:, 1]


def omit(colours: Floats, rate: float) -> Floats:
    """As LGI, the direction taken from a QR factorisation instead.

    Alvarez Casado & Bordallo Lopez 2023, doi:10.1109/JBHI.2023.3307942 (Face2PPG).
    """
    del rate
    main = np.linalg.qr(colours.T)[0][:, 0]
    return -(colours - np.outer(colours @ main, main))[:, 1]


def red(colours: Floats, rate: float) -> Floats:
    """The red channel alone: what passes through a finger that is lit from beside the lens, and no method's idea."""
    del rate
    return -colours[:, 0]


def network(colours: Floats, rate: float) -> Floats:
    """The shipped network (analytics/rppg/neural.py), which learnt from simulated visitors alone."""
    return _opened()(colours, rate)


@cache
def _opened() -> NeuralPulse:
    # it comes with the product: no folder of installed networks is looked into
    return NeuralPulse.installed(Path())


RIVALS: Mapping[str, Method] = MappingProxyType(
    {
        "GREEN": green,
        "ICA": ica,
        "CHROM": methods.chrom,
        "POS": methods.pos,
        "PBV": pbv,
        "LGI": lgi,
        "OMIT": omit,
        f"network ({NETWORK})": network,
    }
)


def jade(x: Floats) -> Floats:
    """Independent components (n, m) of (n, m): joint diagonalisation of the fourth-order cumulants of whitened data.

    Cardoso & Souloumiac 1993, doi:10.1049/ip-f-2.1993.0054; rotations as in 1996, doi:10.1137/S0895479893259546.
    """
    x = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    white = (x @ (vectors / np.sqrt(np.maximum(values, 1e-15)))).T
    count = len(white)
    unit = np.eye(count)
    cumulants = []
    for i in range(count):
        for j in range(i + 1):
            cumulant = (white * (white[i] * white[j])) @ white.T / len(x) - unit * (i == j)
            cumulant -= np.outer(unit[i], unit[j]) + np.outer(unit[j], unit[i])
            cumulants.append(cumulant * (1.0 if i == j else np.sqrt(2.0)))
    stack = np.array(cumulants)
    turned = unit.copy()
    for _ in range(100):
        largest = 0.0
        for p in range(count - 1):
            for q in range(p + 1, count):
                across = np.array([stack[:, p, p] - stack[:, q, q], stack[:, p, q] + stack[:, q, p]])
                (a, b), (_, d) = (across @ across.T).tolist()
                angle = 0.5 * np.arctan2(2.0 * b, a - d + np.hypot(a - d, 2.0 * b))
                largest = max(largest, abs(angle))
                rotation = unit.copy()
                rotation[[p, q], [p, q]] = np.cos(angle)
                rotation[p, q], rotation[q, p] = -np.sin(angle), np.sin(angle)
                stack = rotation.T @ stack @ rotation
                turned = turned @ rotation
        if largest < 1e-7:
            break
    return np.asarray((turned.T @ white).T)


@lru_cache(maxsize=32)
def _smoother(count: int, smoothness: float) -> object:
    second = sparse.diags_array([1.0, -2.0, 1.0], offsets=(0, 1, 2), shape=(count - 2, count))
    return splu(sparse.csc_array(sparse.eye_array(count) + smoothness**2 * (second.T @ second)))


def detrended(x: Floats, smoothness: float = SMOOTHNESS) -> Floats:
    """Less its slow part, by smoothness priors (Tarvainen 2002, doi:10.1109/10.979357)."""
    if len(x) < 3:
        return np.asarray(x - x.mean(axis=0))
    solver = _smoother(len(x), smoothness)
    return np.asarray(x - solver.solve(np.ascontiguousarray(x)))  # type: ignore[attr-defined]


def finished(pulse: Floats, rate: float) -> Floats:
    """What usually follows a method: detrending, and a Butterworth band-pass without delay."""
    sections = signal.butter(3, BAND, "band", fs=rate, output="sos")
    even = detrended(pulse)
    return np.asarray(signal.sosfiltfilt(sections, even, padlen=min(len(even) - 1, round(2 * rate))))


def heart_rate(pulse: Floats, rate: float) -> float:
    """Per minute: the highest peak of the power spectrum (Welch), its top by a parabola."""
    segment = min(len(pulse), round(SEGMENT * rate))
    size = 1 << (8 * segment - 1).bit_length()
    hertz, density = signal.welch(pulse, rate, "hann", segment, segment // 2, size, detrend="constant")
    inside = np.flatnonzero((hertz >= BAND[0]) & (hertz <= BAND[1]))
    top = int(inside[np.argmax(density[inside])])
    left, middle, right = density[top - 1 : top + 2].tolist()
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return 60.0 * float(hertz[top] + shift * (hertz[1] - hertz[0]))


def beats(pulse: Floats, rate: float) -> Floats:
    """Times of the pulse's peaks in seconds, drawn finer by a cubic; those too close are one."""
    at = np.arange(0.0, (len(pulse) - 1) / rate, 1.0 / FINE)
    fine = interpolate.CubicSpline(np.arange(len(pulse)) / rate, pulse)(at)
    usual = 60.0 / heart_rate(pulse, rate)
    found, _ = signal.find_peaks(fine, distance=max(1.0, 0.6 * usual * FINE))
    return np.asarray(found / FINE, dtype=np.float64)


def variability(pulse: Floats, rate: float) -> dict[str, float | None]:
    """SDNN and RMSSD of a pulse's peaks, corrected as ours are; None where there are none."""
    times = beats(pulse, rate)
    count = len(times)
    if count < 3:
        return dict.fromkeys(HEART[1:])
    found = Beats("", times, np.ones(count - 1, dtype=np.bool_), np.full(count, Kind.NORMAL, dtype=np.uint8),
                  0.01, 1.0, None, None)  # fmt: skip
    values = correction.correct(found).intervals
    return {"sdnn": hrv.sdnn(values), "rmssd": hrv.rmssd(values)}


def asked(method: Method, colours: Floats, rate: float = 30.0, *, beats: bool = True) -> dict[str, float | None]:
    """A rival's answers; nothing where its wave is flat."""
    if len(colours) < 2 * rate:
        return dict.fromkeys(HEART)
    with np.errstate(all="ignore"):
        raw = method(colours, rate)
    if not np.isfinite(raw).all() or np.ptp(raw) < 1e-12:
        return dict.fromkeys(HEART)
    pulse = finished(raw, rate)
    told: dict[str, float | None] = {"heart_rate": heart_rate(pulse, rate)}
    return told | (variability(pulse, rate) if beats else {})
