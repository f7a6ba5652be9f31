"""The pages that the head of every page leads to, and who may see which."""

from dataclasses import dataclass

from api.security import Action, Identity


@dataclass(frozen=True, slots=True)
class Section:
    """A page of its own in the head: its name in the texts, `frame.section.NAME`, and the key that leads there."""

    name: str
    address: str
    key: str
    action: Action
    """Whoever may not do this is not led there."""


SECTIONS = (
    Section("worklist", "/worklist", "w", Action.READ_RESULTS),
    Section("wall", "/wall", "l", Action.WATCH_LIVE),
    Section("sessions", "/sessions", "s", Action.READ_SESSIONS),
    Section("patients", "/patients", "p", Action.READ_PATIENTS),
    Section("drop", "/drop", "f", Action.UPLOAD),
    Section("devices", "/devices", "d", Action.READ_KIOSKS),
    Section("admin", "/admin", "a", Action.MANAGE_USERS),
    Section("audit", "/admin/audit", "t", Action.READ_AUDIT),
)
"""In the order in which they are read."""
_HOMES = {"worklist": 0, "sessions": 1, "admin": 2, "audit": 3}
ACCOUNT = "/account"


def sections_of(who: Identity) -> tuple[Section, ...]:
    """Where this reader is led."""
    return tuple(section for section in SECTIONS if who.may(section.action))


def home_of(who: Identity) -> str:
    """Where one begins: what waits for a clinician, what is measured now, what is to look after; else one's account."""
    homes = [section for section in sections_of(who) if section.name in _HOMES]
    return min(homes, key=lambda section: _HOMES[section.name]).address if homes else ACCOUNT
