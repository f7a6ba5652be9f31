"""EEG: a 1/f background, alpha from the back of the head, blinks from its front."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.contact import Shake
from sensors.drivers.simulated.mimic import CLOSING
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.truth import EegTruth
from sensors.drivers.simulated.waves.inside import Inside

# places of the international 10-20 system on a flat head: x to the right, y to the front, the rim at 1
_PLACES = {
    "Fp1": (-0.31, 0.95), "Fpz": (0.0, 1.0), "Fp2": (0.31, 0.95), "F7": (-0.81, 0.59), "F3": (-0.45, 0.55),
    "Fz": (0.0, 0.5), "F4": (0.45, 0.55), "F8": (0.81, 0.59), "T7": (-1.0, 0.0), "C3": (-0.5, 0.0), "Cz": (0.0, 0.0),
    "C4": (0.5, 0.0), "T8": (1.0, 0.0), "P7": (-0.81, -0.59), "P3": (-0.45, -0.55), "Pz": (0.0, -0.5),
    "P4": (0.45, -0.55), "P8": (0.81, -0.59), "PO7": (-0.59, -0.81), "PO8": (0.59, -0.81), "O1": (-0.31, -0.95),
    "Oz": (0.0, -1.0), "O2": (0.31, -0.95),
}  # fmt: skip
_SOURCES = np.array([(-0.35, -0.95), (0.35, -0.95), (0.0, -0.6)])  # of alpha
_GRID = 500
_STEP = 0.05  # Hz between the frequencies of the truth
_WHOLE = np.linspace(0.0, _GRID / 2.0, 20 * _GRID + 1)


class Eeg:
    """EEG in microvolt against linked ears."""

    def __init__(self, inside: Inside) -> None:
        person = inside.person
        unknown = set(person.eeg_channels) - set(_PLACES)
        if unknown or not person.eeg_channels:
            raise ValueError(f"no such electrode: {', '.join(sorted(unknown)) or 'none given'}")
        self.channels = person.eeg_channels
        self._inside, self._person, seed = inside, person, person.seed
        places = np.array([_PLACES[name] for name in self.channels])
        n = len(self.channels)
        self._background = Noise(seed, "eeg/background", rate=_GRID, spectrum=_background, mixing=_neighbours(places))
        self._alpha = Noise(seed, "eeg/alpha", rate=_GRID, spectrum=self._rhythm, mixing=self._posterior(places))
        # the eye is a dipole whose field falls off steeply from the forehead
        self._frontal = person.blink_size * np.exp((places[:, 1] - 1.0) / 0.38)
        self._humming = generator(seed, "eeg/mains").uniform(0.5, 1.5, n)
        self._white = Noise(seed, "eeg/white", rate=_GRID, channels=n)
        self._shake = Shake(person, inside.movement, "eeg", n, 4.0)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, electrodes) microvolt."""
        person = self._person
        shut = self._inside.mimic.shut(times)  # alpha comes and goes with the lids
        alpha = person.alpha_open + (person.alpha_closed - person.alpha_open) * shut
        out = person.eeg_amplitude * self._background.at(times)
        out += alpha[:, None] * self._alpha.at(times)
        if person.eeg_noise:
            out += person.eeg_noise * self._white.at(times)
        if person.eeg_mains:
            hum = np.sqrt(2.0) * person.eeg_mains * np.sin(2.0 * np.pi * person.mains_frequency * times)
            out += hum[:, None] * self._humming
        blink = self._inside.mimic.blinks.swell(times)
        blinking = blink > 0
        if blinking.any():
            # the lid shuts faster than it opens, but the electrode's high pass rounds both: a hump is near enough
            out[blinking] += (blink * np.square(1.0 - shut))[blinking, None] * self._frontal
        self._shake.add(out, times, 60.0)
        return out

    def density(self, frequencies: NDArray[np.float64], *, shut: float, rate: float) -> NDArray[np.float64]:
        """(frequencies, electrodes) expected uV2/Hz at a rate that divides the grid's, without mains and blinks."""
        person = self._person
        alpha = person.alpha_open + (person.alpha_closed - person.alpha_open) * shut
        total = np.zeros((frequencies.size, len(self.channels)))
        # nothing is filtered before it is sampled: what lies above half the rate comes back below it
        for whole in range(int(np.ceil(_GRID / rate / 2.0)) + 1):
            for image in (whole * rate + frequencies, whole * rate - frequencies)[: 1 + (whole > 0)]:
                total += np.square(person.eeg_amplitude) * self._background.density(image)
                total += np.square(alpha) * self._alpha.density(image)
                total += np.square(person.eeg_noise) * self._white.density(image)
        return total

    def truth(self, start: float, end: float, *, rate: float) -> EegTruth:
        """What is in it from start to end, s, where it is sampled at a rate that divides 500 Hz."""
        if _GRID % rate or not 0.0 <= start < end:
            raise ValueError(f"a rate that divides {_GRID} Hz, and a window that begins at 0 s or later")
        person, mimic = self._person, self._inside.mimic
        frequencies = np.linspace(0.0, rate / 2.0, int(rate / 2.0 / _STEP) + 1)
        closed = tuple((max(a, start), min(b + CLOSING, end)) for a, b in person.eyes_closed if a < end and b > start)
        # the mixing alone: noise of a variance that is not one would be a second scale
        shares = np.sqrt(np.trapezoid(self._alpha.density(_WHOLE), _WHOLE, axis=0))
        return EegTruth(
            channels=self.channels,
            frequencies=frequencies,
            density_open=self.density(frequencies, shut=0.0, rate=rate),
            density_closed=self.density(frequencies, shut=1.0, rate=rate),
            alpha_peak=person.alpha_frequency,
            alpha_open=person.alpha_open * shares,
            alpha_closed=person.alpha_closed * shares,
            alpha_asymmetry=person.alpha_asymmetry,
            closed=closed,
            blinks=tuple(
                blink
                for blink in mimic.blinks.between(start, end)
                if not any(shut < blink[1] and blink[0] < opened for shut, opened in person.eyes_closed)
            ),
            motion=self._inside.movement.episodes.between(start, end),
            mains_frequency=person.mains_frequency,
            mains=person.eeg_mains * self._humming,
        )

    def _rhythm(self, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        # half a hertz to either side: the envelope waxes and wanes within a second or two, as spindles do
        return np.exp(-0.5 * np.square((frequencies - self._person.alpha_frequency) / 0.9))

    def _posterior(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """(electrodes, sources): 1 in root mean square over the occiput, less towards the front."""
        weights = _near(places, _SOURCES, 0.6)
        occiput = np.sqrt(np.square(_near(np.array([[0.0, -1.0]]), _SOURCES, 0.6)).sum())
        side = np.clip(places[:, 0] / 0.45, -1.0, 1.0) * np.clip(places[:, 1] / 0.5, 0.0, 1.0)
        asymmetry = np.exp(0.5 * self._person.alpha_asymmetry * side)
        # the forehead has an alpha of its own that distance alone would not leave it
        mixing: NDArray[np.float64] = (weights / occiput + 0.12) * asymmetry[:, None]
        return mixing


def _background(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amplitude: power falls as f^-1.3 with a low shelf of beta, nothing below half a hertz (the amplifier)."""
    f = np.maximum(frequencies, 0.25)
    slow = f**-0.65 / np.sqrt(1.0 + (0.5 / f) ** 4)
    beta = 0.07 * np.exp(-0.5 * np.square((f - 20.0) / 6.0))
    return (slow + beta) / np.sqrt(1.0 + (f / 90.0) ** 6)


def _near(places: NDArray[np.float64], sources: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    away = np.square(places[:, None, :] - sources[None, :, :]).sum(axis=2)
    weights: NDArray[np.float64] = np.exp(-away / (2.0 * reach**2))
    return weights


def _neighbours(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(electrodes, electrodes) mixing of unit variance: the skull smears, so that neighbours resemble each other."""
    mixing = _near(places, places, 0.38)
    mixing /= np.sqrt(np.square(mixing).sum(axis=1))[:, None]
    return mixing
