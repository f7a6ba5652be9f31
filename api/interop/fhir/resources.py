"""Everything but observations: who, when, by what, on whose word, and how it came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from api.interop.fhir import words
from api.interop.fhir.codes import CANONICAL, PURPOSES, TERMS, Code
from api.interop.fhir.shapes import (
    Agent,
    Answer,
    Coding,
    Consent,
    ContactPoint,
    Device,
    DeviceName,
    DiagnosticReport,
    Encounter,
    Extension,
    HumanName,
    Identifier,
    Item,
    Patient,
    PatientLink,
    Period,
    Policy,
    Provenance,
    ProvenanceEntity,
    Provision,
    QuestionnaireResponse,
    Reference,
)
from api.interop.fhir.words import concept, extension_url, fhir_id, instant, meta, reference, subject
from api.store.identities import Who
from api.tables import ConsentRow, DeviceRow, PatientRow, ResponseRow, RevisionRow, SessionRow
from kiosk.measures import LOINC, OWN

QUESTIONNAIRES: Final = f"{CANONICAL}/Questionnaire"
TEXTS: Final = f"{CANONICAL}/consent-texts"


def patient(row: PatientRow, who: Who | None, updated: int) -> Patient:
    """A person: under the pseudonym alone, or by name where it may be told."""
    said = [Identifier(system=f"{words.IDENTIFIERS}/pseudonym", value=row.pseudonym, use="secondary")]
    name: tuple[HumanName, ...] = ()
    telecom: list[ContactPoint] = []
    born = None if row.birth_year is None else f"{row.birth_year:04}"
    if who is not None:
        # a system that FHIR would not take for a URI is still told, in our own space
        said += [Identifier(system=_uri(each.system), value=each.value) for each in who.identifiers]
        if who.family or who.given:
            text = " ".join((*who.given, who.family)).strip()
            name = (HumanName(text=text, family=who.family or None, given=who.given),)
        telecom = [
            ContactPoint(system=system, value=value)
            for system, value in (("phone", who.phone), ("email", who.email))
            if value
        ]
        born = who.birth_date or born
    into = row.merged_into
    return Patient(
        id=row.id,
        meta=meta(row.version, updated, pseudonym=who is None),
        identifier=tuple(said),
        active=into is None,
        name=name,
        telecom=tuple(telecom),
        gender=row.sex if row.sex in ("female", "male", "other") else "unknown",
        birth_date=born,
        link=() if into is None else (PatientLink(other=reference("Patient", into), type="replaced-by"),),
    )


def _uri(system: str) -> str:
    return system if ":" in system and " " not in system else f"{words.IDENTIFIERS}/{system.replace(' ', '-')}"


ENCOUNTER_STATUS: Mapping[str, str] = {"open": "in-progress", "ended": "finished", "closed": "finished"}


def encounter(row: SessionRow, updated: int) -> Encounter:
    """A visit to a kiosk."""
    begin = row.origin_utc_ns
    end = None if begin is None or row.ended_ns is None else begin + row.ended_ns
    said = [Extension(url=extension_url("kiosk"), value_string=row.kiosk)]
    if row.outcome:
        said.append(Extension(url=extension_url("delivery"), value_code=row.outcome))
    return Encounter(
        id=fhir_id(row.id),
        meta=meta(row.version, updated, simulated=row.simulated),
        extension=tuple(said),
        identifier=(Identifier(system=f"{words.IDENTIFIERS}/session", value=row.id, use="official"),),
        status=ENCOUNTER_STATUS.get(row.state, "unknown"),
        kind=Coding(system=f"{TERMS}/v3-ActCode", code="AMB", display="ambulatory"),
        type=(concept(Code(OWN, "screening", "Screening at a kiosk"), text=row.protocol),),
        subject=None if row.patient_id is None else reference("Patient", row.patient_id),
        period=None if begin is None else words.period(begin, end),
    )


def report_status(revision: RevisionRow, *, changed: bool) -> str:
    """How final a session's report is."""
    if changed:
        return "preliminary"
    if revision.outcome == "partial":
        return "partial"
    if revision.number == 1:
        return "final"
    return "corrected" if revision.reason == "corrected" else "amended"


def report(session: SessionRow, revision: RevisionRow, results: Sequence[str]) -> DiagnosticReport:
    """What a session's newest analysis says, as a list of observations."""
    begin = session.origin_utc_ns
    end = None if begin is None or session.ended_ns is None else begin + session.ended_ns
    return DiagnosticReport(
        id=fhir_id(session.id),
        meta=meta(revision.number, revision.created_ns, simulated=session.simulated),
        extension=(Extension(url=extension_url("software-version"), value_string=revision.version),),
        status=report_status(revision, changed=session.changed),
        category=(concept(Code(f"{TERMS}/v2-0074", "OTH", "Other")),),
        code=concept(Code(OWN, "session_report", "Results of a screening session")),
        subject=subject(session.patient_id),
        encounter=reference("Encounter", fhir_id(session.id)),
        effective_period=words.period(begin, end),
        issued=instant(revision.created_ns),
        result=tuple(reference("Observation", each) for each in results),
    )


def response(
    row: ResponseRow, patient_id: str | None, answers: Mapping[str, int] | None, *, simulated: bool
) -> QuestionnaireResponse:
    """What somebody answered; without the answers where they may not be told."""
    said = () if row.score is None else (_score(row.score),)
    return QuestionnaireResponse(
        id=row.id,
        meta=meta(1, row.created_ns, simulated=simulated, pseudonym=answers is None),
        extension=said,
        questionnaire=f"{QUESTIONNAIRES}/{row.questionnaire}|{row.questionnaire_version}",
        status="completed" if row.complete else "in-progress",
        subject=subject(patient_id),
        encounter=reference("Encounter", fhir_id(row.session_id)),
        authored=instant(row.created_ns),
        item=tuple(
            Item(link_id=name, answer=(Answer(value_integer=value),)) for name, value in (answers or {}).items()
        ),
    )


