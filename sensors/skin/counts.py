"""How many pixels a region has, told roughly: exact counts are areas of a face, and those are its build.

The count weighs a region's noise (its root counts) and says when a face is too far away. For both the nearest power of
two is enough, and tells less of a face (docs/privacy.md says how little less).
"""

from typing import Final

import numpy as np

from kiosk.signals import RGB_CHANNELS
from sensors.face.seen import Numbers

_COUNTS: Final = np.array([channel.endswith("_pixels") for channel in RGB_CHANNELS])


def rough(rgb: Numbers) -> Numbers:
    """The same row with its pixel counts as powers of two; none stays none."""
    told = rgb.copy()
    counts = rgb[_COUNTS].astype(np.float64)
    told[_COUNTS] = np.where(counts > 0, 2.0 ** np.round(np.log2(np.maximum(counts, 1.0))), 0.0)
    return told
