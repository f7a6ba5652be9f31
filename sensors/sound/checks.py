"""Whether a microphone hears what it should: too quiet, clipped, noisy; from the rows that leave, in words."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from kiosk.signals import VOICE_CHANNELS

OVER = 6
"""Seconds that are looked at together, so that one loud syllable changes no word."""
MUTED = -80.0
"""Decibels of full scale: a microphone that is switched on hears more in the quietest room; its own noise is above."""
QUIET = -50.0
"""Decibels of full scale of speech: below, 16 bits and a sound card's hum leave less than 30 dB to it."""
CLIPPED = 0.001
"""Share of the samples: a tenth of a percent is heard as distortion and spoils shimmer and formants."""
NOISY = 15.0
"""Decibels of speech over the room: below that pitch still holds; jitter, shimmer and harmonics-to-noise are the room's
(30 dB are advised for those: Deliyski, Shaw & Evans 2005)."""
SPEAKS = 0.3
"""Share of a second with speech in which its level is that of speech."""
LEAST_SPOKEN = 2

_AT = {name: VOICE_CHANNELS.index(name) for name in ("level", "clipped", "snr", "speech", "loudness_p50")}


class Checks:
    """Looks at the rows of `voice_functionals` of one run."""

    def __init__(self) -> None:
        self._rows: deque[NDArray[np.float32]] = deque(maxlen=OVER)

    def hear(self, row: NDArray[np.float32]) -> str:
        """What is wrong, with a further row; empty where nothing is, or not enough was heard."""
        self._rows.append(row)
        if len(self._rows) < OVER:
            return ""
        rows = np.stack(self._rows)
        if rows[:, _AT["level"]].max() < MUTED:
            return "hardly any sound: the microphone is muted, or it is not the right one"
        said = []
        spoken = rows[rows[:, _AT["speech"]] >= SPEAKS]
        if rows[:, _AT["clipped"]].mean() > CLIPPED:
            said.append("the sound is clipped: turn the microphone down, or sit farther from it")
        if len(spoken) >= LEAST_SPOKEN:
            # speech that is not louder than the room has no ratio: then there is none to speak of
            snr = np.median(np.nan_to_num(spoken[:, _AT["snr"]], nan=0.0))
            level = np.median(np.nan_to_num(spoken[:, _AT["loudness_p50"]], nan=-np.inf))
            if level < QUIET:
                said.append(f"speech is too quiet ({level:.0f} dB): turn the microphone up, or sit nearer to it")
            if snr < NOISY:
                said.append(f"the room is noisy: speech is {snr:.0f} dB above it, at least {NOISY:.0f} are needed")
        return "; ".join(said)
