"""How numbers went during a session: courses, beats and intervals, spectra, and how sources agree."""

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query

from analytics import agreement
from analytics.beats import Kind
from analytics.courses import (
    BACKGROUND,
    BEATS,
    DENSITY,
    DENSITY_SLOW,
    FIGURES,
    FOUND,
    NOTHING,
    PART,
    SPECTRUM,
    Code,
    known,
)
from analytics.eeg.bands import LIMITS
from analytics.hrv.spectrum import HF, LF, VLF
from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.courses.shapes import (
    AgreementShape,
    BandShape,
    BoundShape,
    ContributionList,
    ContributionShape,
    CourseList,
    CourseShape,
    FoundBeats,
    IntervalList,
    SpectrumShape,
)
from api.routes.courses.wanted import (
    WantedAgreement,
    WantedContributions,
    WantedCourses,
    WantedIntervals,
    WantedSpectrum,
)
from api.routes.words import TheSession
from api.security import Action, Identity
from api.store import Transaction, courses, readings
from api.store.courses import Floats, Kept
from api.tables import ReadingRow, SessionRow
from kiosk.measures import MEASURES

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["courses"])
_ORDER = {name: place for place, name in enumerate(MEASURES)}
EXPLAINED = ("stress", "physiological_arousal", "arousal", "valence")
_RANK = {"manual": 0, "ecg": 1, "rr": 2, "ppg": 3, "rgb": 4}
"""As analyses rank sources of beats."""
_STATES: tuple[Literal["measured", "moved", "added", "by_hand"], ...] = ("measured", "moved", "added", "by_hand")
_KINDS: tuple[Literal["normal", "ectopic", "artefact"], ...] = ("normal", "ectopic", "artefact")
DOCUMENTED = documented(
    errors.NO_SESSION, errors.NO_REVISION, errors.ERASED, errors.INVALID, errors.NO_DATABASE
)  # fmt: skip


@router.get("/courses", responses=DOCUMENTED)
def list_courses(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedCourses, Query()],
    db: Reader,
) -> CourseList:
    """How numbers went: what windows of the session say, by the functions that make its readings.

    Kept when a session is analysed. `stress`, `physiological_arousal` and what is fused of them are beside the
    session's own first minute here, and so not on the scale of the reading, which is beside earlier sessions or norms.
    """
    revision = _revision(session, wanted.revision)
    found = courses.of_revision(db, session.id, revision, measures=wanted.measure or None, source=wanted.source)
    shown = [each for each in found if each.measure not in (*FIGURES, NOTHING) and not each.measure.startswith(PART)]
    shown.sort(key=lambda each: (_ORDER.get(each.measure, len(_ORDER)), _RANK.get(each.source.partition(".")[0], 9)))
    return CourseList(
        revision=revision, absent=_not_kept(db, session, revision), items=[_shape(each) for each in shown]
    )  # fmt: skip


@router.get("/intervals", responses=DOCUMENTED)
def get_intervals(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedIntervals, Query()],
    db: Reader,
) -> IntervalList:
    """The beats of a session and the intervals between them: what was measured, corrected, and set by hand."""
    revision = _revision(session, wanted.revision)
    kept = courses.of_revision(db, session.id, revision, measures=(BEATS, FOUND))
    sources = _sources(kept, BEATS)
    source = wanted.source or (sources[0] if sources else None)
    beats, found = _one(kept, BEATS, source), _one(kept, FOUND, source)
    codes = np.zeros(0, np.int64) if beats is None else beats.values.astype(np.int64)
    times = np.empty(0) if beats is None else beats.times
    steps = np.concatenate(([np.nan], np.diff(times))) if len(times) else np.empty(0)
    steps[(codes & Code.BROKEN) > 0] = np.nan
    none = _not_kept(db, session, revision)
    return IntervalList(
        revision=revision,
        absent=none or (_why(db, session, revision, "mean_rr", source) if beats is None else None),
        source=None if beats is None else source,
        sources=sources,
        method=None if beats is None else beats.method,
        times=_listed(times, 4),
        intervals=_gaps(1000.0 * steps, 2),
        states=[_state(code) for code in codes.tolist()],
        found=FoundBeats(
            times=[] if found is None else _listed(found.times, 4),
            kinds=[] if found is None else [_KINDS[Kind(int(kind))] for kind in found.values.tolist()],
        ),
    )


