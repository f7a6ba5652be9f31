"""The wall behind the sitter, and whoever else is in view."""

import cv2
import numpy as np

from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.portrait.sitter import FACE, MIDDLE, Image, sitter
from sensors.drivers.simulated.scene import Scene

_WALL = np.array([168.0, 172.0, 170.0], dtype=np.float32)
_OTHERS = ((0.84, 0.34), (0.16, 0.34), (0.5, 0.12))  # where they stand
_FARTHER = 0.55


def wall(person: Person, scene: Scene, width: int, height: int) -> Image:
    """(height, width, 3): it has some texture, for codecs and trackers to hold on to."""
    rng = generator(person.seed, f"portrait/{scene.seed}/wall")
    coarse = cv2.resize(rng.standard_normal((9, 12)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 1.2)
    shade = np.linspace(1.05, 0.8, height, dtype=np.float32)[:, None] * (1.0 + 0.04 * coarse + 0.04 * fine)
    out: Image = np.ascontiguousarray(shade[:, :, None] * _WALL)
    size = 0.19 / (0.83 * scene.distance) * _FARTHER * height
    for place in _OTHERS[: scene.faces - 1]:
        _stand(out, Person(seed=person.seed + 1, melanin=0.3), size / FACE, (place[0] * width, place[1] * height))
    return out


def _stand(picture: Image, person: Person, scale: float, place: tuple[float, float]) -> None:
    """Somebody who is no visitor: turned the other way round, and still."""
    height, width = picture.shape[:2]
    whole = sitter(person, Scene(), min(scale, 1.0), round(height / min(scale, 1.0)))
    middle = (whole.colour.shape[1] - MIDDLE[0] * whole.scale, MIDDLE[1] * whole.scale)
    grow = scale / whole.scale
    into = np.array([[grow, 0.0, place[0] - grow * middle[0]], [0.0, grow, place[1] - grow * middle[1]]])
    there = np.dstack([whole.colour * whole.opaque[:, :, None], whole.opaque])[:, ::-1]
    drawn = cv2.warpAffine(np.ascontiguousarray(there), into, (width, height))
    picture *= 1.0 - drawn[:, :, 3:]
    picture += drawn[:, :, :3]
