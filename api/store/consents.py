"""Consents: the texts, word for word and never changed; who agreed to what, when, and who took it back."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from api.tables import ConsentRow, ConsentTextRow
from kiosk.errors import KioskError

Purpose = Literal["measure", "store", "share", "research", "talk"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class TextTaken(KioskError):
    """There is a text of this version and language already."""


def allows(db: Session, patient: str, purpose: Purpose) -> bool:
    """Whether this person agrees to it now. Nobody agrees by silence."""
    return purpose in allowed(db, patient)


def allowed(db: Session, patient: str) -> set[Purpose]:
    """All that this person agrees to now: what was agreed to after it was last taken back.

    The last act counts, not the number of rows: a merged patient may have agreed under both ids, and taken back once.
    """
    return {purpose for purpose in PURPOSES if patient in _agreeing(db, purpose, [patient])}


def agreeing(db: Session, purpose: Purpose, patients: Iterable[str] | None = None) -> set[str]:
    """The patients who agree to a purpose now, of these or of all: for an export of many."""
    return _agreeing(db, purpose, patients)


def agrees(patient: Any, purpose: Purpose) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    """For a query: this column's patient agrees to a purpose now. What is nobody's has nobody's consent."""
    given, taken_back = aliased(ConsentRow), aliased(ConsentRow)
    later = exists().where(
        col(taken_back.patient_id) == patient,
        col(taken_back.purpose) == purpose,
        col(taken_back.withdrawn_ns) >= col(given.given_ns),
    )
    return exists().where(
        col(given.patient_id) == patient, col(given.purpose) == purpose, col(given.withdrawn_ns).is_(None), ~later
    )


def withdrawn(db: Session, purpose: Purpose) -> set[str]:
    """The patients who agreed once and do no more. Who was never asked is not among them."""
    ever = select(col(ConsentRow.patient_id)).where(
        col(ConsentRow.purpose) == purpose, col(ConsentRow.withdrawn_ns).is_not(None)
    )
    return set(db.execute(ever.distinct()).scalars()) - _agreeing(db, purpose, None)


def _agreeing(db: Session, purpose: str, patients: Iterable[str] | None) -> set[str]:
    given = func.max(col(ConsentRow.given_ns)).filter(col(ConsentRow.withdrawn_ns).is_(None))
    taken_back = func.max(col(ConsentRow.withdrawn_ns))
    query = select(col(ConsentRow.patient_id)).where(col(ConsentRow.purpose) == purpose)
    if patients is not None:
        query = query.where(col(ConsentRow.patient_id).in_(list(patients)))
    query = query.group_by(col(ConsentRow.patient_id)).having(
        given.is_not(None), (taken_back.is_(None)) | (given > taken_back)
    )
    return set(db.execute(query).scalars())


def give(db: Session, consent: ConsentRow) -> None:
    """Note that somebody agreed."""
    db.add(consent)
    db.flush()


def get(db: Session, consent: str) -> ConsentRow | None:
    """One consent, as the database has it now."""
    return db.get(ConsentRow, consent, populate_existing=True)


def of_patient(db: Session, patient: str) -> list[ConsentRow]:
    """All that a patient ever agreed to, the newest first."""
    mine = select(ConsentRow).where(col(ConsentRow.patient_id) == patient)
    return list(db.execute(mine.order_by(col(ConsentRow.given_ns).desc(), col(ConsentRow.id))).scalars())


def withdraw(db: Session, consent: str, by: str, now: int) -> None:
    """Take a consent back. What was taken back before stays as it was."""
    standing = (col(ConsentRow.id) == consent) & col(ConsentRow.withdrawn_ns).is_(None)
    db.execute(update(ConsentRow).where(standing).values(withdrawn_ns=now, withdrawn_by=by))


def add_text(db: Session, text: ConsentTextRow) -> None:
    """Add a text; TextTaken where one of this version and language stands already."""
    try:
        with db.begin_nested():
            db.add(text)
    except IntegrityError:
        raise TextTaken("another text has this version and language") from None


def texts(db: Session) -> list[ConsentTextRow]:
    """All texts, the newest first."""
    order = (col(ConsentTextRow.created_ns).desc(), col(ConsentTextRow.version), col(ConsentTextRow.language))
    return list(db.execute(select(ConsentTextRow).order_by(*order)).scalars())


def text_of(db: Session, version: str, language: str) -> ConsentTextRow | None:
    """One text."""
    return db.get(ConsentTextRow, (version, language))
