"""For each kind of resource the statement that lists what there is, in columns alike."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from sqlalchemy import (
    BigInteger,
    FromClause,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from api.store import consents
from api.store.fhir import people
from api.store.fhir.columns import Arm, Condition, Value, as_text, places
from api.store.fhir.told import repeated
from api.store.fhir.wanted import MOST, WINDOW_NS, Wanted
from api.tables import (
    ChunkRow,
    ReadingRow,
    ResponseRow,
    RevisionRow,
    SessionRow,
    StreamRow,
)
from kiosk.messages import SECOND


def _mine(wanted: Wanted) -> list[Condition]:
    """What sessions are asked of: within the arms, so that the index is used."""
    said: list[Condition] = []
    if wanted.clinic is not None:
        said.append(col(SessionRow.clinic_id) == wanted.clinic)
    if wanted.patients is not None:
        said.append(col(SessionRow.patient_id).in_(wanted.patients))
    if wanted.sessions is not None:
        said.append(col(SessionRow.id).in_(wanted.sessions))
    if wanted.sharing:
        said.append(consents.agrees(col(SessionRow.patient_id), "share"))
    return said


_origin = func.coalesce(col(SessionRow.origin_utc_ns), col(SessionRow.first_seen_ns))
_end = case(
    (
        and_(col(SessionRow.origin_utc_ns).is_not(None), col(SessionRow.ended_ns).is_not(None)),
        col(SessionRow.origin_utc_ns) + col(SessionRow.ended_ns),
    ),
    else_=literal(MOST, BigInteger),
)
"""A period without an end has not ended, as far as one knows."""
_newest = and_(col(RevisionRow.session_id) == col(SessionRow.id), col(RevisionRow.number) == col(SessionRow.revision))
_heard = func.coalesce(col(RevisionRow.created_ns), col(SessionRow.last_seen_ns))


def _readings(wanted: Wanted) -> Arm:
    first, twin = aliased(ReadingRow), aliased(ReadingRow)
    # one id for what every revision says of the same thing: the oldest row's. Where one revision says it twice - a
    # device that began anew with another rate - the second is told by itself, under its own
    same = select(func.min(col(first.id))).where(
        col(first.session_id) == col(ReadingRow.session_id),
        col(first.measure) == col(ReadingRow.measure),
        col(first.source) == col(ReadingRow.source),
        col(first.scope) == col(ReadingRow.scope),
        col(first.revision) > 0,
    )
    alone = or_(col(ReadingRow.revision) == 0, repeated(ReadingRow))
    oldest = case((alone, col(ReadingRow.id)), else_=same.scalar_subquery())
    # diastolic pressure is told with the systolic that was measured with it
    told_elsewhere = and_(
        col(ReadingRow.measure) == "diastolic",
        exists().where(
            col(twin.session_id) == col(ReadingRow.session_id),
            col(twin.revision) == col(ReadingRow.revision),
            col(twin.measure) == "systolic",
            col(twin.source) == col(ReadingRow.source),
            col(twin.scope) == col(ReadingRow.scope),
            col(twin.start_ns) == col(ReadingRow.start_ns),
            col(twin.end_ns) == col(ReadingRow.end_ns),
        ),
    )
    query = (
        places(
            key=(literal("r-") + as_text(oldest)),
            row=col(ReadingRow.id),
            session=col(SessionRow.id),
            patient=col(SessionRow.patient_id),
            at=(_origin + col(ReadingRow.start_ns)),
            until=(_origin + col(ReadingRow.end_ns)),
            updated=_heard,
            code=col(ReadingRow.measure),
        )
        .join(SessionRow, col(SessionRow.id) == col(ReadingRow.session_id))
        .outerjoin(RevisionRow, _newest)
        .where(
            or_(col(ReadingRow.revision) == 0, col(ReadingRow.revision) == col(SessionRow.revision)),
            ~told_elsewhere,
            *_mine(wanted),
        )
    )
    codes = wanted.columns.get("code")
    return query if codes is None else query.where(col(ReadingRow.measure).in_(codes))


def _traces(wanted: Wanted) -> Arm:
    window = col(ChunkRow.start_ns) // literal(WINDOW_NS, BigInteger)
    last = col(ChunkRow.start_ns) + cast((col(ChunkRow.count) - 1) * float(SECOND) / col(StreamRow.rate), BigInteger)
    # over all sessions, it would go through every chunk that there is
    narrow = wanted.patients is not None or wanted.sessions is not None
    return (
        places(
            key=(literal("w-") + as_text(col(StreamRow.id)) + literal("-") + as_text(window)),
            row=col(StreamRow.id),
            part=window,
            session=col(SessionRow.id),
            patient=col(SessionRow.patient_id),
            at=(_origin + func.min(col(ChunkRow.start_ns))),
            until=(_origin + func.max(last)),
            updated=col(SessionRow.last_seen_ns),
            code=literal("ecg"),
        )
        .select_from(SessionRow)
        .join(StreamRow, col(StreamRow.session_id) == col(SessionRow.id))
        .join(ChunkRow, col(ChunkRow.stream_id) == col(StreamRow.id))
        .where(col(StreamRow.signal) == "ecg", col(StreamRow.rate).is_not(None), *_mine(wanted))
        .where(true() if narrow and wanted.columns.get("code", {"ecg"}) >= {"ecg"} else false())
        .group_by(col(SessionRow.id), col(StreamRow.id), window)
    )


def _panels(wanted: Wanted, vitals: Collection[str]) -> Arm:
    measured = exists().where(
        col(ReadingRow.session_id) == col(SessionRow.id),
        or_(col(ReadingRow.revision) == 0, col(ReadingRow.revision) == col(SessionRow.revision)),
        col(ReadingRow.measure).in_(list(vitals)),
    )
    return (
        places(
            key=(literal("v-") + col(SessionRow.id)),
            session=col(SessionRow.id),
            patient=col(SessionRow.patient_id),
            at=_origin,
            until=_end,
            updated=_heard,
            code=literal("vitals"),
        )
        .select_from(SessionRow)
        .outerjoin(RevisionRow, _newest)
        .where(measured, *_mine(wanted))
    )


def _observations(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    return union_all(_readings(wanted), _traces(wanted), _panels(wanted, vitals)).subquery("places")


def _sessions(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    del vitals
    updated = func.coalesce(col(SessionRow.closed_ns), col(SessionRow.last_seen_ns))
    later = case((updated > col(SessionRow.last_seen_ns), updated), else_=col(SessionRow.last_seen_ns))
    return _of_sessions(col(SessionRow.id), wanted, later, col(SessionRow.state)).subquery("places")


def _of_sessions(key: Value, wanted: Wanted, updated: Value, status: Value) -> Arm:
    return places(
        key=key,
        session=col(SessionRow.id),
        patient=col(SessionRow.patient_id),
        at=_origin,
        until=_end,
        updated=updated,
        status=status,
    ).where(*_mine(wanted))


def _reports(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    del vitals
    query = _of_sessions(col(SessionRow.id), wanted, col(RevisionRow.created_ns), col(RevisionRow.outcome))
    return query.join(RevisionRow, _newest).subquery("places")


def _provenances(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    del vitals
    return (
        places(
            key=(col(SessionRow.id) + literal(" ") + as_text(col(RevisionRow.number))),
            row=col(RevisionRow.number),
            session=col(SessionRow.id),
            patient=col(SessionRow.patient_id),
            at=col(RevisionRow.created_ns),
            updated=col(RevisionRow.created_ns),
        )
        .join(SessionRow, col(SessionRow.id) == col(RevisionRow.session_id))
        .where(*_mine(wanted))
        .subquery("places")
    )


def _responses(wanted: Wanted, vitals: Collection[str]) -> FromClause:
    del vitals
    return (
        places(
            key=col(ResponseRow.id),
            session=col(SessionRow.id),
            patient=col(SessionRow.patient_id),
            at=col(ResponseRow.created_ns),
            updated=col(ResponseRow.created_ns),
            questionnaire=col(ResponseRow.questionnaire),
        )
        .join(SessionRow, col(SessionRow.id) == col(ResponseRow.session_id))
        .where(*_mine(wanted))
        .subquery("places")
    )


ARMS: Mapping[str, Callable[[Wanted, Collection[str]], FromClause]] = MappingProxyType(
    {
        "Consent": people.consents,
        "Device": people.devices,
        "DiagnosticReport": _reports,
        "Encounter": _sessions,
        "Observation": _observations,
        "Patient": people.patients,
        "Provenance": _provenances,
        "QuestionnaireResponse": _responses,
    }
)
