"""API keys by their digests: found, listed, revoked."""

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.orm import Session
from sqlmodel import col

from api.tables import ApiKeyRow


def add(db: Session, key: ApiKeyRow) -> None:
    """Remember a new key."""
    db.add(key)
    db.flush()


def get(db: Session, key: str) -> ApiKeyRow | None:
    """One key, as the database has it now."""
    return db.get(ApiKeyRow, key, populate_existing=True)


def counting(db: Session, now: int, *, digest: str | None = None, key: str | None = None) -> ApiKeyRow | None:
    """A key that counts - not revoked, not expired - by its digest or its id."""
    query = select(ApiKeyRow).where(
        col(ApiKeyRow.revoked_ns).is_(None),
        or_(col(ApiKeyRow.expires_ns).is_(None), col(ApiKeyRow.expires_ns) > now),
    )
    wanted = col(ApiKeyRow.digest) == digest if digest is not None else col(ApiKeyRow.id) == key
    return db.execute(query.where(wanted)).scalar_one_or_none()


def page(db: Session, clinic: str | None, *, limit: int, before: tuple[int, str] | None = None) -> list[ApiKeyRow]:
    """Keys of a clinic (None: of all), newest first; `before` is (created_ns, id) of the last one seen."""
    query = select(ApiKeyRow).order_by(col(ApiKeyRow.created_ns).desc(), col(ApiKeyRow.id).desc()).limit(limit)
    if clinic is not None:
        query = query.where(col(ApiKeyRow.clinic_id) == clinic)
    if before is not None:
        query = query.where(tuple_(col(ApiKeyRow.created_ns), col(ApiKeyRow.id)) < before)
    return list(db.execute(query).scalars())


def note_use(db: Session, key: str, now: int, *, every: int) -> None:
    """A key was used; written only where the last word is older than `every`."""
    stale = or_(col(ApiKeyRow.used_ns).is_(None), col(ApiKeyRow.used_ns) <= now - every)
    db.execute(update(ApiKeyRow).where(col(ApiKeyRow.id) == key, stale).values(used_ns=now))


def revoke(db: Session, key: str, now: int) -> None:
    """A key counts no more. When it was revoked first stays."""
    unrevoked = col(ApiKeyRow.revoked_ns).is_(None)
    db.execute(update(ApiKeyRow).where(col(ApiKeyRow.id) == key, unrevoked).values(revoked_ns=now))
