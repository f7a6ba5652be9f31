"""What the operator's network says of valence and arousal, or why it says nothing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.affect.ecg import ECG_FEATURES
from analytics.affect.eeg import EEG_FEATURES
from kiosk import models
from kiosk.errors import BadModel
from kiosk.measures import Reason

Floats = NDArray[np.float64]

NETWORK = "affect_own"
METHODS = ("affect-ecg-1", "affect-eeg-1", "affect-ecg+eeg-1")
"""Which signals were there; the network has a model for each, so that nothing is filled in."""
ENOUGH = 0.5
"""Share of a signal's features that must be there; the others count as in the baseline."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Valence and arousal from -1 to 1: twice the calibrated probability that a person would rate it high, less one.

    Not a degree of feeling: 0 is "as likely high as low". No interval: it would have to be validated on that kiosk.
    """

    valence: float | None
    arousal: float | None
    method: str
    absent: Reason | None = None


def absent(reason: Reason) -> Opinion:
    """No opinion."""
    return Opinion(None, None, METHODS[2], reason)


class AffectNetwork:
    """Keep one: opening it costs more than asking."""

    def __init__(self, network: models.OpenNetwork) -> None:
        self._network = network

    @classmethod
    def installed(cls, folder: Path) -> "AffectNetwork | None":
        """The operator's network, or None where nobody has trained and installed one; BadModel where it is damaged."""
        network = models.known(NETWORK)
        if models.status(network, folder) == "missing":
            return None
        return cls(models.open_network(NETWORK, folder))

    def __call__(self, ecg: Floats | None, eeg: Floats | None) -> Opinion:
        """Of features as `ecg_values` and `eeg_values` give them, less those of the baseline; None: no such signal."""
        there = (_usable(ecg, len(ECG_FEATURES)), _usable(eeg, len(EEG_FEATURES)))
        if not any(there):
            return absent("insufficient" if ecg is not None or eeg is not None else "not_present")
        place = 2 if all(there) else there.index(True)
        (told,) = self._network.run(_filled(ecg, len(ECG_FEATURES)), _filled(eeg, len(EEG_FEATURES)))
        if told.shape != (1, 6) or not np.isfinite(told).all():
            raise BadModel(f"{NETWORK} gives {told.shape} and not six probabilities")
        high = told[0].astype(np.float64).reshape(2, 3)[:, place]
        return Opinion(2.0 * float(high[0]) - 1.0, 2.0 * float(high[1]) - 1.0, METHODS[place])


def opinion(network: AffectNetwork | None, ecg: Floats | None, eeg: Floats | None) -> Opinion:
    """Without a network nothing is guessed."""
    return absent("no_trained_model") if network is None else network(ecg, eeg)


def _usable(values: Floats | None, count: int) -> bool:
    if values is None:
        return False
    if values.shape != (count,):
        raise ValueError(f"{values.shape} features instead of {count}")
    return bool(np.isfinite(values).mean() >= ENOUGH)


def _filled(values: Floats | None, count: int) -> NDArray[np.float32]:
    known = np.zeros(count) if values is None else np.where(np.isfinite(values), values, 0.0)
    return known.astype(np.float32)[None]
