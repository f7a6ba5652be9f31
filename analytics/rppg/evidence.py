"""How much of a pulse there is at each frequency of a window: a matched filter over colours and regions.

At each frequency the noise of three colours is known from the frequencies around it; the weights that pass blood's
colours with the least of that noise are w = C^-1 p / (p' C^-1 p) (minimum variance, as PBV's: de Haan & van Leest
2014, doi:10.1088/0967-3334/35/9/1913, but per frequency, and it and its harmonics left out of C, so that a pulse never
cancels itself). Regions are joined likewise, all with the same pulse. What the pulse does not explain -
other colours, or phases that differ between the regions - counts against it, as in the adaptive coherence estimator
(Kraut, Scharf & McWhorter 2001, doi:10.1109/78.890324).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analytics.rppg.blood import VECTORS

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

SEEN = (0.5, 8.0)
"""Hertz whose noise is looked at."""
BAND = (0.67, 3.5)
"""Hertz of a pulse, 40 to 210 beats a minute."""
FINER = 3
"""Points of the frequency grid per resolution of the window."""
AROUND = 0.65
"""Hertz (SD) around a frequency whose noise counts as its own."""
OWN = 2.0
"""Resolutions of the window on both sides that belong to a line: the half width of a Hann window's main lobe."""
HARMONICS = (1.0, 2.0, 3.0)
LIT = 2.0
"""Times the light around a frequency that there may be at it: of a lamp that flickers there is more."""
LOAD = 1e-4
"""Share of the variance of all colours added to each."""
ALONE = 0.6
"""Share by which regions are taken to be noisy independently of each other."""
CLEAR, HALVED = 8.0, 0.4
"""Power over noise of a pulse at half a frequency that makes it a harmonic, and the share of evidence that is left."""
SECOND = 1.0
"""Weight of the evidence at twice a frequency, which never counts more than that at the frequency itself."""


@dataclass(frozen=True, slots=True)
class Look:
    """A window, at each frequency of the grid."""

    hertz: Floats
    score: Floats
    """Power of the pulse over noise and over what it leaves unexplained; about 1 where there is none."""
    power: Floats
    """Power of the pulse over noise."""
    apart: Floats
    """How much regions disagree about it, 1 as noise would."""
    tinted: Floats
    """How much has other colours than blood, 1 as noise would."""
    lit: Floats
    """How much light there is that goes with all colours and regions and is not the pulse's own, 1 as noise would."""
    amplitude: Complex
    """Of the pulse, in the regions together, as a share of green's level."""
    weights: Floats
    """(frequencies, regions, 3): what to multiply changes of colour with to get the pulse."""


def _grid(count: int, rate: float) -> tuple[Floats, slice]:
    """The frequencies of a window's spectrum, and where those that are looked at lie."""
    whole: Floats = np.fft.rfftfreq(FINER * count, 1.0 / rate).astype(np.float64)
    return whole, slice(int(np.searchsorted(whole, SEEN[0])), int(np.searchsorted(whole, min(SEEN[1], 0.45 * rate))))


def _neighbours(hertz: Floats, wanted: Floats, resolution: float) -> Floats:
    """(wanted, frequencies): the weights of all frequencies in the noise of each."""
    at, other = wanted[:, None], hertz[None, :]
    near: Floats = np.exp(-0.5 * ((at - other) / AROUND) ** 2)
    for harmonic in HARMONICS:
        near[np.abs(other - harmonic * at) < OWN * resolution] = 0.0
    return np.asarray(near / np.maximum(near.sum(axis=1, keepdims=True), 1e-12))


@lru_cache(maxsize=32)
def _kernel(count: int, rate: float) -> tuple[Floats, Floats, slice]:
    """The frequency grid of a window, the weights of neighbours in the noise of each, and where it lies in the FFT."""
    whole, part = _grid(count, rate)
    hertz = whole[part]
    near = _neighbours(hertz, hertz, rate / count)
    near.setflags(write=False)
    hertz.setflags(write=False)
    return hertz, near, part


def look(changes: Floats, rate: float) -> Look:
    """The evidence in a window of relative changes (n, regions, 3), under the colours of blood that fit best."""
    hertz, near, part = _kernel(len(changes), rate)
    return _looked(changes, rate, part, hertz, near, np.arange(len(hertz)))


