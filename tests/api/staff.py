"""Users for tests, and logins of theirs made straight in the database: hashing a password takes long on purpose."""

from typing import Any

from sqlalchemy.orm import Session

from api.login import tokens
from api.login.gate import Gate
from api.security import Role
from api.store import Database, users, utc_now
from api.tables import MAIN, ClinicRow, TokenRow, UserRow

PASSWORD = "correct horse battery staple"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$+pXY4th/P8cYEmy7LEM17w$PWQQBv2ZvA1ND8oW5AuylJ0uTmC5W4+cCPzYvzqWwFE"
"""Of PASSWORD."""


def _clinic(db: Session, clinic: str | None) -> None:
    if clinic is not None and db.get(ClinicRow, clinic) is None:
        db.add(ClinicRow(id=clinic, name=clinic.title(), created_ns=utc_now()))
        db.flush()


def hire(
    database: Database, role: Role | str, clinic: str | None = MAIN, *, login: str | None = None, **more: Any
) -> UserRow:
    """A user of this role in this clinic (None: in all of them), whose password is PASSWORD; made once."""
    login = login or f"{role}-{clinic or 'all'}"
    with database.transaction() as db:
        known = users.by_login(db, login)
        if known is not None:
            return known
        _clinic(db, clinic)
        user = UserRow(
            id=f"u-{login}",
            login=login,
            name=login.title(),
            role=Role(role),
            clinic_id=clinic,
            password=HASH,
            created_ns=utc_now(),
            **more,
        )
        users.add(db, user)
    return user


def bearer(database: Database, user: UserRow) -> dict[str, str]:
    """The header of a login of this user."""
    with database.transaction() as db:
        pair = tokens.begin(db, user, "bearer", utc_now())
    return {"Authorization": f"Bearer {pair.access}"}


KNOWN = {"Authorization": f"Bearer {tokens.ACCESS}for-tests-alone"}
"""The header of the login that `let_in` makes."""


def let_in(database: Database, user: UserRow | None = None) -> None:
    """Let whoever sends KNOWN be this user; a clinician of the main clinic, if nobody is said."""
    user, now = user or hire(database, Role.CLINICIAN), utc_now()
    token = KNOWN["Authorization"].removeprefix("Bearer ")
    row = TokenRow(
        digest=tokens.digest(token), user_id=user.id, family="l-known", kind="access", via="bearer",
        created_ns=now, expires_ns=now + tokens.MOST_NS,
    )  # fmt: skip
    with database.transaction() as db:
        db.add(row)


def cookies(database: Database, gate: Gate, user: UserRow) -> dict[str, str]:
    """The cookies of a login of this user in a browser."""
    with database.transaction() as db:
        pair = tokens.begin(db, user, "cookie", utc_now())
    names = gate.cookies
    csrf = gate.csrf_of(pair.family)
    return {names.access: pair.access, names.refresh: pair.refresh, names.csrf: csrf}
