"""What the spectra of a second's frames look like: slopes, balances, flux, centre (GeMAPS: Eyben et al. 2016,
doi:10.1109/TAFFC.2015.2457417), and how loud each frame is.

Frames of 25 ms, Hamming, every 10 ms; power in 31.25 Hz steps. Decibels are against full scale. The spectra themselves
stay in here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from sensors.sound.frames import framed
from sensors.sound.rates import RATE, Sound
from sensors.sound.weighting import a_weights

WINDOW = 400
SIZE = 512
FLOOR = 1e-12
"""Mean square (-120 dB) that is added before a logarithm: less than any converter's noise."""
SPLIT = 1000.0
LOWEST_OF_ALPHA, HIGHEST_OF_ALPHA = 50.0, 5000.0
"""Hertz: alpha ratio is the power of 50-1000 Hz over that of 1-5 kHz."""
HAMMARBERG = 2000.0
"""Hertz: the strongest line of 0-2 kHz against the strongest of 2-5 kHz (Hammarberg et al. 1980)."""
SLOPES = ((0.0, 500.0), (500.0, 1500.0))
ROLLOFF = 0.85
"""Share of the power below it (Tzanetakis & Cook 2002, doi:10.1109/TSA.2002.800560)."""
LEAST = 50.0
"""Hertz: what lies below is hum and handling, and no part of centroid, spread, roll-off, entropy and flux."""

HERTZ = np.arange(SIZE // 2 + 1) * RATE / SIZE
_HAMMING = np.hamming(WINDOW)
_SCALE = 2 / (SIZE * (_HAMMING**2).sum())
"""Makes the sum over a frame's spectrum its mean square."""
_A = a_weights(HERTZ)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spectra:
    """Of each frame of a second; rows are frames."""

    power: Numbers
    """In steps of 31.25 Hz; a frame's sum is its mean square. Not to leave the process, as everything of each frame."""

    @property
    def level(self) -> Numbers:
        """Decibels."""
        return _decibels(self.power.sum(axis=1))

    @property
    def loudness(self) -> Numbers:
        """Decibels, A-weighted."""
        return _decibels(self.power @ _A)

    @property
    def alpha_ratio(self) -> Numbers:
        """Decibels."""
        low, high = _band(LOWEST_OF_ALPHA, SPLIT), _band(SPLIT, HIGHEST_OF_ALPHA)
        return _decibels(self.power[:, low].sum(axis=1)) - _decibels(self.power[:, high].sum(axis=1))

    @property
    def hammarberg(self) -> Numbers:
        """Decibels."""
        low, high = _band(0.0, HAMMARBERG), _band(HAMMARBERG, HIGHEST_OF_ALPHA)
        return _decibels(self.power[:, low].max(axis=1)) - _decibels(self.power[:, high].max(axis=1))

    def slope(self, band: int) -> Numbers:
        """Of the straight line through a band of the logarithmic spectrum, in dB/kHz; `band` counts `SLOPES`."""
        lines = _band(*SLOPES[band])
        x = HERTZ[lines] / 1000
        x = x - x.mean()
        return np.asarray(_decibels(self.power[:, lines]) @ x / (x**2).sum())

    @property
    def flux(self) -> Numbers:
        """How much the spectrum's shape (root of the shares of power) differs from the frame before: 0..2."""
        shape = np.sqrt(self._shares)
        return np.asarray((np.diff(shape, axis=0, prepend=shape[:1]) ** 2).sum(axis=1))

    @property
    def centroid(self) -> Numbers:
        """Hertz."""
        return np.asarray(self._shares @ HERTZ[_HEARD])

    @property
    def spread(self) -> Numbers:
        """Hertz: standard deviation of the power around the centroid."""
        shares, hertz = self._shares, HERTZ[_HEARD]
        return np.sqrt(np.maximum(shares @ hertz**2 - (shares @ hertz) ** 2, 0))

    @property
    def rolloff(self) -> Numbers:
        """Hertz."""
        reached = np.cumsum(self._shares, axis=1) >= ROLLOFF
        return np.asarray(HERTZ[_HEARD][reached.argmax(axis=1)])

    @property
    def entropy(self) -> Numbers:
        """Of the shares of power, as a share of the most that it can be: 0 a tone, 1 white noise."""
        shares = self._shares
        return np.asarray(-(shares * np.log(shares + 1e-30)).sum(axis=1) / np.log(shares.shape[1]))

    @property
    def _shares(self) -> Numbers:
        heard = self.power[:, _HEARD] + FLOOR / SIZE
        return np.asarray(heard / heard.sum(axis=1, keepdims=True))


def spectra(stretch: Sound) -> Spectra:
    """The spectra of a stretch's frames."""
    found = rfft(framed(stretch, WINDOW) * _HAMMING, SIZE, axis=1)
    power = (found.real**2 + found.imag**2) * _SCALE
    power[:, [0, -1]] /= 2
    return Spectra(power)


def harmonics(
    spectra: Spectra, pitch: Numbers, third: Numbers
) -> tuple[Numbers, Numbers, Numbers]:  # fmt: skip
    """Of voiced frames, in dB: H1-H2, H1-A3 (GeMAPS), and the spectral emphasis (Traunmueller & Eriksson 2000,
    doi:10.1121/1.429414): all of the power over that below 1.5 times the pitch. `third` is the third
    formant's frequency.
    """
    decibels = _decibels(spectra.power)
    first = _strongest(decibels, pitch, 0.25 * pitch)
    second = _strongest(decibels, 2 * pitch, 0.25 * pitch)
    at_third = _strongest(decibels, third, np.maximum(0.1 * third, pitch / 2))
    fundamental = (spectra.power * (1.5 * pitch[:, None] > HERTZ)).sum(axis=1)
    emphasis = _decibels(spectra.power.sum(axis=1)) - _decibels(fundamental)
    return first - second, first - at_third, emphasis


_HEARD = HERTZ >= LEAST


def _strongest(decibels: Numbers, middle: Numbers, beside: Numbers) -> Numbers:
    """The strongest line within a range around each frame's own frequency."""
    near = np.abs(HERTZ - middle[:, None]) <= np.maximum(beside, RATE / SIZE / 2)[:, None]
    found = np.where(near, decibels, -np.inf).max(axis=1)
    return np.where(np.isfinite(middle) & np.isfinite(found), found, np.nan)


def _band(low: float, high: float) -> NDArray[np.bool_]:
    return (low <= HERTZ) & (high > HERTZ)


def _decibels(power: Numbers) -> Numbers:
    return np.asarray(10 * np.log10(power + FLOOR))
