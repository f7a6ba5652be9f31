"""The codes that we say: frozen here, word for word, so that none changes by accident."""

from typing import Any, get_args

import pytest
from fhir.resources.R4B import get_fhir_model_class

from api.interop.fhir import codes
from api.interop.fhir.examples import EXAMPLES
from api.interop.fhir.shapes import jsonable
from api.interop.fhir.terminology import STATIC
from api.interop.fhir.values import OPEN, SYSTEMS, strays
from kiosk.measures import LOINC, MEASURES, OWN, Reason

VITAL = [
    ("heart_rate", ["8867-4"], ["Heart rate"], "/min", "beats/minute", "heartrate"),
    ("respiration_rate", ["9279-1"], ["Respiratory rate"], "/min", "breaths/minute", "resprate"),
    ("temperature", ["8310-5"], ["Body temperature"], "Cel", "°C", "bodytemp"),
    ("spo2", ["2708-6", "59408-5"], ["Oxygen saturation in Arterial blood",
     "Oxygen saturation in Arterial blood by Pulse oximetry"], "%", "%", "oxygensat"),
    ("systolic", ["8480-6"], ["Systolic blood pressure"], "mm[Hg]", "mmHg", "bp"),
    ("diastolic", ["8462-4"], ["Diastolic blood pressure"], "mm[Hg]", "mmHg", "bp"),
    ("weight", ["29463-7"], ["Body weight"], "kg", "kg", "bodyweight"),
    ("height", ["8302-2"], ["Body height"], "cm", "cm", "bodyheight"),
    ("bmi", ["39156-5"], ["Body mass index (BMI) [Ratio]"], "kg/m2", "kg/m²", "bmi"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "loinc", "displays", "ucum", "unit", "profile"), VITAL, ids=[row[0] for row in VITAL])
def test_a_vital_sign_has_the_codes_of_its_profile(
    name: str, loinc: list[str], displays: list[str], ucum: str, unit: str, profile: str
) -> None:
    coded = codes.TABLE[name]
    assert [(each.system, each.code, each.display) for each in coded.codes] == [
        *((LOINC, code, display) for code, display in zip(loinc, displays, strict=True)),
        (OWN, name, MEASURES[name].title),
    ]
    assert (MEASURES[name].unit, coded.unit, coded.category, coded.profile) == (ucum, unit, "vital-signs", profile)
    assert MEASURES[name].loinc in loinc


def test_there_are_no_other_vital_signs() -> None:
    assert [row[0] for row in VITAL] == list(codes.VITALS)
    assert {name for name, coded in codes.TABLE.items() if coded.category == "vital-signs"} == set(codes.VITALS)


def test_panels_and_other_loinc_codes_are_frozen() -> None:
    assert (codes.BLOOD_PRESSURE.code, codes.BLOOD_PRESSURE.display) == (
        "85354-9",
        "Blood pressure panel with all children optional",
    )
    assert (codes.VITALS_PANEL.code, codes.VITALS_PANEL.display) == (
        "85353-1",
        "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel",
    )
    sdnn = codes.TABLE["sdnn"].codes[0]
    assert (sdnn.system, sdnn.code, sdnn.display) == (
        LOINC,
        "80404-7",
        "R-R interval.standard deviation (Heart rate variability)",
    )
    others = {
        name: [code.code for code in coded.codes if code.system == LOINC]
        for name, coded in codes.TABLE.items()
        if name not in codes.VITALS
    }
    assert {name: found for name, found in others.items() if found} == {
        "sdnn": ["80404-7"],
        "hba1c": ["4548-4"],
        "phq2": ["55758-7"],
        "phq9": ["44261-6"],
    }


def test_what_the_catalogue_codes_in_loinc_is_said_in_loinc() -> None:
    for name, measure in MEASURES.items():
        said = [code.code for code in codes.TABLE[name].codes if code.system == LOINC]
        assert (measure.loinc in said) if measure.loinc else not said, name


def test_leads_are_term_codes_of_11073_10101() -> None:
    expected = {"I": 131329, "II": 131330, "III": 131389, "AVR": 131390, "AVL": 131391, "AVF": 131392}
    expected |= {"V1": 131331, "V2": 131332, "V3": 131333, "V4": 131334, "V5": 131335, "V6": 131336}
    assert {name: int(code.code) for name, code in codes.LEADS.items()} == expected
    assert {code.system for code in codes.LEADS.values()} == {"urn:iso:std:iso:11073:10101"}
    assert codes.lead("aVF").display == "MDC_ECG_ELEC_POTL_AVF"
    assert codes.lead("electrode 7") == codes.ECG == codes.Code(codes.MDC, "131328", "MDC_ECG_ELEC_POTL")


