"""Camera: mean skin colour per region of the face, by the skin reflection model.

C(t) = I(t) (specular(t) + diffuse (1 + pulse)) + noise (Wang 2017, doi:10.1109/TBME.2016.2609282): the light and the
shine change all colours alike, the blood changes them along its own vector.
"""

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import REGIONS, RGB_CHANNELS
from sensors.drivers.simulated.chance import Drift, generator
from sensors.drivers.simulated.contact import Shake
from sensors.drivers.simulated.noise import Noise
from sensors.drivers.simulated.waves.inside import Inside

_BLOOD = np.array([0.33, 0.77, 0.53])
"""Relative pulse in red, green, blue under white light (de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913)."""
_LIGHT_SKIN = np.array([205.0, 158.0, 136.0])
_DARK_SKIN = np.array([92.0, 62.0, 50.0])
# per region whole, forehead, left_cheek, right_cheek, chin
_SHARE = np.array([1.0, 0.24, 0.15, 0.15, 0.10])  # of the pixels
_SHADE = np.array([1.0, 1.05, 0.97, 1.02, 0.94])
_PULSE = np.array([1.0, 1.15, 1.25, 1.20, 0.75])
_SOONER = np.array([0.055, 0.062, 0.055, 0.053, 0.048])  # s before the finger
_SIDE = np.array([0.05, 0.0, 1.0, -1.0, 0.1])  # how a turn of the head brightens it
_GRID = 250  # faster than any camera: no two frames share their noise


class Rgb:
    """Means of r, g, b (0..255) and the number of pixels, per region."""

    channels = RGB_CHANNELS

    def __init__(self, inside: Inside) -> None:
        person = inside.person
        self._inside, self._person, seed = inside, person, person.seed
        self._skin = _LIGHT_SKIN * (_DARK_SKIN / _LIGHT_SKIN) ** person.melanin
        # melanin swallows the light before it reaches the blood
        strength = person.rgb_amplitude * (1.0 - 0.65 * person.melanin)
        self._blood = strength * _BLOOD / _BLOOD[1]
        self._lamp = Drift(seed, "rgb/lamp", 0.01, 0.3, 4)
        self._turn = Drift(seed, "rgb/turn", 0.05, 0.6, 5)
        self._nod = Drift(seed, "rgb/nod", 0.05, 0.5, 4)
        self._near = Drift(seed, "rgb/near", 0.02, 0.3, 4)
        self._noise = Noise(seed, "rgb/noise", rate=_GRID, channels=3 * len(REGIONS))
        self._shake = Shake(person, inside.movement, "rgb", 2, 2.5)
        self._face = person.face_pixels * float(generator(seed, "rgb/face").uniform(0.9, 1.1))

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 20)."""
        person, inside = self._person, self._inside
        pose = np.empty((times.size, 2))  # turn and nod, about 1 each
        pose[:, 0], pose[:, 1] = self._turn.at(times), self._nod.at(times) + 0.5 * inside.breath.volume(times)
        pose *= person.head_motion
        self._shake.add(pose, times, 0.05)
        turn, nod = pose[:, :1], pose[:, 1:]
        light = 1.0 + person.illumination_drift * self._lamp.at(times)[:, None]
        brightness = light * (1.0 + turn * _SIDE + 0.6 * nod) * _SHADE
        shine = 0.5 * (turn * turn + nod * nod) + 0.25 * nod  # specular: the colour of the lamp, not of the skin
        pulse = inside.pulse.at(times, sooner=_SOONER) * _PULSE
        pixels = np.rint(self._face * _SHARE * (1.0 - 3.0 * np.abs(turn) + 0.03 * self._near.at(times)[:, None]))
        pixels = np.maximum(pixels, 1.0)
        blur = np.sqrt(person.pixel_noise**2 / pixels + person.camera_noise**2)
        noise = self._noise.at(times)
        out = np.empty((times.size, len(REGIONS), 4))
        for colour in range(3):
            # more blood is darker
            diffuse = self._skin[colour] * (1.0 - self._blood[colour] * pulse)
            out[:, :, colour] = brightness * (diffuse + 160.0 * shine) + blur * noise[:, colour::3]
        np.clip(out, 0.0, 255.0, out=out)
        out[:, :, 3] = pixels
        return out.reshape(times.size, -1)
