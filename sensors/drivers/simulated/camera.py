"""The simulated camera: frame times of a webcam, what it says of each frame, and many traces quickly.

    seen = traces(Person(seed=1, heart_rate=72), Scene(dropped=0.2, burst=3), 60.0)
    seen.rgb, seen.face_motion, seen.face_units     # tracks as a session has them, at the same frame times
    seen.truth.heart_rate, seen.truth.pulses        # what was really there

A second of frames is drawn by itself, so that live devices, files and tests see the same. `Scene.ideal()` with
`Person.undisturbed()` is the bare model; each dial of either adds one disturbance and leaves the truth untouched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.recording import Recording, Track
from kiosk.signals import MOTION_CHANNELS, REGIONS, RGB_CHANNELS, UNIT_CHANNELS
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.coding import coded
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene
from sensors.drivers.simulated.truth import Truth

DEVICE = "simulated-camera"
SIGNALS = ("rgb", "face_motion", "face_units")
_MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Shots:
    """Frames that were not lost, in seconds, in whole microseconds."""

    taken: NDArray[np.float64]
    stamped: NDArray[np.float64]
    """What the camera says of when that was."""

    @property
    def nanoseconds(self) -> NDArray[np.int64]:
        """Their times on the wire."""
        return np.rint(self.stamped * 1e6).astype(np.int64) * 1000


@dataclass(frozen=True, slots=True)
class Look:
    """What the camera says of a stretch of time, a row per frame."""

    shots: Shots
    rgb: NDArray[np.float64]
    motion: NDArray[np.float64]
    units: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Traces:
    """What a camera delivered of a simulated visitor, and the truth."""

    rgb: Track
    face_motion: Track
    face_units: Track
    """Without the frames that had no face."""
    truth: Truth
    shots: Shots

    def recording(self, name: str = "simulated") -> Recording:
        """As a session or a file."""
        return Recording((self.rgb, self.face_motion, self.face_units), name)


class Camera:
    """One camera before one body."""

    def __init__(self, body: Body) -> None:
        self._body, self._scene, self._seed = body, body.scene, body.person.seed
        self._name = f"camera/{body.scene.seed}"

    def shots(self, second: int) -> Shots:
        """The frames of [second, second + 1)."""
        scene, rate = self._scene, self._scene.frame_rate
        first, last = int(np.ceil(second * rate)), int(np.ceil((second + 1) * rate))
        rng = generator(self._seed, self._name, second)
        count = last - first
        late, wrong, chance = rng.uniform(0.0, 1.0, count), rng.standard_normal(count), rng.random(count + 1)
        taken = (np.arange(first, last) + scene.jitter * late) / rate
        end = second + 1.0 - _MICRO
        taken = np.minimum(taken, end)[~_lost(chance, scene.dropped, scene.burst)].round(6)
        errors = wrong[: taken.size] * scene.stamp_error
        # a device numbers its frames in order and within the second, whatever its clock does
        steps = np.arange(taken.size) * _MICRO
        stamped = np.maximum.accumulate(np.clip(taken + errors, second, None) - steps) + steps
        stamped = np.minimum(stamped, end - steps[::-1]).round(6)
        return Shots(taken, stamped)

    def second(self, second: int) -> Look:
        """What it says of [second, second + 1)."""
        if not self._scene.compression:
            return self._bare(self.shots(second))
        # a codec remembers since its last key frame
        group = second // self._scene.keyframes
        begin = group * self._scene.keyframes
        parts = [self.shots(number) for number in range(begin, second + 1)]
        look = self._coded(self._bare(_joined(parts)), group)
        return _part(look, sum(part.taken.size for part in parts[:-1]), None)

    def between(self, start: int, end: int) -> Look:
        """What it says of the whole seconds [start, end)."""
        if not self._scene.compression:
            return self._bare(_joined([self.shots(number) for number in range(start, end)]))
        every = self._scene.keyframes
        looks = []
        for group in range(start // every, -(-end // every)):
            seconds = range(group * every, min((group + 1) * every, end))
            parts = [self.shots(number) for number in seconds]
            look = self._coded(self._bare(_joined(parts)), group)
            skipped = sum(part.taken.size for number, part in zip(seconds, parts, strict=True) if number < start)
            looks.append(_part(look, skipped, None))
        return Look(
            _joined([look.shots for look in looks]),
            *(np.concatenate([getattr(look, name) for look in looks]) for name in ("rgb", "motion", "units")),
        )

    def _bare(self, shots: Shots) -> Look:
        rgb, motion, units = (self._body.sample(signal, shots.taken) for signal in SIGNALS)
        return Look(shots, rgb, motion, units)

    def _coded(self, look: Look, group: int) -> Look:
        rgb = look.rgb.reshape(len(look.rgb), len(REGIONS), 4).copy()
        person, scene = self._body.person, self._scene
        first = np.arange(len(rgb)) == 0
        noise = float(np.hypot(person.pixel_noise, scene.read_noise * scene.gain))
        name = f"{self._seed}/{self._name}/coded/{group}"
        rgb[:, :, :3] = coded(rgb[:, :, :3], rgb[:, :, 3], first, step=scene.compression, noise=noise, name=name)
        np.clip(rgb[:, :, :3], 0.0, 255.0, out=rgb[:, :, :3])
        return Look(look.shots, rgb.reshape(len(rgb), -1), look.motion, look.units)


def traces(person: Person, scene: Scene | None = None, seconds: float = 60.0, *, start: float = 0.0) -> Traces:
    """What a camera says of so many seconds from `start` (both rounded to whole ones), and the truth of them."""
    body = Body(person, scene)
    begin, end = round(start), round(start + seconds)
    if begin < 0 or end <= begin:
        raise ValueError("traces begin at 0 s or later and last for a second or more")
    look = Camera(body).between(begin, end)
    times = look.shots.nanoseconds
    seen = ~np.isnan(look.units).any(axis=1)
    return Traces(
        _track("rgb", RGB_CHANNELS, times, look.rgb),
        _track("face_motion", MOTION_CHANNELS, times, look.motion),
        _track("face_units", UNIT_CHANNELS, times[seen], look.units[seen]),
        body.truth(float(begin), float(end)),
        look.shots,
    )


def _track(signal: str, channels: tuple[str, ...], times: NDArray[np.int64], samples: NDArray[np.float64]) -> Track:
    return Track(signal, DEVICE, channels, None, times, samples.astype(np.float32))


def _joined(parts: list[Shots]) -> Shots:
    return Shots(np.concatenate([part.taken for part in parts]), np.concatenate([part.stamped for part in parts]))


def _part(look: Look, begin: int, end: int | None) -> Look:
    rows = slice(begin, end)
    shots = Shots(look.shots.taken[rows], look.shots.stamped[rows])
    return Look(shots, look.rgb[rows], look.motion[rows], look.units[rows])


def _lost(chance: NDArray[np.float64], share: float, burst: float) -> NDArray[np.bool_]:
    """Which frames are lost: two states, lost and not (Gilbert 1960, doi:10.1002/j.1538-7305.1960.tb03959.x)."""
    lost = np.zeros(chance.size - 1, dtype=np.bool_)
    if share:
        # a burst cannot be shorter than chance makes it
        leave = min(1.0 / burst, 1.0)
        enter = min(leave * share / (1.0 - share), 1.0)
        state = bool(chance[0] < share)
        for number, draw in enumerate(chance[1:].tolist()):
            lost[number] = state
            state = draw >= leave if state else draw < enter
    return lost
