"""What must hold of any late fusion: doubt grows where it should, and nobody alone overrules the others."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analytics.fusion import Modality, Opinion, fused
from analytics.fusion.opinions import AROUSAL, SHARPEST, Z
from analytics.fusion.pool import Pooled, Said, pooled, weight
from analytics.fusion.together import EVIDENCE, MOST_ODDS, SHARPEST_EVIDENCE, Axis
from kiosk.measures import EXPRESSIONS

values = st.floats(-1.0, 1.0)
qualities = st.floats(0.05, 1.0)
spreads = st.floats(0.0, 2.0)
said = st.builds(
    lambda value, quality, spread: Said(value, weight(quality, spread, SHARPEST)), values, qualities, spreads
)
several = st.lists(said, min_size=1, max_size=6)


@st.composite
def leaning(draw: st.DrawFn, bound: float, sharpest: float) -> list[Said]:
    """Several that lean to one side, most often surely."""
    side = draw(st.sampled_from((-bound, bound)))
    found = draw(st.lists(st.tuples(st.floats(0.4, 1.0), st.floats(0.5, 1.0)), min_size=2, max_size=8))
    return [Said(side * value, weight(quality, sharpest, sharpest)) for value, quality in found]


def of(opinions: Sequence[Said]) -> Pooled:
    found = pooled(opinions)
    assert found is not None
    return found


def probabilities(*, unknown: int | None = None) -> st.SearchStrategy[tuple[float | None, ...]]:
    rows = st.lists(st.floats(1e-4, 1.0), min_size=len(EXPRESSIONS), max_size=len(EXPRESSIONS))
    return rows.map(
        lambda row: tuple(None if place == unknown else value / sum(row) for place, value in enumerate(row))
    )


opinions = st.builds(
    Opinion,
    modality=st.sampled_from(list(Modality)),
    quality=qualities,
    valence=st.none() | values,
    arousal=st.none() | values,
    emotions=st.none() | probabilities(),
)
subsets = st.lists(opinions, max_size=5, unique_by=lambda each: each.modality)


@given(rest=several, newcomer=said)
def test_the_interval_widens_when_a_concordant_opinion_vanishes(rest: list[Said], newcomer: Said) -> None:
    others = of(rest)
    # concordant: well within what the others may miss
    assume(abs(newcomer.value - others.value) <= 0.7 * others.spread)
    assert others.spread > of([*rest, newcomer]).spread


@given(rest=several, newcomer=said)
def test_a_discordant_opinion_widens_the_interval(rest: list[Said], newcomer: Said) -> None:
    others = of(rest)
    share = newcomer.weight / (newcomer.weight + others.weight)
    assume(2.0 * (newcomer.value - others.value) ** 2 * (1.0 - share) > others.spread**2 * (1.0 + 1e-9))
    assert of([*rest, newcomer]).spread > others.spread


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_each_of_several_that_agree_narrows_the_interval(count: int) -> None:
    same = Said(0.4, weight(0.8, 0.6, SHARPEST))
    assert of([same] * (count + 1)).spread < of([same] * count).spread
    assert of([same] * count).agreement == pytest.approx(1.0)


@given(rest=leaning(1.0, SHARPEST), bad=said)
def test_no_single_opinion_turns_the_sign_of_others_that_are_sure(rest: list[Said], bad: Said) -> None:
    others = of(rest)
    assume(others.sure)
    together = of([*rest, bad])
    # where both weigh the same to the last digit, the sum is zero but for rounding
    assert together.value * others.value >= -1e-12


def test_others_that_are_sure_exist() -> None:
    """So that the property above is no empty one, and its bound is near: three that agree, one that shouts."""
    rest = [Said(0.9, weight(1.0, 0.51, SHARPEST))] * 3
    assert of(rest).sure
    shout = Said(-1.0, weight(1.0, 0.0, SHARPEST))
    assert 0.0 < of([*rest, shout]).value < of(rest).value
    assert not of([*rest, shout]).sure


def test_a_plain_inverse_variance_mean_would_be_turned() -> None:
    """The same shout without the bound on sharpness: what the bound is for."""
    rest = [Said(0.9, weight(1.0, 0.51, SHARPEST))] * 3
    assert of([*rest, Said(-1.0, 1.0 / 0.1**2)]).value < 0.0


@given(rest=several, quality=st.floats(0.0, 1e-7), value=values)
def test_zero_quality_is_not_there_and_next_to_none_is_next_to_nothing(
    rest: list[Said], quality: float, value: float
) -> None:
    assert of([*rest, Said(value, weight(quality, 0.5, SHARPEST))]) == of(rest)
    nearly = of([*rest, Said(value, weight(1e-5, 0.5, SHARPEST))])
    assert nearly.value == pytest.approx(of(rest).value, abs=1e-2)


@given(rest=several, seed=st.randoms())
def test_the_order_does_not_matter_at_all(rest: list[Said], seed: object) -> None:
    mixed = list(rest)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    assert of(mixed) == of(rest)


@given(found=subsets, seed=st.randoms())
def test_nor_does_that_of_modalities(found: list[Opinion], seed: object) -> None:
    mixed = list(found)
    seed.shuffle(mixed)  # type: ignore[attr-defined]
    assert fused(mixed) == fused(found)


@given(found=subsets)
def test_any_subset_gives_numbers_that_can_be_or_none(found: list[Opinion]) -> None:
    together = fused(found)
    for axis in (together.valence, together.arousal):
        if axis is not None:
            assert -1.0 <= axis.pooled.value <= 1.0
            assert 0.0 <= axis.quality <= 1.0
            assert sum(axis.shares.values()) == pytest.approx(1.0)
    if together.emotions is not None:
        assert sum(each.probability for each in together.emotions.each) == pytest.approx(1.0)
        for each in together.emotions.each:
            assert 0.0 <= each.low <= each.probability <= each.high <= 1.0
        assert 0.0 <= together.emotions.quality <= 1.0


@given(found=subsets)
def test_a_modality_of_no_quality_changes_nothing(found: list[Opinion]) -> None:
    missing = set(Modality) - {each.modality for each in found}
    ghosts = [Opinion(each, 0.0, 1.0, 1.0, (1.0, *[0.0] * 7)) for each in missing]
    assert fused([*found, *ghosts]) == fused(found)
    broken = [replace(each, quality=quality) for each in ghosts for quality in (math.nan, -1.0, 2.0)]
    assert fused([*found, *broken]) == fused(found)


@given(found=subsets)
def test_heart_skin_and_brain_tell_neither_valence_nor_emotions(found: list[Opinion]) -> None:
    body = [each for each in found if each.modality not in (Modality.FACE, Modality.VOICE)]
    together = fused(body)
    assert together.valence is None
    assert together.emotions is None
    whole, without = fused(found), fused([each for each in found if each not in body])
    assert (whole.valence, whole.emotions) == (without.valence, without.emotions)


@given(face=probabilities(), other=probabilities(), quality=qualities)
def test_no_modality_claims_more_than_its_odds(
    face: tuple[float | None, ...], other: tuple[float | None, ...], quality: float
) -> None:
    alone = fused([Opinion(Modality.FACE, quality, emotions=face)]).emotions
    assert alone is not None
    odds = [each.probability for each in alone.each]
    assert max(odds) / min(odds) <= MOST_ODDS * (1.0 + 1e-9)
    both = fused(
        [Opinion(Modality.FACE, quality, emotions=face), Opinion(Modality.VOICE, 1.0, emotions=other)]
    ).emotions
    assert both is not None
    for one, two in zip(alone.each, both.each, strict=True):
        assert abs(one.evidence.value - two.evidence.value) <= EVIDENCE


@given(rest=leaning(EVIDENCE, SHARPEST_EVIDENCE * math.sqrt(2.0)), bad=st.floats(-EVIDENCE, EVIDENCE))
def test_no_modality_turns_the_order_of_two_expressions_of_which_others_are_sure(rest: list[Said], bad: float) -> None:
    """On differences of two expressions' logarithms, which is what their order hangs on."""
    # the variance of a difference is that of both
    others = of(rest)
    assume(others.sure)
    assert of([*rest, Said(bad, weight(1.0, 0.0, SHARPEST_EVIDENCE * math.sqrt(2.0)))]).value * others.value >= -1e-12


