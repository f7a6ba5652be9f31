"""The second factor: set up, confirmed, used, lost. Its secret is sealed; of recovery codes there are keyed hashes."""

import base64
import binascii
import hmac
import re
import secrets
from dataclasses import dataclass

import segno

from api.login import totp
from api.store import Tampered, Transaction, users, vault_of
from api.store.sealing import Box
from api.tables import UserRow
from kiosk.messages import SECOND

RECOVERY_CODES = 10
ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""No letters or digits that people confuse, and no vowels that make words."""
PENDING_NS = 15 * 60 * SECOND
"""How long one may take to scan the code and type the first number."""
_PURPOSE = "second-factor"


@dataclass(frozen=True, slots=True)
class Offer:
    """A second factor that is not confirmed yet."""

    secret: str
    """To be typed where nothing can be scanned."""
    address: str
    qr: str
    """A picture of the address, as a data: address."""
    pending: str
    """The secret, sealed for this user and a quarter of an hour: comes back with the first code."""


def offer(db: Transaction, user: UserRow, now: int) -> Offer:
    """A new secret for a user. Nothing is stored until it is confirmed."""
    secret = totp.make_secret()
    address = totp.address_of(secret, user.login)
    sealed = _box(db).seal(f"{now + PENDING_NS} ".encode() + secret, f"pending:{user.id}")
    qr = segno.make(address, error="m").svg_data_uri(border=4, scale=4, dark="#000", light="#fff")
    return Offer(totp.text_of(secret), address, qr, base64.urlsafe_b64encode(sealed).decode())


def confirm(db: Transaction, user: UserRow, pending: str, code: str, now: int) -> list[str] | None:
    """Set an offered second factor up, if the code is its; the recovery codes, which nobody is shown again."""
    try:
        until, _, secret = _box(db).open(base64.urlsafe_b64decode(pending), f"pending:{user.id}").partition(b" ")
    except (Tampered, binascii.Error):
        return None
    step = totp.step_of(secret, code, now) if now < int(until) else None
    if step is None:
        return None
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    users.change(
        db,
        user.id,
        {
            "totp": _box(db).seal(secret, f"totp:{user.id}"),
            "totp_step": step,
            "recovery": [_digest(db, user.id, each) for each in codes],
        },
    )
    return codes


def renew_codes(db: Transaction, user: str) -> list[str]:
    """Other recovery codes, in place of those that are left."""
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    users.change(db, user, {"recovery": [_digest(db, user, each) for each in codes]})
    return codes


def remove(db: Transaction, user: str) -> None:
    """Take the second factor away."""
    users.change(db, user, {"totp": None, "totp_step": None, "recovery": None})


def takes(db: Transaction, user: UserRow, code: str, now: int) -> bool:
    """Whether a code, or a recovery code, is right; it is used up by that."""
    assert user.totp is not None
    given = re.sub(r"[\s-]", "", code).upper()
    if len(given) == totp.DIGITS:
        step = totp.step_of(_box(db).open(user.totp, f"totp:{user.id}"), given, now)
        return step is not None and users.use_step(db, user.id, step)
    digest = _digest(db, user.id, given)
    left = [each for each in user.recovery or [] if not hmac.compare_digest(each, digest)]
    if len(left) == len(user.recovery or []):
        return False
    users.note(db, user.id, {"recovery": left})
    return True


def _box(db: Transaction) -> Box:
    return vault_of(db).purpose(_PURPOSE)


def _digest(db: Transaction, user: str, code: str) -> str:
    return _box(db).digest("recovery", user, code.replace("-", ""))


def _recovery_code() -> str:
    """Twelve random characters in three groups: 57 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
