"""An index of physiological arousal, -1 to 1: how far heart, skin, breath and brain are from usual, towards activation.

Autonomic and cortical activation cohere weakly with felt arousal and with each other (Mauss & Robinson 2009,
doi:10.1080/02699930802204677; Lacey 1967): a number about the body, not about a feeling. It says nothing of valence.
Frontal alpha asymmetry is reported as itself and enters nowhere (Reznik & Allen 2018, doi:10.1111/psyp.12965: what it
tells depends on task, person and reference).
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from analytics import norms
from analytics.analyzer import Finding
from analytics.languages import Language, Note
from analytics.stress import evidence as stress
from analytics.stress import words
from analytics.stress.evidence import Part, System
from analytics.stress.reference import Against, Compared, Comparison, compared, with_own
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context
from kiosk.wording import number

METHOD = "weighted-deviation-index-1"
WEIGHTS: Mapping[System, float] = MappingProxyType(
    {System.RATE: 1.0, System.VARIABILITY: 0.5, System.SWEAT: 1.0, System.BREATH: 0.5, System.BRAIN: 0.5}
)
"""One for what answers most directly, one half for the rest. Set beforehand, nothing is fitted. Skin conductance has
sympathetic nerves alone (Boucsein et al. 2012, doi:10.1111/j.1469-8986.2012.01384.x); heart rate is both branches' and
rises with activation in most people (Kreibig 2010, doi:10.1016/j.biopsycho.2010.03.010); RMSSD tells the vagus and
hangs on breath (Laborde et al. 2017, doi:10.3389/fpsyg.2017.00213); breath hangs on speech; alpha on open eyes."""
TOTAL = math.fsum(WEIGHTS.values())
BRAIN = (
    Part("eeg_engagement", System.BRAIN, 1, True, (1e-3, 1000), 0.3, "EEG engagement", "", 2),
    Part("eeg_alpha_relative", System.BRAIN, -1, True, (1e-4, 1), 0.3, "share of alpha", "", 2),
)
"""Engagement, beta / (alpha + theta), rises (Pope et al. 1995, doi:10.1016/0301-0511(95)05116-3) and alpha falls (Barry
et al. 2007, doi:10.1016/j.clinph.2007.07.028) with arousal. The usual spreads from rest to rest are priors of ours."""
PARTS = (
    *(
        part
        for part in stress.PARTS
        if part.measure in ("heart_rate", "rmssd", "eda_slope", "eda_peaks", "respiration_rate")
    ),
    *BRAIN,
)
"""What is compared. RMSSD alone speaks for variability: SDNN and Baevsky's index hold slow waves as well."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What was measured of the body; None is what was not."""

    heart_rate: float | None = None
    """Per minute."""
    rmssd: float | None = None
    """Milliseconds."""
    eda_slope: float | None = None
    """Percent of its level per minute."""
    eda_peaks: float | None = None
    """Per minute."""
    respiration_rate: float | None = None
    """Per minute."""
    eeg_engagement: float | None = None
    eeg_alpha_relative: float | None = None
    quality: float = 1.0
    """0..1, of the signals behind all this."""

    def measured(self) -> Iterator[tuple[Part, float]]:
        """The parts that are there and possible, with their values."""
        for part in PARTS:
            value: float | None = getattr(self, part.measure)
            if value is not None and part.holds(value):
                yield part, value


MEASURED = tuple(each.name for each in fields(Signs) if each.name != "quality")


@dataclass(frozen=True, slots=True)
class Index:
    """The index, what it was compared with, and that in words."""

    finding: Finding
    reference: Compared
    note: Note


def finding(signs: Signs, context: Context, *, start_ns: int, end_ns: int) -> Index:
    """The index of a session: 0 is usual, one standard deviation of everything makes it .46.

    Score: the mean of the signed deviations of each system's measures, weighted over the systems that are there, as in
    the stress index; index: tanh(score / 2), which is the same curve between -1 and 1. Compared with the person's own
    earlier sessions, or else with norms of age and sex.
    """
    return _index(signs, reference(signs, context, seconds=(end_ns - start_ns) / SECOND), start_ns, end_ns)


