"""When the voice network is asked, and what of: the latest seconds of what is being said.

An utterance goes on through pauses and ends with two silent seconds. While it is longer than the network looks at, it
is asked at every hop; when an utterance or the stream ends it is asked for what it has not heard, so that a clip that
is shorter than the network's window gives exactly one row, over all of it.
"""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sensors.sound.rates import RATE, Sound

ENDS_AFTER: Final = 2
"""Seconds without speech."""
SHORT: Final = 0.5
"""Share of the least speech with which the network is asked at an utterance's end where it was not asked before:
whether a single word is enough is then its own judgement."""

Scores = NDArray[np.float32]


class VoiceNetwork(Protocol):
    """What says how a voice feels: `sensors.sound.emotion.Emotions`."""

    @property
    def channels(self) -> tuple[str, ...]:
        """What its numbers are called; empty where no network is installed."""
        ...

    def scores(self, samples: NDArray[np.float32]) -> Scores:
        """One row for mono speech at 16 kHz."""
        ...


class Utterance:
    """What is being said, for one network. `longest`, `hop` and `least` (of speech) are in seconds."""

    def __init__(self, network: VoiceNetwork, *, longest: float, hop: float, least: float) -> None:
        self._network = network
        self._most, self._hop, self._least = round(longest * RATE), round(hop * RATE), least
        self._sound: NDArray[np.float32] = np.empty(0, np.float32)
        self._fresh = self._silent = 0
        """Samples since the network was asked; samples since somebody spoke."""
        self._speech, self._asked = 0.0, False
        """Seconds of speech since the network was asked; whether it was, in this utterance."""

    def hear(self, sound: Sound, speech: float) -> Scores | None:
        """A further piece, at most a second, with so many seconds of speech in it; the row that is due at its end."""
        self._silent = self._silent + len(sound) if speech == 0 else 0
        if self._silent >= ENDS_AFTER * RATE:
            return self.end()
        self._sound = np.concatenate([self._sound, sound.astype(np.float32)])[-self._most :]
        self._fresh += len(sound)
        self._speech += speech
        due = self._fresh >= (self._hop if self._asked else self._most)
        return self._ask() if due and self._speech >= self._least else None

    def end(self) -> Scores | None:
        """Nothing more of it will come: the row for what was not heard yet, if that is enough."""
        enough = self._least * (1.0 if self._asked else SHORT)
        found = self._ask() if self._speech >= enough else None
        self._clear()
        return found

    def _ask(self) -> Scores | None:
        self._fresh, self._speech, self._asked = 0, 0.0, True
        found = np.asarray(self._network.scores(self._sound), np.float32)
        # it may hear no speech where our detector does: then it has nothing to say
        return found if np.isfinite(found).any() else None

    def _clear(self) -> None:
        self._sound = np.empty(0, np.float32)
        self._fresh, self._silent, self._speech, self._asked = 0, 0, 0.0, False
