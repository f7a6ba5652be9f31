"""What drove the index, in plain words that promise no more than was measured."""

from collections.abc import Sequence

from analytics.stress.evidence import Part
from analytics.stress.reference import Against, Compared, Comparison
from kiosk.measures import Reason

NOTICED = 1.0
"""Standard deviations from which a measure is called higher or lower."""
CAUTION = (
    "Exertion, talking, coffee, warmth, pain, fever and medicine can do the same. "
    "A kiosk screens; this is no diagnosis."
)


def note(value: float, reference: Compared) -> str:
    """The index and its drivers, the strongest deviation first."""
    found = sorted(reference.comparisons, key=lambda each: -abs(each.z))
    towards = [each for each in found if each.part.sign * each.z >= NOTICED]
    away = [each for each in found if each.part.sign * each.z <= -NOTICED]
    rest = [each for each in found if abs(each.z) < NOTICED]
    told = [
        *_told(towards, "As under stress: "),
        *_told(away, "Against it: "),
        *([_capital(f"{_list([each.part.title for each in rest])} as usual.")] if rest else []),
    ]
    return " ".join([f"Stress index {value:.0f} of 100; 50 is usual, {_whom(reference)}.", *told, CAUTION])


def without(absent: Reason) -> str:
    """Why there is no index."""
    if absent == "no_reference":
        return "No stress index: there is nothing to compare with, neither earlier sessions nor norms for this person."
    return "No stress index: neither heart rate nor skin conductance was measured well enough."


def _whom(reference: Compared) -> str:
    if reference.against is Against.SESSIONS:
        earlier = "the earlier session" if reference.count == 1 else f"{reference.count} earlier sessions"
        return f"compared with {earlier} of the same person"
    if reference.against is Against.REST:
        return "compared with the beginning of this recording"
    return (
        "compared with published norms, for want of earlier sessions; such differences between people come more from "
        "constitution, fitness and medicine than from stress"
    )


def _told(comparisons: Sequence[Comparison], lead: str) -> list[str]:
    return [f"{lead}{_list([_beside(each) for each in comparisons])}."] if comparisons else []


def _beside(each: Comparison) -> str:
    step = "higher" if each.z > 0 else "lower"
    return f"{each.part.title} {step} ({_number(each.part, each.value)} against {_quantity(each.part, each.usual)})"


def _number(part: Part, value: float) -> str:
    return f"{value:.{part.decimals}f}"


def _quantity(part: Part, value: float) -> str:
    return f"{_number(part, value)} {part.unit}".rstrip()


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
