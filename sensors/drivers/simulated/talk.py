"""What the simulated visitor says, as a microphone tells it: the real listener's rows of a talk that comes again.

To listen costs about half a second of computing, so it is done once for a voice, and the rows are played. The
syllables are no language, and the simulated face does not move with them.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk import models
from kiosk.measures import VOICE_EMOTIONS
from kiosk.messages import SECOND
from sensors.drivers.simulated.chance import generator
from sensors.drivers.simulated.person import Person

SPAN = 20
"""Seconds after which the talk begins again."""
PHRASES, PHRASE, PAUSE = 4, 2.6, 0.8
"""How many, and seconds; after the last one nobody speaks until the talk begins again."""
PITCH = {"male": 120.0, "female": 205.0, "": 155.0}
"""Hertz: middles of what adults use when they speak."""
ROOM = -72.0
"""Decibels against full scale: a quiet room."""
KEPT = 8
"""Voices whose talk is remembered: those of the latest visits."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is told at a time of the talk."""

    signal: str
    time: int
    """Nanoseconds since the talk began, at most SPAN."""
    values: NDArray[np.float32]


class Talks:
    """The talks of the latest persons. May be asked from any thread."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[Row, ...]] = {}
        self._turn = threading.Lock()

    def known(self, person: Person) -> tuple[Row, ...] | None:
        """A person's talk where it was made before."""
        return self._made.get((person.seed, person.sex or ""))

    def of(self, person: Person) -> tuple[Row, ...]:
        """A person's talk, in order of time; for a voice that is new this takes a while."""
        with self._turn:
            made = self.known(person)
            if made is None:
                made = self._made[person.seed, person.sex or ""] = _heard(person.seed, person.sex or "")
                if len(self._made) > KEPT:
                    del self._made[next(iter(self._made))]
            return made


TALKS = Talks()


def score_channels() -> tuple[str, ...]:
    """What the shipped voice networks' numbers are called; none of them is opened for that."""
    return tuple(
        f"{each.name}.{label}"
        for each in models.listed()
        if each.shipped and each.name.startswith("voice_") and set(each.labels) <= set(VOICE_EMOTIONS)
        # the other outputs are a number each, and so are channels of their own
        for label in (*each.labels, *each.outputs[1:])
    )


def prepare() -> None:
    """Import what listening needs: two seconds in which another device of the process would lose pictures."""
    from sensors.drivers.simulated import voice
    from sensors.listener import Listener

    assert voice.RATE
    Listener(None, voice.RATE)


def _heard(seed: int, sex: str) -> tuple[Row, ...]:
    # slow to import, and only who listens needs it
    from sensors.drivers.simulated.voice import RATE, speech
    from sensors.listener import SCORES, Listener

    rng = generator(seed, "voice")
    draw = rng.standard_normal(6).clip(-2, 2)
    pitch, rate = PITCH[sex] * np.exp(0.1 * draw[0]), 4.2 + 0.4 * draw[1]
    jitter, shimmer, hnr = 0.8 * np.exp(0.3 * draw[2]), 4.0 * np.exp(0.3 * draw[3]), 20.0 + 2.0 * draw[4]
    sound = rng.standard_normal((SPAN + 1) * RATE) * 10 ** (ROOM / 20)
    for number in range(PHRASES):
        begin = round(number * (PHRASE + PAUSE) * RATE)
        # nobody says two sentences alike
        said = speech(
            PAUSE + PHRASE + 0.1, phrase=PHRASE, pause=PAUSE, f0=float(pitch * np.exp(0.08 * rng.standard_normal())),
            rate=float(rate), jitter=float(jitter), shimmer=float(shimmer), hnr=float(hnr),
            level=float(-26.0 + draw[5] + 1.5 * rng.standard_normal()), noise=-120.0, seed=seed % 1000 * 10 + number,
        ).samples  # fmt: skip
        sound[begin : begin + len(said)] += said
    listener = Listener(None, RATE)
    promised, there = score_channels(), listener.score_channels
    rows = []
    for each in listener.feed(sound, 0):
        values = each.values
        if each.signal == SCORES:
            # a network that cannot be opened says nothing
            told = dict(zip(there, values.tolist(), strict=True))
            values = np.array([told.get(name, np.nan) for name in promised], np.float32)
        if each.time <= SPAN * SECOND:
            rows.append(Row(each.signal, each.time, values))
    return tuple(rows)
