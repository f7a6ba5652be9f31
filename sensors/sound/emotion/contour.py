"""Pitch over a whole utterance, for the emotion network: the method of `sensors.sound.pitch`, on frames of its own.

Autocorrelation and the best path through its candidates (Boersma 1993, IFA Proceedings 17, 97-110), over any length
instead of a second. Kept apart, since a network must go on seeing exactly what it was trained on.
"""

import numpy as np
from scipy.fft import irfft, rfft

from sensors.sound.mel import WINDOW, Floats, framed
from sensors.sound.pitch import best_path
from sensors.sound.rates import RATE

LOWEST, HIGHEST = 60, 600
"""Hertz."""
LENGTH = 640
"""Samples of a frame: 40 ms, more than two periods of the lowest pitch."""
CANDIDATES = 6
LEAST = 0.2
"""Height of a peak from which it is a candidate."""
SILENCE, VOICING = 0.03, 0.45
LOW, JUMP, TURN = 0.01, 0.35, 0.14
"""Boersma's thresholds and costs: of a low pitch, of an octave's jump in 10 ms, of a turn to or from voicing."""
MOST_HARMONIC = 0.9999
"""40 dB."""

_SIZE = 2048
_LAGS = np.arange(RATE // HIGHEST, RATE // LOWEST + 1)
_HANN = np.hanning(LENGTH + 2)[1:-1]
_OF_WINDOW = irfft(np.abs(rfft(_HANN, _SIZE)) ** 2)[: _LAGS[-1] + 2]


def contour(sound: Floats, count: int) -> tuple[Floats, Floats]:
    """Hertz (0 where unvoiced) and the share of power that repeats (0..1), of `count` frames."""
    frames = framed(np.pad(sound, ((LENGTH - WINDOW) // 2, LENGTH)), LENGTH, count)
    frames = frames - frames.mean(axis=1, keepdims=True)
    peaks, loudest = np.abs(frames).max(axis=1), float(np.abs(sound).max()) + 1e-9
    found = irfft(np.abs(rfft(frames * _HANN, _SIZE)) ** 2)[:, : _LAGS[-1] + 2]
    found = found / (found[:, :1] + 1e-12) / (_OF_WINDOW / _OF_WINDOW[0])
    around = found[:, _LAGS[0] - 1 : _LAGS[-1] + 2]
    heights = around[:, 1:-1]
    is_peak = (heights > around[:, :-2]) & (heights >= around[:, 2:]) & (heights > LEAST)
    ranked = np.where(is_peak, heights - LOW * np.log2(LOWEST * _LAGS / RATE), -1.0)
    places = np.argpartition(-ranked, CANDIDATES, axis=1)[:, :CANDIDATES]
    rows = np.arange(count)
    before, at, after = (around[rows[:, None], places + step] for step in (0, 1, 2))
    bend = before - 2 * at + after
    offset = np.where(np.abs(bend) > 1e-9, 0.5 * (before - after) / (bend + 1e-12), 0.0)
    hertz = RATE / (_LAGS[places] + np.clip(offset, -0.5, 0.5))
    unvoiced = VOICING + np.maximum(0.0, 2.0 - (peaks / loudest) / SILENCE * (1.0 + VOICING))
    gains = np.column_stack([ranked[rows[:, None], places], unvoiced])
    path = best_path(np.log2(hertz), gains, jump=JUMP, turn=TURN)
    voiced, chosen = path < CANDIDATES, np.minimum(path, CANDIDATES - 1)
    harmonic = np.where(voiced, at[rows, chosen], heights.max(axis=1))
    return np.where(voiced, hertz[rows, chosen], 0.0), np.clip(harmonic, 0.0, MOST_HARMONIC)
