"""What follows from a visitor's height and weight, whoever gave them: a scale, staff, or the visitor."""

from collections.abc import Iterable

from api.store.results import Found
from api.tables import ReadingRow
from kiosk.measures import MEASURES

METHOD = "quetelet-1"
"""Weight by the square of the height: Keys 1972, doi:10.1016/0021-9681(72)90027-6."""
CM_PER_M = 100.0


def body_mass(spots: Iterable[ReadingRow]) -> list[Found]:
    """The body mass index, kg/m2, of the last height and weight of a session; none where a device gave it itself, or
    where one of the two was not given."""
    last: dict[str, ReadingRow] = {}
    for row in sorted((each for each in spots if each.value is not None), key=lambda each: each.end_ns):
        last[row.measure] = row
    height, weight = last.get("height"), last.get("weight")
    if "bmi" in last or height is None or weight is None or not height.value or weight.value is None:
        return []
    value = weight.value / (height.value / CM_PER_M) ** 2
    possible = MEASURES["bmi"].possible(value)
    known = [each.quality for each in (height, weight) if each.quality is not None]
    return [
        Found(
            measure="bmi",
            value=value if possible else None,
            low=None,
            high=None,
            quality=min(known, default=None),
            absent=None if possible else "impossible",
            source="+".join(dict.fromkeys((weight.source, height.source)))[:128],
            scope="recording",
            method=METHOD,
            preferred=True,
            start_ns=min(height.start_ns, weight.start_ns),
            end_ns=max(height.end_ns, weight.end_ns),
        )
    ]
