"""From sound to all that may leave of it. Microphone, sound file and kiosk page share this one way of listening.

Sound comes in order and is listened to in the caller's thread; it stays in here. Rows come at whole seconds of the
stream, whatever the pieces it came in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from kiosk.signals import VOICE_CHANNELS
from sensors.sound.emotion import HOP, LEAST, LONGEST, Emotions
from sensors.sound.frames import BESIDE, STRETCH
from sensors.sound.functionals import Voice
from sensors.sound.rates import RATE, Resampler, Sound, checked_rate
from sensors.sound.utterance import Scores, Utterance, VoiceNetwork

FULL: Final = 0.999
"""Of full scale: what reaches it was clipped. 16 bits reach 32,767/32,768."""
GAP: Final = 0.05
"""Seconds by which a piece's time may differ from what the pieces before say; more, and sound is missing."""
EXACT: Final = 2000
"""Nanoseconds: rounding, no drift."""
FOLLOWS: Final = 1 / 16
"""Share of a difference that the stream's time takes up at each piece: device and boot clock drift apart slowly."""
MOST_CHANNELS: Final = 32

FUNCTIONALS, SCORES = "voice_functionals", "voice_scores"
_SPEECH: Final = VOICE_CHANNELS.index("speech")


@dataclass(frozen=True, slots=True)
class Heard:
    """One row of a signal."""

    signal: str
    time: int
    """Nanoseconds at which what it tells of ended."""
    values: NDArray[np.float32]


class Listener:
    """Listens to one stream of sound. Without a folder of models it works with what needs none."""

    def __init__(self, models: Path | None, rate: float, *, network: VoiceNetwork | None = None) -> None:
        self._rate = checked_rate(rate)
        self._network: VoiceNetwork = Emotions(models) if network is None else network
        self._voice = Voice(models)
        self._utterance = Utterance(self._network, longest=LONGEST, hop=HOP, least=LEAST)
        self._resampler = Resampler(rate)
        self._start: int | None = None
        """Time of the stream's first sample."""
        self._taken = self._done = 0
        """Samples that were fed; whole seconds that were told of."""
        self._sound: Sound = np.zeros(BESIDE)
        self._clipped: NDArray[np.bool_] = np.zeros(0, np.bool_)

    @property
    def name(self) -> str:
        """Who says where there is speech, and the voice network's channels' source; for provenance."""
        return self._voice.name

    @property
    def score_channels(self) -> tuple[str, ...]:
        """What the voice network's numbers are called; empty without one."""
        return tuple(self._network.channels)

    @property
    def rate(self) -> int:
        """Hertz of what is fed."""
        return self._rate

    def feed(self, samples: NDArray[np.floating], start: int) -> list[Heard]:
        """The rows that are complete with these samples (mono, or a column for each channel), full scale being one.

        `start` is the time of the first of them in nanoseconds; where sound is missing before it, what comes is a
        stream of its own.
        """
        mono, clipped = _mixed(samples)
        if not len(mono):
            return []
        heard = []
        expected = start if self._start is None else self._start + round(self._taken * SECOND / self._rate)
        if self._start is None:
            self._start = start
        elif abs(start - expected) > GAP * SECOND:
            heard = self.finish()
            self._start = start
        elif abs(start - expected) > EXACT:
            self._start += round((start - expected) * FOLLOWS)
        self._taken += len(mono)
        self._clipped = np.concatenate([self._clipped, clipped])
        self._sound = np.concatenate([self._sound, self._resampler.feed(mono)])
        return heard + self._seconds()

    def finish(self) -> list[Heard]:
        """What is left when the stream ends. Of a second that is not whole there are no functionals."""
        heard = []
        if self._start is not None:
            self._sound = np.concatenate([self._sound, self._resampler.finish(), np.zeros(BESIDE)])
            heard = self._seconds()
            left = len(self._sound) - 2 * BESIDE
            if left > 0 and self.score_channels:
                last = self._sound[BESIDE : BESIDE + left]
                row = self._voice.row(np.concatenate([self._sound, np.zeros(STRETCH - len(self._sound))]), 0.0)
                heard += self._told(self._utterance.hear(last, float(row[_SPEECH])), left)
            heard += self._told(self._utterance.end(), max(0, left)) if self.score_channels else []
        self._forget()
        return heard

    def _seconds(self) -> list[Heard]:
        heard: list[Heard] = []
        while len(self._sound) >= STRETCH:
            stretch = self._sound[:STRETCH]
            row = self._voice.row(stretch, float(self._clipped[: self._rate].mean()))
            self._sound, self._clipped = self._sound[RATE:], self._clipped[self._rate :]
            self._done += 1
            heard.append(Heard(FUNCTIONALS, self._time(0), row))
            if self.score_channels:
                second = stretch[BESIDE : BESIDE + RATE]
                heard += self._told(self._utterance.hear(second, float(row[_SPEECH])), 0)
        return heard

    def _told(self, scores: Scores | None, after: int) -> list[Heard]:
        return [] if scores is None else [Heard(SCORES, self._time(after), scores)]

    def _time(self, after: int) -> int:
        """When so many samples (at 16 kHz) after the last whole second had come."""
        assert self._start is not None
        return self._start + self._done * SECOND + round(after * SECOND / RATE)

    def _forget(self) -> None:
        self._start = None
        self._taken = self._done = 0
        self._sound, self._clipped = np.zeros(BESIDE), np.zeros(0, np.bool_)
        self._voice.reset()


def _mixed(samples: NDArray[np.floating]) -> tuple[Sound, NDArray[np.bool_]]:
    """All channels as one, and which samples were clipped in any of them; DriverFailed where that is no sound."""
    if samples.dtype.kind != "f" or samples.ndim not in (1, 2):
        raise DriverFailed("sound must be rows of floating-point samples")
    columns = samples[:, None] if samples.ndim == 1 else samples
    if not 1 <= columns.shape[1] <= MOST_CHANNELS:
        raise DriverFailed(f"sound of {columns.shape[1]} channels, at most {MOST_CHANNELS} can be used")
    if not np.isfinite(columns).all():
        raise DriverFailed("sound with samples that are no numbers")
    wide = columns.astype(np.float64)
    return wide.mean(axis=1), np.asarray((np.abs(wide) >= FULL).any(axis=1))
