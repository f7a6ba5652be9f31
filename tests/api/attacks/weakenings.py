"""Builds of the product with one protection taken out each: an attack that does not succeed there proves nothing."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlmodel import col
from starlette.requests import HTTPConnection

from api import errors, idempotency, middleware
from api.dashboard import entrance, rendering
from api.login import cookies, desk, gate, passwords, throttle, tokens
from api.routes import notes
from api.security import Identity
from api.store import clock, identities
from api.store import idempotency as answered
from api.store import tokens as token_store
from api.store.sealing import Box
from api.tables import PatientRow, TokenRow, UserRow
from tests.api.attacks import coming_in, feeding, in_pages, reaching
from tests.api.attacks.siege import Attack

Patch = Any  # pytest.MonkeyPatch: setattr(target, name, value)


@dataclass(frozen=True, slots=True)
class Weakening:
    """What is taken out, and the attack that must succeed then."""

    name: str
    weaken: Callable[[Patch], None]
    attack: Attack
    crashes: bool = False
    """An error of ours is what the attack achieves; anywhere else it would only mean that the weakening is broken."""


def _no_clinic_on_rows(patch: Patch) -> None:
    patch.setattr(Identity, "sees", lambda self, clinic: True)


def _no_clinic_filter(patch: Patch) -> None:
    identify = gate.Gate.identify

    def everywhere(self: gate.Gate, connection: HTTPConnection) -> Identity | None:
        who = identify(self, connection)
        return None if who is None else dataclasses.replace(who, clinic=None)

    patch.setattr(gate.Gate, "identify", everywhere)


def _everything_allowed(patch: Patch) -> None:
    patch.setattr(Identity, "may", lambda self, action: True)


def _no_csrf_check(patch: Patch) -> None:
    patch.setattr(cookies, "is_from_our_page", lambda *_: True)


def _double_submission_alone(patch: Patch) -> None:
    def equal(vault: object, family: str, headers: Any) -> bool:
        return f"kiosk-csrf={headers.get('x-csrf-token')}" in headers.get("cookie", "")

    patch.setattr(cookies, "is_from_our_page", equal)


def _no_origin_check(patch: Patch) -> None:
    patch.setattr(middleware, "same_origin", lambda headers: True)


def _no_host_check(patch: Patch) -> None:
    patch.setattr(middleware, "is_ours", lambda host, names=(): True)


def _no_throttle(patch: Patch) -> None:
    patch.setattr(throttle.Throttle, "take", lambda self, address: None)


def _forwarded_is_believed(patch: Patch) -> None:
    def said(connection: HTTPConnection, *, behind_proxy: bool) -> str:
        return connection.headers.get("x-forwarded-for", "")

    patch.setattr("api.routes.account.address_of", said)


def _no_lockout(patch: Patch) -> None:
    patch.setattr(desk, "FREE_FAILURES", 10**9)


def _no_work_for_strangers(patch: Patch) -> None:
    async def hurried(self: passwords.Hashing, hashed: str | None, password: str) -> bool:
        return hashed is not None and passwords.verify(hashed, password)

    patch.setattr(passwords.Hashing, "matches", hurried)


def _digest_of_a_part(patch: Patch) -> None:
    digest = tokens.digest
    for module in (tokens, gate):
        patch.setattr(module, "digest", lambda token: digest(token[:20].lower()))


def _any_token(where: Callable[[Any], Any], *, via: bool = True) -> Callable[[Patch], None]:
    """Tokens are found by their digest and some of the other conditions."""

    def weaken(patch: Patch) -> None:
        def holder(db: Session, digest: str, now: int) -> token_store.Holder | None:
            pairs = select(TokenRow, UserRow).join(UserRow, col(UserRow.id) == col(TokenRow.user_id))
            found = db.execute(where(pairs.where(col(TokenRow.digest) == digest))).one_or_none()
            if found is None:
                return None
            token, user = found
            return token_store.Holder(
                user=user.id, role=user.role, clinic=user.clinic_id, must_change=False, has_second_factor=False,
                has_password=True, family=token.family, via=token.via,
            )  # fmt: skip

        patch.setattr(token_store, "holder", holder)
        if not via:
            by_token = gate.Gate._by_token

            def either(self: gate.Gate, token: str, _: str) -> Identity | None:
                return by_token(self, token, "bearer") or by_token(self, token, "cookie")

            patch.setattr(gate.Gate, "_by_token", either)
        patch.setattr(gate, "ACCESS", "k")

    return weaken


def _refresh_again(patch: Patch) -> None:
    patch.setattr(token_store, "spend", lambda db, digest, now: True)


def _any_next(patch: Patch) -> None:
    def believed(given: str | None) -> str:
        return given or "/"

    patch.setattr(entrance, "next_of", believed)
    patch.setattr(coming_in, "next_of", believed)


def _sql_of_text(patch: Patch) -> None:
    def glued(db: Session, clinic: str | None, wanted: Sequence[tuple[str, str]], *, limit: int) -> list[PatientRow]:
        said = " AND ".join(f"pseudonym = '{each}'" for _, each in wanted)
        return list(db.execute(select(PatientRow).where(text(said)).limit(limit)).scalars())

    patch.setattr(identities, "find", glued)


def _pattern_of_text(patch: Patch) -> None:
    def unescaped(
        db: Session, clinic: str | None, wanted: Sequence[tuple[str, str]], *, limit: int
    ) -> list[PatientRow]:
        query = select(PatientRow).limit(limit)
        for _, said in wanted:
            query = query.where(col(PatientRow.pseudonym).like(f"{said}%"))
        return list(db.execute(query).scalars())

    patch.setattr(identities, "find", unescaped)


def _no_escaping(patch: Patch) -> None:
    made = Environment
    patch.setattr(rendering, "Environment", lambda **given: made(**{**given, "autoescape": False}))
    # pages of other tests must not be made with this one
    patch.setattr(rendering, "_templates", rendering._templates.__wrapped__)


def _errors_repeat(patch: Patch) -> None:
    def faults(found: Sequence[Any]) -> list[dict[str, str]]:
        return [{"where": ".".join(map(str, each["loc"])), "what": f"{each['msg']}: {each['input']}"} for each in found]

    patch.setattr(errors, "faults", faults)


def _logs_repeat(patch: Patch) -> None:
    faults = errors.faults

    def logged(found: Sequence[Any]) -> list[dict[str, str]]:
        errors.log.warning("refused %s", [each["input"] for each in found])
        return faults(found)

    patch.setattr(errors, "faults", logged)


def _any_cursor(patch: Patch) -> None:
    import base64
    import json

    def believed(cursor: str | None, shape: object) -> Any:
        return None if cursor is None else tuple(json.loads(base64.urlsafe_b64decode(cursor + "==")))

    for module in ("patients", "sessions", "users", "keys", "notes", "rules", "alerts", "analyses"):
        patch.setattr(f"api.routes.{module}.place_of", believed)


def _anybodys_note(patch: Patch) -> None:
    def seen(db: Any, who: Identity, note: str, if_match: str | None) -> Any:
        return notes._seen(db, who, note, hold=True)

    patch.setattr(notes, "_own", seen)


def _anybodys_key(patch: Patch) -> None:
    claim, finish = idempotency.claim, answered.finish

    patch.setattr(idempotency, "claim", lambda database, actor, key, request: claim(database, "all", key, request))
    patch.setattr(answered, "finish", lambda db, actor, key, answer: finish(db, "all", key, answer))


def _tags_ignored(patch: Patch) -> None:
    patch.setattr("api.routes.patients.check_version", lambda version, if_match: None)


def _nothing_sealed(patch: Patch) -> None:
    patch.setattr(Box, "seal", lambda self, data, where: data)
    patch.setattr(Box, "open", lambda self, sealed, where: sealed)


def _no_size_limit(patch: Patch) -> None:
    patch.setattr(middleware, "most_body", lambda scope: 10**12)
    patch.setattr("api.routes.analyses.Receiver", _generous())


def _generous() -> type[Any]:
    from api.uploads.receiving import Receiver

    class Generous(Receiver):
        def __init__(self, content_type: str, folder: Path, box: Box, analysis: str, most_bytes: int) -> None:
            super().__init__(content_type, folder, box, analysis, 10**12)

    return Generous


def _ids_in_a_row(patch: Patch) -> None:
    import itertools

    numbers = itertools.count(2**60)
    patch.setattr("secrets.token_hex", lambda size=8: f"{next(numbers):016x}")


def _expired(query: Any) -> Any:
    return query.where(col(TokenRow.kind) == "access", col(TokenRow.revoked_ns).is_(None))


def _revoked(query: Any) -> Any:
    return query.where(col(TokenRow.kind) == "access", col(TokenRow.expires_ns) > clock.utc_now())


def _kind_ignored(query: Any) -> Any:
    return query.where(col(TokenRow.revoked_ns).is_(None), col(UserRow.disabled_ns).is_(None))


WEAKENINGS = (
    Weakening("rows of every clinic are seen", _no_clinic_on_rows, reaching.foreign_paths),
    Weakening("lists have no clinic filter", _no_clinic_filter, reaching.foreign_lists),
    Weakening("ids in bodies are not checked", _no_clinic_on_rows, reaching.foreign_ids_in_bodies),
    Weakening("filters see every clinic", _no_clinic_filter, reaching.foreign_ids_in_queries),
    Weakening("the permission lets all through", _everything_allowed, reaching.every_action_of_every_role),
    Weakening("no CSRF check", _no_csrf_check, coming_in.cross_site_requests),
    Weakening("CSRF by double submission alone", _double_submission_alone, coming_in.neighbours_cookie),
    Weakening("no Origin check of sockets", _no_origin_check, coming_in.cross_site_socket),
    Weakening("no Host check", _no_host_check, coming_in.other_names),
    Weakening("no throttle", _no_throttle, coming_in.many_attempts),
    Weakening("X-Forwarded-For is believed", _forwarded_is_believed, coming_in.many_pretended_addresses),
    Weakening("no lock-out", _no_lockout, coming_in.guessing),
    Weakening("no lock-out within", _no_lockout, coming_in.guessing_within),
    Weakening("unknown logins are not hashed", _no_work_for_strangers, coming_in.asking_who_is_there),
    Weakening("digests of a part, without case", _digest_of_a_part, coming_in.changed_tokens),
    Weakening("the kind of a token is ignored", _any_token(_kind_ignored), coming_in.swapped_tokens),
    Weakening("where a token came is ignored", _any_token(_expired, via=False), coming_in.swapped_tokens),
    Weakening("expiry is ignored", _any_token(_expired), coming_in.late_tokens),
    Weakening("revocation is ignored", _any_token(_revoked), coming_in.late_tokens),
    Weakening("refresh tokens count twice", _refresh_again, coming_in.reused_refresh),
    Weakening("a login leads anywhere", _any_next, coming_in.led_elsewhere),
    Weakening("SQL of glued text", _sql_of_text, feeding.searching, crashes=True),
    Weakening("patterns of unescaped text", _pattern_of_text, feeding.searching),
    Weakening("templates escape nothing", _no_escaping, in_pages.written_pages),
    Weakening("errors repeat what was sent", _errors_repeat, feeding.few_fields),
    Weakening("logs repeat what was sent", _logs_repeat, feeding.few_fields),
    Weakening("cursors are believed", _any_cursor, feeding.tampered_cursors, crashes=True),
    Weakening("idempotency keys are everybody's", _anybodys_key, reaching.stolen_idempotency_key),
    Weakening("notes are everybody's", _anybodys_note, reaching.another_persons_note),
    Weakening("If-Match is ignored", _tags_ignored, reaching.weak_tags),
    Weakening("nothing is sealed", _nothing_sealed, reaching.plain_database),
    Weakening("uploads of any size", _no_size_limit, reaching.oversized_upload),
    Weakening("ids in a row", _ids_in_a_row, reaching.guessed_ids),
)
