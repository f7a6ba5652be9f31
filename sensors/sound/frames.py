"""A second of sound in frames of 10 ms steps, with what lies beside it: every frame's middle is in the second.

What belongs to one second is computed from a `stretch`: the second and 32 ms before and after it. So no frame is cut
off at a second's edge, and a row tells of one second all the same.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sensors.sound.rates import RATE, Sound

HOP = 160
"""Samples from one frame to the next: 10 ms, as in GeMAPS (Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417)."""
FRAMES = RATE // HOP
BESIDE = 512
"""Samples before and after the second in a stretch: half of the longest frame, and one block of the speech network."""
STRETCH = RATE + 2 * BESIDE
MIDDLES = BESIDE + HOP // 2 + HOP * np.arange(FRAMES)
"""Where in a stretch the frames' middles are."""


def framed(stretch: Sound, length: int) -> NDArray[np.float64]:
    """The frames of a stretch, one a row; `length` is even and at most twice what lies beside the second."""
    assert len(stretch) == STRETCH
    return sliding_window_view(stretch, length)[MIDDLES - length // 2]
