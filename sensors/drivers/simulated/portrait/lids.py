"""Eyelids: drawn over the open eyes as far down as they are."""

import numpy as np
from numpy.typing import NDArray

from sensors.drivers.simulated.portrait.sitter import Image

# per eye: corners, and how far the open lids' edges are above and below the line between these, in the middle
_EYES = (
    ((203.0, 194.0), (245.0, 193.0), 8.0, 5.0),
    ((286.0, 192.0), (325.0, 188.0), 8.0, 5.0),
)
_LASHES = 1.6  # half their width
_SHADOW = 0.84  # a lid is darker than the cheeks


class Lids:
    """Of a sitter at one scale."""

    def __init__(self, colour: Image, bare: Image, scale: float) -> None:
        mean = (colour * bare[:, :, None]).sum(axis=(0, 1)) / bare.sum()
        self._lid = (_SHADOW * mean).astype(np.float32)
        self._lash = (0.25 * mean).astype(np.float32)
        self._parts: list[tuple[slice, slice, Image, Image, Image, Image]] = []
        for (left, first), (right, last), above, below in _EYES:
            rows = slice(round((first - above - 6) * scale), round((first + below + 6) * scale))
            columns = slice(round((left - 3) * scale), round((right + 3) * scale))
            down, across = np.mgrid[rows, columns].astype(np.float32)
            x, y = across / scale, down / scale
            place = (x - left) / (right - left)
            line = first + place * (last - first)
            bow = np.clip(4.0 * place * (1.0 - place), 0.0, 1.0)
            upper, lower = line - above * bow, line + below * bow
            within = np.clip((y - upper + 2.5) / 1.5, 0.0, 1.0) * np.clip(bow * 6.0, 0.0, 1.0)
            self._parts.append((rows, columns, y, upper, lower, within.astype(np.float32)))
        self._edge = max(1.0 / scale, 1.0)

    def close(self, person: Image, share: float, level: float) -> None:
        """Draw them in place onto red, green, blue; share 1 is shut."""
        for rows, columns, y, upper, lower, within in self._parts:
            rim = upper + np.float32(share) * (lower - upper)
            lid = within * np.clip((rim - y) / self._edge + 0.5, 0.0, 1.0)
            lash = within * np.exp(-0.5 * np.square((y - rim) / (0.5 * _LASHES + 0.5 * self._edge)))
            part: NDArray[np.float32] = person[rows, columns, :3]
            part += lid[:, :, None] * (level * self._lid - part)
            part += 0.8 * min(4.0 * share, 1.0) * lash[:, :, None] * (level * self._lash - part)
