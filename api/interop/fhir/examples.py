"""One made-up resource of each kind, for the documentation of the routes; the same functions make the real ones."""

from collections.abc import Mapping
from types import MappingProxyType

from api.interop.fhir import observations, resources
from api.interop.fhir.observations import Around, Told
from api.interop.fhir.resources import Made
from api.interop.fhir.shapes import Named
from api.tables import ConsentRow, DeviceRow, PatientRow, ReadingRow, ResponseRow, RevisionRow, SessionRow
from kiosk.messages import SECOND

_T = 1_735_808_400 * SECOND
_PATIENT = PatientRow(
    id="p-3f9a61c04d7be258", pseudonym="K7QF-9M2X-TR4D", birth_year=1981, sex="female", created_ns=_T
)  # fmt: skip
_SESSION = SessionRow(
    id="s-20250102-0001",
    kiosk="kiosk-1",
    patient_id=_PATIENT.id,
    state="closed",
    outcome="complete",
    origin_utc_ns=_T,
    first_seen_ns=_T,
    last_seen_ns=_T + 181 * SECOND,
    ended_ns=180 * SECOND,
    closed_ns=_T + 182 * SECOND,
    revision=1,
)
_REVISION = RevisionRow(
    session_id=_SESSION.id, number=1, outcome="complete", created_ns=_T + 182 * SECOND, version="0.1.0", context={}
)
_READING = ReadingRow(
    id=1,
    session_id=_SESSION.id,
    revision=1,
    measure="heart_rate",
    value=72.4,
    low=71.6,
    high=73.1,
    quality=0.94,
    source="ecg.chest-strap",
    scope="recording",
    method="pan-tompkins-1985",
    version="0.1.0",
    preferred=True,
    start_ns=0,
    end_ns=180 * SECOND,
)
_DEVICE = DeviceRow(kiosk="kiosk-1", device="chest-strap", state="running", seen_ns=_T + 180 * SECOND)
_CONSENT = ConsentRow(
    id="c-7be2583f9a61c04d",
    patient_id=_PATIENT.id,
    purpose="share",
    text_version="2025-01",
    language="en",
    given_ns=_T - 60 * SECOND,
)
_RESPONSE = ResponseRow(
    id="q-c04d7be2583f9a61",
    session_id=_SESSION.id,
    questionnaire="who5",
    questionnaire_version="1",
    language="en",
    answers=b"",
    score=64.0,
    created_ns=_T + 200 * SECOND,
)
_AROUND = Around(_SESSION, _REVISION.created_ns, frozenset({"chest-strap"}))

EXAMPLES: Mapping[str, Named] = MappingProxyType(
    {
        "Patient": resources.patient(_PATIENT, None, _T),
        "Encounter": resources.encounter(_SESSION, _T + 182 * SECOND),
        "Observation": observations.of_reading(
            Told(_READING, "r-1", device="chest-strap", waveforms=("w-1-0",)), _AROUND
        ),
        "DiagnosticReport": resources.report(_SESSION, _REVISION, ["r-1"]),
        "QuestionnaireResponse": resources.response(_RESPONSE, _PATIENT.id, {"1": 3, "2": 4}, simulated=False),
        "Device": resources.device(_DEVICE),
        "Consent": resources.consent(_CONSENT, _T - 60 * SECOND),
        "Provenance": resources.provenance(
            Made(_REVISION, _SESSION, ("r-1",), ("w-1-0",), (), (), methods=("pan-tompkins-1985",))
        ),
    }
)
