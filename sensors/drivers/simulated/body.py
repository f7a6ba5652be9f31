"""The simulated visitor's body: any signal at any time, and the truth behind it."""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sensors.drivers.simulated.chance import Drift
from sensors.drivers.simulated.contact import Contact
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene
from sensors.drivers.simulated.truth import EegTruth, Truth, variability
from sensors.drivers.simulated.waves import WAVES, Inside, Wave
from sensors.drivers.simulated.waves.eeg import Eeg

_AT_ONCE = 4096  # samples: keeps what is computed in between within the cache
_KEPT = 24  # blocks


@dataclass(frozen=True, slots=True)
class BloodPressure:
    """mmHg."""

    systolic: float
    diastolic: float

    @property
    def mean(self) -> float:
        """A third of the way up."""
        return self.diastolic + (self.systolic - self.diastolic) / 3.0


class Body:
    """Signals as functions of time, in seconds since the session's start.

    There is one implementation, `sample(signal, times)`; each value depends on its own time alone, to the last bit.
    `block` is that function on the whole-second part of a regular grid (sample i of a stream is at i / rate),
    remembered for the pieces that follow, and `stretch` cuts such pieces. Not for several threads at once.
    """

    def __init__(self, person: Person, scene: Scene | None = None) -> None:
        self.person, self.scene = person, scene or Scene()
        self.inside = Inside.of(person, self.scene)
        self._waves: dict[str, Wave] = {}  # made when first asked for
        self._contacts = {signal: Contact(person, signal) for signal in WAVES}
        self._blocks: OrderedDict[tuple[str, float, int], NDArray[np.float64]] = OrderedDict()
        self._pressure = Drift(person.seed, "pressure", 0.004, 0.06, 4)
        self._oxygen = Drift(person.seed, "oxygen", 0.004, 0.05, 4)
        self._warmth = Drift(person.seed, "warmth", 0.0004, 0.004, 4)

    def channels(self, signal: str) -> tuple[str, ...]:
        """Names of a signal's columns."""
        return self._wave(signal).channels

    def sample(self, signal: str, times: ArrayLike) -> NDArray[np.float64]:
        """(n, channels) values at strictly increasing times, of any spacing."""
        moments = np.ascontiguousarray(times, dtype=np.float64)
        if moments.ndim != 1:
            raise ValueError("times must be one row")
        wave = self._wave(signal)
        if not moments.size:
            return np.empty((0, len(wave.channels)))
        if not (moments[0] >= 0.0 and np.isfinite(moments[-1]) and (moments[1:] > moments[:-1]).all()):
            raise ValueError("times must be strictly increasing, from 0 s on")
        if moments.size <= _AT_ONCE:
            out = wave.at(moments)
        else:
            parts = range(0, moments.size, _AT_ONCE)
            out = np.concatenate([wave.at(moments[begin : begin + _AT_ONCE]) for begin in parts])
        self._contacts[signal].lose(out, moments)
        return out

    def block(self, signal: str, rate: float, second: int) -> NDArray[np.float64]:
        """The samples of [second, second + 1) of a regular stream: (rate, channels), read-only, remembered."""
        key = (signal, rate, second)
        found = self._blocks.get(key)
        if found is None:
            first, last = ceil(second * rate), ceil((second + 1) * rate)
            found = self.sample(signal, grid(rate, first, last - first))
            found.flags.writeable = False
            self._blocks[key] = found
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return found

    def stretch(self, signal: str, rate: float, first: int, count: int) -> NDArray[np.float64]:
        """Samples first .. first + count of a regular stream, cut from blocks; read-only."""
        parts = []
        end = first + count
        while first < end:
            second = int(first // rate)
            begin, border = ceil(second * rate), ceil((second + 1) * rate)
            if first >= border:  # a rate like 29.97: the division may fall on the wrong side of the border
                second, begin, border = second + 1, border, ceil((second + 2) * rate)
            until = min(end, border)
            parts.append(self.block(signal, rate, second)[first - begin : until - begin])
            first = until
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, len(self.channels(signal))))

    def ecg(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, leads) mV."""
        return self.sample("ecg", times)

    def ppg(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, channels), a pulse about 1 high."""
        return self.sample("ppg", times)

    def respiration(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 1), a breath from about -1 to 1."""
        return self.sample("respiration", times)

    def eeg(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, electrodes) microvolt."""
        return self.sample("eeg", times)

    def rgb(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 20): r, g, b in 0..255 and pixels per region."""
        return self.sample("rgb", times)

    def face_motion(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 12): pose, place, size, motion, light, gaze, faces."""
        return self.sample("face_motion", times)

    def face_units(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 19) intensities, 0..5."""
        return self.sample("face_units", times)

    def eda(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 1) uS."""
        return self.sample("eda", times)

    def skin_temperature(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 1) degrees Celsius."""
        return self.sample("skin_temperature", times)

    def acceleration(self, times: ArrayLike) -> NDArray[np.float64]:
        """(n, 3) g."""
        return self.sample("acceleration", times)

    def blood_pressure(self, time: float) -> BloodPressure:
        """At a moment: drifting, with the Mayer wave and the breath in it."""
        at = np.array([time])
        slow = float(self._pressure.at(at)[0])
        wave = float(self.inside.heart.mayer(at)[0])
        breath = float(self.inside.breath.volume(at)[0])
        person = self.person
        return BloodPressure(
            person.systolic + 2.5 * slow + 2.0 * wave - 1.5 * breath,
            person.diastolic + 1.5 * slow + 1.5 * wave,
        )

    def spo2(self, time: float) -> float:
        """Percent."""
        return min(self.person.spo2 + 0.3 * float(self._oxygen.at(np.array([time]))[0]), 100.0)

    def temperature(self, time: float) -> float:
        """Of the body's core, degrees Celsius."""
        return self.person.temperature + 0.03 * float(self._warmth.at(np.array([time]))[0])

    def weight(self) -> float:
        """kg."""
        return self.person.weight

    def height(self) -> float:
        """cm."""
        return self.person.height

    def truth(self, start: float, end: float) -> Truth:
        """What really happened in [start, end)."""
        if not 0.0 <= start < end:
            raise ValueError("a window must begin at 0 s or later and end after that")
        inside = self.inside
        beats = inside.heart.beats(start, end)
        figures = variability(beats)
        span = float(beats.times[-1] - beats.times[0]) if beats.times.size > 1 else 0.0
        edges = inside.breath.phase(np.array([start, end]))
        turns = (edges[1] - edges[0]) / (2.0 * np.pi)
        return Truth(
            start=start,
            end=end,
            beats=beats.times.copy(),
            kinds=tuple("V" if v else "N" for v in beats.ventricular.tolist()),
            pulses=inside.pulse.arrivals(beats),
            rr=figures.rr,
            heart_rate=60.0 * (beats.times.size - 1) / span if span else None,
            sdnn=figures.sdnn,
            rmssd=figures.rmssd,
            pnn50=figures.pnn50,
            breaths=inside.breath.starts(start, end),
            respiration_phase=np.mod(inside.breath.phase(beats.times), 2.0 * np.pi),
            respiration_rate=float(60.0 * turns / (end - start)),
            motion=inside.movement.episodes.between(start, end),
            blinks=tuple(
                blink
                for blink in inside.mimic.blinks.between(start, end)
                if not any(shut < blink[1] and blink[0] < opened for shut, opened in self.person.eyes_closed)
            ),
            smiles=inside.mimic.smiles.between(start, end),
            turns=inside.head.turns.between(start, end),
            away=inside.room.away.between(start, end),
            dropouts=tuple(
                (signal, lost, found)
                for signal, contact in self._contacts.items()
                for lost, found in contact.losses.between(start, end)
            ),
        )

    def eeg_truth(self, start: float, end: float, *, rate: float = 250.0) -> EegTruth:
        """What is in the EEG of [start, end) where it is sampled at a rate that divides 500 Hz."""
        return Eeg(self.inside).truth(start, end, rate=rate)

    def _wave(self, signal: str) -> Wave:
        found = self._waves.get(signal)
        if found is None:
            if signal not in WAVES:
                raise ValueError(f"the simulated visitor has no signal {signal!r}")
            found = self._waves[signal] = WAVES[signal](self.inside)
        return found


def grid(rate: float, first: int, count: int) -> NDArray[np.float64]:
    """Times of the samples first .. first + count of a regular stream, in seconds."""
    return np.arange(first, first + count) / rate
