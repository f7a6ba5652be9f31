"""All that might be a beat in a whole stretch: every maximum of the energy, with what is seen of it.

The stretch is read in pieces that overlap, through filters that remember, so that memory is what the candidates need
and the result does not depend on where the pieces end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics.ecg import features
from analytics.ecg.features import Band

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Shapes = NDArray[np.float32]

APART = 0.100
"""Seconds on both sides within which a candidate is the highest: dense enough that no noise can hide a beat."""
NEAR = 0.050
"""Seconds on both sides in which each band's energy is looked for."""
LEAST = 0.3
"""mV/s in all bands together: slopes of a 10 uV complex."""
SILENT = 0.1
"""mV/s below which no floor is taken: the least significant bit."""
CELL = 0.5
"""Seconds for each of which there is a floor: what the energy falls to in the three seconds around it..."""
FLOOR_QUANTILE = 0.12
"""... a quantile that lies between beats even at 200 per minute."""
WIDE, STEEP = 0.100, 0.070
"""Seconds of shape to each side of a candidate in the low and in the high band..."""
SLACK = 0.040
"""... and more than that, so that shapes can be moved against each other."""
SHAPE_RATE = 110.0
"""Hertz at which shapes are kept, at least: the bands end at 40 Hz."""
PIECE = 600.0
"""Seconds read at once."""
_MARGIN = 5  # cells read on both sides of a piece: what floors and shapes need
_AROUND = 3  # cells to each side whose energies make a floor
_READINGS = 10  # of the energy per cell: it is smooth over a tenth of a second
_GREATEST = 1e6  # millivolts: what no amplifier gives must not overflow


@dataclass(frozen=True, slots=True)
class Height:
    """How high the candidates are in one band."""

    energy: Floats
    """Logarithm of mV/s."""
    floor: Floats
    """The same of what the energy falls to around there."""


@dataclass(frozen=True, slots=True)
class Seen(Height):
    """How they look in it as well."""

    shape: Shapes
    """A row of the band's wave for each, with slack on both sides."""
    slack: int
    """Columns of it, on each side."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What might be a beat, in the order of time."""

    index: Indices
    times: Floats
    """Seconds after the first sample."""
    slow: Height
    low: Seen
    high: Seen
    energies: Floats
    """The energy of the low band for every sample of the stretch."""


@dataclass(frozen=True, slots=True)
class _Piece:
    begin: int
    index: Indices
    slow: tuple[Floats, Floats]
    seen: tuple[tuple[Floats, Floats, Shapes], tuple[Floats, Floats, Shapes]]
    energies: Floats


def candidates(x: Floats, rate: float) -> Candidates:
    """All candidates of a stretch whose complexes may be whole, without lost samples."""
    cell = max(4, round(CELL * rate))
    parts, energies = [], np.empty(len(x))
    for part in _pieces(x, rate, cell, _MARGIN * cell):
        begin = part.begin
        energies[begin : begin + len(part.energies)] = part.energies[: len(x) - begin]
        parts.append(replace(part, energies=np.empty(0)))
    index = np.concatenate([part.index for part in parts])
    low, high = (_joined([part.seen[band] for part in parts], half, rate) for band, half in enumerate((WIDE, STEEP)))
    slow = Height(*map(np.concatenate, zip(*(part.slow for part in parts), strict=True)))
    return Candidates(index, index / rate, slow, low, high, energies)


def _joined(parts: list[tuple[Floats, Floats, Shapes]], half: float, rate: float) -> Seen:
    energies, floors, shapes = zip(*parts, strict=True)
    return Seen(np.concatenate(energies), np.concatenate(floors), np.concatenate(shapes), _geometry(half, rate)[2])


