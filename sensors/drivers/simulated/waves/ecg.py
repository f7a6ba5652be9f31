"""ECG: five Gaussian waves per beat, as a moving dipole seen from the leads."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.chance import Drift, generator
from sensors.drivers.simulated.contact import Shake
from sensors.drivers.simulated.noise import Noise, band
from sensors.drivers.simulated.waves.inside import Inside

# P, Q, R, S, T of McSharry (2003, doi:10.1109/TBME.2003.808805), turned from angles into seconds at 60 a minute;
# the QRS is narrower than there (its R is 16 ms of sigma, which makes a QRS of well over 100 ms) and T is skewed.
# Rows: a beat of the sinus node, a premature beat of the ventricle (no P, wide QRS, discordant T). R stands a
# little late because the flank of S pulls its top forward by as much: the top is then at the beat's time.
_CENTRE = np.array([[-0.165, -0.026, 0.0002, 0.022, 0.285], [-0.165, -0.095, 0.0001, 0.120, 0.270]])
_RISE = np.array([[0.022, 0.0075, 0.0100, 0.0085, 0.058], [0.022, 0.018, 0.0260, 0.036, 0.090]])
_FALL = np.array([[0.024, 0.0075, 0.0105, 0.0090, 0.036], [0.022, 0.018, 0.0300, 0.050, 0.070]])
# how centre and width of each wave follow the usual RR: the QRS hardly at all, T as QT after
# Fridericia (1920, doi:10.1046/j.1542-474X.2003.08413.x), the cube root
_SHIFT = np.array([0.30, 0.0, 0.0, 0.0, 1 / 3])
_STRETCH = np.array([0.10, 0.0, 0.0, 0.0, 1 / 3])
# the dipole of each wave: x to the left, y to the feet, z to the front. R is seen as 1, T as 1 in lead II and scaled
_DIPOLE = np.array(
    [
        [
            [0.06, 0.095, 0.02],
            [-0.10, -0.035, 0.12],
            [0.62, 0.80, -0.22],
            [-0.12, -0.18, -0.34],
            [0.50, 0.85, 0.45],
        ],
        [
            [0.0, 0.0, 0.0],
            [-0.05, -0.08, 0.10],
            [0.35, 1.38, 0.50],
            [-0.06, -0.20, -0.20],
            [-0.65, -1.60, -0.70],
        ],
    ]
)
_T = 4


def _direction(frontal: float) -> tuple[float, float, float]:
    angle = np.deg2rad(frontal)
    return (float(np.cos(angle)), float(np.sin(angle)), 0.0)


def _chest(horizontal: float, gain: float) -> tuple[float, float, float]:
    angle = np.deg2rad(horizontal)
    return (gain * float(np.cos(angle)), 0.25 * gain, gain * float(np.sin(angle)))


_AUGMENTED = 3.0**0.5 / 2.0  # an augmented lead is a mean of two leads that stand 60 degrees apart
_LEADS = {
    "I": _direction(0), "II": _direction(60), "III": _direction(120),
    "aVR": tuple(_AUGMENTED * v for v in _direction(-150)), "aVL": tuple(_AUGMENTED * v for v in _direction(-30)),
    "aVF": tuple(_AUGMENTED * v for v in _direction(90)),
    "V1": _chest(118, 1.5), "V2": _chest(95, 1.9), "V3": _chest(72, 1.9), "V4": _chest(52, 1.7),
    "V5": _chest(25, 1.4), "V6": _chest(3, 1.1),
}  # fmt: skip
_GRID = 1000
_EARLIER = 3  # beats whose T may reach into the present


class Ecg:
    """ECG in mV. The top of R in lead II is at the beat's true time."""

    def __init__(self, inside: Inside) -> None:
        person = inside.person
        unknown = set(person.leads) - set(_LEADS)
        if unknown or not person.leads:
            raise ValueError(f"no such lead: {', '.join(sorted(unknown)) or 'none given'}")
        self.channels = person.leads
        self._inside = inside
        self._weights = self._projection()
        n, seed = len(self.channels), person.seed
        self._white = Noise(seed, "ecg/white", rate=_GRID, channels=n)
        self._muscle = Noise(seed, "ecg/muscle", rate=_GRID, channels=n, spectrum=band(25.0, 150.0, 2))
        self._tension = Drift(seed, "ecg/tension", 0.02, 0.3, 4)
        self._wander = Drift(seed, "ecg/wander", 0.04, 0.4, 5)
        self._shake = Shake(person, inside.movement, "ecg", n)
        rng = generator(seed, "ecg/leads")
        self._wandering = rng.uniform(0.6, 1.0, n) * rng.choice((-1.0, 1.0), n)
        self._humming = rng.uniform(0.5, 1.5, n)

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, leads) mV."""
        person, volume = self._inside.person, self._inside.breath.volume(times)
        out = self._heart(times)
        out *= (1.0 + 0.05 * volume)[:, None]  # the chest turns and stretches: the ECG-derived respiration
        wander = 0.6 * self._wander.at(times) + 0.8 * volume
        out += (person.ecg_wander * wander)[:, None] * self._wandering
        if person.ecg_mains:
            out += (person.ecg_mains * _mains(times, person.mains_frequency))[:, None] * self._humming
        if person.ecg_white:
            out += person.ecg_white * self._white.at(times)
        if person.ecg_muscle:
            tension = person.ecg_muscle * np.exp(0.5 * self._tension.at(times))
            out += tension[:, None] * self._muscle.at(times)
        if person.inverted:
            np.negative(out, out=out)
        self._shake.add(out, times, 0.5)
        return out

    def _heart(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        beats = self._inside.heart.beats(float(times[0]), float(times[-1]), before=_EARLIER, after=2)
        usual = beats.usual[:, None]
        kind = beats.ventricular.astype(np.intp)
        centre = _CENTRE[kind] * np.power(usual, _SHIFT)
        stretch = np.power(usual, _STRETCH)
        rise, fall = 1.0 / (_RISE[kind] * stretch), 1.0 / (_FALL[kind] * stretch)
        weights = self._weights[kind]
        out = np.zeros((times.size, len(self.channels)))
        following = np.searchsorted(beats.times, times, "right")
        for index in (following - 2, following - 1, following):
            away = (times - beats.times[index])[:, None] - centre[index]
            z = away * np.where(away < 0.0, rise[index], fall[index])
            bell = np.exp(-0.5 * np.square(z))
            weight = weights[index]
            for wave in range(bell.shape[1]):
                out += bell[:, wave, None] * weight[:, wave]
        return out

    def _projection(self) -> NDArray[np.float64]:
        """(kinds, waves, leads) mV, scaled so that R and T of a normal beat in lead II are what the person has."""
        person = self._inside.person
        leads = np.array([_LEADS[name] for name in self.channels])
        weights: NDArray[np.float64] = np.einsum("kwd,ld->kwl", _DIPOLE, leads)
        second = _DIPOLE[0] @ np.array(_LEADS["II"])
        weights *= person.ecg_amplitude / second[2]
        weights[:, _T] *= person.t_height / person.ecg_amplitude * second[2] / second[_T]
        return weights


def _mains(times: NDArray[np.float64], frequency: float) -> NDArray[np.float64]:
    """Hum of unit size: mains and its third harmonic, as lamps and chargers make it."""
    turn = 2.0 * np.pi * frequency * times
    hum: NDArray[np.float64] = np.sqrt(2.0) * (np.sin(turn) + 0.25 * np.sin(3.0 * turn + 0.7))
    return hum
