"""Whom of ours the identity provider knows: by issuer and subject alone, which nobody there can choose.

Names and e-mail addresses can be chosen, and given to somebody else: they are never compared.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from api.login import staff
from api.login.oidc import Failed, Person, Provider
from api.login.staff import Unmanaged
from api.security import Role
from api.store import Transaction, Vault, clock, users
from api.store.users import LoginTaken
from api.tables import MAIN, UserRow
from kiosk.errors import BadSettings
from kiosk.settings import Settings

MOST_CLAIMED = 1000


@dataclass(frozen=True, slots=True)
class Granted:
    """What a value of the claim makes of somebody."""

    value: str
    role: Role
    clinic: str | None


def grants(text: str) -> tuple[Granted, ...]:
    """`doctors=clinician, desk=operator@north, it=administrator@*`: value = role, clinic (`main` if none, * all)."""
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        value, equals, said = part.rpartition("=")
        role, at, clinic = said.strip().partition("@")
        if not equals or not value.strip() or role not in set(Role) or (at and not clinic):
            raise BadSettings("KIOSK_OIDC_ROLES: value=role or value=role@clinic, separated by commas")
        found.append(Granted(value.strip(), Role(role), None if clinic == "*" else clinic or MAIN))
    return tuple(found)


def provider_of(settings: Settings, vault: Vault) -> Provider | None:
    """The provider that the settings describe, if any; BadSettings where they make no sense."""
    grants(settings.oidc_roles)
    return Provider.to(settings, vault)


def granted(person: Person, claim: str, rules: Sequence[Granted]) -> Granted | None:
    """The first rule that fits what the provider says of them."""
    said = person.claims.get(claim)
    values = {each for each in (said if isinstance(said, list) else [said])[:MOST_CLAIMED] if isinstance(each, str)}
    return next((rule for rule in rules if rule.value in values), None)


def user_of(db: Transaction, person: Person, *, claim: str, rules: Sequence[Granted], create: bool) -> UserRow:
    """Who it is here, with the role that the provider gives them; or Failed."""
    grant = granted(person, claim, rules)
    known = users.by_subject(db, person.issuer, person.subject)
    if known is not None and known.disabled_ns is not None:
        raise Failed("the user is disabled")
    if rules and grant is None:
        raise Failed("the provider gives them no role here")
    if grant is not None and grant.clinic is not None and not users.clinic_exists(db, grant.clinic):
        raise Failed("the clinic that the settings name is not there")
    if known is None:
        if not create or grant is None:
            raise Failed("nobody here is known by this subject")
        return _made(db, person, grant)
    if grant is not None:
        try:
            staff.change(db, known, {"role": grant.role, "clinic_id": grant.clinic})
        except Unmanaged:
            raise Failed("the provider takes the last administrator away") from None
        db.refresh(known)
    return known


def link(db: Transaction, user: UserRow, issuer: str, subject: str) -> None:
    """Let a user log in at the provider from now on."""
    users.change(db, user.id, {"issuer": issuer, "subject": subject})


def _made(db: Transaction, person: Person, grant: Granted) -> UserRow:
    name = person.claims.get("name")
    row = UserRow(
        id=f"u-{secrets.token_hex(8)}",
        # nobody's name: a login that the provider could choose might be somebody's here
        login=f"oidc-{secrets.token_hex(8)}",
        name=_plain(name) if isinstance(name, str) else "",
        role=grant.role,
        clinic_id=grant.clinic,
        issuer=person.issuer,
        subject=person.subject,
        created_ns=clock.utc_now(),
    )
    try:
        users.add(db, row)
    except LoginTaken:
        raise Failed("somebody else was made at the same moment") from None
    return row


def _plain(name: str) -> str:
    return "".join(each for each in name if each.isprintable())[:200]
