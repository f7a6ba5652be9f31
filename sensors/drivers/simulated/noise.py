"""Noise as a function of time: fixed blocks of a fixed grid, so that no way of asking can change a value."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import generator

Spectrum = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Frequencies in hertz -> relative amplitude."""

_BLOCK = 4  # seconds: long enough that the neighbours a filter needs cost little, short enough to stay unnoticed
_REACH = 1  # seconds to either side that a filter may look
_KEPT = 2  # blocks: the present one and, about a border, its neighbour


class Noise:
    """Gaussian noise of unit variance, white or coloured, in one or more channels.

    Coloured noise is white noise of a block and its neighbours through a symmetric FIR filter. Because block and
    filter have one fixed shape, a block has the same bits whenever and in whatever order it is computed.
    `mixing` (channels, sources) makes channels share sources, as scalp electrodes do.
    """

    def __init__(self, seed: int, name: str, *, rate: int, channels: int = 1, spectrum: Spectrum | None = None,
                 mixing: NDArray[np.float64] | None = None) -> None:  # fmt: skip
        self._seed, self._name, self._rate = seed, name, rate
        self._length = rate * _BLOCK
        # borders at another moment for each noise, so that not all of them are computed in the same instant
        self._shift = int(generator(seed, f"{name}/shift").integers(self._length))
        self._mixing = mixing
        self._sources = channels if mixing is None else mixing.shape[1]
        self._channels = channels if mixing is None else mixing.shape[0]
        self._white: OrderedDict[int, NDArray[np.float64]] = OrderedDict()
        self._blocks: OrderedDict[int, NDArray[np.float64]] = OrderedDict()
        self._size = self._length + 3 * _REACH * rate
        self._response = None if spectrum is None else self._design(spectrum)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, channels) values: white noise of the nearest grid point, coloured noise interpolated."""
        place = times * self._rate
        if self._response is None:
            index = np.rint(place).astype(np.int64)
            return self._gather(index)
        floor = np.floor(place)
        index = floor.astype(np.int64)
        before = self._gather(index)
        before += (self._gather(index, 1) - before) * (place - floor)[:, None]
        return before

    def density(self, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        """(frequencies, channels) expected power per hertz: over 0..rate/2 it adds up to each channel's variance."""
        level = np.full(frequencies.shape, 2.0 / self._rate)
        if self._response is not None:
            own = np.linspace(0.0, self._rate / 2.0, self._response.size)
            level *= np.interp(frequencies, own, np.square(np.abs(self._response)))
        level[(frequencies < 0.0) | (frequencies > self._rate / 2.0)] = 0.0
        shares = np.ones(self._channels) if self._mixing is None else np.square(self._mixing).sum(axis=1)
        product: NDArray[np.float64] = level[:, None] * shares
        return product

    def _gather(self, index: NDArray[np.int64], ahead: int = 0) -> NDArray[np.float64]:
        number, inside = np.divmod(index + self._shift, self._length)
        inside += ahead
        first, last = int(number[0]), int(number[-1])
        if first == last:
            return np.take(self._block(first), inside, axis=0)
        out = np.empty((index.size, self._channels))
        begin = 0
        while begin < index.size:
            block = int(number[begin])
            end = int(np.searchsorted(number, block, "right"))
            out[begin:end] = self._block(block)[inside[begin:end]]
            begin = end
        return out

    def _block(self, number: int) -> NDArray[np.float64]:
        found = self._blocks.get(number)
        if found is None:
            found = np.ascontiguousarray(self._mixed(self._coloured(number)).T)
            _keep(self._blocks, number, found, _KEPT)
        return found

    def _coloured(self, number: int) -> NDArray[np.float64]:
        """(sources, length), and one more sample where there is a filter, for interpolation across the border."""
        if self._response is None:
            return self._drawn(number)
        reach = _REACH * self._rate
        around = np.zeros((self._sources, self._size))
        around[:, :reach] = self._drawn(number - 1)[:, -reach:]
        around[:, reach : reach + self._length] = self._drawn(number)
        around[:, reach + self._length : 2 * reach + self._length] = self._drawn(number + 1)[:, :reach]
        passed = np.fft.irfft(np.fft.rfft(around) * self._response, self._size)
        return passed[:, 2 * reach : 2 * reach + self._length + 1]

    def _mixed(self, sources: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._mixing is None:
            return sources
        total: NDArray[np.float64] = self._mixing[:, :1] * sources[0]
        for k in range(1, self._sources):  # not a matrix product: its order of adding belongs to the library
            total += self._mixing[:, k : k + 1] * sources[k]
        return total

    def _drawn(self, number: int) -> NDArray[np.float64]:
        found = self._white.get(number)
        if found is None:
            found = generator(self._seed, self._name, number).standard_normal((self._sources, self._length))
            if self._response is None:
                return found
            _keep(self._white, number, found, _KEPT + 1)
        return found

    def _design(self, spectrum: Spectrum) -> NDArray[np.complex128]:
        taps = 2 * _REACH * self._rate
        amplitude = spectrum(np.linspace(0.0, self._rate / 2.0, taps // 2 + 1))
        kernel = np.zeros(self._size)
        kernel[1:taps] = np.fft.fftshift(np.fft.irfft(amplitude, taps))[1:] * np.hanning(taps + 1)[1:-1]
        kernel /= np.sqrt(np.square(kernel).sum())
        return np.fft.rfft(kernel)


def band(low: float, high: float, order: int = 4) -> Spectrum:
    """A smooth band from low to high (hertz), zero at rest."""

    def spectrum(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        f = np.maximum(frequencies, 1e-9)
        return 1.0 / np.sqrt((1.0 + (low / f) ** (2 * order)) * (1.0 + (f / high) ** (2 * order)))

    return spectrum


def _keep(kept: OrderedDict[int, NDArray[np.float64]], number: int, block: NDArray[np.float64], most: int) -> None:
    kept[number] = block
    while len(kept) > most:
        kept.popitem(last=False)
