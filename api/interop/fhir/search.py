"""Searches: which parameters each kind of resource takes, and what is asked for by them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from api.interop.fhir import dates
from api.interop.fhir.meant import MEANT
from api.interop.fhir.resources import ENCOUNTER_STATUS, QUESTIONNAIRES
from api.interop.fhir.words import IDENTIFIERS, names_of
from api.store.fhir import Span, Wanted
from kiosk.errors import KioskError

MOST: Final = 200
"""Matches on a page."""
USUAL: Final = 50
LONGEST: Final = 400
"""Characters of a value."""
Type = Literal["token", "reference", "date", "uri"]


class BadSearch(KioskError):
    """A search that cannot be answered; `code` is FHIR's for an issue."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of a kind of resource."""

    name: str
    type: Type
    words: str
    target: str | None = None
    """The kind of resource that a reference is to."""


_PATIENT = Parameter("patient", "reference", "Whose it is.", "Patient")
_SUBJECT = Parameter("subject", "reference", "Whose it is.", "Patient")
_ENCOUNTER = Parameter("encounter", "reference", "The session that it is of.", "Encounter")
_OF_SESSION = (_PATIENT, _SUBJECT, _ENCOUNTER)
COMMON: Final = (
    Parameter("_id", "token", "Its id."),
    Parameter("_lastUpdated", "date", "When it last changed here."),
)
SEARCHES: Mapping[str, tuple[Parameter, ...]] = MappingProxyType(
    {
        "Patient": (
            Parameter("identifier", "token", "The pseudonym, exactly."),
            Parameter("gender", "token", "female, male, other or unknown."),
        ),
        "Encounter": (
            _PATIENT,
            _SUBJECT,
            Parameter("date", "date", "When the session was."),
            Parameter("status", "token", "in-progress or finished."),
        ),
        "Observation": (
            *_OF_SESSION,
            Parameter("date", "date", "The window that the value is of."),
            Parameter("code", "token", "What was measured: LOINC, MDC or our own code."),
            Parameter("component-code", "token", "What a component says: 8480-6, 8462-4, or a lead's MDC code."),
            Parameter("category", "token", "vital-signs, exam, survey or procedure."),
        ),
        "DiagnosticReport": (*_OF_SESSION, Parameter("date", "date", "When the session was.")),
        "QuestionnaireResponse": (
            *_OF_SESSION,
            Parameter("authored", "date", "When it was answered."),
            Parameter("questionnaire", "uri", "The questionnaire, by its canonical URL without a version."),
        ),
        "Device": (Parameter("identifier", "token", "kiosk/device."),),
        "Consent": (
            _PATIENT,
            Parameter("date", "date", "When it was given."),
            Parameter("status", "token", "active or inactive."),
        ),
        "Provenance": (
            Parameter("target", "reference", "The Encounter or DiagnosticReport that it is about.", "Encounter"),
            Parameter("recorded", "date", "When the analysis was."),
        ),
    }
)
INCLUDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Observation": ("patient", "subject", "encounter", "device"),
        "DiagnosticReport": ("patient", "subject", "encounter", "result"),
        "Encounter": ("patient", "subject"),
        "QuestionnaireResponse": ("patient", "subject", "encounter"),
        "Consent": ("patient",),
        "Provenance": ("target",),
    }
)
_PATIENTS_OWN: Final = "Patient"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    wanted: Wanted
    includes: tuple[str, ...] = ()
    counts: bool = False
    """Only how many there are."""
    page: str | None = None
    ignored: tuple[str, ...] = ()
    """Parameters that we do not know: the answer says that they did nothing."""
    used: tuple[tuple[str, str], ...] = ()
    """The others, as they were sent."""


@dataclass(slots=True)
class _Making:
    wanted: Wanted
    includes: list[str] = field(default_factory=list)
    counts: bool = False
    page: str | None = None


def query(
    kind: str, sent: Sequence[tuple[str, str]], *, clinic: str | None, strict: bool, now: int, base: str
) -> Query:
    """What a search's parameters ask for. Unknown ones are ignored, or refused where the client is strict."""
    known = {each.name: each for each in (*COMMON, *SEARCHES[kind])}
    making = _Making(Wanted(clinic=clinic, limit=USUAL))
    ignored: list[str] = []
    used: list[tuple[str, str]] = []
    for name, value in sent:
        if name in ("_format", "_pretty"):
            continue
        if len(value) > LONGEST:
            raise BadSearch("too-long", f"at most {LONGEST} characters are taken")
        plain, _, modifier = name.partition(":")
        parameter = known.get(plain)
        if value == "" and (parameter is None or parameter.type != "date") and plain not in ("_count", "_page"):
            # FHIR lets a form send fields that nobody filled in
            continue
        if parameter is not None and modifier and modifier != parameter.target:
            raise BadSearch("not-supported", f"{plain} takes no such modifier here")
        if parameter is not None:
            making.wanted = _narrowed(making.wanted, kind, parameter, value, now, base)
        elif not _control(making, kind, name, value):
            ignored.append(name)
            continue
        used.append((name, value))
    if ignored and strict:
        raise BadSearch("not-supported", f"{len(ignored)} of the parameters, or their values, are not known here")
    return Query(making.wanted, tuple(making.includes), making.counts, making.page, tuple(ignored), tuple(used))


