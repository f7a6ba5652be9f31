"""The expressions, in one order."""

import numpy as np
from numpy.typing import NDArray

from kiosk.measures import EXPRESSIONS

__all__ = ["AXES", "BASIC", "EXPRESSIONS", "Floats", "Times"]

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

BASIC = EXPRESSIONS[:-1]
"""Those that every engine knows; contempt shows on one side of the face, and only some networks know it."""
AXES = ("valence", "arousal")
