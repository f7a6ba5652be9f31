"""The code table: which codes, units and categories say what we measure. Frozen; a test holds it to the letter.

Vital signs are coded as the FHIR R4 vital signs profile demands (hl7.org/fhir/R4/observation-vitalsigns.html), what
LOINC has no code for by our own code system, waveforms by ISO/IEEE 11073-10101.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kiosk.measures import LOINC, MEASURES, OWN, Measure, Reason

CANONICAL: Final = "https://health-kiosk.example/fhir"
"""What our own canonical URLs begin with: they identify, and need not resolve."""
UCUM: Final = "http://unitsofmeasure.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
TERMS: Final = "http://terminology.hl7.org/CodeSystem"
PROFILES: Final = "http://hl7.org/fhir/StructureDefinition"
ABSENT: Final = f"{OWN}/absent"
"""Our own reasons for giving no number."""
METHODS: Final = f"{OWN}/methods"
PURPOSES: Final = f"{OWN}/purposes"
DATA_ABSENT: Final = f"{TERMS}/data-absent-reason"
CATEGORY: Final = f"{TERMS}/observation-category"
VITAL_SIGNS: Final = "vital-signs"
EXAM: Final = "exam"
PROCEDURE: Final = "procedure"
SURVEY: Final = "survey"


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a system, as its owner displays it."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Coded:
    """How a measure is said in FHIR."""

    codes: tuple[Code, ...]
    """The standard's first, ours last."""
    unit: str
    """For people; the UCUM code is the measure's."""
    category: str
    profile: str | None = None
    """The last part of the FHIR core profile that it must fit."""


def _loinc(code: str, display: str) -> Code:
    return Code(LOINC, code, display)


BLOOD_PRESSURE: Final = _loinc("85354-9", "Blood pressure panel with all children optional")
VITALS_PANEL: Final = _loinc(
    "85353-1", "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel"
)
SYSTOLIC, DIASTOLIC = "systolic", "diastolic"
ARTERIAL: Final = _loinc("2708-6", "Oxygen saturation in Arterial blood")
"""The code that the profile asks for; 59408-5 beside it says by which method."""

_VITALS: Mapping[str, tuple[tuple[Code, ...], str, str]] = {
    "heart_rate": ((_loinc("8867-4", "Heart rate"),), "beats/minute", "heartrate"),
    "respiration_rate": ((_loinc("9279-1", "Respiratory rate"),), "breaths/minute", "resprate"),
    "temperature": ((_loinc("8310-5", "Body temperature"),), "°C", "bodytemp"),
    "spo2": (
        (ARTERIAL, _loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")),
        "%",
        "oxygensat",
    ),
    SYSTOLIC: ((_loinc("8480-6", "Systolic blood pressure"),), "mmHg", "bp"),
    DIASTOLIC: ((_loinc("8462-4", "Diastolic blood pressure"),), "mmHg", "bp"),
    "weight": ((_loinc("29463-7", "Body weight"),), "kg", "bodyweight"),
    "height": ((_loinc("8302-2", "Body height"),), "cm", "bodyheight"),
    "bmi": ((_loinc("39156-5", "Body mass index (BMI) [Ratio]"),), "kg/m²", "bmi"),
}
VITALS: Final = tuple(_VITALS)
"""Measures that are vital signs."""
_OTHERS: Mapping[str, Code] = {
    "hba1c": _loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    "sdnn": _loinc("80404-7", "R-R interval.standard deviation (Heart rate variability)"),
    "phq2": _loinc("55758-7", "Patient Health Questionnaire 2 item (PHQ-2) total score [Reported]"),
    "phq9": _loinc("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]"),
}
_SCORE = "{score}"
"""The unit of what a questionnaire says."""
_PEOPLE = {"1": "1", "ms2": "ms²", "uV2": "µV²", "Cel/min": "°C/min", "{semitone}": "semitones", "{nat}": "nat"}
_PEOPLE |= {_SCORE: "score"}


def own(measure: Measure) -> Code:
    """Our own code of a measure: its name."""
    return Code(OWN, measure.name, measure.title)


def _coded(measure: Measure) -> Coded:
    vital = _VITALS.get(measure.name)
    if vital is not None:
        codes, unit, profile = vital
        return Coded((*codes, own(measure)), unit, VITAL_SIGNS, profile)
    other = _OTHERS.get(measure.name)
    standard = (other,) if other else ()
    return Coded(
        (*standard, own(measure)), _PEOPLE.get(measure.unit, measure.unit), SURVEY if measure.unit == _SCORE else EXAM
    )


TABLE: Mapping[str, Coded] = MappingProxyType({name: _coded(measure) for name, measure in MEASURES.items()})

ECG: Final = Code(MDC, "131328", "MDC_ECG_ELEC_POTL")
LEADS: Mapping[str, Code] = MappingProxyType(
    {
        name: Code(MDC, str(number), f"MDC_ECG_ELEC_POTL_{name.upper()}")
        for name, number in (
            *(("I", 131329), ("II", 131330), ("III", 131389), ("AVR", 131390), ("AVL", 131391), ("AVF", 131392)),
            *((f"V{number}", 131330 + number) for number in range(1, 7)),
        )
    }
)
"""Leads of an electrocardiogram by their names in capitals: term codes of part 10101, block 2."""


def lead(channel: str) -> Code:
    """The code of a lead; the electrocardiogram's own where the channel's name is no lead's."""
    return LEADS.get(channel.upper(), ECG)


REASONS: Mapping[Reason, tuple[str, str]] = MappingProxyType(
    {
        "too_short": ("error", "Too short to tell"),
        "noisy": ("error", "Too much noise"),
        "flat": ("error", "The signal is flat"),
        "saturated": ("error", "The signal is saturated"),
        "unsuitable_rate": ("unsupported", "The sampling rate does not suit the method"),
        "impossible": ("error", "The value would be impossible"),
        "no_face": ("not-performed", "No face was in view"),
        "no_trained_model": ("unsupported", "No trained model is installed"),
        "not_delivered": ("unknown", "The signal was not delivered"),
        "analysis_failed": ("error", "The analysis failed"),
        "too_many_corrected": ("error", "Too many beats had to be corrected"),
        "irregular": ("not-applicable", "The rhythm is irregular"),
        "insufficient": ("error", "Not enough usable data"),
        "no_reference": ("not-applicable", "There is nothing to compare with"),
        "too_dark": ("error", "It was too dark"),
        "moving": ("error", "The person moved"),
        "too_far": ("error", "The person was too far away"),
        "no_speech": ("not-performed", "Nobody spoke"),
        "too_quiet": ("error", "The voice was too quiet"),
        "unfamiliar": ("unsupported", "The voice was unlike what the network knows"),
        "missing_channels": ("not-performed", "Channels that it needs are missing"),
        "not_present": ("not-performed", "Nobody was there"),
    }
)
"""Our reasons: HL7's nearest, and what ours says."""

_HL7_ABSENT = {
    "unknown": "Unknown",
    "not-performed": "Not Performed",
    "unsupported": "Unsupported",
    "not-applicable": "Not Applicable",
    "error": "Error",
}


def absent(reason: str) -> tuple[Code, ...]:
    """Why there is no number: HL7's word and ours. A device may have reasons that we do not know."""
    for known, (nearest, said) in REASONS.items():
        if known == reason:
            return Code(DATA_ABSENT, nearest, _HL7_ABSENT[nearest]), Code(ABSENT, known, said)
    return Code(DATA_ABSENT, "unknown", _HL7_ABSENT["unknown"]), Code(ABSENT, reason, reason)
