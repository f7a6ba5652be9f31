"""Two clinics that have one of everything, for tests that ask for all of it."""

from collections.abc import Mapping

import numpy as np

from api.recorder import Recorder
from api.security import Role
from api.store import Database, utc_now, vault_of
from api.tables import (
    AlertRow,
    AnalysisRow,
    ApiKeyRow,
    ClinicRow,
    ConsentRow,
    CorrectionRow,
    IdentityRow,
    KioskRow,
    NoteRow,
    PatientRow,
    ReadingRow,
    ResponseRow,
    ReviewRow,
    RevisionRow,
    RuleRow,
    SessionRow,
    TokenRow,
    UserRow,
)
from kiosk.bus import Delivery
from kiosk.messages import SECOND, Chunk, End, Event, Message, Origin, Session, Status, Stream, address, encode

OWN, FOREIGN = "main", "foreign-clinic"
DAY = 86_400 * SECOND


def things(clinic: str) -> Mapping[str, str]:
    """What a clinic's things are called, by the name of the path parameter."""
    mark = "1" if clinic == OWN else clinic
    return {
        **{
            name: f"{name}-{mark}"
            for name in (
                *("session", "kiosk", "patient", "note", "answer", "review", "correction", "rule", "alert"),
                *("consent", "analysis", "key", "user", "command", "login", "clinic"),
            )
        },
        "signal": "ecg",
        # FHIR's: two names in one are parted by .-
        "observation": f"v-session-{mark}",
        "report": f"session-{mark}",
        "provenance": f"session-{mark}.-1",
        "device": f"kiosk-{mark}.-strap",
        "version": "1",
        "questionnaire": "who5",
        "provider": "provider",
        "page": "sessions",
    }


CLINICS = {OWN: things(OWN), FOREIGN: things(FOREIGN)}


def fill(database: Database) -> None:
    """Make both clinics and all that is in them."""
    with database.transaction() as db:
        if db.get(ClinicRow, OWN) is None:
            db.add(ClinicRow(id=OWN, name="Main", created_ns=0))
        db.add(ClinicRow(id=FOREIGN, name="Foreign", created_ns=1))
        db.flush()
        for role in Role:
            # who asks in these tests
            db.add(UserRow(id=f"u-{role}", login=f"{role}", clinic_id=OWN, role=role, created_ns=1))
        for clinic, named in CLINICS.items():
            db.add(KioskRow(name=named["kiosk"], clinic_id=clinic, added_ns=1))
    for named in CLINICS.values():
        _visit(database, named["kiosk"], named["session"])
    for clinic, named in CLINICS.items():
        _people(database, clinic, named)
        _care(database, clinic, named)


def _visit(database: Database, kiosk: str, session: str) -> None:
    ecg, own = Stream(session, "strap", "ecg", "r1"), Stream(session, "station", "session", "r1")
    events = Stream(session, "station", "events", "r1")
    origin = Origin(utc=1_735_808_400 * SECOND, boot=5_000 * SECOND, boot_id="b7f0c1d2")
    wave = np.sin(np.arange(2500) / 40).astype("<f4")
    said: list[Message] = [
        Session(own, 0, "open", origin),
        *(
            Chunk(ecg, number, number * SECOND, 250.0, ("I",), wave[number * 250 : number * 250 + 250].tobytes())
            for number in range(10)
        ),
        Event(events, 0, "step_began", SECOND, "sit still"),
        Session(own, 1, "ended", origin, 10 * SECOND, (ecg, events)),
        End(ecg, 9),
        End(events, 0),
        End(own, 1),
        Status("strap", "running"),
    ]
    Recorder(database).commit([Delivery(address(kiosk, message), encode(message)) for message in said])


