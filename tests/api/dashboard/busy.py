"""A clinic in which something waits: people with sessions over months, alerts, notes, consents, answers."""

import math
from dataclasses import dataclass

from api import alerts
from api.security import Role
from api.store import (
    Database,
    Transaction,
    consents,
    identities,
    notes,
    responses,
    results,
    reviews,
    rules,
    utc_now,
    vault_of,
)
from api.store.identities import Who
from api.store.results import Found
from api.tables import (
    MAIN,
    ConsentRow,
    NoteRow,
    PatientRow,
    ReadingRow,
    ResponseRow,
    ReviewRow,
    RuleRow,
    SessionRow,
)
from kiosk import questionnaires
from kiosk.messages import SECOND
from tests.api import staff
from tests.api.dashboard.clinic import Clinic

DAY = 86_400 * SECOND
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
"""What somebody types who means no good; a page that parses it has a title of theirs."""
NOTE = f"Slept badly. {HOSTILE} </script><script>document.title='owned'</script>"
_PEOPLE = (
    ("Anna", "Ivanova", "1981-04-09", "female"),
    ("Boris", "Klein", "1964-11-30", "male"),
    (HOSTILE, "Doe", "1990-01-02", "other"),
    ("Dora", "Lind", "1975-06-17", "female"),
)


@dataclass(frozen=True, slots=True)
class Busy:
    """What is where."""

    patients: tuple[str, ...]
    urgent: str
    """The session with an open urgent alert."""
    rhythm: str
    partial: str
    kiosk: str = "kiosk-1"


def fill(here: Clinic, *, sessions: int = 12) -> Busy:
    """People who came every fortnight; the last visit of the first was alarming."""
    database = here.database
    clinician = staff.hire(database, Role.CLINICIAN)
    now = utc_now()
    with database.transaction() as db:
        for measure, high, severity in (("systolic", 179.0, "urgent"), ("stress", 80.0, "notice")):
            rules.add(
                db,
                RuleRow(
                    id=f"r-{measure}", clinic_id=MAIN, measure=measure, high=high, severity=severity,
                    author_id=clinician.id, created_ns=now, least_quality=0.0,
                ),
            )  # fmt: skip
    people = tuple(_person(database, number, clinician.id) for number in range(len(_PEOPLE)))
    for number, patient in enumerate(people):
        for visit in range(sessions - 3 * number):
            ago = 14 * visit + number
            _session(database, f"s-{number}-{visit:02}", patient, now - ago * DAY - number * SECOND, visit, number)
    _review(database, [f"s-{number}-{visit:02}" for number in range(4) for visit in range(2, sessions - 3 * number)])
    return Busy(people, "s-0-00", "s-1-00", "s-2-00")


def _person(database: Database, number: int, by: str) -> str:
    given, family, born, sex = _PEOPLE[number]
    patient, now = f"p-{number}", utc_now() - number * DAY
    with database.transaction() as db:
        row = PatientRow(
            id=patient, clinic_id=MAIN, pseudonym=f"K7QF-9M2X-TR{number}D", birth_year=int(born[:4]), sex=sex,
            created_ns=now,
        )  # fmt: skip
        db.add(row)
        db.flush()
        identities.put(db, patient, MAIN, Who(given=(given,), family=family, birth_date=born))
        note = NoteRow(id=f"n-{number}", patient_id=patient, author_id=by, text=b"", created_ns=now)
        notes.write(db, note, NOTE if number == 0 else "Comes back in two weeks.")
        for purpose in ("measure", "store"):
            (text,) = (each for each in consents.texts(db)[-1:])
            consents.give(
                db,
                ConsentRow(
                    id=f"c-{number}-{purpose}", patient_id=patient, purpose=purpose, text_version=text.version,
                    language=text.language, given_ns=now, recorded_by=by,
                ),
            )  # fmt: skip
    return patient


def _session(database: Database, session: str, patient: str, began: int, visit: int, number: int) -> None:
    last = visit == 0
    wave = math.sin(visit / 2 + number)
    values: dict[str, float | None] = {
        "heart_rate": 66.0 + 4 * wave + 3 * number,
        "rmssd": None if visit == 4 else 38.0 - 6 * wave - 4 * number,
        "sdnn": 52.0 - 5 * wave,
        "respiration_rate": 14.0 + wave,
        "stress": 40.0 + 12 * wave + (45 if number == 3 and last else 0),
        "irregular_rhythm": 1.0 if number == 1 and last else 0.0,
    }
    with database.transaction() as db:
        row = SessionRow(
            id=session, kiosk="kiosk-1" if visit % 2 else "kiosk-2", clinic_id=MAIN, patient_id=patient,
            protocol="quick", state="closed", outcome="partial" if number == 2 and last else "complete",
            origin_utc_ns=began, first_seen_ns=began, last_seen_ns=began + 180 * SECOND, closed_ns=began + 190 * SECOND,
            ended_ns=180 * SECOND, revision=1, quality=0.9, simulated=number == 3,
        )  # fmt: skip
        db.add(row)
        vault_of(db).assign(session, patient)
        db.flush()
        found = [
            Found(
                measure, value, None if value is None else value * 0.97, None if value is None else value * 1.03,
                None if value is None else 0.94 - 0.04 * (visit % 9), "noisy" if value is None else None, "ecg",
                "recording", "vote-3", True, 0, 180 * SECOND,
            )
            for measure, value in values.items()
        ]  # fmt: skip
        results.add(
            db, session, 1, outcome=row.outcome or "", version="1", context={}, beats=None, readings=found, now=began
        )
        for measure, value in (("systolic", 186.0 if number == 0 and last else 124.0 + 6 * wave), ("diastolic", 78.0)):
            db.add(_spot(session, measure, value, "cuff"))
        if visit % 4 == 0:
            asked = questionnaires.listed()["who5"]
            answers = {item.id: 2 + (visit + index) % 3 for index, item in enumerate(asked.items)}
            _answer(db, session, answers, began)
        db.flush()
        alerts.evaluate(db, session, began + 200 * SECOND)


def _answer(db: Transaction, session: str, answers: dict[str, int], now: int) -> None:
    asked = questionnaires.listed()["who5"]
    score = asked.score(answers)
    response = ResponseRow(
        id=f"q-{session}", session_id=session, questionnaire=asked.id, questionnaire_version=asked.version,
        language="en", answers=b"", score=score, complete=True, created_ns=now,
    )  # fmt: skip
    responses.add(db, response, answers, _spot(session, "who5", score or 0.0, "questionnaire"))


def _spot(session: str, measure: str, value: float, source: str) -> ReadingRow:
    return ReadingRow(
        session_id=session, measure=measure, value=value, source=source, scope="spot", method="test", version="1",
        quality=None, start_ns=0, end_ns=SECOND,
    )  # fmt: skip


def _review(database: Database, wanted: list[str]) -> None:
    with database.transaction() as db:
        for session in wanted:
            row = ReviewRow(
                id=f"v-{session}", session_id=session, revision=1, reviewer_id="u-clinician-main", verdict="accepted",
                created_ns=utc_now(),
            )  # fmt: skip
            reviews.add(db, row, None)