def shown(**much: float) -> tuple[float, ...]:
    left = (1.0 - sum(much.values())) / (len(EXPRESSIONS) - len(much))
    return tuple(much.get(name, left) for name in EXPRESSIONS)


def test_a_doubtful_voice_hardly_moves_a_plain_face() -> None:
    face = Opinion(Modality.FACE, 0.7, emotions=shown(happiness=0.9))
    sure, doubtful = (
        fused([face, Opinion(Modality.VOICE, quality, emotions=shown(anger=0.9))]).emotions for quality in (0.7, 0.05)
    )
    assert sure is not None
    assert doubtful is not None
    assert sure.first.name == doubtful.first.name == "happiness"
    assert doubtful.first.probability > sure.first.probability + 0.1
    alone = fused([face]).emotions
    assert alone is not None
    assert alone.first.probability == pytest.approx(doubtful.first.probability, abs=0.1)
    assert alone.first.evidence.spread < sure.first.evidence.spread


def test_what_nobody_knows_is_left_out_and_what_one_does_not_know_is_no_evidence() -> None:
    known = shown(happiness=0.5)
    face = (*known[:-1], None)
    alone = fused([Opinion(Modality.FACE, 0.7, emotions=face)]).emotions
    assert alone is not None
    assert [each.name for each in alone.each] == list(EXPRESSIONS[:-1])
    voice = fused([Opinion(Modality.FACE, 0.7, emotions=face), Opinion(Modality.VOICE, 0.7, emotions=known)]).emotions
    assert voice is not None
    assert len(voice.each) == len(EXPRESSIONS)