def _pieces(x: Floats, rate: float, cell: int, margin: int) -> Iterator[_Piece]:
    """Pieces of whole cells; the stretch begins and goes on as its first and last samples are."""
    grid = features.grid(rate)
    bands = (grid.slow, grid.low, grid.high)
    # over the first sample, so that filters at rest are as if it had lasted for ever
    first = min(max(float(x[0]), -_GREATEST), _GREATEST)
    states = [np.zeros((len(band.sections), 2)) for band in bands]
    step, count, late = round(PIECE / CELL) * cell, len(x), max(band.delay for band in bands) + 1
    held = [np.empty(0)] * len(bands)
    begin, fed = 0, -margin
    while begin < count:
        end = min(begin + step, -(-count // cell) * cell)
        fresh = np.clip(_padded(x, fed, end + margin + late), -_GREATEST, _GREATEST) - first
        fed = end + margin + late
        for place, band in enumerate(bands):
            wave, states[place] = signal.sosfilt(band.sections.copy(), fresh, zi=states[place])
            held[place] = np.concatenate((held[place], wave))
        yield _piece(held, bands, rate, begin, end, cell, margin, count)
        held = [wave[end - begin :] for wave in held]
        begin = end


def _padded(x: Floats, begin: int, end: int) -> Floats:
    """Samples begin..end; before the stretch its first, after it its last."""
    inside = x[max(0, begin) : max(0, end)]
    before, after = max(0, min(-begin, end - begin)), max(0, end - max(begin, len(x)))
    return np.concatenate((np.full(before, x[0]), inside, np.full(after, x[-1])))


def _piece(
    waves: list[Floats],
    bands: tuple[Band, Band, Band],
    rate: float,
    begin: int,
    end: int,
    cell: int,
    margin: int,
    count: int,
) -> _Piece:
    """Candidates from begin to end; the waves start `margin` before that and last `margin` and a delay beyond."""
    width = end - begin + 2 * margin
    energies = []
    for wave, band in zip(waves, bands, strict=True):
        late = np.concatenate((np.zeros(band.integration), features.energy(wave, rate, band)))
        energies.append(late[band.delay : band.delay + width])
    together = energies[0] + energies[1] + energies[2]
    place = features.tops(together, round(APART * rate))
    whole = (place >= margin) & (place < min(end, count) - begin + margin) & (together[place] >= LEAST)
    place = place[whole]
    # before and after the stretch there is nothing to fall to
    first = margin // cell if begin == 0 else 0
    cells = min(width, count - begin + margin) // cell - first
    inside = slice(first * cell, (first + cells) * cell)
    near = np.arange(-round(NEAR * rate), round(NEAR * rate) + 1)
    here = np.minimum(place // cell - first, cells - 1)
    floors = [np.log(_floors(energy[inside], cell))[here] for energy in energies]
    seen = []
    for wave, band, energy, floor, half in zip(
        waves[1:], bands[1:], energies[1:], floors[1:], (WIDE, STEEP), strict=True
    ):
        stride, reach, slack = _geometry(half, rate)
        highest = energy[place[:, None] + near].max(axis=1)
        rows = place[:, None] + band.lag + stride * np.arange(-reach - slack, reach + slack + 1)
        seen.append((np.log(np.maximum(highest, SILENT)), floor, wave[rows].astype(np.float32)))
    slow = (np.log(np.maximum(energies[0][place], SILENT)), floors[0])
    return _Piece(begin, place + begin - margin, slow, (seen[0], seen[1]), energies[1][margin : margin + end - begin])


def _geometry(half: float, rate: float) -> tuple[int, int, int]:
    """Samples from column to column, and columns of a shape and of its slack to one side."""
    stride = max(1, int(rate / SHAPE_RATE))
    return stride, round(half * rate / stride), round(SLACK * rate / stride)


def _floors(energy: Floats, cell: int) -> Floats:
    cells = len(energy) // cell
    readings = energy[: cells * cell].reshape(cells, cell)[:, :: max(1, cell // _READINGS)]
    padded = np.pad(readings, ((_AROUND, _AROUND), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1, axis=0).reshape(cells, -1)
    place = int(FLOOR_QUANTILE * around.shape[1])
    return np.maximum(np.partition(around, place, axis=1)[:, place], SILENT)
