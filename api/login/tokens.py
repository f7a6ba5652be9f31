"""Tokens: opaque, random, stored by digest alone. A login is a family of them that ends as one."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from api.store import Transaction, tokens, users
from api.tables import TokenRow, UserRow
from kiosk.messages import SECOND

ACCESS, REFRESH = "ka_", "kr_"
"""How tokens begin, so that scanners for leaked secrets know them. API keys begin with kk_."""
BYTES = 32
"""256 bits: nobody guesses one, and a plain hash of it needs no salt."""
ACCESS_NS = 15 * 60 * SECOND
IDLE_NS = 12 * 3600 * SECOND
"""A working day: NIST SP 800-63B-4 (2025) section 2.2.3 asks for a limit on inactivity, and for one on the whole."""
MOST_NS = 7 * 24 * 3600 * SECOND
"""After that one logs in again, however busy."""
Via = Literal["cookie", "bearer"]


@dataclass(frozen=True, slots=True)
class Pair:
    """What a login is given: one token to use, one to get the next pair with."""

    access: str
    refresh: str
    family: str
    via: Via
    user: str
    access_expires_ns: int
    refresh_expires_ns: int


def digest(token: str) -> str:
    """How a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(db: Transaction, user: UserRow, via: Via, now: int) -> Pair:
    """A new login. Nothing of what the visitor had before goes on: a fixed session is worth nothing."""
    tokens.forget_old(db, now)
    users.note(db, user.id, {"seen_ns": now})
    return _pair(db, user.id, f"l-{secrets.token_hex(8)}", via, now, now + MOST_NS)


def renew(db: Transaction, token: str, via: Via, now: int) -> Pair | None:
    """The next pair; None where the token is not good. One that was used before ends its whole login.

    So whoever stole it, and whoever it was stolen from, are out together (RFC 9700 section 4.14.2).
    """
    row = tokens.get(db, digest(token))
    if row is None or row.kind != "refresh" or row.via != via or row.revoked_ns is not None or row.expires_ns <= now:
        return None
    user = users.get(db, row.user_id)
    if user is None or user.disabled_ns is not None:
        return None
    if not tokens.spend(db, row.digest, now):
        tokens.revoke(db, row.family, now)
        return None
    users.note(db, user.id, {"seen_ns": now})
    return _pair(db, user.id, row.family, via, now, (tokens.began(db, row.family) or now) + MOST_NS)


def family_of(db: Transaction, token: str) -> str | None:
    """The login that a refresh token is of, whether or not it is still good."""
    row = tokens.get(db, digest(token))
    return row.family if row is not None and row.kind == "refresh" else None


def _pair(db: Transaction, user: str, family: str, via: Via, now: int, end: int) -> Pair:
    access, refresh = (f"{kind}{secrets.token_urlsafe(BYTES)}" for kind in (ACCESS, REFRESH))
    access_ends, refresh_ends = min(now + ACCESS_NS, end), min(now + IDLE_NS, end)
    tokens.add(
        db,
        (
            TokenRow(
                digest=digest(token),
                user_id=user,
                family=family,
                kind=kind,
                via=via,
                created_ns=now,
                expires_ns=ends,
            )
            for token, kind, ends in ((access, "access", access_ends), (refresh, "refresh", refresh_ends))
        ),
    )
    return Pair(access, refresh, family, via, user, access_ends, refresh_ends)
