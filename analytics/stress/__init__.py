"""An index of acute stress: a person's heart, sweat, skin and breath beside what is usual for that person."""

from analytics.stress.drift import per_minute
from analytics.stress.eda import Electrodermal, electrodermal
from analytics.stress.evidence import Evidence
from analytics.stress.index import Assessment, Driver, Stretch, baselines, course, finding

__all__ = [
    "Assessment",
    "Driver",
    "Electrodermal",
    "Evidence",
    "Stretch",
    "baselines",
    "course",
    "electrodermal",
    "finding",
    "per_minute",
]
