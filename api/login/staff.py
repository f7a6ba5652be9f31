"""Who is taken on, and what becomes of their logins when something about them changes."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.login import passwords, second_factor
from api.security import Role
from api.store import Transaction, clock, tokens, users
from api.tables import UserRow
from kiosk.errors import KioskError
from kiosk.messages import SECOND

LOGIN = r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}"
"""What a login consists of: no blanks, so that none is taken for another."""
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 5, 4


class Unmanaged(KioskError):
    """Nobody could manage users any more."""


class Weak(KioskError):
    """A password that is not good enough; its text says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A user, and the password that was made up for them."""

    user: UserRow
    password: str


def make_password() -> str:
    """A random password to be typed once: 99 bits in letters and digits that nobody confuses."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def checked(password: str, known: Iterable[str]) -> str:
    """The password, or Weak."""
    wrong = passwords.fault(password, known)
    if wrong is not None:
        raise Weak(wrong)
    return password


ONE_TIME_NS = 7 * 86_400 * SECOND
"""A password that somebody else set is used within a week, or made anew (OWASP ASVS 5.0, 6.4.1)."""


def new(login: str, name: str, role: Role, clinic: str | None, hashed: str, *, must_change: bool) -> UserRow:
    """The row of a new user."""
    return UserRow(
        id=f"u-{secrets.token_hex(8)}",
        login=login.casefold(),
        name=name,
        role=role,
        clinic_id=clinic,
        password=hashed,
        must_change=must_change,
        password_expires_ns=_expires(must_change=must_change),
        created_ns=clock.utc_now(),
    )


def _expires(*, must_change: bool) -> int | None:
    return clock.utc_now() + ONE_TIME_NS if must_change else None


def set_password(db: Transaction, user: str, hashed: str, *, must_change: bool) -> None:
    """Another password: all logins end, and so does the account's rest."""
    values = {
        "password": hashed,
        "must_change": must_change,
        "password_expires_ns": _expires(must_change=must_change),
        "failures": 0,
        "locked_ns": None,
    }
    users.change(db, user, values)
    tokens.revoke_all(db, user, clock.utc_now())


def remove_second_factor(db: Transaction, user: str) -> None:
    """Take a lost second factor away: all logins end."""
    second_factor.remove(db, user)
    tokens.revoke_all(db, user, clock.utc_now())


def change(db: Transaction, user: UserRow, values: Mapping[str, object], *, version: int | None = None) -> bool:
    """Change role, clinic, name or whether they may log in; False where the version is another one by now.

    What they may do changes with it, and so all logins end. Raises Unmanaged where nobody would be left to manage users
    where this administrator did.
    """
    given = {name: value for name, value in values.items() if getattr(user, name) != value}
    before, after = _manages(user), _manages(user.model_copy(update=given))
    if before != after and before and set(users.managers(db, Role.ADMINISTRATOR, user.clinic_id)) <= {user.id}:
        raise Unmanaged("this is the last administrator")
    if given and not users.change(db, user.id, given, version=version):
        return False
    if not given.keys().isdisjoint({"role", "clinic_id", "disabled_ns"}):
        tokens.revoke_all(db, user.id, clock.utc_now())
    return True


def _manages(user: UserRow) -> tuple[str | None] | None:
    """Of which clinic somebody manages the users, if of any."""
    return (user.clinic_id,) if user.role == Role.ADMINISTRATOR and user.disabled_ns is None else None
