"""The users of a demonstration. Their passwords are random, and lie in its data folder; elsewhere they are nobody."""

import os
from pathlib import Path

import msgspec

from api.login import passwords, staff
from api.login.gate import DEMO
from api.security import Role
from api.store import Database, clock, users
from api.tables import MAIN, UserRow

FILE = "demo-logins.json"
CLINICIAN = "demo"
LOGINS = {
    CLINICIAN: Role.CLINICIAN,
    "demo-operator": Role.OPERATOR,
    "demo-admin": Role.ADMINISTRATOR,
    "demo-researcher": Role.RESEARCHER,
    "demo-auditor": Role.AUDITOR,
}


def make_logins(database: Database, folder: Path) -> dict[str, str]:
    """The demonstration's users and their passwords, the same as last time where the file is still there."""
    path = folder / FILE
    known = _read(path)
    given = {login: known.get(login) or staff.make_password() for login in LOGINS}
    if given != known:
        _write(path, given)
    for login, role in LOGINS.items():
        with database.transaction() as db:
            row = users.get(db, f"{DEMO}{role}")
            if row is None:
                hashed = passwords.hash_of(given[login])
                users.add(db, _user(login, role, hashed))
            elif row.password is None or not passwords.verify(row.password, given[login]):
                staff.set_password(db, row.id, passwords.hash_of(given[login]), must_change=False)
    return given


def _user(login: str, role: Role, hashed: str) -> UserRow:
    return UserRow(
        id=f"{DEMO}{role}",
        login=login,
        name=f"Demo {role}",
        role=role,
        clinic_id=MAIN,
        password=hashed,
        created_ns=clock.utc_now(),
    )


def _read(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def _write(path: Path, given: dict[str, str]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(given)) + b"\n")
