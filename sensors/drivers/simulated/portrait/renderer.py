"""Pictures of the simulated visitor as functions of time.

    portrait = Portrait(Person(seed=1, heart_rate=72), Scene(distance=1.0))
    for frame in portrait.frames(30.0): ...          # times jitter and frames are lost as the scene says
    portrait.truth(0, 30).heart_rate

The pulse is multiplied into the skin's code values along the blood-volume vector: colour (1 - blood x map x s(t)),
with the same s(t) and the same relative amplitude as in traces, the map's mean over the face being 1. It is far below
one step of 0..255; all is computed in floating point, and the sensor's noise dithers it, as in a real camera.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated import skin
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.camera import Camera
from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.head import BODY
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.portrait.lids import Lids
from sensors.drivers.simulated.portrait.room import wall
from sensors.drivers.simulated.portrait.sitter import CHIN, FACE, MIDDLE, Image, sitter
from sensors.drivers.simulated.portrait.warp import DIALS, Warp
from sensors.drivers.simulated.scene import Scene
from sensors.drivers.simulated.truth import Truth
from sensors.face.seen import Frame, Pixels

Floats = NDArray[np.float64]

_SOONER = 0.055  # s that the pulse is in the face before it is at the finger, as in waves/rgb.py
_PER_DEGREE = 0.01  # as there, likewise the next two
_NODS = 0.6
_LAMP = 160.0
_OILY = 0.03  # of the lamp that skin always reflects
_SLIDE = 40.0  # pixels of the portrait that the highlight goes when the head turns by a radian
_FINER = 1.1  # pixels of the layers per pixel of the picture
_BANK, _SPARE = 4, 64  # pictures of noise, each larger by so much: every frame cuts its own from one
_BLURRED = 0.8  # pixels of motion during the exposure from which on it is drawn


@dataclass(frozen=True, slots=True)
class _Moments:
    """All that changes, a row per frame."""

    pulse: Floats
    turn: Floats
    nod: Floats
    shine: Floats
    slide: Floats
    lids: Floats
    dials: Floats
    """(n, 11) as warp.DIALS has them."""
    place: Floats
    """(n, 3): x and y in pixels, and scale against the usual."""
    light: Floats
    """(n, 3)."""
    moved: Floats
    """(n, 2) pixels during the exposure."""
    there: NDArray[np.bool_]


class Portrait:
    """A visitor before a camera. Each picture depends on its own time alone."""

    def __init__(self, person: Person, scene: Scene | None = None, *, width: int = 640, height: int = 480) -> None:
        self.body = Body(person, scene)
        self._scene, self._person, self._width, self._height = self.body.scene, person, width, height
        self._living = self._scene.visitor == "living"
        self._camera = Camera(self.body)
        self._wall = wall(person, self._scene, width, height)
        face = self.body.inside.head.usual * height
        scale = min(1.0, _FINER * face / FACE)
        self._grow = face / (FACE * scale)
        visible = round((0.62 * height + MIDDLE[1] * self._grow * scale) / self._grow)
        whole = sitter(person, self._scene, scale, visible)
        self._middle = MIDDLE[0] * scale, MIDDLE[1] * scale
        self._warp = Warp(scale, (visible, whole.colour.shape[1]))
        self._lids = Lids(whole.colour, whole.skin, scale)
        self._layers(*(layer[:visible] for layer in (whole.colour, whole.opaque, whole.skin, whole.pulse, whole.shine)))
        rng = generator(person.seed, f"portrait/{self._scene.seed}/bank")
        size = _BANK, height + _SPARE, width + _SPARE, 3
        self._bank = rng.standard_normal(size, dtype=np.float32)
        self._rows = np.linspace(0.0, 1.0, height)

    def pulse(self, times: Floats) -> Floats:
        """s(t), what is multiplied into the skin; a photo has none."""
        if not self._living:
            return np.zeros(times.shape)
        return self.body.inside.pulse.at(times, sooner=_SOONER)

    def truth(self, start: float, end: float) -> Truth:
        """What really happened."""
        return self.body.truth(start, end)

    def frames(self, seconds: float, *, start: float = 0.0) -> Iterator[Frame]:
        """Pictures with the times that the camera gives them, nanoseconds since time 0; whole seconds of them."""
        for second in range(round(start), round(start + seconds)):
            shots = self._camera.shots(second)
            for at, pixels in zip(shots.nanoseconds.tolist(), self.pictures(shots.taken), strict=True):
                yield Frame(at, pixels)

    def pictures(self, times: Floats) -> Iterator[Pixels]:
        """Pictures taken at these moments (s), in order."""
        if not times.size:
            return
        if not (times[0] >= 0.0 and np.isfinite(times[-1]) and (np.diff(times) > 0).all()):
            raise ValueError("moments must be strictly increasing, from 0 s on")
        moments = self._moments(times)
        for number, time in enumerate(times.tolist()):
            yield self._picture(moments, number, time)

    def _layers(self, colour: Image, opaque: Image, bare: Image, pulse: Image, shine: Image) -> None:
        """Red, green, blue and opacity; what is added for each disturbance has none of the latter."""
        person, scene, scale = self._person, self._scene, self._middle[0] / MIDDLE[0]
        across = np.arange(colour.shape[1], dtype=np.float32) / scale - MIDDLE[0]
        down = np.arange(colour.shape[0], dtype=np.float32) / scale - CHIN
        head = np.clip(1.0 - down / 40.0, 0.0, 1.0)[:, None]
        drawn = colour * scene.level * opaque[:, :, None]
        blood = skin.blood(person.rgb_amplitude, person.melanin).astype(np.float32)
        lamp = _LAMP * scene.level * scene.shine * shine[:, :, None] * np.ones(3, np.float32)

        def added(layer: Image) -> Image:
            return np.ascontiguousarray(np.dstack([layer, np.zeros_like(opaque)]), dtype=np.float32)

        self._still = np.ascontiguousarray(np.dstack([drawn, opaque]), dtype=np.float32)
        self._blood = added(-drawn * pulse[:, :, None] * blood)
        self._turned = added(drawn * (head * np.clip(across / 60.0, -1.0, 1.0))[:, :, None])
        self._nodded = added(drawn * (_NODS * head)[:, :, None])
        self._shining = added(lamp)
        self._sliding = added(-np.gradient(lamp, axis=1) * scale)

    def _moments(self, times: Floats) -> _Moments:
        person, scene, inside = self._person, self._scene, self.body.inside
        pose = inside.head.pose(times)
        later = inside.head.pose(times + scene.shutter)
        rest = person.head_motion * pose.sway + _PER_DEGREE * pose.sudden
        turn, nod = rest[:, 0], rest[:, 1]
        dials = np.zeros((times.size, len(DIALS)))
        lids = np.zeros(times.size)
        yaw = np.radians(pose.yaw)
        for number, dial in enumerate((np.sin(yaw), np.sin(np.radians(pose.pitch)), np.radians(pose.roll), pose.chest)):
            dials[:, number] = dial
        if self._living:
            mien = inside.mimic.at(times)
            lids, dials[:, 4], dials[:, 5] = mien.lids, mien.smile, mien.jaw
            dials[:, 9:11] = np.sin(np.radians(mien.gaze))
        dials[:, 6] = 1.0 / np.cos(yaw) - 1.0
        # shares of the face's height that the head goes beyond the shoulders
        aside, down = pose.x - 0.5, pose.y - 0.5
        dials[:, 7] = (1.0 - BODY) * aside * self._width / (pose.size * self._height)
        dials[:, 8] = (1.0 - BODY) * down / pose.size
        grow = self._grow * pose.size / inside.head.usual
        place = np.column_stack([(0.5 + BODY * aside) * self._width, (0.5 + BODY * down) * self._height, grow])
        moved = np.column_stack([(later.x - pose.x) * self._width, (later.y - pose.y) * self._height])
        there = ~inside.room.away.inside(times) & (scene.visitor != "nobody")
        light = inside.room.steady(times)[:, None] * inside.room.tint(times)
        shine = 0.5 * (turn * turn + nod * nod) + 0.25 * nod
        return _Moments(
            self.pulse(times), turn, nod, shine, _SLIDE * yaw, lids, dials, place, light, moved, np.asarray(there)
        )

    def _picture(self, moments: _Moments, number: int, time: float) -> Pixels:
        scene = self._scene
        picture = self._drawn(moments, number) if moments.there[number] else self._wall * np.float32(scene.level)
        if scene.blur:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), scene.blur * self._height / 480.0), np.float32)
        rng = generator(self._person.seed, f"portrait/{scene.seed}/frame", round(time * 1e6))
        light = moments.light[number] * np.ones((self._height, 1, 1))
        if scene.flicker:
            light = light * self.body.inside.room.flicker(np.array([time]), self._rows)[0][:, None, None]
        picture *= light.astype(np.float32)
        return self._noisy(picture, rng)

    def _drawn(self, moments: _Moments, number: int) -> Image:
        person = self._still.copy()
        for layer, dial in (
            (self._blood, moments.pulse),
            (self._turned, moments.turn),
            (self._nodded, moments.nod),
            (self._shining, _OILY + moments.shine),
            (self._sliding, (_OILY + moments.shine) * moments.slide),
        ):
            if dial[number]:
                cv2.scaleAdd(layer, float(dial[number]), person, person)
        if moments.lids[number]:
            self._lids.close(person, float(moments.lids[number]), self._scene.level)
        person = self._warp.moved(person, moments.dials[number])
        x, y, grow = moments.place[number].tolist()
        into = np.array([[grow, 0.0, x - grow * self._middle[0]], [0.0, grow, y - grow * self._middle[1]]])
        placed = cv2.warpAffine(person, into, (self._width, self._height), flags=cv2.INTER_LINEAR)
        drawn = self._smeared(np.asarray(placed, np.float32), moments.moved[number])
        colour, opaque = np.ascontiguousarray(drawn[:, :, :3]), drawn[:, :, 3]
        behind = self._wall * ((1.0 - opaque) * np.float32(self._scene.level))[:, :, None]
        return np.asarray(cv2.add(colour, behind), dtype=np.float32)

    def _smeared(self, drawn: Image, moved: Floats) -> Image:
        """What moves while the shutter is open is drawn where it was all that time."""
        far = float(np.hypot(*moved))
        if far < _BLURRED:
            return drawn
        reach = int(np.ceil(far / 2.0))
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        for share in np.linspace(-0.5, 0.5, 4 * reach + 1):
            kernel[reach + round(share * moved[1]), reach + round(share * moved[0])] += 1.0
        return np.asarray(cv2.filter2D(drawn, -1, kernel / kernel.sum()), dtype=np.float32)

    def _noisy(self, picture: Image, rng: np.random.Generator) -> Pixels:
        scene, person, gain = self._scene, self._person, self._scene.gain
        bank, up, left = rng.integers((_BANK, _SPARE, _SPARE)).tolist()
        noise = self._bank[bank, up : up + self._height, left : left + self._width]
        steady = person.pixel_noise**2 + (scene.read_noise * gain) ** 2
        common = person.camera_noise * rng.standard_normal(3)
        picture += common.astype(np.float32)
        if scene.shot_noise:
            grain = np.maximum(picture, 0.0)
            grain *= np.float32(scene.shot_noise**2 * gain / 128.0)
            grain += np.float32(steady)
            noise = np.sqrt(grain) * noise
        elif steady:
            noise = noise * np.float32(steady**0.5)
        else:
            noise = np.zeros_like(picture)
        # rounds and keeps within 0..255
        return np.asarray(cv2.add(picture, np.ascontiguousarray(noise), dtype=cv2.CV_8U), dtype=np.uint8)


def frames(person: Person, scene: Scene | None = None, seconds: float = 30.0) -> Iterator[Frame]:
    """Pictures of so many seconds of a visit."""
    return Portrait(person, scene).frames(seconds)
