"""Codes that change every half minute: TOTP, RFC 6238 (2011) over HOTP, RFC 4226 (2005)."""

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from kiosk.messages import SECOND

STEP_NS = 30 * SECOND
DIGITS = 6
AROUND = 1
"""Steps that a clock may be off, either way: RFC 6238 section 5.2 recommends at most one for delay."""
SECRET_BYTES = 20
"""As long as the hash: RFC 4226 section 4, R6 recommends 160 bits."""
ISSUER = "health-kiosk"


def make_secret() -> bytes:
    """A new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def step_at(now: int) -> int:
    """The number of the half minute that a UTC time is in."""
    return now // STEP_NS


def code(secret: bytes, step: int, *, digits: int = DIGITS, algorithm: Callable[..., Any] = hashlib.sha1) -> str:
    """The code of a step (RFC 4226 section 5.3). SHA-1 is what apps know; in HMAC its collisions do no harm."""
    mac = hmac.new(secret, struct.pack(">Q", step), algorithm).digest()
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def step_of(secret: bytes, given: str, now: int) -> int | None:
    """The step, about now, that a code is of; None for a wrong one. Which may still be used, the caller knows."""
    present = step_at(now)
    found = None
    for step in range(present - AROUND, present + AROUND + 1):
        # all of them, whichever it is
        if hmac.compare_digest(code(secret, step).encode(), given.encode()):
            found = step
    return found


def text_of(secret: bytes) -> str:
    """A secret as people type it into their app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address_of(secret: bytes, login: str) -> str:
    """What the QR code says to an app."""
    return (
        f"otpauth://totp/{quote(ISSUER)}:{quote(login)}?secret={text_of(secret)}"
        f"&issuer={quote(ISSUER)}&algorithm=SHA1&digits={DIGITS}&period={STEP_NS // SECOND}"
    )
