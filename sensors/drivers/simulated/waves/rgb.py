"""Camera: mean skin colour per region of the face, by the skin reflection model.

C(t) = I(t) (specular(t) + diffuse (1 + pulse)) + noise (Wang 2017, doi:10.1109/TBME.2016.2609282): the light and the
shine change all colours alike, the blood changes them along its own vector. Noise is what the sensor adds (shot and
read) divided by the root of the pixels that the mean is of; the error of whole numbers is that of a dithered
quantiser (Widrow & Kollar 2008, doi:10.1017/CBO9780511754661).
"""

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import REGIONS, RGB_CHANNELS
from sensors.drivers.simulated import skin
from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.head import Pose
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.waves.inside import Inside

# per region whole, forehead, left_cheek, right_cheek, chin
_SHARE = np.array([1.0, 0.18, 0.09, 0.09, 0.11])  # of the pixels
_SHADE = np.array([1.0, 1.05, 0.97, 1.02, 0.94])
_PULSE = np.array([1.0, 1.15, 1.25, 1.20, 0.75])
_SOONER = np.array([0.055, 0.062, 0.055, 0.053, 0.048])  # s before the finger
_SIDE = np.array([0.05, 0.0, 1.0, -1.0, 0.1])  # how a turn of the head brightens it
_BEARDED = np.array([0.2, 0.0, 0.5, 0.5, 1.0])  # how much of it a full beard covers
_GLASSED = np.array([0.06, 0.0, 0.2, 0.2, 0.0])  # how much of it glasses cover
_MOUTH = np.array([0.1, 0.0, 0.15, 0.15, 1.0])  # how much talking moves it
_HEIGHT = np.array([0.0, -0.35, 0.05, 0.05, 0.4])  # shares of the face below its middle
_GRID = 250  # faster than any camera: no two frames share their noise
_PER_DEGREE = 0.01  # brightness when the head turns by a degree, where light comes from the side
_USUAL = 0.6  # metres at which a face has the pixels of the dial
_SHINE = 160.0  # the lamp's own colour
_HAIR = 0.35  # of the skin's brightness
_LEFT = 0.15  # of the hair is taken for skin


class Rgb:
    """Means of r, g, b (0..255) and the number of pixels, per region. Nobody there: NaN and no pixels."""

    channels = RGB_CHANNELS

    def __init__(self, inside: Inside) -> None:
        person, scene = inside.person, inside.scene
        self._inside, self._person, self._scene, seed = inside, person, scene, person.seed
        self._skin = skin.colour(person.melanin) * scene.level
        living = scene.visitor == "living"
        self._blood = skin.blood(person.rgb_amplitude, person.melanin) if living else np.zeros(3)
        self._noise = Noise(seed, "rgb/noise", rate=_GRID, channels=3 * len(REGIONS))
        share = float(generator(seed, "rgb/face").uniform(0.9, 1.1))
        self._face = person.face_pixels * share * (_USUAL / scene.distance) ** 2
        hair = scene.beard * _BEARDED
        self._bare = (1.0 - hair) * (1.0 - _GLASSED * scene.glasses)
        mixed = _LEFT * hair / (_LEFT * hair + 1.0 - hair + 1e-12)  # share of what is averaged that is hair
        self._shade = _SHADE * (1.0 - (1.0 - _HAIR) * mixed)
        self._pulse = _PULSE * (1.0 - mixed)
        self._texture = float(generator(seed, "rgb/texture").uniform(0.0, 1.0))

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 20)."""
        inside = self._inside
        pose = inside.head.pose(times)
        rest = self._person.head_motion * pose.sway
        turn, nod = (rest[:, part : part + 1] + _PER_DEGREE * pose.sudden[:, part : part + 1] for part in (0, 1))
        light = inside.room.steady(times)[:, None] * self._flicker(times)
        brightness = light * np.maximum(1.0 + turn * _SIDE + 0.6 * nod, 0.1) * self._shade
        if self._person.talking and self._scene.visitor == "living":
            brightness *= 1.0 + 0.02 * inside.mimic.talk(times)[:, None] * _MOUTH
        # specular: the colour of the lamp, not of the skin
        shine = _SHINE * self._scene.level * self._scene.shine * (0.5 * (turn * turn + nod * nod) + 0.25 * nod)
        if self._scene.glasses:
            shine = shine * (1.0 + 4.0 * _GLASSED)
        pulse = inside.pulse.at(times, sooner=_SOONER) * self._pulse
        pixels = self._pixels(pose)
        tint = inside.room.tint(times)
        noise = self._noise.at(times)
        out = np.empty((times.size, len(REGIONS), 4))
        for part in range(3):
            # more blood is darker
            diffuse = self._skin[part] * (1.0 - self._blood[part] * pulse)
            value = tint[:, part : part + 1] * brightness * (diffuse + shine)
            blur = np.sqrt(self._variance(value) / pixels + self._person.camera_noise**2)
            out[:, :, part] = self._whole(value) + blur * noise[:, part::3]
        np.clip(out, 0.0, 255.0, out=out)
        out[:, :, 3] = pixels
        gone = inside.room.away.inside(times)
        if self._scene.visitor == "nobody":
            gone[:] = True
        out[gone, :, :3] = np.nan
        out[gone, :, 3] = 0.0
        return out.reshape(times.size, -1)

    def _pixels(self, pose: Pose) -> NDArray[np.float64]:
        away = np.cos(np.radians(pose.yaw)) * np.cos(np.radians(pose.pitch))
        area = self._face * away * np.square(pose.size / self._inside.head.usual)
        return np.maximum(np.rint(area[:, None] * (_SHARE * self._bare)), 1.0)

    def _flicker(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        # a rolling shutter reads the chin later than the forehead
        rows = 0.5 + self._inside.head.usual * _HEIGHT
        return self._inside.room.flicker(times, rows)

    def _variance(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of one pixel."""
        scene, gain = self._scene, self._scene.gain
        variance = self._person.pixel_noise**2 + (scene.read_noise * gain) ** 2
        if scene.quantised:
            variance += 1.0 / 12.0
        shot: NDArray[np.float64] = variance + scene.shot_noise**2 * gain * np.maximum(value, 0.0) / 128.0
        return shot

    def _whole(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of pixels that are whole numbers: its error is a wave of one step, flattened by what dithers."""
        if not self._scene.quantised:
            return value
        dither = self._variance(value) + self._scene.texture**2
        place = 2.0 * np.pi * (value + self._texture)
        return value - np.exp(-2.0 * np.pi**2 * dither) * np.sin(place) / np.pi
