"""What is learnt from: a row per person and film, each beside the rest just before the film."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analytics.affect import ECG_FEATURES, EEG_FEATURES
from kiosk.recording import Track

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Signals = Literal["ecg", "eeg", "ecg+eeg"]
Target = Literal["valence", "arousal"]

SIGNALS: tuple[Signals, ...] = ("ecg", "eeg", "ecg+eeg")
TARGETS: tuple[Target, ...] = ("valence", "arousal")
HIGH = 3.0
"""Ratings above the middle of 1 to 5 are high, the middle is low (as Katsigiannis & Ramzan 2018 divide them)."""
LAST = 60.0
"""Seconds of a film that are looked at: its end, where the feeling is, as in that paper."""


@dataclass(frozen=True, slots=True)
class Table:
    """Features are those of the film less those of the rest before it; NaN where either is absent."""

    persons: Numbers
    films: Numbers
    ecg: Floats
    eeg: Floats
    valence: Floats
    """Ratings, 1 to 5; likewise the next."""
    arousal: Floats

    def __post_init__(self) -> None:
        rows = len(self.persons)
        if self.ecg.shape != (rows, len(ECG_FEATURES)) or self.eeg.shape != (rows, len(EEG_FEATURES)):
            raise ValueError(f"a row has {len(ECG_FEATURES)} features of the ECG and {len(EEG_FEATURES)} of the EEG")
        if any(len(each) != rows for each in (self.films, self.valence, self.arousal)):
            raise ValueError("every row has a person, a film and two ratings")

    def features(self, signals: Signals) -> Floats:
        """Of one pipeline; what is absent is as in the rest."""
        parts = {"ecg": [self.ecg], "eeg": [self.eeg], "ecg+eeg": [self.ecg, self.eeg]}[signals]
        joined = np.concatenate(parts, axis=1)
        return np.where(np.isfinite(joined), joined, 0.0)

    def labels(self, target: Target) -> Floats:
        """1 where it is rated high."""
        return np.asarray((self.valence if target == "valence" else self.arousal) > HIGH, dtype=np.float64)


def end_of(track: Track, seconds: float = LAST) -> Track:
    """The last part of a track."""
    assert track.rate is not None
    return track.part(max(0, len(track.times) - round(seconds * track.rate)), len(track.times))
