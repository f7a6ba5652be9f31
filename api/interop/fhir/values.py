"""Value sets with a required binding, and the ones that we keep to: nobody else checks them.

The tables are FHIR R4's (hl7.org/fhir/R4/terminologies-valuesets.html), the parts that our resources use.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from api.interop.fhir.codes import (
    ABSENT,
    CATEGORY,
    DATA_ABSENT,
    ECG,
    LEADS,
    MDC,
    METHODS,
    PURPOSES,
    TABLE,
    TERMS,
    UCUM,
)
from api.interop.fhir.shapes import Json
from kiosk.measures import LOINC, MEASURES, OWN

Values = frozenset[str]


def _set(text: str) -> Values:
    return frozenset(text.split())


STATUS: Mapping[str, Values] = MappingProxyType(
    {
        "Observation": _set("registered preliminary final amended corrected cancelled entered-in-error unknown"),
        "DiagnosticReport": _set(
            "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
        ),
        "Encounter": _set("planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"),
        "QuestionnaireResponse": _set("in-progress completed amended entered-in-error stopped"),
        "Device": _set("active inactive entered-in-error unknown"),
        "Consent": _set("draft proposed active rejected inactive entered-in-error"),
        "CodeSystem": _set("draft active retired unknown"),
        "ValueSet": _set("draft active retired unknown"),
        "ConceptMap": _set("draft active retired unknown"),
        "CapabilityStatement": _set("draft active retired unknown"),
    }
)
"""Required bindings of `status`, by resource."""
CODES: Mapping[str, Values] = MappingProxyType(
    {
        "Patient.gender": _set("male female other unknown"),
        "Patient.link.type": _set("replaced-by replaces refer seealso"),
        "Patient.telecom.system": _set("phone fax email pager url sms other"),
        "Identifier.use": _set("usual official temp secondary old"),
        "Device.deviceName.type": _set(
            "udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other"
        ),
        "Consent.provision.type": _set("deny permit"),
        "Provenance.entity.role": _set("derivation revision quotation source removal"),
        "Bundle.type": _set(
            "document message transaction transaction-response batch batch-response history searchset collection"
        ),
        "Bundle.entry.search.mode": _set("match include outcome"),
        "OperationOutcome.issue.severity": _set("fatal error warning information"),
        "OperationOutcome.issue.code": _set(
            "invalid structure required value invariant security login unknown expired forbidden suppressed processing"
            " not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly"
            " business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
        ),
    }
)
"""Required bindings of other codes, by path."""
SYSTEMS: Mapping[str, Values] = MappingProxyType(
    {
        CATEGORY: _set("social-history vital-signs imaging laboratory procedure survey exam therapy activity"),
        DATA_ABSENT: _set(
            "unknown asked-unknown temp-unknown not-asked asked-declined masked not-applicable unsupported as-text"
            " error not-a-number negative-infinity positive-infinity not-performed not-permitted"
        ),
        f"{TERMS}/v3-ActCode": _set("AMB EMER FLD HH IMP ACUTE NONAC OBSENC PRENC SS VR"),
        f"{TERMS}/v3-ActReason": _set("HTEST TREAT HRESCH COC HPAYMT HOPERAT"),
        f"{TERMS}/v3-ObservationValue": _set("PSEUDED ANONYED MASKED"),
        f"{TERMS}/v3-ObservationInterpretation": _set("A AA N H HH HU L LL LU W B U D IND POS NEG"),
        f"{TERMS}/v3-DataOperation": _set("CREATE DELETE UPDATE APPEND NULLIFY EXECUTE READ"),
        f"{TERMS}/v2-0074": _set("AU BG BLB CG CUS CTH CT CH CP EC EN GE HM IMM LAB MB MCB MYC NMS NMR NRS OUS OTH"),
        f"{TERMS}/consentscope": _set("adr research patient-privacy treatment"),
        f"{TERMS}/provenance-participant-type": _set(
            "enterer performer author verifier legal attester informant custodian assembler composer"
        ),
        f"{TERMS}/restful-security-service": _set("OAuth SMART-on-FHIR NTLM Basic Kerberos Certificates"),
        f"{TERMS}/device-status-reason": _set("online paused standby offline not-ready transduc-discon hw-discon off"),
        LOINC: frozenset(
            {code.code for coded in TABLE.values() for code in coded.codes if code.system == LOINC}
            | {"85354-9", "85353-1", "59284-0"}
        ),
        UCUM: frozenset({measure.unit for measure in MEASURES.values()} | {"mV"}),
        MDC: frozenset(code.code for code in (ECG, *LEADS.values())),
        OWN: frozenset({*MEASURES, "blood_pressure", "session_report", "screening"}),
        PURPOSES: _set("measure store share research talk"),
    }
)
"""Codes of the systems that we use, each with those of which there may be some here."""
OPEN: Final = frozenset({ABSENT, METHODS})
"""Systems of ours that grow with devices and methods: a device may give a reason of its own."""


def strays(resource: Json) -> list[str]:
    """What in a resource is outside the value sets, as `path: code`. Empty is good."""
    kind = str(resource["resourceType"])
    found = [] if _status_fits(kind, resource) else [f"{kind}.status: {resource.get('status')}"]
    return found + list(_walk(resource, kind))


def _status_fits(kind: str, resource: Json) -> bool:
    return kind not in STATUS or resource.get("status") in STATUS[kind]


def _walk(value: object, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _walk(each, path)
    elif isinstance(value, dict):
        if "system" in value and "code" in value and not _known(str(value["system"]), str(value["code"])):
            yield f"{path}: {value['system']}|{value['code']}"
        for name, inner in value.items():
            where = f"{path}.{name}"
            if path.endswith(".identifier") and name == "use":
                where = "Identifier.use"
            if where in CODES and inner not in CODES[where]:
                yield f"{where}: {inner}"
            if name == "resource" and isinstance(inner, dict):
                yield from strays(inner)
            else:
                yield from _walk(inner, where)


def _known(system: str, code: str) -> bool:
    return system in OPEN or code in SYSTEMS.get(system, frozenset())
