"""Where somebody speaks: our own detector by loudness and harmonicity, and the Silero network where it is installed.

Ours: a frame speaks if it is voiced and clearly louder than the room, or lies near such a frame and is louder than the
room. The room is what the quiet frames of the last seconds are (minimum statistics: Martin 2001,
doi:10.1109/89.928915).
"""

from collections import deque
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk import models
from kiosk.models import OpenNetwork
from sensors.sound.frames import BESIDE, FRAMES, MIDDLES
from sensors.sound.rates import RATE, Sound

NETWORK = "silero_vad"
BLOCK, CONTEXT = 512, 64
"""Samples that the network looks at, and those before them that it is given with them."""
SPEAKS, FALLS_SILENT = 0.5, 0.35
"""Probabilities at which speech begins and ends (Silero's own defaults)."""
REMEMBERED = 10
"""Seconds over which the room is looked for."""
QUIET = 10.0
"""Percentile of the frames' levels that is the room: speech leaves a tenth of the time to it, breaths and closures."""
DARKEST = -90.0
"""Decibels: digital silence is no room."""
LOUDER, AUDIBLE = 4.0, 6.0
"""Decibels above the room of a voiced frame, and of another near it that belongs to it: the power of noise in single
frames of 25 ms scatters by 1 dB. A voiced frame needs less: noise is not voiced, and a hum is no louder than itself.
"""
NEAR, BRIDGED = 20, 15
"""Frames: consonants reach 200 ms from a voice; closures last less than 150 ms (Klatt 1976, doi:10.1121/1.380986)."""


class Room:
    """The level of the room, from the frames of the last seconds."""

    def __init__(self) -> None:
        self._levels: deque[NDArray[np.float64]] = deque(maxlen=REMEMBERED)

    def hear(self, level: NDArray[np.float64]) -> float:
        """Decibels, with a further second of frames."""
        self._levels.append(level)
        return max(DARKEST, float(np.percentile(np.concatenate(self._levels), QUIET)))


def spoken(level: NDArray[np.float64], voiced: NDArray[np.bool_], room: float) -> NDArray[np.bool_]:
    """Which frames of a second speak, by their level and whether they are voiced."""
    voice = voiced & (level > room + LOUDER)
    near = np.convolve(voice, np.ones(2 * NEAR + 1), "same") > 0
    speaks = voice | (near & (level > room + AUDIBLE))
    return _bridged(speaks)


def _bridged(speaks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Short gaps are speech, too."""
    there = np.flatnonzero(speaks)
    for before, after in pairwise(there.tolist()):
        if after - before - 1 <= BRIDGED:
            speaks[before:after] = True
    return speaks


class Detector:
    """The network over a stream, block by block; None of it where it is not installed."""

    def __init__(self, folder: Path | None) -> None:
        self._network: OpenNetwork | None = None
        if folder is not None and models.status(models.known(NETWORK), folder) == "installed":
            self._network = models.open_network(NETWORK, folder)
        self.reset()

    @property
    def installed(self) -> bool:
        """Whether the network is there."""
        return self._network is not None

    def reset(self) -> None:
        """What comes next follows nothing."""
        self._state = np.zeros((2, 1, 128), np.float32)
        self._tail: NDArray[np.float32] = np.zeros(CONTEXT, np.float32)
        self._said: list[float] = []
        """Probabilities of the blocks that reach into the next second."""
        self._done = 0
        """Samples of the stream that were looked at."""
        self._second = 0
        self._speaks = False

    def hear(self, stretch: Sound) -> NDArray[np.bool_]:
        """Which frames of the stream's next second speak."""
        begin = self._second * RATE
        while self._done < begin + RATE:
            at = self._done - begin + BESIDE
            self._said.append(self._ask(stretch[at : at + BLOCK].astype(np.float32)))
            self._done += BLOCK
        first = self._done // BLOCK - len(self._said)
        found = np.zeros(FRAMES, np.bool_)
        before = -1
        for frame, block in enumerate(((MIDDLES - BESIDE + begin) // BLOCK - first).tolist()):
            if block != before:
                self._speaks = self._said[block] >= (FALLS_SILENT if self._speaks else SPEAKS)
                before = block
            found[frame] = self._speaks
        self._second += 1
        # the block that the next second begins in was looked at already
        kept = self._done // BLOCK - self._second * RATE // BLOCK
        self._said = self._said[len(self._said) - kept :]
        return found

    def _ask(self, block: NDArray[np.float32]) -> float:
        assert self._network is not None
        given = np.concatenate([self._tail, block])[None]
        probability, self._state = self._network.run(given, self._state, np.array(RATE, np.int64))
        self._tail = block[-CONTEXT:]
        return float(probability[0, 0])
