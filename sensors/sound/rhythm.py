"""Syllables and pauses: small machines that go on from second to second.

Syllable nuclei are peaks of the level that are voiced and have a dip of 2 dB on either side (de Jong & Wempe 2009,
doi:10.3758/BRM.41.2.385; peaks and dips by convex hulls go back to Mermelstein 1975). Pauses are silences of 250 ms or
more between stretches of speech (Goldman-Eisler 1968; de Jong & Bosker 2013): shorter ones are closures of consonants.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensors.sound.frames import FRAMES

DIP = 2.0
"""Decibels between two nuclei (de Jong & Wempe 2009)."""
UNDER_LOUDEST = 25.0
"""Decibels: what lies further below the loudest of the last seconds is no nucleus (likewise)."""
SMOOTHED = 7
"""Frames of the triangle that the power is smoothed with: 64 ms at half of it, as an intensity of 50 Hz (Praat)."""
REMEMBERED = 10 * FRAMES
"""Frames over which the loudest is looked for."""
LEAST_PAUSE, MOST_PAUSE = 25, 500
"""Frames: 250 ms; what lasts longer than 5 s ends what was said and is no pause in it."""

_TRIANGLE = np.convolve(np.ones((SMOOTHED + 1) // 2), np.ones((SMOOTHED + 1) // 2))
_DELAY = len(_TRIANGLE) // 2


class Syllables:
    """Counts nuclei, each in the second in which the dip after it comes."""

    def __init__(self) -> None:
        self._power = np.zeros(len(_TRIANGLE) - 1)
        self._voiced = np.zeros(_DELAY, np.bool_)
        self._levels: deque[tuple[int, float]] = deque()
        """Falling levels and their frames: the first is the loudest of those remembered."""
        self._frame = 0
        self._top = self._bottom = -np.inf
        self._rising = True
        self._is_voiced = False

    def count(self, level: NDArray[np.float64], voiced: NDArray[np.bool_]) -> int:
        """How many a further second of frames has."""
        power = np.concatenate([self._power, 10 ** (level / 10)])
        voices = np.concatenate([self._voiced, voiced])
        smooth = 10 * np.log10(np.convolve(power, _TRIANGLE / _TRIANGLE.sum(), "valid") + 1e-12)
        self._power, self._voiced = power[-len(self._power) :], voices[-_DELAY:]
        return sum(self._step(value, voice) for value, voice in zip(smooth.tolist(), voices.tolist(), strict=False))

    def _step(self, value: float, voiced: bool) -> bool:
        """Whether a nucleus is complete at this frame."""
        self._frame += 1
        while self._levels and self._levels[-1][1] <= value:
            self._levels.pop()
        self._levels.append((self._frame, value))
        while self._levels[0][0] <= self._frame - REMEMBERED:
            self._levels.popleft()
        if self._rising:
            if value > self._top:
                self._top, self._is_voiced = value, voiced
            elif value < self._top - DIP:
                self._rising, self._bottom = False, value
                return self._is_voiced and self._top > self._levels[0][1] - UNDER_LOUDEST
        elif value < self._bottom:
            self._bottom = value
        elif value > self._bottom + DIP:
            self._rising, self._top, self._is_voiced = True, value, voiced
        return False


@dataclass(frozen=True, slots=True)
class Paused:
    """The pauses that ended in a second."""

    count: int
    seconds: float
    """Of all of them together."""


class Pauses:
    """Finds silences between speech."""

    def __init__(self) -> None:
        self._silent: int | None = None
        """Frames since somebody spoke; None before anybody did."""

    def ended(self, speech: NDArray[np.bool_]) -> Paused:
        """Those that ended in a further second of frames."""
        found = list(self._lengths(speech))
        return Paused(len(found), sum(found) / FRAMES)

    def _lengths(self, speech: NDArray[np.bool_]) -> Iterator[int]:
        for speaks in speech.tolist():
            if not speaks:
                self._silent = None if self._silent is None else self._silent + 1
                continue
            if self._silent is not None and LEAST_PAUSE <= self._silent <= MOST_PAUSE:
                yield self._silent
            self._silent = 0
