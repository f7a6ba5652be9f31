"""A recorded and analysed visit to say in FHIR, with everything that FHIR tells."""

from dataclasses import dataclass

import numpy as np

from api.recorder import Recorder
from api.store import Database, identities, responses, results
from api.store.identities import Identifier, Who
from api.store.results import Found
from api.tables import (
    MAIN,
    ClinicRow,
    ConsentRow,
    CorrectionRow,
    PatientRow,
    ResponseRow,
    SessionRow,
)
from kiosk.bus import Delivery
from kiosk.measures import Reason
from kiosk.messages import SECOND, Chunk, End, Message, Origin, Reading, Session, Status, Stream, address, encode

BEGAN = 1_735_808_400 * SECOND
"""2025-01-02T09:00:00Z."""
CLOSED = BEGAN + 400 * SECOND
NAME = "Doe"


@dataclass(frozen=True)
class Visited:
    """What the things of the visit are called."""

    session: str
    patient: str
    ecg: np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def found(
    measure: str,
    value: float | None,
    *,
    source: str = "ecg.chest-strap",
    absent: Reason | None = None,
    low: float | None = None,
    high: float | None = None,
    preferred: bool = True,
    end: float = 60.0,
) -> Found:
    """A final reading."""
    return Found(
        measure,
        value,
        low,
        high,
        None if value is None else 0.875,
        absent,
        source,
        "recording",
        "pan-tompkins-1985",
        preferred,
        0,
        round(end * SECOND),
    )


FOUND = (
    found("heart_rate", 72.4, low=71.62, high=73.1),
    found("heart_rate", 73.0, source="ppg.finger", preferred=False),
    found("respiration_rate", 14.2),
    found("sdnn", 48.32),
    found("rmssd", 35.25),
    found("pnn50", None, absent="too_short"),
    found("stress", 41.0),
    found("valence", -0.25),
    found("lf_power", None, absent="too_short"),
)


def visit(
    database: Database,
    session: str = "s-fhir_1",
    patient: str = "p-00000000000000f1",
    *,
    clinic: str = MAIN,
    kiosk: str = "kiosk-1",
    began: int = BEGAN,
    shares: bool = True,
    assigned: bool = True,
    simulated: bool = False,
) -> Visited:
    """Record 40 s of ECG in two leads with a lost sample and a hole, a cuff, an oximeter; close it; add people."""
    ecg, cuff = Stream(session, "chest-strap", "ecg", "r1"), Stream(session, "cuff", "readings", "r1")
    own = Stream(session, "station", "session", "r1")
    origin = Origin(utc=began, boot=5_000 * SECOND, boot_id="b7f0c1d2")
    wave = np.random.default_rng(5).normal(0, 0.5, (40 * 250, 2)).astype(np.float32)
    wave[100, 0] = np.nan
    spot = [
        ("systolic", 121.0, None, 30), ("diastolic", 79.0, None, 30), ("systolic", 135.0, None, 50),
        ("diastolic", None, "noisy", 50), ("spo2", 98.0, None, 31), ("temperature", 36.6, None, 32),
        ("weight", 71.5, None, 33), ("height", 175.0, None, 34), ("bmi", 23.3, None, 34),
        ("heart_rate", None, "cuff_leak", 51),
    ]  # fmt: skip
    said: list[Message] = [
        Session(own, 0, "open", origin, simulated=simulated),
        *(
            Chunk(ecg, number, number * SECOND, 250.0, ("I", "aVF"), wave[number * 250 : number * 250 + 250].tobytes())
            for number in range(40)
            if number != 20
        ),
        *(
            Reading(cuff, seq, name, value, "cuff", "spot", "oscillometric", (at - 20) * SECOND, at * SECOND,
                    quality=None if value is None else 0.9, absent=absent)
            for seq, (name, value, absent, at) in enumerate(spot)
        ),
        Session(own, 1, "ended", origin, 60 * SECOND, (ecg, cuff), simulated=simulated),
        End(ecg, 39), End(cuff, len(spot) - 1), End(own, 1),
        Status("chest-strap", "running", drift_ppm=-11.5),
    ]  # fmt: skip
    Recorder(database).commit([Delivery(address(kiosk, message), encode(message)) for message in said])
    with database.transaction() as db:
        if db.get(ClinicRow, clinic) is None:
            db.add(ClinicRow(id=clinic, name="A clinic", created_ns=1))
            db.flush()
        if db.get(PatientRow, patient) is None:
            db.add(
                PatientRow(id=patient, clinic_id=clinic, pseudonym=f"PSEUDO-{patient}", birth_year=1981, sex="female",
                           created_ns=began - 60 * SECOND)
            )  # fmt: skip
            db.flush()
            who = Who(given=("Jo",), family=NAME, birth_date="1981-03-04", phone="+1 555", email="jo@example.org",
                      identifiers=(Identifier("urn:oid:1.2.3", f"MRN-{patient}"),))  # fmt: skip
            identities.put(db, patient, clinic, who)
            for purpose in ("store", "share") if shares else ("store",):
                db.add(
                    ConsentRow(id=f"c-{purpose}-{patient[2:]}", patient_id=patient, session_id=session,
                               purpose=purpose, text_version="2025-01", language="en", given_ns=began - 30 * SECOND)
                )  # fmt: skip
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        row.clinic_id, row.state, row.outcome, row.changed = clinic, "closed", "complete", False
        row.patient_id = patient if assigned else None
        row.closed_ns = began + 400 * SECOND
        response = ResponseRow(
            id=f"q-{session.replace('_', '-')}",
            session_id=session,
            questionnaire="who5",
            questionnaire_version="1",
            language="en",
            score=55.0,
            created_ns=began + 100 * SECOND,
        )
        responses.add(db, response, {"1": 3, "2": 2}, None)
    revise(database, session, FOUND, at=began + 400 * SECOND)
    return Visited(session, patient, wave)


def revise(database: Database, session: str, readings: tuple[Found, ...], *, at: int, corrector: str = "") -> None:
    """Add a revision."""
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        row.revision += 1
        if corrector:
            db.add(
                CorrectionRow(id=f"b-{row.revision}", session_id=session, kind="remove", time_ns=SECOND,
                              author_id=corrector, created_ns=at - 1)
            )  # fmt: skip
        results.add(db, session, row.revision, outcome="complete", version="0.1.0", context={}, beats=None,
                    readings=readings, now=at)  # fmt: skip
