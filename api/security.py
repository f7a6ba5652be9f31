"""Who may do what: one table, role by action. Every route names its action; a test walks the routes and the table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class Role(StrEnum):
    """What somebody is here for."""

    OPERATOR = "operator"
    """Helps visitors at the kiosk: checks them in, sees that it measures."""
    CLINICIAN = "clinician"
    """Reads and judges what was measured."""
    RESEARCHER = "researcher"
    """Sees no person: de-identified data alone."""
    INTEGRATOR = "integrator"
    """A program that connects a record system."""
    ADMINISTRATOR = "administrator"
    """Looks after users, keys, kiosks and erasure; reads no results."""
    AUDITOR = "auditor"
    """Reads who did what."""


class Action(StrEnum):
    """What can be done. Reading and changing are two things, and so are a pseudonym and a name."""

    READ_SESSIONS = "sessions.read"
    """The list, a session's streams, its delivery and events."""
    READ_RESULTS = "results.read"
    """Readings, revisions, trends, questionnaires' scores, reports."""
    READ_WAVEFORMS = "waveforms.read"
    WATCH_LIVE = "live.watch"
    ASSIGN_SESSIONS = "sessions.assign"
    """Say whose session it is, and by which protocol."""
    CORRECT_SESSIONS = "sessions.correct"
    """Set beats by hand, and have a session analysed again."""
    ERASE_SESSIONS = "sessions.erase"
    READ_NOTES = "notes.read"
    WRITE_NOTES = "notes.write"
    """Notes and reviews."""
    READ_DIALOGUES = "dialogues.read"
    """What visitors and the assistant said to each other."""
    WRITE_ANSWERS = "answers.write"
    READ_ANSWERS = "answers.read"
    READ_PATIENTS = "patients.read"
    """Pseudonym, birth year, sex, consents."""
    WRITE_PATIENTS = "patients.write"
    READ_IDENTITIES = "identities.read"
    """Names, birth date, contact; searching by them."""
    WRITE_IDENTITIES = "identities.write"
    WRITE_CONSENTS = "consents.write"
    WRITE_CONSENT_TEXTS = "consent-texts.write"
    """What people agree to, word for word, for all clinics."""
    MERGE_PATIENTS = "patients.merge"
    ERASE_PATIENTS = "patients.erase"
    UPLOAD = "analyses.write"
    """Upload recordings and follow their analysis."""
    READ_ALERTS = "alerts.read"
    HANDLE_ALERTS = "alerts.handle"
    WRITE_RULES = "rules.write"
    EXPORT = "exports.read"
    """Files of one session: EDF, WFDB, CSV, Parquet, PDF; FHIR."""
    EXPORT_DEIDENTIFIED = "research.read"
    READ_KIOSKS = "kiosks.read"
    COMMAND_KIOSKS = "kiosks.command"
    MANAGE_KIOSKS = "kiosks.write"
    MANAGE_USERS = "users.write"
    """Users and API keys."""
    READ_AUDIT = "audit.read"
    OWN_ACCOUNT = "account"
    """Who am I; my password, my second factor, my logins."""


_OPERATOR = {Role.OPERATOR}
_CLINICIAN = {Role.CLINICIAN}
_INTEGRATOR = {Role.INTEGRATOR}
_ADMINISTRATOR = {Role.ADMINISTRATOR}
_CARE = _OPERATOR | _CLINICIAN

ALLOWED: Mapping[Action, frozenset[Role]] = MappingProxyType(
    {
        action: frozenset(roles)
        for action, roles in {
            Action.READ_SESSIONS: _CARE | _INTEGRATOR,
            Action.READ_RESULTS: _CLINICIAN | _INTEGRATOR,
            Action.READ_WAVEFORMS: _CLINICIAN | _INTEGRATOR,
            Action.WATCH_LIVE: _CARE,
            Action.ASSIGN_SESSIONS: _CARE | _INTEGRATOR,
            Action.CORRECT_SESSIONS: _CLINICIAN,
            Action.ERASE_SESSIONS: _ADMINISTRATOR,
            Action.READ_NOTES: _CLINICIAN,
            Action.WRITE_NOTES: _CLINICIAN,
            Action.READ_DIALOGUES: _CLINICIAN,
            Action.WRITE_ANSWERS: _CARE | _INTEGRATOR,
            Action.READ_ANSWERS: _CLINICIAN | _INTEGRATOR,
            Action.READ_PATIENTS: _CARE | _INTEGRATOR | _ADMINISTRATOR,
            Action.WRITE_PATIENTS: _CARE | _INTEGRATOR,
            Action.READ_IDENTITIES: _CARE | _INTEGRATOR,
            Action.WRITE_IDENTITIES: _CARE | _INTEGRATOR,
            Action.WRITE_CONSENTS: _CARE | _INTEGRATOR,
            Action.WRITE_CONSENT_TEXTS: _ADMINISTRATOR,
            Action.MERGE_PATIENTS: _CLINICIAN | _ADMINISTRATOR,
            Action.ERASE_PATIENTS: _ADMINISTRATOR,
            Action.UPLOAD: _CLINICIAN | _INTEGRATOR,
            Action.READ_ALERTS: _CARE | _INTEGRATOR,
            Action.HANDLE_ALERTS: _CLINICIAN,
            Action.WRITE_RULES: _CLINICIAN,
            Action.EXPORT: _CLINICIAN | _INTEGRATOR,
            Action.EXPORT_DEIDENTIFIED: {Role.RESEARCHER},
            Action.READ_KIOSKS: _CARE | _INTEGRATOR | _ADMINISTRATOR,
            Action.COMMAND_KIOSKS: _CARE,
            Action.MANAGE_KIOSKS: _ADMINISTRATOR,
            Action.MANAGE_USERS: _ADMINISTRATOR,
            Action.READ_AUDIT: {Role.AUDITOR},
            Action.OWN_ACCOUNT: set(Role),
        }.items()
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks."""

    id: str
    """Of the user or the API key."""
    role: Role
    clinic: str | None
    """The only clinic of which they see anything; None: all."""
    via: Literal["cookie", "bearer", "key", "cli"]
    actions: frozenset[Action] | None = None
    """An API key may be narrower than its role."""
    family: str | None = None
    """The login that this is, to end it."""

    def may(self, action: Action) -> bool:
        """Whether the table lets them."""
        return self.role in ALLOWED[action] and (self.actions is None or action in self.actions)

    def sees(self, clinic: str) -> bool:
        """Whether something of this clinic is there for them at all."""
        return self.clinic is None or self.clinic == clinic
