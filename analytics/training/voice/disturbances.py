"""Other throats, rooms, microphones and noises: eight speakers recorded in one quiet room are few, and all alike.

What the literature found to help: speed and pitch (Ko et al. 2015, doi:10.21437/Interspeech.2015-711), rooms and noise
(Ko et al. 2017, doi:10.1109/ICASSP.2017.7953152). Rooms are made: noise that decays (Polack 1988; Moorer 1979).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

Floats = NDArray[np.float64]

RATE = 16_000
PIECES = (1.5, 3.0)
"""Seconds of a piece cut out of a longer utterance..."""
PIECED = 0.6
"""... and the share of long ones from which one is cut: the corpora have sentences whole and sentences cut."""
LONG = 2.0
SPEED = 0.17
"""Logarithm of the speed, at most: pitch and formants of another throat, pace of another day."""
STEPS = 40
"""Speeds are fractions of so many."""
COLOURED = 0.7
"""Share whose spectrum is bent as microphones and rooms do, by so many decibels, and tilted by so many an edge."""
BENDS, TILT = 4.0, 1.5
EDGES = (0, 150, 400, 1000, 2200, 4000, 8000)
REVERBERANT = 0.4
DECAY = (0.1, 0.8)
"""Seconds until a room has fallen by 60 dB: cupboards to halls."""
DIRECT = (-3.0, 12.0)
"""Decibels of the direct sound above the room."""
NOISY = 0.6
NOISES = (0.0, 30.0)
"""Decibels of speech above noise."""
NARROW = 0.12
"""Share with the upper band cut off, at so many hertz: telephones, cheap microphones."""
CUT = (3200.0, 5500.0)
TALKERS = 5
"""Voices of a babble."""
HUM = 0.2


def disturbed(sound: Floats, rng: np.random.Generator, others: Sequence[Floats], *, light: bool = False) -> Floats:
    """Drawn anew; `light` is another throat and microphone in a quiet room. `others` babble."""
    if len(sound) > LONG * RATE and rng.random() < PIECED:
        length = int(rng.uniform(*PIECES) * RATE)
        if length < len(sound):
            begin = int(rng.integers(0, len(sound) - length))
            sound = sound[begin : begin + length]
    down = round(float(np.exp(rng.uniform(-SPEED, SPEED))) * STEPS)
    sound = np.asarray(resample_poly(sound, STEPS, down))
    if rng.random() < COLOURED:
        sound = _coloured(sound, rng)
    if light:
        return sound
    if rng.random() < REVERBERANT:
        direct = 10.0 ** (rng.uniform(*DIRECT) / 20.0)
        sound = reverberant(sound, float(rng.uniform(*DECAY)), direct, rng)
    if rng.random() < NOISY:
        sound = noisy(sound, float(rng.uniform(*NOISES)), rng, others)
    if rng.random() < NARROW:
        sound = np.asarray(sosfilt(butter(6, rng.uniform(*CUT), fs=RATE, output="sos"), sound))
    return sound


def reverberant(sound: Floats, decay: float, direct: float, rng: np.random.Generator) -> Floats:
    """In a room that falls by 60 dB within `decay` seconds, the direct sound `direct` times as strong as all of it."""
    length = max(32, int(decay * RATE))
    room = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    room[:32] = 0.0  # the nearest wall is a third of a metre away
    room /= np.sqrt((room**2).sum()) * direct
    room[0] = 1.0
    return np.asarray(fftconvolve(sound, room)[: len(sound)])


def noisy(sound: Floats, decibels: float, rng: np.random.Generator, others: Sequence[Floats]) -> Floats:
    """With white, pink or brown noise, hum, or a babble of `others`, the sound so many decibels above it."""
    noise = _noise(len(sound), rng, others)
    return np.asarray(sound + noise * (sound.std() / (noise.std() + 1e-9) * 10.0 ** (-decibels / 20.0)))


def _coloured(sound: Floats, rng: np.random.Generator) -> Floats:
    gains = rng.uniform(-BENDS, BENDS, len(EDGES)) + rng.uniform(-TILT, TILT) * np.linspace(-2.0, 2.0, len(EDGES))
    hertz = np.fft.rfftfreq(len(sound), 1.0 / RATE)
    return np.fft.irfft(np.fft.rfft(sound) * 10.0 ** (np.interp(hertz, EDGES, gains) / 20.0), len(sound))


def _noise(length: int, rng: np.random.Generator, others: Sequence[Floats]) -> Floats:
    kind = int(rng.integers(4 if others else 3))
    if kind == 3:
        babble = np.zeros(length)
        for _ in range(TALKERS):
            other = others[int(rng.integers(len(others)))]
            babble += np.resize(np.roll(other, int(rng.integers(len(other)))), length) / (other.std() + 1e-6)
        return babble
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hertz = np.fft.rfftfreq(length, 1.0 / RATE) + 20.0
    noise = np.fft.irfft(spectrum / hertz ** ((0.0, 0.5, 1.0)[kind] * rng.uniform(0.7, 1.5)), length)
    if rng.random() < HUM:
        hum = np.sin(2 * np.pi * rng.choice([50, 60, 100, 120]) * np.arange(length) / RATE)
        noise = noise + rng.uniform(0.0, 2.0) * noise.std() * hum
    return np.asarray(noise)
