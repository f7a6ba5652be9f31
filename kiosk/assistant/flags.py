"""Values that must not wait for anybody to read a report: shown to staff at once, whatever else is said.

Single values that score 3, the most, in the National Early Warning Score 2 (Royal College of Physicians 2017,
ISBN 978-1-86016-682-2), and a blood pressure from 180/120 up (Williams et al. 2018, doi:10.1093/eurheartj/ehy339).
They say that somebody should look, not what is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.messages import Shown

LEAST_QUALITY = 0.5
"""Below it a value is too doubtful to frighten anybody."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """At or beyond either of which a value is a flag."""

    low: float | None = None
    high: float | None = None


BOUNDS = {
    "heart_rate": Bounds(40, 131),
    "respiration_rate": Bounds(8, 25),
    "systolic": Bounds(90, 180),
    "diastolic": Bounds(None, 120),
    "spo2": Bounds(91, None),
    "temperature": Bounds(35.0, 39.1),
}
MODELLED = frozenset({"camera", "rgb", "face_motion", "head", "chest"})
"""Sources that estimate breath from movement or colour: their doubt is too great for a flag on it."""


def flags(values: Iterable[Shown]) -> tuple[str, ...]:
    """The measures whose value is a flag, in their order."""
    found = []
    for each in values:
        bounds = BOUNDS.get(each.measure)
        if bounds is None or each.value is None or (each.quality is not None and each.quality < LEAST_QUALITY):
            continue
        if each.measure == "respiration_rate" and each.source.partition(".")[0] in MODELLED:
            continue
        if (bounds.low is not None and each.value <= bounds.low) or (
            bounds.high is not None and each.value >= bounds.high
        ):
            found.append(each.measure)
    return tuple(found)
