"""An utterance in one row of numbers: statistics of its descriptors, its rhythm and its melody (functionals)."""

import numpy as np
from numpy.typing import NDArray

from sensors.sound.emotion.descriptors import NAMES, Described
from sensors.sound.mel import HOP, LOUD, Floats
from sensors.sound.rates import RATE

LENGTH = 662
"""Of the row."""
SPOKEN = 2.0
"""Loudness (logarithm) below the loudest frames down to which a frame counts as speech."""
PEAK = 1.5
"""Likewise, down to which a peak of loudness counts as a syllable."""
SMOOTH = 3.0
"""Frames of the Gaussian that loudness is smoothed with before its peaks are counted."""
MODULATIONS = ((1, 2), (2, 4), (4, 6), (6, 9), (9, 16), (16, 30))
"""Hertz: how fast loudness changes, from phrases over syllables to roughness."""
LEAST_PIECE = 6
"""Frames of voice from which a piece has a melody."""
FEW = 3
"""Frames up to which there are no statistics."""

_RATE = RATE // HOP
_COUNT = len(NAMES)
_PITCH = NAMES.index("pitch")


def summary(of: Described) -> NDArray[np.float32]:
    """(LENGTH,), finite always."""
    rows = of.rows
    loudness = rows[:, 0]
    loudest = float(np.percentile(loudness, LOUD))
    spoken = loudness > loudest - SPOKEN
    voiced = of.voiced & spoken
    hushed = rows[spoken & ~of.voiced]
    hushed = hushed if len(hushed) > FEW else rows[spoken]
    steps = np.diff(rows, axis=0)[voiced[1:]]
    shape = (of.logs[voiced] if voiced.sum() > FEW else of.logs).mean(axis=0)
    without_pitch = [column for column in range(_COUNT) if column != _PITCH]
    parts = [
        _statistics(rows[voiced]),
        _statistics(rows[spoken][:, without_pitch])[: 2 * len(without_pitch)],
        hushed.mean(axis=0),
        hushed.std(axis=0),
        steps.std(axis=0) if len(steps) > FEW else np.zeros(_COUNT),
        shape - shape.mean(),
        of.logs[spoken].std(axis=0),
        _rhythm(loudness, voiced, spoken, loudest),
        _melody(rows[:, _PITCH], voiced),
    ]
    return np.asarray(np.nan_to_num(np.concatenate(parts)), np.float32)


def _statistics(rows: Floats) -> Floats:
    """Of each column: mean, deviation, percentiles, ranges, mean step, trend and skewness."""
    if len(rows) < FEW:
        rows = np.repeat(rows[:1] if len(rows) else np.zeros((1, rows.shape[1])), FEW, axis=0)
    low, lower, middle, upper, high = np.percentile(rows, [10, 25, 50, 75, 90], axis=0)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    at = np.linspace(-1.0, 1.0, len(rows))[:, None]
    trend = (rows * at).sum(axis=0) / (at**2).sum()
    skewness = np.clip((((rows - mean) / deviation) ** 3).mean(axis=0), -3.0, 3.0)
    step = np.abs(np.diff(rows, axis=0)).mean(axis=0)
    return np.concatenate([mean, deviation, low, middle, high, high - low, upper - lower, step, trend, skewness])


def _pieces(there: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where stretches begin and end."""
    edges = np.diff(np.concatenate([[0], there.astype(int), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def _rhythm(loudness: Floats, voiced: NDArray[np.bool_], spoken: NDArray[np.bool_], loudest: float) -> Floats:
    """Voiced pieces, gaps between them, syllables and how fast loudness changes."""
    seconds = len(loudness) / _RATE
    begins, ends = _pieces(voiced)
    lengths = (ends - begins)[(ends - begins) >= FEW] / _RATE
    gaps = (begins[1:] - ends[:-1]) / _RATE if len(begins) > 1 else np.zeros(1)
    bell = np.exp(-0.5 * (np.arange(-8, 9) / SMOOTH) ** 2)
    smooth = np.convolve(loudness, bell / bell.sum(), "same")
    if len(smooth) > len(loudness):  # so short that the bell is longer
        smooth = smooth[: len(loudness)]
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > loudest - PEAK)
    at = np.flatnonzero(peaks) / _RATE
    between = np.diff(at) if len(at) > 2 else np.array([0.2])
    level = loudness - loudness.mean()
    power = np.abs(np.fft.rfft(level * np.hanning(len(level)), 1024)) ** 2
    hertz = np.arange(513) * _RATE / 1024
    shares = np.array([power[(hertz >= low) & (hertz < high)].sum() for low, high in MODULATIONS])
    lengths = lengths if len(lengths) else np.zeros(1)
    found = [
        (len(lengths) if lengths.any() else 0) / seconds,
        lengths.mean(),
        lengths.std(),
        lengths.max(),
        gaps.mean(),
        gaps.max(),
        voiced.mean(),
        spoken.mean(),
        peaks.sum() / seconds,
        between.mean(),
        between.std(),
    ]
    return np.concatenate([found, np.log(shares / (power.sum() + 1e-12) + 1e-4)])


def _melody(pitch: Floats, voiced: NDArray[np.bool_]) -> Floats:
    """How pitch moves within and between pieces of voice, in semitones."""
    pieces = [pitch[begin:end] for begin, end in zip(*_pieces(voiced), strict=True) if end - begin >= LEAST_PIECE]
    if not pieces:
        return np.zeros(12)
    ranges = np.array([np.ptp(piece) for piece in pieces])
    slopes = np.array([np.polyfit(np.arange(len(piece)) / _RATE, piece, 1)[0] for piece in pieces])
    weights = np.array([len(piece) for piece in pieces], dtype=np.float64)
    weights /= weights.sum()
    middles = np.array([np.median(piece) for piece in pieces])
    return np.array([
        weights @ ranges,
        ranges.max(),
        weights @ slopes,
        weights @ np.abs(slopes),
        np.clip(slopes, -99.0, 99.0).max(),
        slopes.min(),
        middles.std(),
        middles[-1] - middles[0],
        middles[0],
        middles[-1],
        middles.max(),
        middles.min(),
    ])  # fmt: skip
