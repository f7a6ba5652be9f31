"""Pitch by autocorrelation and the best path through its candidates (Boersma 1993, "Accurate short-term analysis of the
fundamental frequency and the harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 97-110).

The autocorrelation of a windowed frame is divided by that of its window; its peaks are candidates, their heights r the
share of the power that repeats. The path through 100 frames pays for jumps by octaves and for going in and out of
voicing, and so holds an octave.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from sensors.sound.frames import framed
from sensors.sound.rates import RATE, Sound

LOWEST, HIGHEST = 65.0, 600.0
"""Hertz: speech of men, women and children, raised voices included (Baken & Orlikoff 2000)."""
WINDOW = 768
"""Samples: a little more than three periods of the lowest pitch, which is what the window must hold (Boersma 1993)."""
CANDIDATES = 6
FINER = 2
"""How much finer than a sample the autocorrelation is computed, before a parabola through its peak."""
SILENCE, VOICING = 0.03, 0.5
JUMP, TURN = 0.35, 0.14
"""Thresholds of silence and voicing, and the costs of an octave's jump in 10 ms and of a turn between voiced and
unvoiced; Boersma's own in Praat's documentation, but for voicing (.45), which halves the leaps in real speech."""
OCTAVE = 0.05
"""Cost of each octave that a pitch lies lower. Boersma's .01 is less than what noise does to the heights of peaks: of
simulated vowels of 80 to 500 Hz with noise at 10 dB, 14 % of the frames fell by an octave with it, none with
this."""
USUAL = 150.0
"""Hertz at which that cost is nil, so that it moves the threshold of voicing neither for men nor for women."""
SURE, LEAST_SURE = 0.85, 8
"""Harmonic share of a frame whose pitch is beyond doubt (8 dB), and how many of them are needed to go by."""
RANGE = 0.85
"""Octaves from their median in which the second path looks: ten semitones, more than a second of lively speech has, and
less than an octave. Without it the ringing of a first formant in breath passes for a pitch of 400 to 600 Hz. Two passes
with limits from the first are Hirst's (2011, "The analysis by synthesis of speech melody")."""
QUIETEST = 1e-5
"""Full scale (-100 dB): below that a peak is dither."""

_SIZE = 1152
"""Of the transform: more than the window and the longest lag together, and quick to compute."""
_SHORTEST, _LONGEST = RATE / HIGHEST, RATE / LOWEST


@dataclass(frozen=True, slots=True)
class Pitch:
    """Of each frame of a second."""

    hertz: NDArray[np.float64]
    """NaN where it is unvoiced."""
    harmonic: NDArray[np.float64]
    """Share of the power that repeats with the pitch; NaN likewise."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Which frames have a pitch."""
        return np.isfinite(self.hertz)


def pitch(stretch: Sound) -> Pitch:
    """Pitch and harmonic share of each frame of a stretch."""
    frames = framed(stretch, WINDOW)
    frames = frames - frames.mean(axis=1, keepdims=True)
    peaks = np.abs(frames).max(axis=1)
    loudest = float(peaks.max())
    count = len(frames)
    nothing = np.full(count, np.nan)
    if loudest < QUIETEST:
        return Pitch(nothing, nothing.copy())
    lags, heights = _candidates(frames)
    hertz = RATE / lags
    strengths = heights - OCTAVE * np.log2(USUAL * lags / RATE)
    strengths[~np.isfinite(heights)] = -np.inf
    unvoiced = VOICING + np.maximum(0.0, 2 - (peaks / loudest) / (SILENCE / (1 + VOICING)))
    first = _taken(
        best_path(np.log2(hertz), np.column_stack([strengths, unvoiced]), jump=JUMP, turn=TURN), hertz, heights
    )
    sure = first.hertz[first.voiced & (np.nan_to_num(first.harmonic) > SURE)]
    if len(sure) < LEAST_SURE:
        return first
    far = np.abs(np.log2(hertz / np.median(sure))) > RANGE
    return _taken(
        best_path(np.log2(hertz), np.column_stack([np.where(far, -np.inf, strengths), unvoiced]), jump=JUMP, turn=TURN),
        hertz,
        heights,
    )


def _taken(path: NDArray[np.int64], hertz: NDArray[np.float64], heights: NDArray[np.float64]) -> Pitch:
    rows, chosen, voiced = np.arange(len(path)), np.minimum(path, CANDIDATES - 1), path < CANDIDATES
    return Pitch(np.where(voiced, hertz[rows, chosen], np.nan), np.where(voiced, heights[rows, chosen], np.nan))


_HANN = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
_LAGS = np.arange(int(FINER * _SHORTEST) - 1, int(FINER * _LONGEST) + 3)
"""In halves of a sample, with one more on either side of what may be a pitch."""


def _correlated(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = rfft(frames, _SIZE, axis=1)
    power = np.zeros((len(frames), _SIZE * FINER // 2 + 1))
    # the spectrum of a finer autocorrelation: the same, with nothing above
    power[:, : _SIZE // 2 + 1] = spectrum.real**2 + spectrum.imag**2
    found = irfft(power, _SIZE * FINER, axis=1)
    return np.asarray(found[:, _LAGS] / np.maximum(found[:, :1], 1e-300))


_OF_WINDOW = _correlated(_HANN[None])[0]


def _candidates(frames: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lags in samples and heights of each frame's highest peaks; a height of NaN where it has fewer."""
    found = _correlated(frames * _HANN) / _OF_WINDOW
    before, middle, after = found[:, :-2], found[:, 1:-1], found[:, 2:]
    is_peak = (middle > before) & (middle >= after) & (middle > 0.5 * VOICING)
    ranked = np.where(is_peak, middle - OCTAVE * np.log2(USUAL * _LAGS[1:-1] / FINER / RATE), -np.inf)
    places = np.argpartition(-ranked, CANDIDATES, axis=1)[:, :CANDIDATES]
    rows = np.arange(len(frames))[:, None]
    there = np.isfinite(ranked[rows, places])
    left, top, right = before[rows, places], middle[rows, places], after[rows, places]
    bend = np.where(there, left - 2 * top + right, -1.0)
    offset = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    heights = np.where(there, top - 0.25 * (left - right) * offset, np.nan)
    lags = (_LAGS[1:-1][places] + offset) / FINER
    lags = np.clip(lags, _SHORTEST, _LONGEST)
    # a peak above one is the window's division at work, not more than all of the power
    return lags, np.where(heights > 1, 1 / heights, heights)


def best_path(
    octaves: NDArray[np.float64], gains: NDArray[np.float64], *, jump: float, turn: float
) -> NDArray[np.int64]:
    """Which candidate each frame takes, the last of `gains` being the unvoiced one: the most gain less what it costs to
    jump (per octave) and to turn the voice on or off (Boersma 1993; dynamic programming)."""
    count, candidates = octaves.shape
    best = gains[0]
    came = np.zeros((count, candidates + 1), np.int64)
    cost = np.full((candidates + 1, candidates + 1), turn)
    cost[-1, -1] = 0.0
    columns = np.arange(candidates + 1)
    for frame in range(1, count):
        cost[:-1, :-1] = jump * np.abs(octaves[frame - 1][:, None] - octaves[frame])
        through = best[:, None] - cost
        came[frame] = through.argmax(axis=0)
        best = through[came[frame], columns] + gains[frame]
    path = np.empty(count, np.int64)
    path[-1] = int(best.argmax())
    for frame in range(count - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    return path
