"""What voice networks learn from: utterances as the sensor process shows them, with emotion and speaker.

Speakers are what is split by: an utterance, all its copies and disturbed versions lie on the side of their speaker.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Features = NDArray[np.float32]
Whole = NDArray[np.int64]

EMOTIONS = ("neutral", "happiness", "sadness", "anger", "fear", "disgust", "boredom")
"""In the order of the network's numbers."""
FUNCTIONALS, BANDS, PROSODY, CEPSTRA = 662, 40, 23, 28
"""Sizes of the four views of an utterance (`sensors.sound.emotion.Shown`)."""
STREAMS = BANDS + PROSODY + CEPSTRA


@dataclass(frozen=True, slots=True)
class Examples:
    """Utterances; frames of all of them lie behind each other."""

    functionals: Features
    """(k, FUNCTIONALS)."""
    frames: NDArray[np.float16]
    """(frames of all, STREAMS): bands, prosody, cepstra."""
    begins: Whole
    """(k + 1,): where each one's frames begin, and where the last one's end."""
    emotions: Whole
    """(k,) of EMOTIONS."""
    speakers: Whole
    corpora: Whole
    """Which corpus each is of; any numbers."""
    disturbed: NDArray[np.bool_]
    """Which were made worse for training."""

    def __post_init__(self) -> None:
        count = len(self.functionals)
        rows = (self.emotions, self.speakers, self.corpora, self.disturbed)
        if self.functionals.shape != (count, FUNCTIONALS) or any(len(row) != count for row in rows):
            raise ValueError("examples need a row of functionals, an emotion, a speaker and a corpus each")
        if len(self.begins) != count + 1 or self.frames.shape != (self.begins[-1], STREAMS):
            raise ValueError("examples need their frames, one after the other")
        if len(self.frames) and (np.diff(self.begins) < 1).any():
            raise ValueError("an example without a frame")
        if not (np.isfinite(self.functionals).all() and np.isfinite(self.frames).all()):
            raise ValueError("examples must be finite")

    def __len__(self) -> int:
        return len(self.functionals)

    def of(self, which: NDArray[np.bool_] | Whole) -> "Examples":
        """Some of them."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        parts = [self.frames[self.begins[place] : self.begins[place + 1]] for place in places.tolist()]
        return Examples(
            self.functionals[places],
            np.concatenate(parts) if parts else self.frames[:0],
            np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64),
            self.emotions[places],
            self.speakers[places],
            self.corpora[places],
            self.disturbed[places],
        )

    def streams(self, place: int) -> Features:
        """(1, STREAMS, frames) of one."""
        return np.ascontiguousarray(self.frames[self.begins[place] : self.begins[place + 1]].T[None], np.float32)


@dataclass(frozen=True, slots=True)
class Fold:
    """Who is held back."""

    speakers: tuple[int, ...]
    known: NDArray[np.bool_]
    """Which examples are learnt from."""
    unknown: NDArray[np.bool_]
    """Which are judged: of the speakers held back, as they were recorded."""


def folds(examples: Examples, groups: Sequence[Sequence[int]] | None = None) -> Iterator[Fold]:
    """Each group of speakers (each speaker, where none are given) held back once. Nobody is on both sides."""
    chosen = groups if groups is not None else [(speaker,) for speaker in np.unique(examples.speakers).tolist()]
    for group in chosen:
        held = np.isin(examples.speakers, group)
        fold = Fold(tuple(group), ~held, held & ~examples.disturbed)
        if set(examples.speakers[fold.known].tolist()) & set(examples.speakers[fold.unknown].tolist()):
            raise RuntimeError("a speaker is on both sides")
        yield fold


def together(parts: Sequence[Examples]) -> Examples:
    """Several sets as one."""
    begins, offset = [np.zeros(1, np.int64)], 0
    for part in parts:
        begins.append(part.begins[1:] + offset)
        offset += int(part.begins[-1])
    return Examples(
        np.concatenate([part.functionals for part in parts]),
        np.concatenate([part.frames for part in parts]),
        np.concatenate(begins),
        np.concatenate([part.emotions for part in parts]),
        np.concatenate([part.speakers for part in parts]),
        np.concatenate([part.corpora for part in parts]),
        np.concatenate([part.disturbed for part in parts]),
    )


def importance(examples: Examples, *, clean: float = 1.0) -> Floats:
    """What each counts in training, one on average: emotions alike; those as recorded `clean` times as much."""
    weights = np.where(examples.disturbed, 1.0, clean)
    totals = np.bincount(examples.emotions, weights, minlength=len(EMOTIONS))
    weights = weights / np.maximum(totals, 1e-9)[examples.emotions]
    return np.asarray(weights / weights.mean())
