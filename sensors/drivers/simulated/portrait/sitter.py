"""The sitter: a public-domain portrait that an installed package brings, cut out and made over as the dials say.

It is the official photograph of Grace M. Hopper by James S. Davis, United States Navy, a work of the US
government, which matplotlib ships among its sample data. It is read where it lies and kept nowhere. She wears
glasses; the dial adds a heavy dark frame. All places below are pixels of that picture.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated import skin
from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.person import Person
from sensors.drivers.simulated.scene import Scene

Image = NDArray[np.float32]
Place = tuple[float, float]

WIDTH, HEIGHT = 512, 552
"""What is used of it; below is a button that would go on for ever."""
MIDDLE: Place = (266.0, 233.0)
FACE = 201.0
"""From hairline to chin."""
CHIN = 334.0
EYES: tuple[Place, Place] = ((224.5, 191.5), (306.0, 187.5))
"""The person's right and left."""
MOUTH: tuple[Place, Place] = ((232.4, 280.6), (302.5, 277.1))
"""Its corners."""

_SHIPPED = "sample_data/grace_hopper.jpg"
_OUTLINE = (
    (20, 600), (34, 470), (50, 406), (112, 376), (190, 342), (206, 318), (190, 296), (172, 288), (163, 262), (157, 212),
    (155, 185), (162, 160), (154, 130), (156, 97), (178, 88), (181, 63), (204, 48), (236, 31), (265, 26), (300, 34),
    (328, 57), (349, 74), (365, 92), (368, 130), (361, 158), (373, 188), (371, 222), (358, 270), (347, 298), (332, 306),
    (332, 330), (396, 356), (478, 398), (497, 418), (508, 448), (508, 600),
)  # fmt: skip
_FACE_OUTLINE = (
    (264, 133), (312, 134), (344, 149), (355, 175), (355, 209), (352, 246), (343, 284), (325, 309), (303, 325),
    (270, 334), (237, 329), (214, 315), (193, 290), (180, 253), (175, 217), (174, 182), (184, 156), (216, 138),
)  # fmt: skip
_NECK = ((205, 316), (230, 330), (270, 336), (300, 328), (328, 316), (326, 345), (300, 395), (250, 408), (222, 385),
         (205, 345))  # fmt: skip
_EARS = (((158, 196), (174, 200), (182, 262), (170, 262)), ((356, 196), (374, 192), (368, 235), (352, 250)))
_BEARD = ((185, 262), (205, 272), (232, 262), (266, 262), (302, 262), (328, 268), (348, 258), (342, 290), (322, 316),
          (300, 330), (268, 338), (236, 334), (212, 320), (194, 296))  # fmt: skip
_LIPS = (267.0, 281.0, 38.0, 10.0)  # middle and half axes
# (x, y, radius, strength of the pulse there against the face's mean), about as waves/rgb.py has it
_PULSE = ((266, 160, 48, 1.15), (212, 245, 34, 1.25), (325, 242, 34, 1.2), (268, 318, 30, 0.75), (268, 370, 50, 0.5))
_SHINY = ((266, 152, 26, 0.9), (267, 232, 9, 1.0), (210, 232, 15, 0.6), (326, 230, 15, 0.6))
_HAIR = (38.0, 30.0, 26.0)


@dataclass(frozen=True, slots=True)
class Sitter:
    """Layers of one size, float32, values 0..255."""

    scale: float
    """Pixels of this size per pixel of the picture."""
    colour: Image
    """(h, w, 3) red green blue."""
    opaque: Image
    """(h, w) 1 where the person is."""
    skin: Image
    """(h, w) 1 on bare skin of the face, soft at its edge."""
    pulse: Image
    """(h, w) relative strength of the pulse; its mean over the face's bare skin is 1."""
    shine: Image
    """(h, w) where skin reflects the lamp."""