def _control(making: _Making, kind: str, name: str, value: str) -> bool:
    """Take a parameter that says how to answer; whether it is one that we know."""
    if name == "_count":
        if not re.fullmatch("[0-9]{1,9}", value):
            raise BadSearch("value", "_count is a whole number that is not negative")
        making.counts = int(value) == 0
        making.wanted = replace(making.wanted, limit=min(int(value), MOST))
        return True
    if name == "_sort":
        ways = {_date_of(kind): "at", "_lastUpdated": "updated"}
        by = ways.get(value.removeprefix("-"))
        if by is None:
            return False
        way: Literal["at", "updated"] = "at" if by == "at" else "updated"
        making.wanted = replace(making.wanted, by=way, descending=value.startswith("-"))
        return True
    if name == "_include":
        source, _, rest = value.partition(":")
        what = rest.partition(":")[0]
        if source != kind or what not in INCLUDES.get(kind, ()):
            return False
        making.includes.append(what)
        return True
    if name == "_page":
        if not re.fullmatch("[A-Za-z0-9_-]{1,400}", value):
            raise BadSearch("value", "_page is of a link that a search gave")
        making.page = value
        return True
    return False


def _date_of(kind: str) -> str | None:
    return next((each.name for each in SEARCHES[kind] if each.type == "date"), None)


def _narrowed(wanted: Wanted, kind: str, parameter: Parameter, value: str, now: int, base: str) -> Wanted:
    said = alternatives(value)
    if parameter.type == "date":
        # a comma with nothing beside it is no date
        spans = tuple(_span(each, parameter.name, now) for each in said or [""])
        if parameter.name == "_lastUpdated":
            return replace(wanted, updated=(*wanted.updated, spans))
        return replace(wanted, dates=(*wanted.dates, spans))
    if parameter.name == "_id":
        keys = frozenset(key for each in said if (key := key_of(kind, each)) is not None)
        return replace(wanted, keys=keys if wanted.keys is None else keys & wanted.keys)
    if parameter.type == "reference":
        return _of(wanted, parameter, [_referred(each, parameter.name, base) for each in said])
    if parameter.name in ("code", "component-code", "category"):
        meant = MEANT[parameter.name]
        return _also(wanted, "code", {name for each in said for name in meant.get(_token(each), ())})
    if parameter.name == "status" and kind == "Encounter":
        wanted_states = {_token(each)[1] for each in said}
        return _also(wanted, "status", {state for state, status in ENCOUNTER_STATUS.items() if status in wanted_states})
    if parameter.name == "questionnaire":
        return _also(wanted, "questionnaire", {_last_part(each.partition("|")[0]) for each in said})
    tokens = [_token(each) for each in said]
    if parameter.name == "identifier":
        tokens = [(system, code) for system, code in tokens if system in (None, _IDENTIFIER[kind])]
    return _also(wanted, parameter.name, {code for _, code in tokens})


_IDENTIFIER = {"Patient": f"{IDENTIFIERS}/pseudonym", "Device": f"{IDENTIFIERS}/device"}


def _last_part(canonical: str) -> str:
    return canonical.removeprefix(f"{QUESTIONNAIRES}/")


def _also(wanted: Wanted, column: str, values: Iterable[str]) -> Wanted:
    """Repeating a parameter narrows: all of them must be true."""
    # a NUL can be in no text of a database, and PostgreSQL takes none
    found = frozenset(value for value in values if "\0" not in value)
    before = wanted.columns.get(column)
    return replace(wanted, columns={**wanted.columns, column: found if before is None else found & before})


def _of(wanted: Wanted, parameter: Parameter, ids: Sequence[str | None]) -> Wanted:
    if parameter.target == _PATIENTS_OWN:
        found = frozenset(each for each in ids if each is not None)
        return replace(wanted, patients=found if wanted.patients is None else found & wanted.patients)
    names = [names_of(each) for each in ids if each is not None]
    found = frozenset(each[0] for each in names if each is not None and len(each) == 1)
    return replace(wanted, sessions=found if wanted.sessions is None else found & wanted.sessions)


def _span(value: str, name: str, now: int) -> Span:
    try:
        return dates.span(value, now)
    except dates.NoDate:
        raise BadSearch("value", f"{name} is no date") from None


def alternatives(value: str) -> list[str]:
    """The parts of a value between commas; a backslash makes what follows plain."""
    parts = re.findall(r"(?:\\.|[^\\,])+", value, flags=re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in parts]


def _token(value: str) -> tuple[str | None, str]:
    """System and code; None where any system will do."""
    system, bar, code = value.rpartition("|")
    return (system if bar else None), code


def _referred(value: str, name: str, base: str) -> str | None:
    """The id that a reference is to; None where it is to nothing of ours."""
    kinds = {"patient": ("Patient",), "subject": ("Patient",), "encounter": ("Encounter",)}
    allowed = kinds.get(name, ("Encounter", "DiagnosticReport"))
    local = value.removeprefix(f"{base}/")
    kind, slash, said = local.rpartition("/")
    if slash and kind not in allowed:
        return None
    return said if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", said) else None


_OBSERVED = re.compile(r"r-[0-9]{1,18}|w-[0-9]{1,9}--?[0-9]{1,9}")


def key_of(kind: str, said: str) -> str | None:
    """What the store calls the resource of an id; None where it cannot be one."""
    if kind == "Observation":
        if said.startswith("v-"):
            names = names_of(said[2:])
            return None if names is None or len(names) != 1 else f"v-{names[0]}"
        return said if _OBSERVED.fullmatch(said) else None
    if kind in ("Encounter", "DiagnosticReport"):
        names = names_of(said)
        return names[0] if names is not None and len(names) == 1 else None
    if kind in ("Device", "Provenance"):
        names = names_of(said)
        return " ".join(names) if names is not None and len(names) == 2 else None
    return said if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", said) else None
