"""Which resources there are: for each its key, whose it is, and the times that searches ask for."""

from collections.abc import Collection

from sqlalchemy import BigInteger, ColumnElement, FromClause, String, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from api.store.fhir.arms import ARMS
from api.store.fhir.columns import Arm, Condition
from api.store.fhir.wanted import Place, Prefix, Span, Wanted


def find(db: Session, kind: str, wanted: Wanted, *, vitals: Collection[str] = ()) -> list[Place]:
    """Resources of a kind, in order."""
    places = ARMS[kind](wanted, vitals)
    by, key = places.c[wanted.by], places.c.key
    query = _chosen(select(places), places, wanted)
    if wanted.after is not None:
        here = tuple_(literal(wanted.after[0], BigInteger), literal(wanted.after[1], String))
        query = query.where(tuple_(by, key) < here if wanted.descending else tuple_(by, key) > here)
    order = (by.desc(), key.desc()) if wanted.descending else (by, key)
    rows = db.execute(query.order_by(*order).limit(wanted.limit))
    return [Place(row.key, row.row, row.part, row.session, row.patient, row.at, row.updated) for row in rows]


def count(db: Session, kind: str, wanted: Wanted, *, vitals: Collection[str] = ()) -> int:
    """How many there are."""
    places = ARMS[kind](wanted, vitals)
    return int(db.execute(_chosen(select(func.count()).select_from(places), places, wanted)).scalar_one())


def _chosen(query: Arm, places: FromClause, wanted: Wanted) -> Arm:
    if wanted.keys is not None:
        query = query.where(places.c.key.in_(wanted.keys))
    for name, values in wanted.columns.items():
        query = query.where(places.c[name].in_(values))
    for spans in wanted.dates:
        query = query.where(or_(*(_matches(each, places.c.at, places.c.until) for each in spans)))
    for spans in wanted.updated:
        query = query.where(or_(*(_matches(each, places.c.updated, places.c.updated) for each in spans)))
    return query


def _matches(span: Span, begin: ColumnElement[int], end: ColumnElement[int]) -> Condition:
    """The prefixes as the specification has them, of a target from `begin` to `end`, both included."""
    within = and_(begin >= span.start, end < span.end)
    above, below = end >= span.end, begin < span.start
    chosen: dict[Prefix, Condition] = {
        "eq": within,
        "ne": ~within,
        "gt": above,
        "lt": below,
        "ge": or_(above, within),
        "le": or_(below, within),
        "sa": begin >= span.end,
        "eb": end < span.start,
        "ap": and_(begin < span.end, end >= span.start),
    }
    return chosen[span.prefix]
