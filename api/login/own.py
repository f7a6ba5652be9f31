"""What users change about their own login: each time they say their password again."""

import time
from typing import Literal

from starlette.concurrency import run_in_threadpool

from api import errors
from api.errors import Failed
from api.login import second_factor, staff, tokens
from api.login.desk import Desk
from api.login.second_factor import Offer
from api.login.tokens import Pair
from api.store import Transaction, clock, users
from api.store import tokens as store
from api.tables import UserRow


async def change_password(
    desk: Desk, user: str, via: Literal["cookie", "bearer", "key", "cli"], current: str, new: str, address: str
) -> Pair:
    """Change the password, end all logins, and begin a new one. Raises Failed, or Weak."""
    await desk.prove(user, current, address)
    row = await run_in_threadpool(_read, desk, user)
    staff.checked(new, (row.login, row.name))
    if new == current:
        raise staff.Weak("That is the password that you have.")
    hashed = await desk.hashing.hash(new)

    def change() -> Pair:
        with desk.database.transaction() as db:
            staff.set_password(db, user, hashed, must_change=False)
            return tokens.begin(db, _known(db, user), "cookie" if via == "cookie" else "bearer", clock.utc_now())

    return await run_in_threadpool(change)


async def offer_second_factor(desk: Desk, user: str, password: str, address: str) -> Offer:
    """A secret for an authenticator app. Nothing has changed yet."""
    await desk.prove(user, password, address)

    def offer() -> Offer:
        with desk.database.reading() as db:
            row = _known(db, user)
            if row.totp is not None:
                raise Failed(errors.HAS_FACTOR)
            return second_factor.offer(db, row, clock.utc_now())

    return await run_in_threadpool(offer)


def confirm_second_factor(desk: Desk, user: str, family: str | None, pending: str, code: str) -> list[str]:
    """Set the second factor up, and end all other logins; the recovery codes."""
    now = clock.utc_now()
    with desk.database.transaction() as db:
        row = _known(db, user)
        if row.totp is not None:
            raise Failed(errors.HAS_FACTOR)
        codes = second_factor.confirm(db, row, pending, code.replace(" ", ""), now)
        if codes is None:
            raise Failed(errors.NOT_CONFIRMED)
        store.revoke_all(db, user, now, but=family)
    return codes


async def remove_second_factor(
    desk: Desk, user: str, family: str | None, password: str, code: str, address: str
) -> None:
    """Take the second factor away, by itself and the password, and end all other logins."""
    begun = time.monotonic()
    await desk.prove(user, password, address, forgiving=False)

    def remove() -> bool:
        with desk.database.transaction() as db:
            row = _known(db, user)
            if row.totp is not None:
                if not second_factor.takes(db, row, code, clock.utc_now()):
                    return False
                second_factor.remove(db, user)
                store.revoke_all(db, user, clock.utc_now(), but=family)
        return True

    if not await run_in_threadpool(remove):
        raise await desk.failure(errors.WRONG_CODE, begun)
    await run_in_threadpool(desk.forgive, user)


async def renew_recovery_codes(desk: Desk, user: str, password: str, code: str, address: str) -> list[str]:
    """Other recovery codes for the second factor, by itself and the password."""
    begun = time.monotonic()
    await desk.prove(user, password, address, forgiving=False)

    def renew() -> list[str] | None:
        with desk.database.transaction() as db:
            row = _known(db, user)
            if row.totp is None or not second_factor.takes(db, row, code, clock.utc_now()):
                return None
            return second_factor.renew_codes(db, user)

    codes = await run_in_threadpool(renew)
    if codes is None:
        raise await desk.failure(errors.WRONG_CODE, begun)
    await run_in_threadpool(desk.forgive, user)
    return codes


def _read(desk: Desk, user: str) -> UserRow:
    with desk.database.reading() as db:
        return _known(db, user)


def _known(db: Transaction, user: str) -> UserRow:
    row = users.get(db, user, lock=True)
    if row is None or row.disabled_ns is not None:
        raise Failed(errors.NO_LOGIN)
    return row
