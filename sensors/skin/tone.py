"""Which parts of a face look like its own skin: hair, beard, glasses and glare do not.

There is no rule of absolute colour, which would know some skins better than others (Dasari A et al. 2021,
doi:10.1038/s41746-021-00462-6): every face is its own measure. Of forehead, cheeks and chin the median logarithmic
colour is taken, and its spread; what lies far outside is not skin. The answer is a map in the face's own coordinates,
made slowly: it moves with the landmarks and not with the noise of the pixels that it weighs.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sensors.face.seen import Pixels

Map = NDArray[np.float32]
"""(SIDE, SIDE), 0..1."""

SIDE: Final = 96
MEMORY: Final = 2.0
"""Seconds after which a change of the face's look has mostly entered the map."""
FIRST_LOOKS: Final = 10
"""Pictures from which a new face is learned one after the other."""
INSIDE, OUTSIDE = 2.5, 4.5
"""Spreads (standard deviations, from the median absolute deviation) up to which a pixel is skin, from which not."""
LIGHT_SPREAD, HUE_SPREAD = 0.12, 0.035
"""Least spreads of log luminance and of the two log colour ratios: a face is not flat, and a sensor is not quiet."""
DARKER, LIGHTER = 0.6, 0.45
"""Log luminance below and above what the light lets expect that is never skin: hair, shadow, glare."""
SLOPE = 1.2
"""Most change of log luminance or colour from one side of the face to the other that is light: a window, a lamp."""
TRIES = 4
"""Rounds of fitting the light; in the first the spread may be half a slope wide."""
FULL, CLIPPED = 244.0, 253.0
"""Brightest channel that is surely below and surely at the sensor's end: a clipped pixel has no pulse."""
BLACK, DARK = 3.0, 8.0
"""Luminance at which there is nothing to see, and at which there is."""
NOISE: Final = 4.0
"""Added to every channel before the logarithm, so that the noise of dark pixels does not pass for colour."""
SOFT: Final = 0.8
"""Cells, standard deviation of the softening."""
LEAST_SKIN: Final = 40
"""Cells of the map without which no colour is learned."""


class Tone:
    """One person's look."""

    def __init__(self) -> None:
        self._map: Map | None = None
        self._looks = 0

    @property
    def new(self) -> bool:
        """Whether it has seen too little to wait for the next look."""
        return self._looks < FIRST_LOOKS

    def learn(self, face: Pixels, seed: NDArray[np.bool_], seconds: float) -> None:
        """Take in a face brought to the map's coordinates, and where in it skin is to be expected."""
        found = skin_like(face, seed)
        self._looks += 1
        if self._map is None:
            self._map = found
        else:
            # a plain mean at first, so that the first picture's noise is soon outvoted
            share = min(1.0, max(0.0, seconds / MEMORY, 1 / self._looks if self._looks <= FIRST_LOOKS else 0.0))
            self._map = self._map + np.float32(share) * (found - self._map)

    @property
    def map(self) -> Map:
        """How much each part of the face is skin; everything before anything was learned."""
        return np.ones((SIDE, SIDE), np.float32) if self._map is None else self._map


def skin_like(face: Pixels, seed: NDArray[np.bool_]) -> Map:
    """How much each pixel looks like those where skin is expected."""
    colours = cv2.GaussianBlur(face, (3, 3), 0).astype(np.float32)
    luminance = colours @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    light = np.log(luminance + NOISE)
    red, green, blue = (np.log(colours[..., channel] + NOISE) for channel in range(3))
    usable = _falling(colours.max(axis=2), FULL, CLIPPED) * (1 - _falling(luminance, BLACK, DARK))
    known = seed & (usable > 0.5)
    if int(known.sum()) < LEAST_SKIN:
        return usable.astype(np.float32)
    far, plain = np.zeros_like(light), usable
    for values, least in ((light, LIGHT_SPREAD), (red - green, HUE_SPREAD), (blue - green, HUE_SPREAD)):
        rest, spread = _unlit(values, known, least)
        far = np.maximum(far, np.abs(rest) / spread)
        if values is light:
            plain = _falling(-rest, 0.8 * DARKER, DARKER) * _falling(rest, 0.8 * LIGHTER, LIGHTER)
    found = usable * plain * _falling(far, INSIDE, OUTSIDE)
    # single cells are noise; next to what is no skin, cells are mixed; and a border that is drawn soft trembles softly
    clean = cv2.erode(cv2.medianBlur(found.astype(np.float32), 3), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(clean, (0, 0), SOFT), np.float32)


def _unlit(values: Map, known: NDArray[np.bool_], least: float) -> tuple[Map, float]:
    """What is left of a quantity without its even fall over the face, and the spread of that where skin is known.

    A plane, fitted by reweighted least squares with Tukey's weights: a beard does not tilt it, a lamp does.
    """
    rows, columns = np.nonzero(known)
    here = values[known].astype(np.float64)
    plane = np.array([float(np.median(here)), 0.0, 0.0])
    across = np.column_stack((np.ones(len(here)), rows / SIDE - 0.5, columns / SIDE - 0.5))
    for attempt in range(TRIES):
        rest = here - across @ plane
        reach = 4.685 * max(least, 1.4826 * float(np.median(np.abs(rest))), 0 if attempt else SLOPE / 8)
        weights = np.clip(1 - (rest / reach) ** 2, 0, None) ** 2
        # a little faith in an even light keeps the plane where a region is hidden
        normal = (across * weights[:, None]).T @ across + np.diag([0.0, 1.0, 1.0])
        plane = np.linalg.solve(normal + 1e-9 * np.eye(3), (across * weights[:, None]).T @ here)
        plane[1:] = np.clip(plane[1:], -SLOPE, SLOPE)
    rest = here - across @ plane
    spread = max(least, 1.4826 * float(np.median(np.abs(rest))))
    places = np.arange(SIDE, dtype=np.float32) / SIDE - 0.5
    lit = plane[0] + plane[1] * places[:, None] + plane[2] * places[None, :]
    return np.asarray(values - lit, np.float32), spread


def _falling(values: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """1 up to the start, 0 from the end, straight between."""
    return np.asarray(np.clip((end - values) / (end - start), 0, 1), np.float32)