def against_rest(signs: Signs, rest: Iterable[Baseline], *, start_ns: int, end_ns: int) -> Index:
    """The index of a stretch beside the same recording's beginning."""
    return _index(signs, with_own(signs, rest, Against.REST), start_ns, end_ns)


def reference(signs: Signs, context: Context, *, seconds: float) -> Compared:
    """Each measure beside what is usual."""
    return compared(signs, context, seconds=seconds)


def level(comparisons: Iterable[Comparison], systems: Iterable[System] = WEIGHTS) -> float | None:
    """The index of some systems alone; None where nothing of them was compared."""
    wanted = set(systems)
    shares = contributions(each for each in comparisons if each.part.system in wanted)
    return math.tanh(math.fsum(share for _, share in shares) / 2.0) if shares else None


def contributions(comparisons: Iterable[Comparison]) -> list[tuple[Comparison, float]]:
    """What each measure adds to the score, the strongest first; together they are the score."""
    found = list(comparisons)
    members = Counter(each.part.system for each in found)
    total = weight(each.part.system for each in found)
    shares = [
        (each, each.part.sign * each.z * WEIGHTS[each.part.system] / members[each.part.system] / total)
        for each in found
    ]
    return sorted(shares, key=lambda share: -abs(share[1]))


def weight(systems: Iterable[System]) -> float:
    """Of these systems, each counted once."""
    return math.fsum(WEIGHTS[system] for system in set(systems))


def _index(signs: Signs, beside: Compared, start_ns: int, end_ns: int) -> Index:
    method = f"{METHOD}+{norms.VERSION}" if beside.against is Against.NORMS else METHOD
    # a brain alone does not carry it: alpha halves when eyes open, whatever the arousal
    value = level(beside.comparisons) if beside.enough else None
    if value is None:
        measured = stress.enough(part.system for part, _ in signs.measured())
        absent: Reason = "no_reference" if measured else "insufficient"
        missing = Finding("physiological_arousal", None, method, start_ns, end_ns, absent=absent)
        return Index(missing, beside, Note(_without(absent, "en"), _without(absent, "ru")))
    trusted = signs.quality if 0.0 <= signs.quality <= 1.0 else 0.0
    quality = trusted * beside.trust * weight(each.part.system for each in beside.comparisons) / TOTAL
    # an interval would have to be validated against a measured degree of arousal
    told = Finding("physiological_arousal", value, method, start_ns, end_ns, quality=quality)
    return Index(told, beside, Note(_note(value, beside, "en"), _note(value, beside, "ru")))


def _note(value: float, beside: Compared, language: Language) -> str:
    said = number(value, 2, language)
    head, leads, limits = (
        (
            f"Физиологическая активация {said} (от -1 до 1; обычно 0), {words.whom(beside, language)}.",
            ("Повышают: ", "Понижают: "),
            "Говорит о теле, а не о чувствах и не об их знаке.",
        )
        if language == "ru"
        else (
            f"Physiological arousal {said} (-1 to 1; 0 is usual), {words.whom(beside, language)}.",
            ("Raised by: ", "Lowered by: "),
            "It is about the body, not about a feeling, and not about pleasant or unpleasant.",
        )
    )
    return " ".join([head, *words.drivers(beside.comparisons, leads, language), limits, words.CAUTION[language]])


def _without(absent: Reason, language: Language) -> str:
    if absent == "no_reference":
        if language == "ru":
            return "Индекса активации нет: сравнить не с чем - нет ни прежних сеансов, ни норм для этого человека."
        return "No index of arousal: there is nothing to compare with, neither earlier sessions nor norms."
    if language == "ru":
        return "Индекса активации нет: ни пульс, ни проводимость кожи не измерены достаточно хорошо."
    return "No index of arousal: neither heart rate nor skin conductance was measured well enough."
