"""API keys: random, shown once, stored by digest alone; a role in a clinic, perhaps narrowed to some actions."""

import logging
import secrets
from collections.abc import Collection

from api.login.tokens import BYTES, digest
from api.security import ALLOWED, Action, Identity, Role
from api.store import Database, StoreError, api_keys, clock
from api.tables import ApiKeyRow
from kiosk.errors import KioskError
from kiosk.messages import SECOND

log = logging.getLogger(__name__)

PREFIX = "kk_"
"""How keys begin, so that scanners for leaked secrets know them."""
USE_EVERY = 60 * SECOND
"""A program may ask a thousand times a minute: when it did last is worth one write."""
ROLES = frozenset(Role) - {Role.ADMINISTRATOR}
"""What a key may be. Not an administrator: a key that leaked could make others that nobody knows of."""


class NotForKeys(KioskError):
    """An action that the role does not have, or that no key can do."""


def grantable(role: Role) -> frozenset[Action]:
    """What a key of this role can do at most. It has no account of its own."""
    if role not in ROLES:
        return frozenset()
    return frozenset(action for action, roles in ALLOWED.items() if role in roles) - {Action.OWN_ACCOUNT}


def new(
    name: str,
    role: Role,
    clinic: str | None,
    *,
    by: str,
    actions: Collection[Action] | None = None,
    expires_ns: int | None = None,
) -> tuple[ApiKeyRow, str]:
    """A key's row, and the key itself, which stands nowhere else. NotForKeys where the role has not all of that."""
    can = grantable(role)
    if not can or not can.issuperset(actions or ()):
        raise NotForKeys("a key of this role cannot do all of that")
    token = f"{PREFIX}{secrets.token_urlsafe(BYTES)}"
    row = ApiKeyRow(
        id=f"k-{secrets.token_hex(8)}",
        digest=digest(token),
        name=name,
        clinic_id=clinic,
        role=role,
        actions=None if actions is None else sorted(set(actions)),
        created_by=by,
        created_ns=clock.utc_now(),
        expires_ns=expires_ns,
    )
    return row, token


def identify(database: Database, token: str) -> Identity | None:
    """Who a key is; None for one that is unknown, expired or revoked."""
    if not token.startswith(PREFIX):
        return None
    now = clock.utc_now()
    with database.reading() as db:
        row = api_keys.counting(db, now, digest=digest(token))
    who = None if row is None else _identity(row)
    if row is not None and who is not None and (row.used_ns is None or now - row.used_ns >= USE_EVERY):
        try:
            with database.transaction() as db:
                api_keys.note_use(db, row.id, now, every=USE_EVERY)
        except StoreError as error:
            # nobody is kept out because a note could not be made
            log.warning("the last use of a key was not noted: %s", type(error).__name__)
    return who


def alive(database: Database, who: Identity) -> bool:
    """Whether a key still counts, for what is open longer than a request."""
    with database.reading() as db:
        return api_keys.counting(db, clock.utc_now(), key=who.id) is not None


def _identity(row: ApiKeyRow) -> Identity | None:
    """None where the row says what this version does not know: less is safer than more."""
    try:
        role = Role(row.role)
    except ValueError:
        return None
    can = grantable(role)
    narrowed = can if row.actions is None else can.intersection(row.actions)
    return Identity(id=row.id, role=role, clinic=row.clinic_id, via="key", actions=frozenset(narrowed))
