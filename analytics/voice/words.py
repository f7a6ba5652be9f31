"""The words of a voice: emotions, their places in valence and arousal, and what networks said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.measures import VOICE_EMOTIONS

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

EMOTION: Final = tuple(f"voice_{name}" for name in VOICE_EMOTIONS)
VALENCE, AROUSAL = "voice_valence", "voice_arousal"
PLACES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "neutral": (0.0, 0.0),
        "happiness": (0.81, 0.51),
        "sadness": (-0.63, -0.27),
        "anger": (-0.51, 0.59),
        "fear": (-0.64, 0.60),
        "disgust": (-0.60, 0.35),
        "boredom": (-0.65, -0.62),
        "surprise": (0.40, 0.67),
        "calm": (0.68, -0.46),
    }
)
"""Valence and arousal of the words, where people put them (Russell & Mehrabian 1977, doi:10.1016/0092-6566(77)90037-X:
happy, sad, angry, terrified, disgusted, bored, surprised, relaxed)."""
FAMILIARITY = "familiarity"
"""Of a network's channels the one that says how alike the sound is to what it learnt from."""
FAMILIAR, STRANGE = 0.7, 0.5
"""Familiarity between which quality falls to nothing: 99 of 100 undisturbed utterances of speakers that the network did
not know are above the one, and all that is no voice is below the other (docs/voice-emotion.md)."""
SURE = 1e-4
"""The least probability of a row: one that is certain does not overrule all the others."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What networks said about a stretch: each row of probabilities of `emotions` counts by its weight."""

    networks: tuple[str, ...]
    emotions: tuple[str, ...]
    """Those that some network was trained on, in the catalogue's order."""
    logs: Floats
    """(rows, emotions): mean logarithm over the networks that know each."""
    familiar: Floats
    """(rows,): 0..1, one where the sound was like what they learnt from, or none of them can tell."""


def heard(channels: tuple[str, ...], rows: Floats) -> Heard | None:
    """Of `voice_scores` rows without NaN; None where no channel names an emotion."""
    networks = tuple(dict.fromkeys(channel.partition(".")[0] for channel in channels))
    known: dict[str, list[int]] = {}
    for column, channel in enumerate(channels):
        label = channel.partition(".")[2]
        if label in VOICE_EMOTIONS:
            known.setdefault(label, []).append(column)
    emotions = tuple(name for name in VOICE_EMOTIONS if name in known)
    if not emotions:
        return None
    logs = np.log(np.clip(rows, SURE, 1.0))
    likeness = [rows[:, column] for column, channel in enumerate(channels) if channel.endswith(f".{FAMILIARITY}")]
    familiar = np.clip((np.mean(likeness, axis=0) - STRANGE) / (FAMILIAR - STRANGE), 0, 1) if likeness else None
    return Heard(
        networks,
        emotions,
        np.stack([logs[:, known[name]].mean(axis=1) for name in emotions], axis=1),
        np.ones(len(rows)) if familiar is None else familiar,
    )


def pooled(of: Heard, weights: Floats) -> Floats:
    """One distribution over `of.emotions`: the geometric mean of the rows (a logarithmic opinion pool, Genest & Zidek
    1986, doi:10.1214/ss/1177013825), which stays calibrated where rows tell the same, as those of one voice do."""
    total = float(weights.sum())
    shares = weights / total if total > 0 else np.full(len(weights), 1.0 / len(weights))
    together = shares @ of.logs
    odds = np.exp(together - together.max())
    return np.asarray(odds / odds.sum())


def axes(emotions: tuple[str, ...], probabilities: Floats) -> tuple[float, float]:
    """Valence and arousal: the mean of the words' places by probability."""
    valence, arousal = probabilities @ np.array([PLACES[name] for name in emotions])
    return float(valence), float(arousal)