def axis(*said: tuple[Modality, float, float]) -> Axis:
    found = fused([Opinion(modality, quality, arousal=value) for modality, quality, value in said]).arousal
    assert found is not None
    return found


def test_two_that_contradict_each_other_have_no_number_and_a_majority_has() -> None:
    two = axis((Modality.VOICE, 0.9, 0.8), (Modality.HEART, 0.9, -0.7))
    assert two.contradicted
    assert two.split
    three = axis(
        (Modality.VOICE, 0.9, 0.8), (Modality.FACE, 0.9, 0.7), (Modality.SKIN, 0.9, 0.6), (Modality.HEART, 0.5, -0.7)
    )
    assert three.contradicted
    assert not three.split
    assert three.pooled.value > 0.0
    assert (
        three.quality < axis((Modality.VOICE, 0.9, 0.8), (Modality.FACE, 0.9, 0.7), (Modality.SKIN, 0.9, 0.6)).quality
    )


def test_small_differences_are_no_contradiction() -> None:
    found = axis((Modality.VOICE, 0.9, 0.2), (Modality.HEART, 0.9, -0.2))
    assert not found.contradicted
    assert not found.split


def test_of_two_opinions_of_a_modality_the_better_counts() -> None:
    good, bad = Opinion(Modality.HEART, 0.9, arousal=0.5), Opinion(Modality.HEART, 0.2, arousal=-1.0)
    assert fused([bad, good]) == fused([good])


def test_no_opinion_is_sharper_than_just_sure_of_its_sign() -> None:
    assert min(AROUSAL.values()) >= SHARPEST
    assert pytest.approx(1.0) == Z * SHARPEST
    for modality in AROUSAL:
        assert not axis((modality, 1.0, 0.99)).pooled.sure


def test_a_wrong_number_of_probabilities_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="7 probabilities"):
        Opinion(Modality.FACE, 1.0, emotions=(0.1,) * 7)
