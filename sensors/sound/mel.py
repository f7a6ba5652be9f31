"""Sound in frames of 25 ms every 10 ms, on the mel scale: what the emotion network is shown of speech.

Frames and spectra as in GeMAPS (Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417); the mel
scale of O'Shaughnessy 1987 (Speech Communication, Addison-Wesley).
None of it leaves the sensor process: a vocoder turns such frames back into speech.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct, rfft

from sensors.sound.rates import RATE

Floats = NDArray[np.float64]

HOP = 160
"""Samples from one frame to the next: 10 ms."""
WINDOW = 400
"""Samples of a frame: 25 ms."""
SIZE = 512
"""Of the transform: the next power of two."""
BANDS = 40
LOWEST, HIGHEST = 60.0, 6800.0
"""Hertz: above, recordings that were resampled once have lost what the others still have."""
CEPSTRA = 14
"""Coefficients after the zeroth: the shape of the vocal tract, without the voice's own harmonics."""
DROP = 35.0
"""Decibels below the loudest frames at which speech has not begun yet or is over: silence must tell nothing."""
QUIETEST = -70.0
"""Decibels of full scale below which there is no speech."""
BESIDE = 320
"""Samples that are kept before the first and after the last frame of speech: 20 ms, for soft onsets."""
LOUD = 95
"""Percentile of the frames' levels that is called the loudest: a click is not."""
SPOKEN = 1e-3
"""Of the power of the loudest frame: above, a frame counts for the level (30 dB)."""
LEVEL = 0.05
"""Root mean square of speech (-26 dB of full scale, ITU-T P.56's usual level) that all is brought to."""
_FLOOR = 1e-9
_SPECTRUM_FLOOR = 1e-7

HERTZ = np.arange(SIZE // 2 + 1) * RATE / SIZE


def framed(sound: Floats, length: int = WINDOW, count: int | None = None) -> Floats:
    """(frames, length) every HOP; zeros follow the end. At least one frame, or `count` of them."""
    if count is None:
        count = max(1, 1 + (len(sound) - length) // HOP)
    padded = np.pad(sound, (0, max(0, (count - 1) * HOP + length - len(sound))))
    return sliding_window_view(padded, length)[::HOP][:count]


def powers(sound: Floats) -> Floats:
    """(frames, SIZE / 2 + 1) of Hamming-windowed frames, never nothing."""
    return np.asarray(np.abs(rfft(framed(sound) * np.hamming(WINDOW), SIZE)) ** 2 + _FLOOR)


def bands(power: Floats) -> Floats:
    """(frames, BANDS) of power on the mel scale."""
    return np.asarray(power @ _BANK.T)


def log_bands(banded: Floats) -> Floats:
    """Their logarithms."""
    return np.asarray(np.log(banded + _SPECTRUM_FLOOR))


def cepstra(logs: Floats) -> Floats:
    """(frames, CEPSTRA): mel-frequency cepstral coefficients 1 to CEPSTRA (Davis & Mermelstein 1980)."""
    return np.asarray(dct(logs, axis=1, norm="ortho")[:, 1 : CEPSTRA + 1])


def trimmed(sound: Floats) -> Floats:
    """Without the silence, or the zeros, before and after: how long a file is must be no cue."""
    levels = 10 * np.log10((framed(sound) ** 2).mean(axis=1) + 1e-10)
    spoken = np.flatnonzero(levels > max(float(np.percentile(levels, LOUD)) - DROP, QUIETEST))
    if not len(spoken):
        return sound
    begin, end = int(spoken[0]) * HOP - BESIDE, int(spoken[-1]) * HOP + WINDOW + BESIDE
    return sound[max(0, begin) : min(len(sound), end)]


def levelled(sound: Floats) -> Floats:
    """At one level: how far the microphone is must be no cue either."""
    power = (framed(sound) ** 2).mean(axis=1)
    spoken = power > SPOKEN * power.max()
    return np.asarray(sound * (LEVEL / np.sqrt(float(power[spoken].mean() if spoken.any() else 0.0) + 1e-12)))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _bank() -> Floats:
    edges = 700 * (10 ** (np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2) / 2595) - 1)
    rising = (HERTZ - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - HERTZ) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


_BANK = _bank()