@router.get("/spectrum", responses=DOCUMENTED)
def get_spectrum(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedSpectrum, Query()],
    db: Reader,
) -> SpectrumShape:
    """The spectrum behind the band powers: of the intervals between beats, or of the EEG."""
    revision = _revision(session, wanted.revision)
    name, other = (DENSITY, DENSITY_SLOW) if wanted.of == "rr" else (SPECTRUM, BACKGROUND)
    kept = courses.of_revision(db, session.id, revision, measures=(name, other))
    sources = _sources(kept, name)
    source = wanted.source or (sources[0] if sources else None)
    density, beside = _one(kept, name, source), _one(kept, other, source)
    said = readings.of_session(db, session.id, (revision,))
    rr = wanted.of == "rr"
    limits = {"vlf": VLF, "lf": LF, "hf": HF} if rr else dict(LIMITS)
    bands = [
        _band(band, low, high, f"{band}_power" if rr else f"eeg_{band}", said, source)
        for band, (low, high) in limits.items()
    ]
    alpha = _reading(said, "eeg_alpha_peak", source)
    why = _not_kept(db, session, revision) or (
        _why(db, session, revision, "hf_power" if rr else "eeg_alpha", wanted.source) if density is None else None
    )
    return SpectrumShape(
        revision=revision,
        of=wanted.of,
        absent=why,
        source=None if density is None else source,
        sources=sources,
        method=None if density is None else density.method,
        unit="ms2/Hz" if rr else "uV2/Hz",
        hertz=[] if density is None else _listed(density.times, 6),
        density=[] if density is None else _listed(density.values, 4),
        beside=None if beside is None else _listed(beside.values, 4),
        bands=bands if density is not None else [],
        peak=None if rr or alpha is None else alpha.value,
    )


@router.get("/agreement", responses=DOCUMENTED)
def get_agreement(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedAgreement, Query()],
    db: Reader,
) -> AgreementShape:
    """How two sources of heart rate agree, window by window: bias and 95 % limits of agreement."""
    revision = _revision(session, wanted.revision)
    kept = courses.of_revision(db, session.id, revision, measures=("heart_rate",))
    sources = _sources(kept, "heart_rate")
    reference = wanted.reference or (sources[0] if sources else None)
    # the camera is what one wants to know of; of two contacts the lesser
    others = [each for each in sources if each != reference]
    compared = wanted.compared or (others[-1] if others else None)
    one, other = _one(kept, "heart_rate", reference), _one(kept, "heart_rate", compared)
    pairs = None
    if one is not None and other is not None:
        pairs = agreement.paired((one.times, one.values), (other.times, other.values), one.window)
    found = None if pairs is None else agreement.of_one(pairs)
    why = _not_kept(db, session, revision)
    if why is None and found is None:
        why = "no_reference" if pairs is None else "too_short"
    both = None if pairs is None else pairs.both
    return AgreementShape(
        revision=revision,
        measure="heart_rate",
        absent=why,
        reference=reference if one is not None else None,
        compared=compared if other is not None else None,
        sources=sources,
        window=None if one is None else one.window,
        pairs=0 if both is None else len(both.times),
        missed=0 if pairs is None else pairs.missed,
        independent=None if found is None else found.independent,
        bias=None if found is None else _bound(found.bias),
        lower=None if found is None else _bound(found.lower),
        upper=None if found is None else _bound(found.upper),
        sd=None if found is None else found.sd,
        mean_absolute_error=None if found is None else found.mean_absolute_error,
        times=[] if both is None else _listed(both.times, 3),
        means=[] if both is None else _listed((both.reference + both.compared) / 2, 3),
        differences=[] if both is None else _listed(both.compared - both.reference, 3),
    )


