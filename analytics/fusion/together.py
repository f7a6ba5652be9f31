"""Late fusion: opinions of any subset of modalities -> discrete emotions, valence and arousal.

Each modality is brought to one scale with a spread of its own (calibration), and weighed by its quality; what is
missing is not there, and nothing is imagined for it. Valence and arousal are pooled as they are. Expressions are
pooled as logarithms (a logarithmic pool with weights of sum one: Genest & Zidek 1986, doi:10.1214/ss/1177013825),
after each modality was mixed with "it tells nothing": p' = e / 8 + (1 - e) p, with 1 - e = its reliability, less where
its quality is low (contamination, Berger 1985, Statistical Decision Theory, 4.7). So no modality claims odds above
8 / e - 7, which bounds its influence. It counts by its quality and by how certain it is (as pictures do over a session:
Meng et al. 2019, doi:10.1109/ICIP.2019.8803603).
The heart, the skin and the brain say nothing of valence and of emotions: they move arousal only.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analytics.fusion import pool
from analytics.fusion.opinions import AROUSAL, FULL, RELIABLE, SHARPEST, VALENCE, Modality, Opinion, Z
from analytics.fusion.pool import Pooled, Said
from kiosk.measures import EXPRESSIONS

METHOD = "late-fusion-1"
MOST_ODDS = len(EXPRESSIONS) / (1.0 - max(RELIABLE.values())) - (len(EXPRESSIONS) - 1)
"""That a modality can claim of one expression against another: 33."""
EVIDENCE = math.log(MOST_ODDS)
SHARPEST_EVIDENCE = EVIDENCE / Z / math.sqrt(2.0)
"""Standard deviation of a modality's evidence for one expression. That of the difference of two is EVIDENCE / Z: with
it no modality alone turns the order of two expressions of which others are sure."""
LEAST_CERTAINTY = 0.05
"""So that a modality that knows nothing still says so."""
MAJORITY = 2.0 / 3.0
"""Share of the weight that must be on the mean's side where modalities contradict each other: else there is no number,
because it would stand for none of them."""
AGREED = 1.0 / 3.0
"""Agreement from which differences are what opinions of such weights differ by anyway."""
PLAIN = 0.25
"""Of 1, from which a modality counts as leaning to one side: an eighth of the scale."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Valence or arousal, and what each modality had to do with it."""

    pooled: Pooled
    shares: Mapping[Modality, float]
    """Of the weight; they add up to one."""
    said: Mapping[Modality, float]
    quality: float
    """0..1: agreement x the share of all modalities' weight that is there."""

    @property
    def contradicted(self) -> bool:
        """Whether modalities lean to both sides."""
        return min(self.said.values()) <= -PLAIN and max(self.said.values()) >= PLAIN

    @property
    def split(self) -> bool:
        """Whether they contradict each other so much that no number stands for them."""
        if not self.contradicted or self.pooled.sure or self.pooled.agreement >= AGREED:
            return False
        side = math.copysign(1.0, self.pooled.value)
        with_it = math.fsum(share for modality, share in self.shares.items() if side * self.said[modality] > 0.0)
        return with_it < MAJORITY


@dataclass(frozen=True, slots=True)
class Emotion:
    """One expression."""

    name: str
    probability: float
    evidence: Pooled
    """Logarithm of its probability over one in eight, before all add up to one."""
    low: float
    high: float
    """Of the probability, as the interval of the evidence makes it: for internal use, not validated."""


@dataclass(frozen=True, slots=True)
class Emotions:
    """The expressions that any modality knows; probabilities add up to one."""

    each: tuple[Emotion, ...]
    shares: Mapping[Modality, float]
    said: Mapping[Modality, Sequence[float | None]]
    quality: float

    @property
    def first(self) -> Emotion:
        """The likeliest."""
        return max(self.each, key=lambda emotion: emotion.probability)


@dataclass(frozen=True, slots=True)
class Fused:
    """What all modalities say together; None where none says anything."""

    opinions: tuple[Opinion, ...]
    """Those that are there, in the order of `Modality`."""
    valence: Axis | None
    arousal: Axis | None
    emotions: Emotions | None


def fused(opinions: Iterable[Opinion]) -> Fused:
    """Any subset of modalities, one opinion of each: of several the best."""
    best: dict[Modality, Opinion] = {}
    for each in sorted(opinions, key=_rank, reverse=True):
        best.setdefault(each.modality, each)
    there = tuple(best[modality] for modality in Modality if modality in best and 0.0 < best[modality].quality <= 1.0)
    return Fused(
        there,
        _axis({each.modality: (each.valence, each.quality) for each in there}, VALENCE),
        _axis({each.modality: (each.arousal, each.quality) for each in there}, AROUSAL),
        _emotions(there),
    )


