"""Users: who may log in, and how often somebody tried in vain."""

from collections.abc import Mapping

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ClinicRow, UserRow
from kiosk.errors import KioskError


class LoginTaken(KioskError):
    """Another user has this login."""


def add(db: Session, user: UserRow) -> None:
    """Insert a user."""
    try:
        with db.begin_nested():
            db.add(user)
    except IntegrityError:
        raise LoginTaken("another user has this login") from None


def get(db: Session, user: str, *, lock: bool = False) -> UserRow | None:
    """One user, as the database has it now; `lock` where nobody else may change it until the transaction ends."""
    return db.get(UserRow, user, populate_existing=True, with_for_update=lock)


def by_login(db: Session, login: str, *, lock: bool = False) -> UserRow | None:
    """The user of this login, however its letters are written."""
    wanted = select(UserRow).where(col(UserRow.login) == login.casefold())
    if lock:
        wanted = wanted.with_for_update()
    return db.execute(wanted, execution_options={"populate_existing": True}).scalar_one_or_none()


def by_subject(db: Session, issuer: str, subject: str) -> UserRow | None:
    """Whom an identity provider means."""
    wanted = select(UserRow).where(col(UserRow.issuer) == issuer, col(UserRow.subject) == subject)
    return db.execute(wanted.with_for_update(), execution_options={"populate_existing": True}).scalar_one_or_none()


def page(db: Session, clinic: str | None, *, limit: int, before: tuple[int, str] | None = None) -> list[UserRow]:
    """Users of a clinic (None: of all), newest first; `before` is (created_ns, id) of the last one seen."""
    query = select(UserRow).order_by(col(UserRow.created_ns).desc(), col(UserRow.id).desc()).limit(limit)
    if clinic is not None:
        query = query.where(col(UserRow.clinic_id) == clinic)
    if before is not None:
        query = query.where(tuple_(col(UserRow.created_ns), col(UserRow.id)) < before)
    return list(db.execute(query).scalars())


def change(db: Session, user: str, values: Mapping[str, object], *, version: int | None = None) -> bool:
    """Set some of a user's columns, of this version if one is given; whether that was still the version."""
    wanted = update(UserRow).where(col(UserRow.id) == user)
    if version is not None:
        wanted = wanted.where(col(UserRow.version) == version)
    done = db.execute(wanted.values({**values, "version": UserRow.version + 1}))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def note(db: Session, user: str, values: Mapping[str, object]) -> None:
    """Set columns that are no change of the user: when they came, what of their codes is left."""
    db.execute(update(UserRow).where(col(UserRow.id) == user).values(dict(values)))


def managers(db: Session, role: str, clinic: str | None) -> list[str]:
    """Who has this role for a clinic, or for all, and may log in. Nobody else may change them meanwhile."""
    wanted = (
        select(col(UserRow.id))
        .where(col(UserRow.role) == role, col(UserRow.disabled_ns).is_(None))
        .where(or_(col(UserRow.clinic_id).is_(None), col(UserRow.clinic_id) == clinic))
        # in one order for everybody, so that two who disable each other wait and do not block
        .order_by(col(UserRow.id))
        .with_for_update()
    )
    return list(db.execute(wanted).scalars())


def clinic_exists(db: Session, clinic: str) -> bool:
    """Whether there is such a clinic."""
    return db.execute(select(col(ClinicRow.id)).where(col(ClinicRow.id) == clinic)).first() is not None


def use_step(db: Session, user: str, step: int) -> bool:
    """Take a step of the second factor; False when it, or a later one, was taken before."""
    unused = (col(UserRow.totp_step).is_(None)) | (col(UserRow.totp_step) < step)
    done = db.execute(update(UserRow).where(col(UserRow.id) == user, unused).values(totp_step=step))
    return bool(done.rowcount)  # type: ignore[attr-defined]
