"""The stress index, 0 to 100: how far heart, sweat, skin and breath are from usual, towards what stress does."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analytics import norms
from analytics.analyzer import Finding
from analytics.stress import words
from analytics.stress.evidence import WEIGHTS, Evidence, enough
from analytics.stress.reference import Against, Compared, compared, with_own
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context

METHOD = "weighted-deviation-1"
TOTAL = sum(WEIGHTS.values())
"""Weight of all systems together."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What one measure did to the index."""

    measure: str
    value: float
    usual: float
    z: float
    """Standard deviations above what is usual, within three."""
    contribution: float
    """To the score, which is the logit of the index; contributions add up to it."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The index, what drove it, and that in words."""

    finding: Finding
    drivers: tuple[Driver, ...]
    """The strongest first."""
    note: str
    russian: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Evidence of one part of a recording; times in nanoseconds since its origin."""

    start_ns: int
    end_ns: int
    evidence: Evidence


def finding(evidence: Evidence, context: Context, *, start_ns: int, end_ns: int) -> Assessment:
    """The index of a session: 50 is usual, and one standard deviation of everything makes it 73.

    Score: the mean of the signed deviations of each system's measures, weighted over the systems that are there;
    index: 100 / (1 + exp(-score)). Compared with the person's own earlier sessions, or else with age and sex.
    """
    reference = compared(evidence, context, seconds=(end_ns - start_ns) / SECOND)
    return _assessment(evidence, reference, start_ns, end_ns)


def course(stretches: Sequence[Stretch], *, rest_until_ns: int) -> tuple[Assessment, ...]:
    """The index of each stretch that begins after the rest, relative to the stretches that end within the rest."""
    rest = [each.evidence for each in stretches if each.end_ns <= rest_until_ns]
    own = baselines(rest)
    return tuple(
        _assessment(each.evidence, with_own(each.evidence, own, Against.REST), each.start_ns, each.end_ns)
        for each in stretches
        if each.start_ns >= rest_until_ns
    )


def baselines(evidence: Sequence[Evidence]) -> tuple[Baseline, ...]:
    """Mean and spread of each measure over a person's sessions or stretches of rest."""
    values: dict[str, list[float]] = {}
    for each in evidence:
        for part, value in each.measured():
            values.setdefault(part.measure, []).append(value)
    return tuple(_baseline(measure, found) for measure, found in values.items())


def _baseline(measure: str, values: list[float]) -> Baseline:
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Baseline(measure, mean, math.sqrt(squares / max(1, len(values) - 1)), len(values))


def _assessment(evidence: Evidence, reference: Compared, start_ns: int, end_ns: int) -> Assessment:
    method = f"{METHOD}+{norms.VERSION}" if reference.against is Against.NORMS else METHOD
    if not reference.enough:
        measured = enough(part.system for part, _ in evidence.measured())
        absent: Reason = "no_reference" if measured else "insufficient"
        missing = Finding("stress", None, method, start_ns, end_ns, absent=absent)
        return Assessment(missing, (), words.without(absent), words.without(absent, "ru"))
    drivers = _drivers(reference)
    value = 100.0 / (1.0 + math.exp(-math.fsum(driver.contribution for driver in drivers)))
    trusted = evidence.quality if 0.0 <= evidence.quality <= 1.0 else 0.0
    quality = trusted * reference.trust * reference.weight / TOTAL
    # an interval would have to be validated against a measured degree of stress, and nobody has one
    return Assessment(
        Finding("stress", value, method, start_ns, end_ns, quality=quality),
        drivers,
        words.note(value, reference),
        words.note(value, reference, "ru"),
    )


def _drivers(reference: Compared) -> tuple[Driver, ...]:
    members = Counter(each.part.system for each in reference.comparisons)
    drivers = [
        Driver(
            each.part.measure,
            each.value,
            each.usual,
            each.z,
            each.part.sign * each.z * WEIGHTS[each.part.system] / members[each.part.system] / reference.weight,
        )
        for each in reference.comparisons
    ]
    return tuple(sorted(drivers, key=lambda driver: -abs(driver.contribution)))
