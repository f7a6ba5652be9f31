"""Whether what moves the colours is a heart: light, shine and a swaying photograph have rhythms, too.

The evidence for a pulse at the rate that is read, followed for up to 24 s or of the windows around together, against
what is needed. That was simulated, not taken from recordings: still and drifting light, white balance that hunts,
screens that change, tracking that trembles, photographs that sway in a hand, coding whose errors come in periods, and
tinted lamps that flicker in the pulse's own band, which can have the colours of blood: those are known by their keeping
time (coherent.py), the mains' own aliases by the frame rate (disturbed.py). How often it errs: docs/rppg.md.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALONE, THRICE = 30.0, 16.0
"""Evidence that is needed of one window, and of three that follow each other (geometric mean)."""
FOLLOWED = 55.0
"""Evidence that is needed of some seconds that were followed along their course and looked at as one: chosen on some
1,250 simulated windows without a pulse, of which one is told all the same."""
FEWER = {1: 12.0, 2: 1.2}
"""Times more where so few regions of the face are seen: nothing, or little, shows whether they agree."""
SHAPED = 3.0
"""Times more, of one region, where the wave itself was taken for a pulse's."""
DOUBTFUL = 2.5
"""Times more at a frequency that the head's motion has, or the mains, if it is no sine."""
ALIASED, LAMP = 6.0, 100.0
"""Times more of a sine at the mains' alias: from there on it would be seen to keep time; and of a sine that does."""
OWN = 6.0
"""Evidence that a window must have itself, whatever those around it have: that of noise."""
FAINTEST = 0.0004
"""Of green's level, the amplitude of a pulse's first harmonic below which more is needed, by its fourth power: a face
has some tenths of a per cent, dark skin a third of that, and what light and trembling landmarks leave has less."""
FROM, TO = 0.5, 2.0
"""Shares of what is needed that are trust 0 and trust 1; what is needed is trust 0.5."""
ENOUGH = 0.5
"""Trust from which a rate is told."""
TOGETHER = 12.0
"""Seconds before and after that speak for a window..."""
BASE = 3.0
"""... by the mean logarithm of their evidence over this, which is that of noise."""


def supported(evidence: Floats, step: float, window: float) -> tuple[Floats, Floats]:
    """Of each window the evidence of those around it together, and of how many independent ones that is."""
    logs = np.log(BASE + evidence)
    reach = max(0, round(TOGETHER / step))
    sums = np.concatenate(([0.0], np.cumsum(logs)))
    index = np.arange(len(logs))
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach + 1, len(logs))
    together = np.exp((sums[last] - sums[first]) / (last - first)) - BASE
    return np.asarray(together), 1.0 + (last - first - 1) * step / window


def enough(count: Floats) -> Floats:
    """Evidence that is needed of so many independent windows' geometric mean."""
    return np.exp(np.interp(count, (1.0, 3.0), np.log((ALONE, THRICE))))


def trust(own: Floats, ratio: Floats, *, times: Floats | float = 1.0) -> Floats:
    """0..1 of each window, from its own evidence and what is there over what is needed, which is so many times more."""
    return scored(np.minimum(ratio, own / OWN) / times)


def scored(ratio: Floats) -> Floats:
    """0..1 of what there is over what is needed."""
    return np.asarray(np.clip(np.log(np.maximum(ratio, FROM) / FROM) / np.log(TO / FROM), 0.0, 1.0))


def lamplike(alias: Flags, lamp: Flags, shaped: Flags) -> Floats:
    """How many times more evidence it takes: at the mains' alias, and where it has a lamp's way."""
    return np.where(alias, np.where(shaped, DOUBTFUL, ALIASED), 1.0) * np.where(lamp, LAMP, 1.0)


def too_faint(amplitude: Floats) -> Floats:
    """How many times more evidence a pulse of this amplitude takes."""
    return np.asarray(np.maximum(1.0, (FAINTEST / np.maximum(amplitude, 1e-9)) ** 4))


def times_more(regions: int, *, shaped: bool) -> float:
    """How many times more evidence is needed of so many regions."""
    return SHAPED if shaped and regions == 1 else FEWER.get(regions, 1.0)