@router.get("/contributions", responses=DOCUMENTED)
def list_contributions(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedContributions, Query()],
    db: Reader,
) -> ContributionList:
    """What pulled the indices up and down: measures for the body's, modalities for what is fused."""
    revision = _revision(session, wanted.revision)
    kept = courses.of_revision(db, session.id, revision, measures=[f"{PART}{each}" for each in EXPLAINED])
    items = [
        ContributionShape(
            measure=each.measure.removeprefix(PART),
            part=each.source,
            title=known(each.source).title if each.source in MEASURES else each.source,  # type: ignore[union-attr]
            unit=MEASURES[each.source].unit if each.source in MEASURES else "1",
            decimals=MEASURES[each.source].decimals if each.source in MEASURES else 2,
            amount=float(each.values[0]),
            value=float(each.values[1]),
            usual=None if np.isnan(each.values[2]) else float(each.values[2]),
        )
        for each in kept
    ]
    items.sort(key=lambda each: (EXPLAINED.index(each.measure), -abs(each.amount)))
    return ContributionList(revision=revision, absent=_not_kept(db, session, revision), items=items)


def _revision(session: SessionRow, wanted: int | None) -> int:
    if wanted is not None and wanted > session.revision:
        raise Failed(errors.NO_REVISION, f"The session's newest revision is {session.revision}.")
    return session.revision if wanted is None else wanted


def _not_kept(db: Transaction, session: SessionRow, revision: int) -> str | None:
    if revision == 0:
        return "not_analysed"
    return None if courses.has_any(db, session.id, revision) else "not_kept"


def _shape(kept: Kept) -> CourseShape:
    row = known(kept.measure)
    decimals = 2 if row is None else row.decimals
    return CourseShape(
        measure=kept.measure,
        title=kept.measure if row is None else row.title,
        unit="1" if row is None else row.unit,
        decimals=decimals,
        source=kept.source,
        method=kept.method,
        window=kept.window,
        times=_listed(kept.times, 3),
        values=_gaps(kept.values, decimals + 2),
    )


def _sources(kept: list[Kept], measure: str) -> list[str]:
    names = [each.source for each in kept if each.measure == measure]
    return sorted(names, key=lambda name: (_RANK.get(name.partition(".")[0], 9), name))


def _one(kept: list[Kept], measure: str, source: str | None) -> Kept | None:
    return next((each for each in kept if each.measure == measure and each.source == source), None)


def _state(code: int) -> Literal["measured", "moved", "added", "by_hand"]:
    return "by_hand" if code & Code.BY_HAND else _STATES[code & (Code.MOVED | Code.ADDED)]


def _why(db: Transaction, session: SessionRow, revision: int, measure: str, source: str | None) -> str:
    """A reading's own reason; of a session without that signal, that nothing of it was measured."""
    said = [row for row in readings.of_session(db, session.id, (revision,), measure=measure) if row.absent]
    mine = [row for row in said if source in (None, row.source)] or said
    return (mine[0].absent or "insufficient") if mine else "not_present"


def _reading(said: list[ReadingRow], measure: str, source: str | None) -> ReadingRow | None:
    return next((row for row in said if row.measure == measure and row.source == source), None)


def _band(name: str, low: float, high: float, measure: str, said: list[ReadingRow], source: str | None) -> BandShape:
    row = _reading(said, measure, source)
    value, absent = (row.value, row.absent) if row is not None else (None, None)
    return BandShape(name=name, low=low, high=high, measure=measure, value=value, absent=absent)


def _bound(bound: agreement.Bound) -> BoundShape:
    return BoundShape(value=bound.value, low=bound.low, high=bound.high)


def _listed(values: Floats, decimals: int) -> list[float]:
    listed: list[float] = np.round(values, decimals).tolist()
    return listed


def _gaps(values: Floats, decimals: int) -> list[float | None]:
    return [None if value != value else value for value in _listed(values, decimals)]