def sitter(person: Person, scene: Scene, scale: float, height: int) -> Sitter:
    """The person as the dials have them, at a scale of at most 1, with a body at least so many pixels high."""
    whole = _made_over(person.melanin, scene.beard, scene.glasses, person.seed)
    missing = max(height - round(HEIGHT * scale), 0)

    def fitted(layer: Image) -> Image:
        size = round(WIDTH * scale), round(HEIGHT * scale)
        small = layer if scale == 1.0 else cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
        # the picture ends at the chest: its last row goes on
        longer = cv2.copyMakeBorder(small, 0, missing, 0, 0, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(longer, dtype=np.float32)

    return Sitter(
        scale, *(fitted(layer) for layer in (whole.colour, whole.opaque, whole.skin, whole.pulse, whole.shine))
    )


@lru_cache(maxsize=8)
def _made_over(melanin: float, beard: float, glasses: bool, seed: int) -> Sitter:
    picture = _picture()
    face = _soft(_FACE_OUTLINE, 2.0)
    bare = np.maximum.reduce([face, _soft(_NECK, 2.0), *(_soft(ear, 2.0) for ear in _EARS)])
    bare *= _skinlike(picture)
    colour = _toned(picture, _tinted(picture), bare * face, skin.colour(melanin))
    bare = bare * (1.0 - _eyes())
    if beard:
        hair = beard * _hairy(seed)
        colour += hair[:, :, None] * (np.array(_HAIR, dtype=np.float32) - colour)
        bare *= 1.0 - hair
    if glasses:
        rims, glare = _rims()
        colour += rims[:, :, None] * (18.0 - colour) + 0.35 * glare[:, :, None] * (235.0 - colour)
        bare *= (1.0 - rims) * (1.0 - 0.5 * glare)
    within = bare * face
    pulse = _hills(_PULSE)
    pulse *= bare * (within.sum() / (within * within * pulse).sum())
    return Sitter(1.0, colour, _soft(_OUTLINE, 1.5), within, pulse, _spots(_SHINY) * bare)


@lru_cache(maxsize=1)
def _picture() -> Image:
    from matplotlib import get_data_path

    path = Path(get_data_path()) / _SHIPPED
    read = cv2.imread(str(path))
    if read is None or read.shape != (600, WIDTH, 3):
        raise FileNotFoundError(f"matplotlib's sample picture {path.name} is not installed, or is another one")
    # the outline of film grain would pulse with the pulse: a little smoother than it is
    smooth = cv2.bilateralFilter(read[:HEIGHT], 5, 18, 3)
    return np.ascontiguousarray(smooth[:, :, ::-1], dtype=np.float32)


def _tinted(picture: Image) -> Image:
    """What takes on another tone: all of face, neck and ears, but little of the eyes."""
    parts = np.maximum.reduce([_soft(part, 0.5) for part in (_FACE_OUTLINE, *_EARS)])
    wider = _blurred(cv2.dilate(parts, np.ones((9, 9), np.uint8)), 2.0)
    # not the collar
    neck = cv2.dilate(_soft(_NECK, 1.0) * _skinlike(picture), np.ones((5, 5), np.uint8))
    return np.asarray(np.maximum(wider, neck) * (1.0 - 0.7 * _eyes()), dtype=np.float32)


def _toned(picture: Image, area: Image, face: Image, wanted: NDArray[np.float64]) -> Image:
    """Skin in another tone: its light, not its code values, is scaled, so that shading keeps its contrast."""
    light = _linear(picture)
    mean = (light * face[:, :, None]).sum(axis=(0, 1)) / face.sum()
    target = _linear(wanted.astype(np.float32))
    factor = 1.0 + area[:, :, None] * (target / mean - 1.0).astype(np.float32)
    # lit skin is brighter than its mean, and a camera rolls highlights off instead of cutting them
    scaled = light * factor
    return _encoded(np.where(scaled > 0.7, 0.7 + 0.3 * np.tanh((scaled - 0.7) / 0.3), scaled))


def _linear(values: Image) -> Image:
    share = values / 255.0
    curve = np.power((share + 0.055) / 1.055, 2.4)
    return np.asarray(np.where(share <= 0.04045, share / 12.92, curve), dtype=np.float32)


def _encoded(light: Image) -> Image:
    curve = 1.055 * np.power(np.maximum(light, 1e-6), 1 / 2.4) - 0.055
    return np.asarray(255.0 * np.where(light <= 0.0031308, 12.92 * light, curve), dtype=np.float32)


def _skinlike(picture: Image) -> Image:
    """What within the outlines is skin, and not rim, iris, nostril or hair."""
    red, green, blue = (picture[:, :, part] for part in range(3))
    warm = np.clip((red - blue - 12.0) / 20.0, 0.0, 1.0) * np.clip((red - 85.0) / 40.0, 0.0, 1.0)
    pale = np.clip((green - 60.0) / 20.0, 0.0, 1.0)
    return _blurred((warm * pale).astype(np.float32), 1.5)


def _eyes() -> Image:
    out = np.zeros((HEIGHT, WIDTH), np.float32)
    for x, y in EYES:
        cv2.ellipse(out, (round(x), round(y)), (21, 8), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    return _blurred(out, 1.5)


def _soft(corners: tuple[tuple[int, int], ...], edge: float) -> Image:
    out = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(out, [np.array(corners, dtype=np.int32)], 1.0, cv2.LINE_AA)
    return _blurred(out, edge)


def _blurred(layer: cv2.typing.MatLike, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def _hairy(seed: int) -> Image:
    area = _soft(_BEARD, 5.0)
    x, y, wide, high = _LIPS
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    lips = np.hypot((across - x) / wide, (down - y) / high)
    area *= np.clip((lips - 0.8) * 4.0, 0.0, 1.0).astype(np.float32)
    strands = generator(seed, "portrait/beard").standard_normal((HEIGHT, WIDTH)).astype(np.float32)
    strands = cv2.GaussianBlur(strands, (0, 0), sigmaX=0.7, sigmaY=1.8) * 4.0
    return np.asarray(area * np.clip(0.8 + 0.15 * strands, 0.3, 1.0), dtype=np.float32)


def _rims() -> tuple[Image, Image]:
    rims, glare = np.zeros((2, HEIGHT, WIDTH), np.float32)
    for x, y in EYES:
        cv2.ellipse(rims, (round(x), round(y + 8)), (33, 27), 0, 0, 360, 1.0, 6, cv2.LINE_AA)
        streak = np.array([(x - 20, y + 24), (x - 12, y + 26), (x + 16, y + 2), (x + 10, y - 2)], dtype=np.int32)
        cv2.fillPoly(glare, [streak], 1.0, cv2.LINE_AA)
    (left, down), (right, _) = EYES
    cv2.line(rims, (round(left + 32), round(down + 2)), (round(right - 32), round(down + 2)), 1.0, 6, cv2.LINE_AA)
    cv2.line(rims, (162, 188), (188, 192), 1.0, 6, cv2.LINE_AA)
    cv2.line(rims, (342, 188), (366, 184), 1.0, 6, cv2.LINE_AA)
    return rims, _blurred(glare, 2.0)


def _hills(places: tuple[tuple[int, int, int, float], ...]) -> Image:
    """1 with smooth hills and hollows."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    out = np.ones((HEIGHT, WIDTH), np.float32)
    for x, y, radius, value in places:
        out += (value - 1.0) * np.exp(-0.5 * ((across - x) ** 2 + (down - y) ** 2) / radius**2)
    return out


def _spots(places: tuple[tuple[int, int, int, float], ...]) -> Image:
    return _hills(tuple((x, y, radius, 1.0 + value) for x, y, radius, value in places)) - np.float32(1.0)
