"""Emotion networks: what they are shown of a stretch of speech, and what they answer. They run in the sensor process.

A stretch of seconds goes in, one row of probabilities comes out; pitch, spectra and cepstra in between are forgotten.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk import models
from kiosk.errors import BadModel
from kiosk.measures import VOICE_EMOTIONS
from kiosk.models import Network, OpenNetwork
from kiosk.signals import SIGNALS
from sensors.sound.emotion.descriptors import NAMES, PROSODY, Described, described
from sensors.sound.emotion.summary import summary
from sensors.sound.mel import levelled, trimmed
from sensors.sound.rates import RATE

__all__ = ["HOP", "LEAST", "LONGEST", "NETWORK", "Emotions", "Shown", "channels_of", "shown", "tells_voice"]

_log = logging.getLogger(__name__)

NETWORK = "voice_net"
"""The one that is part of the product."""
LONGEST = 4.0
"""Seconds of speech that a row is of, at most: sentences of the training material take 1.2 to 9 s, half of them 2.6."""
HOP = 2.0
"""Seconds from one row to the next while somebody speaks."""
LEAST = 0.6
"""Seconds of sound, without the silence around it, below which there is no answer: two or three syllables."""
QUIETEST = 1e-4
"""Full scale (-80 dB) that the loudest sample must reach."""
INPUTS = ("functionals", "bands", "prosody", "cepstra")
"""What a network may ask for, by name."""
UNKNOWN_PITCH = 36.0
"""Semitones above 27.5 Hz (220 Hz) where nothing is voiced."""
SCALES = np.array([1, 1, 1, 5, 0.5, 8, 8, 20, 20, 5, 1, 1, 1, 2, 0.3, 10, 10, 1, 0.5, 0.3, 0.4, 0.4, 1])
"""By which prosody is divided: the rough spread of each descriptor within speech, so that all weigh alike at first."""
MOST = 6.0
FAMILIARITY = "familiarity"
"""What a network may say beside: how alike a stretch is to what it learnt from, 1 for the very same."""
LEAST_FAMILIAR = 0.45
"""Below it there is no answer: nothing undisturbed of a speaker that it did not know is, one in thirty in noise and on
telephones, and all that is no voice (docs/voice-emotion.md). Above, it goes along, and lowers quality."""
_LEAST_ROWS = 5
"""Frames from which cepstra have a slope (over four of them)."""
_MOST_LABELS = 11
"""Two networks fit on the wire."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What networks see of an utterance. Its level is taken out; of frames the mean, too."""

    functionals: NDArray[np.float32]
    """(summary.LENGTH,)."""
    bands: NDArray[np.float32]
    """(40, frames): logarithmic mel bands less their mean over the utterance."""
    prosody: NDArray[np.float32]
    """(23, frames): pitch against the utterance's median, that median, loudness, voice quality, formants."""
    cepstra: NDArray[np.float32]
    """(28, frames): of unit variance over the utterance, and their slopes."""

    def named(self, name: str) -> NDArray[np.float32]:
        """One of INPUTS, as a batch of one."""
        found: NDArray[np.float32] = getattr(self, name)
        return found[None]


def shown(samples: NDArray[np.float32]) -> Shown | None:
    """Of mono sound at 16 kHz; None where it is too short, too quiet or broken to be speech."""
    sound = np.asarray(samples, dtype=np.float64)
    if len(sound) < LEAST * RATE or not np.isfinite(sound).all() or np.abs(sound).max() < QUIETEST:
        return None
    sound = trimmed(sound - sound.mean())
    if len(sound) < LEAST * RATE:
        return None
    of = described(levelled(sound))
    if not of.voiced.any():
        return None
    return Shown(summary(of), *_streams(of))