def look_at(changes: Floats, rate: float, wanted: tuple[float, ...]) -> Look:
    """The same at the frequencies within one resolution of the wanted ones alone, in their order."""
    count = len(changes)
    whole, part = _grid(count, rate)
    hertz = whole[part]
    places = np.flatnonzero((np.abs(hertz[:, None] - np.array(wanted)) <= rate / count).any(axis=1))
    return _looked(changes, rate, part, hertz, _neighbours(hertz, hertz[places], rate / count), places)


def _looked(changes: Floats, rate: float, part: slice, hertz: Floats, near: Floats, places: NDArray[np.intp]) -> Look:
    count, regions, _ = changes.shape
    rows = changes.reshape(count, -1)
    shape = np.hanning(count)
    rows = (rows - rows.mean(axis=0)) * shape[:, None]
    # slow drift has the greatest power: seen by its slope the noise is of one size
    lines = np.fft.rfft(rows, FINER * count, axis=0)[part] * hertz[:, None]
    size = np.abs(lines).max(initial=0.0)
    lines = lines / size if size > 0 else lines
    crossed = (lines[:, :, None] * lines.conj()[:, None, :]).real.reshape(len(hertz), -1)
    noise = (near @ crossed).reshape(-1, regions, 3, regions, 3)
    own = np.einsum("frirj->frij", noise)
    floor = LOAD * np.einsum("frii->fr", own) + 1e-15
    light = lines.mean(axis=1)
    usual = near @ np.abs(light) ** 2 + 1e-15
    hertz, light, lines = hertz[places], light[places], lines[places].reshape(-1, regions, 3)
    inverse = np.linalg.inv(own + floor[..., None, None] * np.eye(3))
    energy = np.einsum("fri,frij,frj->fr", lines.conj(), inverse, lines).real
    looks = [_matched(vector, lines, inverse, noise, energy, light, usual) for vector in VECTORS]
    scores = np.array([each[0] for each in looks])
    best = np.argmax(scores, axis=0)
    index = np.arange(len(hertz))
    score, power, apart, tinted, lit, amplitude, weights = (
        np.array([each[item] for each in looks])[best, index] for item in range(7)
    )
    unit = 2.0 * size / (shape.sum() * hertz)
    return Look(hertz, score, power, apart, tinted, lit, amplitude * unit, weights)


def _matched(
    blood: Floats, lines: Complex, inverse: Floats, noise: Floats, energy: Floats, light: Complex, usual: Floats
) -> tuple[Floats, Floats, Floats, Floats, Floats, Complex, Floats]:
    regions = lines.shape[1]
    weights = inverse @ blood
    clear = weights @ blood
    weights = weights / clear[..., None]
    pulse = np.einsum("fri,fri->fr", weights, lines)
    joint = np.einsum("fri,frisj,fsj->frs", weights, noise, weights, optimize=True)
    alone = np.einsum("frr->fr", joint) + 1e-15
    joint = (1.0 - ALONE) * joint + ALONE * alone[:, :, None] * np.eye(regions)
    joined = np.linalg.inv(joint)
    share = joined.sum(axis=2)
    total = share.sum(axis=1)
    amplitude = (share * pulse).sum(axis=1) / total
    power = np.abs(amplitude) ** 2 * total
    spread = np.einsum("fr,frs,fs->f", pulse.conj(), joined, pulse).real - power
    apart = spread / max(1, regions - 1)
    tinted = (energy - np.abs(pulse) ** 2 * clear).sum(axis=1) / (2.0 * regions)
    lit = np.abs(light - blood.mean() * amplitude) ** 2 / usual
    score = power / (np.maximum(1.0, apart) * np.maximum(1.0, tinted) * np.maximum(1.0, lit / LIT))
    return score, power, apart, tinted, lit, amplitude, weights * (share / total[:, None])[..., None]


def pulse_like(seen: Look) -> tuple[Floats, Floats]:
    """Frequencies that a pulse can have, and the evidence for each with that at twice of it."""
    inside = (seen.hertz >= BAND[0]) & (seen.hertz <= BAND[1])
    hertz, score, size = seen.hertz[inside], seen.score[inside], np.abs(seen.amplitude)
    twice = np.interp(2.0 * hertz, seen.hertz, seen.score)
    # a greater pulse at half of it: it is that one's second harmonic
    below = np.interp(0.5 * hertz, seen.hertz, size, left=0.0)
    halved = (below > size[inside]) & (np.interp(0.5 * hertz, seen.hertz, seen.power, left=0.0) > CLEAR)
    return hertz, (score + SECOND * np.minimum(twice, score)) * np.where(halved, HALVED, 1.0)