def _score(score: float) -> Extension:
    return Extension(url=extension_url("score"), value_decimal=Decimal(repr(score)))


_DEVICE: Mapping[str, tuple[str, str, str]] = {
    "starting": ("active", "standby", "Standby"),
    "running": ("active", "online", "Online"),
    "failed": ("active", "not-ready", "Not Ready"),
    "stopped": ("inactive", "off", "Off"),
    "gone": ("unknown", "offline", "Offline"),
}


def device(row: DeviceRow) -> Device:
    """A device of a kiosk, as it last said it was."""
    status, reason, display = _DEVICE.get(row.state, ("unknown", "offline", "Offline"))
    said = [Extension(url=extension_url("kiosk"), value_string=row.kiosk)]
    if row.drift_ppm is not None:
        said.append(Extension(url=extension_url("clock-drift-ppm"), value_decimal=Decimal(repr(row.drift_ppm))))
    return Device(
        id=fhir_id(row.kiosk, row.device),
        meta=meta(1, row.seen_ns, simulated=row.simulated),
        extension=tuple(said),
        identifier=(Identifier(system=f"{words.IDENTIFIERS}/device", value=f"{row.kiosk}/{row.device}"),),
        status=status,
        status_reason=(concept(Code(f"{TERMS}/device-status-reason", reason, display)),),
        device_name=(DeviceName(name=row.device, type="user-friendly-name"),),
    )


_SCOPES: Mapping[str, tuple[str, str]] = {"research": ("research", "Research")}
_PURPOSES: Mapping[str, str] = {
    "measure": "Be measured",
    "store": "Have the results stored",
    "share": "Have them shared by name",
    "research": "Research with de-identified data",
    "talk": "Have the conversation with the assistant stored",
}


def consent(row: ConsentRow, updated: int) -> Consent:
    """That a patient agreed to something, until it was taken back."""
    scope, display = _SCOPES.get(row.purpose, ("patient-privacy", "Privacy Consent"))
    return Consent(
        id=row.id,
        meta=meta(1 if row.withdrawn_ns is None else 2, updated),
        status="active" if row.withdrawn_ns is None else "inactive",
        scope=concept(Code(f"{TERMS}/consentscope", scope, display)),
        category=(concept(Code(LOINC, "59284-0", "Patient Consent")),),
        patient=reference("Patient", row.patient_id),
        date_time=instant(row.given_ns),
        policy=(Policy(uri=f"{TEXTS}/{row.text_version}/{row.language}"),),
        provision=Provision(
            type="permit",
            period=Period(
                start=instant(row.given_ns), end=None if row.withdrawn_ns is None else instant(row.withdrawn_ns)
            ),
            purpose=(Coding(system=PURPOSES, code=row.purpose, display=_PURPOSES.get(row.purpose, row.purpose)),),
        ),
    )


@dataclass(frozen=True, slots=True)
class Made:
    """How a revision came about."""

    revision: RevisionRow
    session: SessionRow
    results: tuple[str, ...]
    """Ids of the observations that are of it."""
    waveforms: tuple[str, ...]
    models: tuple[str, ...]
    """SHA-256 of the networks that took part."""
    correctors: tuple[str, ...]
    """Users who set beats by hand."""
    methods: tuple[str, ...] = ()


def provenance(made: Made) -> Provenance:
    """Who and what made a revision, of what."""
    row, session = made.revision, made.session
    first = row.number == 1
    data = f"{TERMS}/v3-DataOperation"
    activity = Code(data, "CREATE", "create") if first else Code(data, "UPDATE", "revise")
    name = fhir_id(session.id)
    agents = [_agent("assembler", "Assembler", Reference(display=f"health-kiosk {row.version}"))]
    agents += [_agent("author", "Author", _user(each)) for each in made.correctors]
    if row.requested_by and row.requested_by not in made.correctors:
        agents.append(_agent("enterer", "Enterer", _user(row.requested_by)))
    checksums = (
        Reference(identifier=Identifier(system=f"{words.IDENTIFIERS}/model-sha256", value=each)) for each in made.models
    )
    return Provenance(
        id=fhir_id(session.id, str(row.number)),
        meta=meta(1, row.created_ns, simulated=session.simulated),
        extension=(
            Extension(url=extension_url("revision"), value_integer=row.number),
            Extension(url=extension_url("reason"), value_code=row.reason),
            *(Extension(url=extension_url("method"), value_string=each) for each in made.methods),
        ),
        target=(
            reference("DiagnosticReport", name),
            *(reference("Observation", f"{each}/_history/{row.number}") for each in made.results),
        ),
        recorded=instant(row.created_ns),
        activity=concept(activity, text=row.reason),
        agent=tuple(agents),
        entity=(
            *(ProvenanceEntity(role="source", what=reference("Observation", each)) for each in made.waveforms),
            *(ProvenanceEntity(role="source", what=each) for each in checksums),
        ),
    )


def _agent(code: str, display: str, who: Reference) -> Agent:
    return Agent(type=concept(Code(f"{TERMS}/provenance-participant-type", code, display)), who=who)


def _user(user: str) -> Reference:
    return Reference(identifier=Identifier(system=f"{words.IDENTIFIERS}/user", value=user))