def _streams(of: Described) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    bands = (of.logs - of.logs.mean(axis=0)) / 2.0
    rows, cepstra = of.rows[:, :PROSODY].copy(), of.rows[:, PROSODY:]
    pitch, loudness, energy = (NAMES.index(name) for name in ("pitch", "loudness", "energy"))
    middle = float(np.median(rows[of.voiced, pitch])) if of.voiced.any() else UNKNOWN_PITCH
    rows[:, pitch] = np.where(of.voiced, (rows[:, pitch] - middle) / 4.0, 0.0)
    rows[:, loudness] -= rows[:, loudness].mean()
    # energy says what loudness says: its column tells how high the voice is as a whole
    rows[:, energy] = np.where(of.voiced, (middle - UNKNOWN_PITCH) / 6.0, 0.0)
    cepstra = (cepstra - cepstra.mean(axis=0)) / (cepstra.std(axis=0) + 0.5)
    slopes = np.zeros_like(cepstra)
    if len(cepstra) >= _LEAST_ROWS:
        slopes[2:-2] = cepstra[4:] - cepstra[:-4]
    streams = (bands, np.clip(rows / SCALES, -MOST, MOST), np.concatenate([cepstra, slopes], axis=1))
    bands, prosody, coefficients = (np.ascontiguousarray(each.T, np.float32) for each in streams)
    return bands, prosody, coefficients


class Emotions:
    """Every voice network whose file is there: those of the product always, others from a folder."""

    def __init__(self, models: Path | None) -> None:
        self._opened = _opened(models)
        self.channels: tuple[str, ...] = tuple(name for each in self._opened for name in channels_of(each.network))
        """Such as "voice_net.neutral"; empty without a network."""

    def scores(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of `channels`: probabilities for the speech in up to LONGEST seconds at 16 kHz; NaN without an answer."""
        if not self._opened:
            return np.empty(0, np.float32)
        seen = shown(np.asarray(samples)[-round(LONGEST * RATE) :])
        if seen is None:
            return np.full(len(self.channels), np.nan, np.float32)
        return np.concatenate([_answer(each, seen) for each in self._opened])


def _answer(opened: OpenNetwork, seen: Shown) -> NDArray[np.float32]:
    network = opened.network
    said = dict(zip(network.outputs, opened.run(*(seen.named(each.name) for each in network.inputs)), strict=True))
    row = np.asarray(said[network.outputs[0]][0], dtype=np.float64)
    if network.logits:
        row = np.exp(row - row.max())
    row /= row.sum()
    if FAMILIARITY in said:
        familiar = float(said[FAMILIARITY][0])
        row = np.append(row, familiar) if familiar >= LEAST_FAMILIAR else np.full(len(row) + 1, np.nan)
    return np.asarray(row, np.float32)


def channels_of(network: Network) -> tuple[str, ...]:
    """What its numbers are called on the wire: probabilities, and how familiar the sound was."""
    beside = (FAMILIARITY,) if FAMILIARITY in network.outputs else ()
    return tuple(f"{network.name}.{label}" for label in (*network.labels, *beside))


def tells_voice(network: Network) -> bool:
    """Whether a network is one of these: by what it is shown, and by its labels."""
    return (
        bool(network.inputs)
        and {each.name for each in network.inputs} <= set(INPUTS)
        and 2 <= len(network.labels) <= _MOST_LABELS
        and set(network.labels) <= set(VOICE_EMOTIONS)
    )


def _opened(folder: Path | None) -> tuple[OpenNetwork, ...]:
    """In the order of the list, as many as a stream has channels for."""
    room = SIGNALS["voice_scores"].most_channels
    found: list[OpenNetwork] = []
    for network in models.listed():
        if not tells_voice(network) or len(channels_of(network)) > room:
            continue
        # those of the product lie in no folder
        if not network.shipped and (folder is None or models.status(network, folder) == "missing"):
            continue
        try:
            found.append(models.open_network(network.name, folder or models.SHIPPED))
        except BadModel as error:
            _log.warning("%s", error)
            continue
        room -= len(channels_of(network))
    return tuple(found)
