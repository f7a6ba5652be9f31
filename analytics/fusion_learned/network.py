"""The learned fusion at run time: an ONNX network behind one call."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.fusion_learned.features import MODALITIES, WINDOW, Modality, Signals, values
from analytics.fusion_learned.reference import Deviations, deviations, reference
from kiosk import models
from kiosk.measures import Reason
from kiosk.messages import SECOND

Floats = NDArray[np.float64]

NETWORK = "fusion_cra"
"""The shipped one; `fusion_own` is what the operator trained."""
OWN = "fusion_own"
METHOD = "cascade-residual-autoencoder-1"
IS_DEFAULT = False
"""Whether it goes before late fusion. `analytics.training.fusion.judging.CRITERION` was declared before it was judged,
and it did not meet it: docs/learned-fusion.md."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the network says of one window."""

    start_ns: int
    end_ns: int
    stress: float | None
    """Probability, calibrated on people that it did not learn from; None with the reason."""
    modalities: tuple[Modality, ...]
    """That were there; the others were imagined."""
    method: str = METHOD
    absent: Reason | None = None


class LearnedFusion:
    """Keep one: opening it costs more than asking."""

    def __init__(self, network: models.OpenNetwork) -> None:
        self._network = network

    @classmethod
    def installed(cls, folder: Path, name: str = NETWORK) -> "LearnedFusion":
        """The network of this name, or BadModel with the reason."""
        return cls(models.open_network(name, folder))

    def probability(self, seen: Deviations) -> Floats:
        """Of stress, for each window; NaN where no modality is there."""
        if not len(seen.z):
            return np.empty(0)
        (told,) = self._network.run(seen.z.astype(np.float32), seen.present.astype(np.float32))
        return np.where(seen.present.any(axis=1), told[:, 0].astype(np.float64), np.nan)

    def course(self, signals: Signals, *, rest_ns: tuple[int, int], end_ns: int) -> tuple[Opinion, ...]:
        """Window after window from the end of the rest on, each beside that rest; a cut-off last window is left out."""
        step = WINDOW * SECOND
        rest = [values(signals, at, at + step) for at in range(rest_ns[0], rest_ns[1] - step + 1, step)]
        starts = range(rest_ns[1], end_ns - step + 1, step)
        if not starts:
            return ()
        if not rest:
            return tuple(Opinion(at, at + step, None, (), absent="no_reference") for at in starts)
        seen = deviations(np.array([values(signals, at, at + step) for at in starts]), reference(np.array(rest)))
        return tuple(
            Opinion(
                at,
                at + step,
                float(told) if np.isfinite(told) else None,
                tuple(modality for modality, there in zip(MODALITIES, present, strict=True) if there),
                absent=None if np.isfinite(told) else "insufficient",
            )
            for at, told, present in zip(starts, self.probability(seen), seen.present, strict=True)
        )
