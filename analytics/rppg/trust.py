"""Whether what moves the colours is a heart: light, shine and a swaying photograph have rhythms, too.

The evidence that each window has for a pulse at the rate that is read, against what is needed. That was simulated, not
taken from recordings: still and drifting light, white balance that hunts, screens that change, tracking that trembles,
photographs that sway in a hand at 0.7 to 2 Hz, coding whose errors come in periods - one of 2,400 independent windows
of 12 s passed - and tinted lamps that flicker in the pulse's own band, of which 10 of 600 did: such a lamp can have the
colours of blood, and the mains' own aliases are known by the frame rate (disturbed.py).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALONE, THRICE = 30.0, 16.0
"""Evidence that is needed of one window, and of three that follow each other (geometric mean)."""
FEWER = {1: 12.0, 2: 1.2}
"""Times more where so few regions of the face are seen: nothing, or little, shows whether they agree."""
SHAPED = 3.0
"""Times more, of one region, where the wave itself was taken for a pulse's."""
DOUBTFUL = 2.5
"""Times more at a frequency that the mains or the head's motion has."""
FAINTEST = 0.0004
"""Of green's level, the amplitude of a pulse's first harmonic below which more is needed, by its square: a face has
some tenths of a per cent, dark skin a third of that, and what light leaves behind after it was taken out has less."""
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


def trust(evidence: Floats, together: Floats, count: Floats, *, times: Floats | float = 1.0) -> Floats:
    """0..1 of each window, from its own evidence and from that of those around it, which need so many times more."""
    needed = np.exp(np.interp(count, (1.0, 3.0), np.log((ALONE, THRICE))))
    ratio = np.maximum(evidence / ALONE, together / needed) / times
    return np.asarray(np.clip(np.log(np.maximum(ratio, FROM) / FROM) / np.log(TO / FROM), 0.0, 1.0))


def too_faint(amplitude: Floats) -> Floats:
    """How many times more evidence a pulse of this amplitude takes."""
    return np.asarray(np.maximum(1.0, (FAINTEST / np.maximum(amplitude, 1e-9)) ** 2))


def times_more(regions: int, *, shaped: bool) -> float:
    """How many times more evidence is needed of so many regions."""
    return SHAPED if shaped and regions == 1 else FEWER.get(regions, 1.0)
