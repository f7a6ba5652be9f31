"""What a pulse does to the colours of skin: the share by which each changes, green being one."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PUBLISHED = (0.33 / 0.77, 1.0, 0.53 / 0.77)
"""Relative amplitudes in red, green, blue under white light, much the same for all skin tones.

de Haan & van Leest 2014, doi:10.1088/0967-3334/35/9/1913.
"""
ABSORBED = (0.60, 1.0, 0.35)
"""A camera with wide red and little blue under warm light: the same blood, other filters."""
VECTORS: Floats = np.array([PUBLISHED, np.mean([PUBLISHED, ABSORBED], axis=0), ABSORBED])
"""From one to the other: cameras and lamps lie in between, and each second takes the one that fits it best."""
VECTORS.setflags(write=False)