def _rank(opinion: Opinion) -> tuple[float, float, float]:
    """By quality; between equals by what they say, so that their order does not matter."""
    return (
        opinion.quality if 0.0 <= opinion.quality <= 1.0 else -1.0,
        -math.inf if opinion.valence is None else opinion.valence,
        -math.inf if opinion.arousal is None else opinion.arousal,
    )


def _axis(said: Mapping[Modality, tuple[float | None, float]], spreads: Mapping[Modality, float]) -> Axis | None:
    weighed = {
        modality: Said(min(1.0, max(-1.0, value)), pool.weight(quality, spreads[modality], SHARPEST))
        for modality, (value, quality) in said.items()
        if modality in spreads and value is not None and math.isfinite(value)
    }
    weighed = {modality: each for modality, each in weighed.items() if each.weight > 0.0}
    found = pool.pooled(weighed.values())
    if found is None:
        return None
    most = math.fsum(pool.weight(1.0, spread, SHARPEST) for spread in spreads.values())
    return Axis(
        found,
        {modality: each.weight / found.weight for modality, each in weighed.items()},
        {modality: each.value for modality, each in weighed.items()},
        min(1.0, found.agreement * found.weight / most),
    )


def _emotions(opinions: Sequence[Opinion]) -> Emotions | None:
    said = {each.modality: (each, evidence) for each in opinions if (evidence := _evidence(each)) is not None}
    weights = {
        modality: pool.weight(each.quality * each.known, SHARPEST_EVIDENCE, SHARPEST_EVIDENCE) * _certainty(each)
        for modality, (each, _) in said.items()
    }
    total = math.fsum(weights.values())
    if not total > 0.0:
        return None
    found: dict[str, Pooled] = {}
    for index, name in enumerate(EXPRESSIONS):
        if any(each.emotions is not None and each.emotions[index] is not None for each, _ in said.values()):
            mean = pool.pooled(Said(evidence[index], weights[modality]) for modality, (_, evidence) in said.items())
            assert mean is not None
            found[name] = mean
    odds = {name: math.exp(each.value) for name, each in found.items()}
    every = math.fsum(odds.values())
    each = tuple(_emotion(name, mean, every - odds[name]) for name, mean in found.items())
    most = len(RELIABLE) / SHARPEST_EVIDENCE**2
    first = max(found.values(), key=lambda mean: mean.value)
    return Emotions(
        each,
        {modality: weight / total for modality, weight in weights.items()},
        {modality: opinion.emotions or () for modality, (opinion, _) in said.items()},
        min(1.0, first.agreement * total / most),
    )


def _emotion(name: str, mean: Pooled, others: float) -> Emotion:
    def probability(evidence: float) -> float:
        # of a difference of logarithms: the ends of a wide interval do not overflow
        return 0.5 + 0.5 * math.tanh(0.5 * (evidence - math.log(others))) if others > 0.0 else 1.0

    return Emotion(name, probability(mean.value), mean, probability(mean.low), probability(mean.high))


def _certainty(opinion: Opinion) -> float:
    """1 for a single expression, next to nothing where all are as likely: who cannot tell does not outvote who can."""
    known = [value for value in opinion.emotions or () if value is not None]
    if len(known) < 2:
        return 1.0
    total = math.fsum(known)
    entropy = -math.fsum(value / total * math.log(value / total) for value in known if value > 0.0)
    return max(LEAST_CERTAINTY, 1.0 - entropy / math.log(len(known)))


def _evidence(opinion: Opinion) -> list[float] | None:
    """Logarithm of each probability over one in eight; 0 for what the modality does not know."""
    if opinion.emotions is None or opinion.modality not in RELIABLE or not 0.0 < opinion.quality <= 1.0:
        return None
    known = [value for value in opinion.emotions if value is not None]
    if not known or not all(math.isfinite(value) and value >= 0.0 for value in known) or not sum(known) > 0.0:
        return None
    # of an expression that it does not know it says what nobody knows: one in eight
    share = len(known) / len(EXPRESSIONS) / math.fsum(known)
    trust = RELIABLE[opinion.modality] * min(1.0, opinion.quality * opinion.known / FULL)
    return [
        0.0 if value is None else math.log1p(trust * (len(EXPRESSIONS) * share * value - 1.0))
        for value in opinion.emotions
    ]
