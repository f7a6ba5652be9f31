"""What stands between skin and its mean colours, drawn anew for every example: movement, light, cameras, noise.

The simulated visitor tells of blood, melanin and calm movement. Training needs worse, and never the same twice: each
dial is drawn over more than its plausible range, so that the network meets real cameras as one more draw.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.rppg.neural import RATE

Floats = NDArray[np.float64]

STRENGTHS = (0.0004, 0.012)
"""Pulse in green, a share of its mean: standard deviation from far below to above what cameras see of a face."""
BLOOD = np.array([0.33, 0.77, 0.53])
"""Relative pulse of red, green, blue under white light (de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913)."""
BLOOD_SPREAD = 0.2
"""How far lamps and cameras bend each of the three (standard deviation of the logarithm)."""
MOVES = (0.0005, 0.06)
"""Standard deviation of brightness by movement."""
MOVE_EDGES = ((0.05, 0.5), (0.4, 4.0))
"""Hertz between which the lower and the upper edge of a movement's spectrum are drawn."""
SHINE = 0.35
"""How much of a movement may be shine, which has the colour of the lamp instead of the skin."""
NOISE = (0.00005, 0.004)
"""Standard deviation of each colour's own noise, a share of its mean."""
CALM = 0.3
"""Share of examples in which nobody moves."""
STEPS = 0.25
"""Share with a sudden change of exposure or place."""
FLICKER = 0.25
"""Share with a lamp whose flicker folds back into the band."""
LEVELS = 0.3
"""Share whose means are quantised, as strong compression leaves them."""


def disturbed(
    pulses: Floats, skins: Floats, rng: np.random.Generator, *, strengths: tuple[float, float] = STRENGTHS
) -> Floats:
    """(k, n, 3) colours of k pulses (k, n) of unit deviation, at RATE, in skins (k, 3) of 0..255; NaN nowhere.

    C = light (skin (1 - blood pulse) + shine) + noise: the skin reflection model of Wang 2017,
    doi:10.1109/TBME.2016.2609282. A pulse of zeros stays none: a photograph that is moved.
    """
    count, length = pulses.shape
    strength = _between(rng, strengths, count)
    blood = BLOOD / BLOOD[1] * np.exp(BLOOD_SPREAD * rng.standard_normal((count, 3)))
    moving = _between(rng, MOVES, count) * (rng.random(count) >= CALM)
    move = moving[:, None] * _bands(rng, count, length)
    slow = _between(rng, (0.001, 0.03), count)[:, None] * _coloured(rng, count, length, 0.0, 0.15)
    steps = _steps(rng, count, length)
    flicker = _flicker(rng, count, length)
    light = np.exp(move + slow + steps + flicker)
    # a turning head shows another part of itself: what shines is related to the movement, not equal to it
    related = 0.7 * move + 0.7 * moving[:, None] * _bands(rng, count, length)
    lamp = np.exp(0.1 * rng.standard_normal((count, 3)))
    shine = SHINE * rng.random((count, 1, 1)) * related[:, :, None] * lamp[:, None, :] * skins.mean()
    diffuse = skins[:, None, :] * (1.0 - (strength[:, None] * blood)[:, None, :] * pulses[:, :, None])
    colours = light[:, :, None] * (diffuse + shine)
    noise = _between(rng, NOISE, count)[:, None, None] * skins[:, None, :]
    own = rng.standard_normal((count, length, 3))
    # encoders hold a block for some pictures: their noise is not white
    held = _coloured(rng, 3 * count, length, 0.1, 5.0).reshape(count, 3, length).transpose(0, 2, 1)
    mixture = rng.random((count, 1, 1))
    colours += noise * (np.sqrt(1.0 - mixture) * own + np.sqrt(mixture) * held)
    coarse = np.where(rng.random(count) < LEVELS, _between(rng, (0.01, 0.3), count), 1e-6)[:, None, None]
    colours = np.rint(colours / coarse) * coarse
    return np.asarray(np.maximum(colours, 1.0))


def _between(rng: np.random.Generator, edges: tuple[float, float], count: int) -> Floats:
    """Drawn evenly on a logarithmic scale."""
    return np.exp(rng.uniform(np.log(edges[0]), np.log(edges[1]), count))


def _bands(rng: np.random.Generator, count: int, length: int) -> Floats:
    """Movements: each has a band of its own, and comes and goes."""
    low = _between(rng, MOVE_EDGES[0], count)
    high = np.maximum(_between(rng, MOVE_EDGES[1], count), 1.5 * low)
    steady = _coloured(rng, count, length, low, high)
    # some rock or chew at one pace: the hardest of all, for it looks like a heart
    pace = rng.uniform(0.3, 3.0, count)[:, None] * (1.0 + 0.05 * _coloured(rng, count, length, 0.0, 0.1))
    rocking = np.sqrt(2.0) * np.sin(2.0 * np.pi * np.cumsum(pace, axis=1) / RATE)
    share = (rng.random(count) < 0.2)[:, None] * rng.random((count, 1))
    mixed = np.sqrt(1.0 - share) * steady + np.sqrt(share) * rocking
    spells = np.exp(0.8 * rng.random((count, 1)) * _coloured(rng, count, length, 0.0, 0.3))
    return np.asarray(mixed * spells)


def _coloured(rng: np.random.Generator, count: int, length: int, low: Floats | float, high: Floats | float) -> Floats:
    """Noise of unit deviation between two frequencies, falling with the frequency."""
    hertz = np.fft.rfftfreq(length, 1.0 / RATE)
    edges = [np.broadcast_to(np.asarray(edge, dtype=np.float64), count)[:, None] for edge in (low, high)]
    shape = (hertz >= edges[0]) & (hertz <= np.maximum(edges[1], 1.01 * hertz[2])) & (hertz > 0)
    weight = shape / np.maximum(hertz, hertz[1])
    parts = rng.standard_normal((count, len(hertz))) + 1j * rng.standard_normal((count, len(hertz)))
    drawn = np.fft.irfft(weight * parts, length, axis=1)
    return np.asarray(drawn / np.maximum(drawn.std(axis=1, keepdims=True), 1e-12))


def _steps(rng: np.random.Generator, count: int, length: int) -> Floats:
    at = rng.integers(0, length, count)[:, None]
    height = (0.05 * rng.standard_normal(count) * (rng.random(count) < STEPS))[:, None]
    width = rng.uniform(1.0, 15.0, count)[:, None]
    return np.asarray(height / (1.0 + np.exp(-(np.arange(length) - at) / width)))


def _flicker(rng: np.random.Generator, count: int, length: int) -> Floats:
    size = _between(rng, (0.0002, 0.005), count) * (rng.random(count) < FLICKER)
    hertz, first = rng.uniform(0.2, 15.0, count), rng.uniform(0.0, 2.0 * np.pi, count)
    return np.asarray(size[:, None] * np.sin(2.0 * np.pi * hertz[:, None] * np.arange(length) / RATE + first[:, None]))
