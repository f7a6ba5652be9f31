"""The course of the heart rate: the path through the windows' evidence that is worth most, no steeper than a heart."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

STEEPEST = 0.12
"""Hertz per second by which a rate changes at most: 7 beats a minute each second, as after standing up."""
USUAL, SPREAD = 1.25, 0.45
"""Hertz, and SD of the logarithm, of the rates that people at a kiosk have; how little that is worth, the next says."""
EXPECTED = 0.5
"""Weight of that expectation in each window."""
TURN = 0.05
"""Hertz that a rate goes up or down for each unit that it costs (of the logarithm of evidence): 3 beats a minute. A
course that turned for nothing would collect what is greatest by chance in each window."""
DOUBT = 3.0
"""Evidence that is nothing yet: below it differences are chance."""


def path(hertz: Floats, evidence: Floats, *, step: float = 1.0) -> Indices:
    """For each window (a row of evidence) the place of its rate among the frequencies, by dynamic programming."""
    worth = np.log(DOUBT + evidence) - EXPECTED * 0.5 * (np.log(hertz / USUAL) / SPREAD) ** 2
    reach = max(1, round(STEEPEST * step / float(hertz[1] - hertz[0])))
    best = worth[0].copy()
    back = np.zeros(worth.shape, dtype=np.intp)
    places = np.arange(len(hertz))
    turn = np.abs(np.arange(-reach, reach + 1)) * float(hertz[1] - hertz[0]) / TURN
    for row in range(1, len(worth)):
        padded = np.pad(best, reach, constant_values=-np.inf)
        near = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) - turn
        pick = np.argmax(near, axis=1)
        back[row] = places + pick - reach
        best = near[places, pick] + worth[row]
    track = [int(np.argmax(best))]
    for row in range(len(worth) - 1, 0, -1):
        track.append(int(back[row, track[-1]]))
    return np.array(track[::-1], dtype=np.intp)


def refined(hertz: Floats, evidence: Floats, place: int) -> float:
    """The frequency of a maximum between the points of the grid, by a parabola."""
    if not 0 < place < len(hertz) - 1:
        return float(hertz[place])
    left, middle, right = evidence[place - 1 : place + 2].tolist()
    bend = left - 2.0 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(hertz[place] + np.clip(shift, -0.5, 0.5) * (hertz[1] - hertz[0]))
