"""Tokens by their digests: found, traded in once, revoked; and the logins that they make up."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import TokenRow, UserRow

KEPT_NS = 7 * 24 * 3600 * 1_000_000_000
"""How long a refresh token is remembered after its end, so that its reuse is seen as long as its family may live."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is, and all that decides what it is good for."""

    user: str
    role: str
    clinic: str | None
    must_change: bool
    has_second_factor: bool
    has_password: bool
    family: str
    via: str


@dataclass(frozen=True, slots=True)
class Login:
    """A family of tokens: one login somewhere, as long as it lasts."""

    family: str
    via: str
    began_ns: int
    renewed_ns: int
    expires_ns: int


# built once: every request asks this, and building a query costs as much as asking it
_HOLDER = (
    select(
        col(UserRow.id),
        col(UserRow.role),
        col(UserRow.clinic_id),
        col(UserRow.must_change),
        col(UserRow.totp).is_not(None),
        col(UserRow.password).is_not(None),
        col(TokenRow.family),
        col(TokenRow.via),
    )
    .join(UserRow, col(UserRow.id) == col(TokenRow.user_id))
    .where(
        col(TokenRow.digest) == bindparam("digest"),
        col(TokenRow.kind) == "access",
        col(TokenRow.expires_ns) > bindparam("now"),
        col(TokenRow.revoked_ns).is_(None),
        col(UserRow.disabled_ns).is_(None),
    )
)


def holder(db: Session, digest: str, now: int) -> Holder | None:
    """Whose access token this is, if it counts: not expired, not revoked, its user not disabled."""
    row = db.connection().execute(_HOLDER, {"digest": digest, "now": now}).one_or_none()
    return None if row is None else Holder(*row)


def lives(db: Session, family: str, now: int) -> bool:
    """Whether any token of a login still counts, and its user is not disabled."""
    wanted = (
        select(col(TokenRow.digest))
        .join(UserRow, col(UserRow.id) == col(TokenRow.user_id))
        .where(
            col(TokenRow.family) == family,
            col(TokenRow.expires_ns) > now,
            col(TokenRow.used_ns).is_(None),
            col(TokenRow.revoked_ns).is_(None),
            col(UserRow.disabled_ns).is_(None),
        )
        .limit(1)
    )
    return db.execute(wanted).first() is not None


def add(db: Session, rows: Iterable[TokenRow]) -> None:
    """Remember new tokens."""
    db.add_all(rows)
    db.flush()


def get(db: Session, digest: str) -> TokenRow | None:
    """One token, as the database has it now."""
    return db.get(TokenRow, digest, populate_existing=True)


def spend(db: Session, digest: str, now: int) -> bool:
    """Trade a refresh token in; False when somebody did before."""
    unused = col(TokenRow.used_ns).is_(None)
    done = db.execute(update(TokenRow).where(col(TokenRow.digest) == digest, unused).values(used_ns=now))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def began(db: Session, family: str) -> int | None:
    """When a login was made."""
    return db.execute(select(func.min(col(TokenRow.created_ns))).where(col(TokenRow.family) == family)).scalar()


def revoke(db: Session, family: str, now: int, *, user: str | None = None) -> bool:
    """End a login, if it is this user's; whether there was anything to end."""
    mine = [col(TokenRow.family) == family, col(TokenRow.revoked_ns).is_(None)]
    if user is not None:
        mine.append(col(TokenRow.user_id) == user)
    return bool(db.execute(update(TokenRow).where(*mine).values(revoked_ns=now)).rowcount)  # type: ignore[attr-defined]


def revoke_all(db: Session, user: str, now: int, *, but: str | None = None) -> None:
    """End all logins of a user, but perhaps one."""
    mine = [col(TokenRow.user_id) == user, col(TokenRow.revoked_ns).is_(None)]
    if but is not None:
        mine.append(col(TokenRow.family) != but)
    db.execute(update(TokenRow).where(*mine).values(revoked_ns=now))


def logins(db: Session, user: str, now: int) -> list[Login]:
    """A user's logins that still count, newest first."""
    begun = func.min(col(TokenRow.created_ns)).label("began")
    query = (
        select(
            col(TokenRow.family),
            col(TokenRow.via),
            begun,
            func.max(col(TokenRow.created_ns)),
            func.max(col(TokenRow.expires_ns)),
        )
        .where(col(TokenRow.user_id) == user, col(TokenRow.revoked_ns).is_(None))
        .group_by(col(TokenRow.family), col(TokenRow.via))
        .having(func.max(col(TokenRow.expires_ns)) > now)
        .order_by(begun.desc(), col(TokenRow.family))
    )
    return [Login(*row) for row in db.execute(query)]


def forget_old(db: Session, now: int) -> None:
    """Delete what neither opens anything nor betrays a thief any more."""
    db.execute(
        delete(TokenRow).where(
            col(TokenRow.expires_ns) < now,
            or_(col(TokenRow.kind) == "access", col(TokenRow.expires_ns) < now - KEPT_NS),
        )
    )