def _people(database: Database, clinic: str, named: Mapping[str, str]) -> None:
    patient, now = named["patient"], utc_now()
    with database.transaction() as db:
        db.add(PatientRow(id=patient, clinic_id=clinic, pseudonym=f"P-{patient}", birth_year=1980, created_ns=now))
        db.add(UserRow(id=named["user"], login=f"someone@{clinic}", clinic_id=clinic, role="clinician", created_ns=now))
        db.flush()
        sealed = vault_of(db).patient(patient).seal(b'{"family":"Doe","given":["Jo"]}', f"identities:{patient}")
        db.add(IdentityRow(patient_id=patient, data=sealed, updated_ns=now))
        db.add(
            TokenRow(
                digest=f"digest-{clinic}",
                user_id=named["user"],
                family=named["login"],
                kind="refresh",
                via="bearer",
                created_ns=now,
                expires_ns=now + DAY,
            )
        )
        db.add(
            ApiKeyRow(
                id=named["key"],
                digest=f"key-{clinic}",
                name="key",
                clinic_id=clinic,
                role="integrator",
                created_by=named["user"],
                created_ns=now,
            )
        )
        db.add(
            ConsentRow(
                id=named["consent"],
                patient_id=patient,
                purpose="share",
                text_version="2026-1",
                language="en",
                given_ns=now,
            )
        )


def _care(database: Database, clinic: str, named: Mapping[str, str]) -> None:
    session, patient, now = named["session"], named["patient"], utc_now()
    # notes and the like are changed by who wrote them
    user = "u-clinician"
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        assert row.clinic_id == clinic, "the recorder knows whose kiosk it is"
        vault_of(db).assign(session, patient)
        row.patient_id, row.state, row.outcome, row.revision = patient, "closed", "complete", 1
        row.closed_ns = now
        db.add(
            RevisionRow(
                session_id=session,
                number=1,
                outcome="complete",
                created_ns=now,
                version="0.1.0",
                context={"age": 44.0, "sex": "female"},
                beats=np.arange(0.5, 9.5, 0.8).astype("<f8").tobytes(),
            )
        )
        db.add(
            ReadingRow(
                session_id=session,
                revision=1,
                measure="heart_rate",
                value=75.0,
                quality=0.9,
                source="strap",
                scope="recording",
                method="vote-3",
                version="0.1.0",
                preferred=True,
                start_ns=0,
                end_ns=10 * SECOND,
            )
        )
        box = vault_of(db).session(session)
        db.add(
            NoteRow(
                id=named["note"],
                session_id=session,
                author_id=user,
                text=box.seal(b"a note", f"notes:{named['note']}"),
                created_ns=now,
            )
        )
        db.add(
            ResponseRow(
                id=named["answer"],
                session_id=session,
                questionnaire="who5",
                questionnaire_version="1",
                language="en",
                answers=box.seal(b"{}", f"responses:{named['answer']}"),
                created_ns=now,
            )
        )
        db.add(
            ReviewRow(
                id=named["review"],
                session_id=session,
                revision=1,
                reviewer_id=user,
                verdict="accepted",
                created_ns=now,
            )
        )
        db.add(
            CorrectionRow(
                id=named["correction"],
                session_id=session,
                kind="remove",
                time_ns=5 * SECOND + 300_000_000,
                author_id=user,
                created_ns=now,
            )
        )
        rule = RuleRow(
            id=named["rule"],
            clinic_id=clinic,
            measure="heart_rate",
            high=70.0,
            severity="notice",
            author_id=user,
            created_ns=now,
        )
        db.add(rule)
        db.flush()
        db.add(
            AlertRow(
                id=named["alert"],
                clinic_id=clinic,
                rule_id=rule.id,
                session_id=session,
                revision=1,
                measure="heart_rate",
                value=75.0,
                severity="notice",
                raised_ns=now,
            )
        )
        db.add(
            AnalysisRow(
                id=named["analysis"],
                clinic_id=clinic,
                requested_by=user,
                session_id=session,
                state="done",
                progress=1.0,
                size=12,
                created_ns=now,
                finished_ns=now,
            )
        )
