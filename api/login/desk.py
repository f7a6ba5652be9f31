"""The desk: where one logs in, proves who one is, and is told nothing about anybody else."""

import asyncio
import time
from dataclasses import dataclass
from enum import Enum

from starlette.concurrency import run_in_threadpool

from api import errors
from api.audit import ANONYMOUS, NO_ROLE, Auditor, Entry
from api.errors import Failed, Kind
from api.login import passwords, second_factor, tokens
from api.login.gate import DEMO
from api.login.passwords import Hashing
from api.login.throttle import Throttle
from api.login.tokens import Pair, Via
from api.store import Database, clock, users
from api.tables import UserRow
from kiosk.messages import SECOND
from kiosk.settings import Settings

FREE_FAILURES = 5
"""Wrong passwords in a row before an account rests. NIST SP 800-63B-4 section 3.2.2 allows 100 altogether."""
FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 30 * SECOND, 15 * 60 * SECOND
"""Doubled by each further failure. Not for ever: whoever knows a login could lock its owner out."""
FAILURE_TAKES = 0.5
"""Seconds before a failure is told: what was looked up, and whether a failure was counted, takes its time within."""

LOGIN = "login"
"""What the audit calls it."""


class Outcome(Enum):
    """How an attempt ended, and what is told."""

    WRONG = errors.WRONG_LOGIN
    CODE_NEEDED = errors.WANTS_CODE
    CODE_WRONG = errors.WRONG_CODE


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whose password is to be looked at, and what it must match."""

    user: str
    hashed: str


class Desk:
    """Logs in. One for each app: it holds what is left of everybody's attempts, and the few threads that hash."""

    def __init__(self, database: Database, settings: Settings, auditor: Auditor) -> None:
        self.database = database
        self._auditor = auditor
        self.hashing = Hashing()
        self.throttle = Throttle()
        self.failure_takes = FAILURE_TAKES
        self._demo = settings.demo

    async def log_in(self, login: str, password: str, code: str | None, via: Via, address: str) -> Pair:
        """A new login, or Failed: the same for an unknown user, a wrong password, a disabled and a resting account."""
        self.throttle.take(address)
        begun = time.monotonic()
        attempt = await run_in_threadpool(self._begin, login)
        right = await self.hashing.matches(attempt.hashed if attempt else None, password)
        renewed = None
        if attempt is not None and right and passwords.is_outdated(attempt.hashed):
            renewed = await self.hashing.hash(password)
        ended = Outcome.WRONG if attempt is None or not right else None
        if attempt is not None and ended is None:
            found = await run_in_threadpool(self._finish, attempt, code, via, renewed)
            if isinstance(found, Pair):
                return found
            ended = found
        assert ended is not None
        tried = attempt.user if attempt is not None else "?"
        await self._auditor.note(Entry(ANONYMOUS, NO_ROLE, LOGIN, "user", tried, "refused"))
        raise await self.failure(ended.value, begun)

    async def prove(self, user: str, password: str, address: str, *, forgiving: bool = True) -> None:
        """Let somebody who is logged in say their password again, or Failed(WRONG_PASSWORD).

        `forgiving`: nothing more is asked, and so the attempt counts as none.
        """
        self.throttle.take(address)
        begun = time.monotonic()
        attempt = await run_in_threadpool(self._begin_again, user)
        right = await self.hashing.matches(attempt.hashed if attempt else None, password)
        if attempt is None or not right:
            raise await self.failure(errors.WRONG_PASSWORD, begun)
        if forgiving:
            await run_in_threadpool(self.forgive, user)

    async def failure(self, kind: Kind, begun: float) -> Failed:
        """A failure, to be told no sooner than any other."""
        await asyncio.sleep(max(0.0, begun + self.failure_takes - time.monotonic()))
        return Failed(kind)

    # --- in threads

    def _begin(self, login: str) -> Attempt | None:
        with self.database.transaction() as db:
            user = users.by_login(db, login, lock=True)
            if user is not None and user.id.startswith(DEMO) and not self._demo:
                user = None
            return None if user is None else _count(user, clock.utc_now())

    def _begin_again(self, user: str) -> Attempt | None:
        with self.database.transaction() as db:
            row = users.get(db, user, lock=True)
            return None if row is None else _count(row, clock.utc_now())

    def _finish(self, attempt: Attempt, code: str | None, via: Via, renewed: str | None) -> Pair | Outcome:
        now = clock.utc_now()
        with self.database.transaction() as db:
            user = users.get(db, attempt.user, lock=True)
            # it may have changed while the password was hashed
            if user is None or user.disabled_ns is not None or user.password != attempt.hashed:
                return Outcome.WRONG
            if user.password_expires_ns is not None and user.password_expires_ns <= now:
                return Outcome.WRONG
            if user.totp is not None:
                if code is None:
                    _forgive(user)
                    return Outcome.CODE_NEEDED
                if not second_factor.takes(db, user, code, now):
                    return Outcome.CODE_WRONG
            user.failures, user.locked_ns = 0, None
            if renewed is not None:
                user.password = renewed
            db.flush()
            self._auditor.note_within(db, Entry(user.id, user.role, LOGIN, "user", user.id, "done", user.clinic_id))
            return tokens.begin(db, user, via, now)

    def forgive(self, user: str) -> None:
        """An attempt was right, all of it."""
        with self.database.transaction() as db:
            row = users.get(db, user, lock=True)
            if row is not None:
                _forgive(row)


def _count(user: UserRow, now: int) -> Attempt | None:
    """Count a failure before the password is looked at: many attempts at once are as many failures."""
    resting = user.locked_ns is not None and now < user.locked_ns
    if user.password is None or user.disabled_ns is not None or resting:
        return None
    user.failures += 1
    if user.failures >= FREE_FAILURES:
        # 2**5 * 30 s is beyond the longest
        doublings = min(user.failures - FREE_FAILURES, 5)
        user.locked_ns = now + min(FIRST_PAUSE_NS << doublings, LONGEST_PAUSE_NS)
    return Attempt(user.id, user.password)


def _forgive(user: UserRow) -> None:
    """Take back the failure that was counted before: the password was right."""
    user.failures, user.locked_ns = max(0, user.failures - 1), None