def test_every_reason_of_ours_has_a_nearest_one_of_hl7_and_is_told_itself() -> None:
    assert set(codes.REASONS) == set(get_args(Reason))
    for reason in get_args(Reason):
        nearest, ours = codes.absent(reason)
        assert nearest.code in SYSTEMS[codes.DATA_ABSENT]
        assert nearest.display.replace(" ", "-").lower() == nearest.code
        assert (ours.system, ours.code) == (codes.ABSENT, reason)
    # a device may have reasons of its own
    assert [each.code for each in codes.absent("cuff_leak")] == ["unknown", "cuff_leak"]


def test_our_code_system_has_every_measure_with_its_title_and_unit() -> None:
    (measures, absent, purposes) = STATIC["CodeSystem"]
    said: dict[str, Any] = dict(jsonable(measures))
    concepts = {each["code"]: each for each in said["concept"]}
    assert measures.url == OWN
    for name, measure in MEASURES.items():
        assert concepts[name]["display"] == measure.title
        assert {each["code"]: each["valueString"] for each in concepts[name]["property"]} == {
            "unit": measure.unit,
            "decimals": str(measure.decimals),
        }
    assert set(concepts) - set(MEASURES) == {"blood_pressure", "session_report", "screening"}
    assert set(concepts) == SYSTEMS[OWN]
    assert {absent.url, purposes.url} == {codes.ABSENT, codes.PURPOSES}


def test_the_concept_map_says_what_loinc_has_and_what_not() -> None:
    said: dict[str, Any] = dict(jsonable(STATIC["ConceptMap"][0]))
    targets = {each["code"]: each["target"] for each in said["group"][0]["element"]}
    assert set(targets) == set(MEASURES)
    assert targets["sdnn"][0]["code"] == "80404-7"
    for name in ("rmssd", "pnn50", "stress", "valence", "arousal"):
        assert targets[name] == [{"equivalence": "unmatched"}]
    assert [(each["code"], each["equivalence"]) for each in targets["spo2"]] == [
        ("2708-6", "wider"),
        ("59408-5", "equivalent"),
    ]


@pytest.mark.parametrize("resource", [each for kind in STATIC.values() for each in kind], ids=lambda each: each.name)
def test_terminology_fits_the_model_and_the_value_sets(resource: Any) -> None:
    said = jsonable(resource)
    get_fhir_model_class(str(said["resourceType"])).model_validate(said)
    assert strays(said) == []


@pytest.mark.parametrize("kind", EXAMPLES)
def test_examples_fit_the_model_and_the_value_sets(kind: str) -> None:
    said = jsonable(EXAMPLES[kind])
    assert said["resourceType"] == kind
    get_fhir_model_class(kind).model_validate(said)
    assert strays(said) == []


SPOILED = [
    ("Observation", ("status",), "done", "Observation.status"),
    ("Observation", ("category", 0, "coding", 0, "code"), "vitals", "Observation.category.coding"),
    ("Observation", ("code", "coding", 0, "code"), "8867-5", "Observation.code.coding"),
    ("Observation", ("valueQuantity", "code"), "bpm", "Observation.valueQuantity"),
    ("Encounter", ("status",), "closed", "Encounter.status"),
    ("Encounter", ("class", "code"), "OUT", "Encounter.class"),
    ("Consent", ("status",), "withdrawn", "Consent.status"),
    ("Consent", ("scope", "coding", 0, "code"), "privacy", "Consent.scope.coding"),
    ("Consent", ("category", 0, "coding", 0, "code"), "59284-1", "Consent.category.coding"),
    ("Consent", ("provision", "type"), "allow", "Consent.provision.type"),
    ("Provenance", ("agent", 0, "type", "coding", 0, "code"), "machine", "Provenance.agent.type.coding"),
    ("Provenance", ("activity", "coding", 0, "code"), "MAKE", "Provenance.activity.coding"),
    ("Provenance", ("entity", 0, "role"), "input", "Provenance.entity.role"),
    ("Device", ("status",), "running", "Device.status"),
    ("Device", ("statusReason", 0, "coding", 0, "code"), "on", "Device.statusReason.coding"),
    ("Device", ("deviceName", 0, "type"), "name", "Device.deviceName.type"),
    ("Patient", ("gender",), "F", "Patient.gender"),
    ("Patient", ("identifier", 0, "use"), "main", "Identifier.use"),
    ("DiagnosticReport", ("status",), "complete", "DiagnosticReport.status"),
    ("QuestionnaireResponse", ("status",), "done", "QuestionnaireResponse.status"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "where"), SPOILED, ids=[f"{row[3]}" for row in SPOILED])
def test_a_code_outside_its_value_set_is_noticed(
    kind: str, path: tuple[str | int, ...], value: str, where: str
) -> None:
    said: Any = jsonable(EXAMPLES[kind])
    inner = said
    for step in path[:-1]:
        inner = inner[step]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    assert [each.partition(":")[0] for each in strays(said)] == [where]


def test_only_systems_of_ours_are_open() -> None:
    assert all(system.startswith(OWN) for system in OPEN)
