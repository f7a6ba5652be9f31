"""What fourteen electrodes show while something is watched: differential entropy per band.

The differential entropy of a band of a Gaussian signal is ln(2 pi e variance) / 2 (Duan, Zhu & Lu 2013,
doi:10.1109/NER.2013.6695876): half the logarithm of its power, but for a constant. Bands and channels are those of
Katsigiannis & Ramzan 2018 (doi:10.1109/JBHI.2017.2688239), and gamma as far as 128 Hz show it.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from kiosk.recording import Track

Floats = NDArray[np.float64]

CHANNELS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
"""Of the 10-20 system, in the order of the Emotiv EPOC."""
BANDS = (("theta", 4.0, 8.0), ("alpha", 8.0, 13.0), ("beta", 13.0, 30.0), ("gamma", 30.0, 45.0))
"""Hertz."""
EEG_FEATURES = tuple(f"{channel}_{band}" for channel in CHANNELS for band, _, _ in BANDS)
WINDOW = 2.0
"""Seconds of a piece whose spectrum is one: half a hertz of resolution."""
SHORTEST = 10.0
"""Seconds of good pieces of a channel below which it says nothing."""
FLAT, WILD = 0.1, 200.0
"""Microvolts of standard deviation within a piece that an electrode on a head does not leave: below it is off, above it
is a movement. Where the recorder's unit is unknown (DREAMER's is microvolts over an offset of about 4200), the offset
is taken out first."""
SLOWEST = 100.0
"""Hertz of sampling that gamma needs."""


def eeg_values(track: Track) -> Floats:
    """All features in their order, NaN where a channel is missing or bad. The common average is taken out."""
    found = np.full((len(CHANNELS), len(BANDS)), np.nan)
    if track.rate is None or track.rate < SLOWEST:
        return found.ravel()
    known = {name.upper(): place for place, name in enumerate(track.channels)}
    if not set(known) >= set(CHANNELS):
        # a common average of other electrodes would be another reference
        return found.ravel()
    size = round(WINDOW * track.rate)
    pieces = [_pieces(part, [known[name] for name in CHANNELS], size) for part in track.segments()]
    if not pieces or not sum(map(len, pieces)):
        return found.ravel()
    all_of = np.concatenate(pieces)
    all_of = all_of - all_of.mean(axis=1, keepdims=True)
    spread = all_of.std(axis=1)
    good = np.isfinite(spread) & (spread > FLAT) & (spread < WILD)
    # the common average of the electrodes that are good in that piece
    kept = np.where(good[:, None, :], all_of, 0.0)
    all_of = all_of - kept.sum(axis=2, keepdims=True) / np.maximum(good.sum(axis=1), 1)[:, None, None]
    for place in range(len(CHANNELS)):
        here = good[:, place] & (good.sum(axis=1) > 1)
        if np.count_nonzero(here) * WINDOW >= SHORTEST:
            found[place] = _entropies(all_of[here, :, place], track.rate)
    return found.ravel()


def _pieces(part: Track, columns: list[int], size: int) -> Floats:
    """(pieces, samples, channels)."""
    x = part.samples[: len(part.samples) // size * size][:, columns].astype(np.float64)
    return np.asarray(x.reshape(-1, size, len(columns)))


def _entropies(x: Floats, rate: float) -> Floats:
    """Per band, of the mean spectrum of pieces (k, samples)."""
    hertz, density = signal.periodogram(x, rate, "hann", axis=1)
    mean = density.mean(axis=0)
    edges = np.array([[low, high] for _, low, high in BANDS])
    step = float(np.diff(hertz[:2])[0])
    powers = [mean[(hertz >= low) & (hertz < high)].sum() * step for low, high in edges]
    return np.asarray(0.5 * np.log(2.0 * np.pi * np.e * np.maximum(np.array(powers), 1e-12)))


assert all(low[2] <= high[1] for low, high in pairwise(BANDS))
