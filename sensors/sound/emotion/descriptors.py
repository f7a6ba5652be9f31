"""What a frame of speech is like: loudness, pitch, voice quality, spectrum, vocal tract - low-level descriptors.

After GeMAPS (Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417), each computed here in our own way. Frames never leave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

from sensors.sound.emotion.contour import contour
from sensors.sound.mel import HERTZ, HIGHEST, SIZE, WINDOW, Floats, bands, cepstra, framed, log_bands, powers
from sensors.sound.rates import RATE

NAMES = (
    "loudness", "energy", "pitch", "hnr", "harmonic", "alpha_ratio", "hammarberg", "slope_500", "slope_1500",
    "slope_5000", "centroid", "spread", "entropy", "rolloff", "flux", "h1_h2", "h1_h4", "jitter", "shimmer",
    "f1", "f2", "f3", "f1_width", *(f"mfcc_{number}" for number in range(1, 15)),
)  # fmt: skip
PROSODY = 23
"""So many of them are no cepstra."""
HEARING = 0.33
"""Exponent from power to loudness (Stevens 1957; as in perceptual linear prediction, Hermansky 1990)."""
BEGIN = 27.5
"""Hertz from which semitones count (GeMAPS)."""
ROLLED = 0.85
"""Share of the power below the roll-off."""
ORDER = 14
"""Of linear prediction at 16 kHz: up to seven resonances below 8 kHz (Markel & Gray 1976: rate in kHz, less two)."""
EMPHASIS = 0.97
RESONANCE, WIDEST = (200.0, 5000.0), 700.0
"""Hertz between which a pole is a formant, and its greatest bandwidth."""
NEUTRAL_TUBE = (500.0, 1500.0, 2500.0)
"""Formants where none is found: those of a tube of 17 cm (Fant 1960)."""
NEUTRAL_WIDTH = 200.0
LEAST_HARMONIC = 1e-3


@dataclass(frozen=True, slots=True)
class Described:
    """An utterance, frame by frame."""

    logs: Floats
    """(n, BANDS) on the mel scale."""
    rows: Floats
    """(n, NAMES)."""
    voiced: NDArray[np.bool_]


def described(sound: Floats) -> Described:
    """Of sound that is trimmed and levelled."""
    power = powers(sound)
    banded = bands(power)
    logs = log_bands(banded)
    hertz, harmonic = contour(sound, len(power))
    voiced = hertz > 0
    harmonic = np.clip(harmonic, LEAST_HARMONIC, None)
    semitones = np.where(voiced, 12 * np.log2(np.maximum(hertz, 1.0) / BEGIN), 0.0)
    peaks = np.log(np.abs(framed(sound)).max(axis=1) + 1e-6)
    steps = np.where(voiced[1:] & voiced[:-1], np.abs(np.diff(semitones)), 0.0)
    rows = np.column_stack([
        np.log((banded**HEARING).sum(axis=1)),
        np.log(power.sum(axis=1)),
        semitones,
        10 * np.log10(harmonic / (1 - harmonic)),
        harmonic,
        _spectrum(power),
        _harmonics(10 * np.log10(power), hertz),
        np.append(0.0, steps),
        np.append(0.0, np.abs(np.diff(peaks))),
        _formants(sound),
        cepstra(logs),
    ])  # fmt: skip
    return Described(logs, rows, voiced)


def _spectrum(power: Floats) -> Floats:
    """Balance, slopes and shape of each frame's spectrum; kilohertz and decibels."""
    decibels = 10 * np.log10(power)

    def within(low: float, high: float) -> NDArray[np.bool_]:
        return np.asarray((low <= HERTZ) & (high > HERTZ))

    def slope(low: float, high: float) -> Floats:
        there = within(low, high)
        at = HERTZ[there] / 1000
        at = at - at.mean()
        return np.asarray((decibels[:, there] * at).sum(axis=1) / (at**2).sum())

    heard = HERTZ < HIGHEST
    at = HERTZ[heard] / 1000
    share = power[:, heard] / power[:, heard].sum(axis=1, keepdims=True)
    centroid = (share * at).sum(axis=1)
    edge = (np.cumsum(share, axis=1) < ROLLED).sum(axis=1)
    roots = np.sqrt(share)
    return np.column_stack([
        10 * np.log10(power[:, within(50, 1000)].sum(axis=1) / power[:, within(1000, 5000)].sum(axis=1)),
        decibels[:, within(0, 2000)].max(axis=1) - decibels[:, within(2000, 5000)].max(axis=1),
        slope(0, 500),
        slope(500, 1500),
        slope(1500, 5000),
        centroid,
        np.sqrt((share * (at[None] - centroid[:, None]) ** 2).sum(axis=1)),
        -(share * np.log(share)).sum(axis=1),
        at[np.minimum(edge, len(at) - 1)],
        np.append(0.0, np.sqrt((np.diff(roots, axis=0) ** 2).sum(axis=1))),
    ])  # fmt: skip


def _harmonics(decibels: Floats, hertz: Floats) -> Floats:
    """The first harmonic above the second and the fourth: breathy voices have much of it, pressed ones little."""
    rows = np.arange(len(hertz))

    def height(number: int) -> Floats:
        middle = np.clip(np.round(number * hertz / (RATE / SIZE)).astype(int), 1, SIZE // 2 - 1)
        return np.asarray(np.max([decibels[rows, middle + step] for step in (-1, 0, 1)], axis=0))

    first = height(1)
    return np.column_stack([first - height(2), first - height(4)])


def _formants(sound: Floats) -> Floats:
    """(n, 4): the first three in kHz and the first one's width in 100 Hz, from the poles of linear prediction."""
    frames = framed(np.asarray(lfilter([1.0, -EMPHASIS], [1.0], sound))) * np.hamming(WINDOW)
    found = irfft(np.abs(rfft(frames, 2 * SIZE)) ** 2)[:, : ORDER + 1]
    found[:, 0] = found[:, 0] * 1.0001 + 1e-9
    apart = np.abs(np.arange(ORDER)[:, None] - np.arange(ORDER)[None])
    companion = np.zeros((len(frames), ORDER, ORDER))
    companion[:, 0] = np.linalg.solve(found[:, apart], found[:, 1:, None])[..., 0]
    companion[:, np.arange(1, ORDER), np.arange(ORDER - 1)] = 1.0
    poles = np.linalg.eigvals(companion)
    hertz = np.angle(poles) * RATE / 2 / np.pi
    widths = -np.log(np.abs(poles) + 1e-9) * RATE / np.pi
    is_formant = (hertz > RESONANCE[0]) & (hertz < RESONANCE[1]) & (widths < WIDEST)
    ranked = np.where(is_formant, hertz, np.inf)
    first = np.argsort(ranked, axis=1)[:, :3]
    hertz = np.take_along_axis(ranked, first, axis=1)
    there = np.isfinite(hertz)
    width = np.where(there[:, 0], np.take_along_axis(widths, first[:, :1], axis=1)[:, 0], NEUTRAL_WIDTH)
    return np.column_stack([np.where(there, hertz, np.array(NEUTRAL_TUBE)) / 1000, width / 100])
