"""What visitors tell becomes the record: once, the same in whatever order it comes, and nothing without consent."""

import itertools
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlmodel import SQLModel, col, select

from api import retention
from api.recorder import Recorder
from api.store import Database, consents, dialogues, identities, patients, results, utc_now, vault_of
from api.store import erasure as store
from api.store.identities import Who
from api.tables import (
    AlertRow,
    AuditRow,
    ConsentRow,
    DialogueRow,
    EntryRow,
    IdentityRow,
    NoteRow,
    PatientRow,
    QuarantineRow,
    ReadingRow,
    ResponseRow,
    SessionRow,
)
from api.visits import settling
from kiosk.bus import Delivery
from kiosk.consent import VERSION
from kiosk.messages import SECOND, Agreed, Answered, Content, Entry, Message, Person, Said, Session, address, encode
from tests.api.conftest import ClientAs, problem_of, record
from tests.api.marked import found_in, spellings
from tests.api.records import BEGAN, patient
from tests.api.visiting import (
    AGREED,
    ANSWERED,
    CHOSEN,
    FAMILY,
    FINDRISC,
    GIVEN,
    LINE,
    ORIGIN,
    PERSON,
    SAID,
    opened,
)
from tests.api.visiting import entries as told
from tests.api.visiting import visit as visit_of

VISIT: Sequence[Content] = (CHOSEN, AGREED, PERSON, ANSWERED, SAID)
MINUTE = 60 * SECOND


def session_row(database: Database, session: str = "s1") -> SessionRow:
    with database.reading() as db:
        row = db.get(SessionRow, session)
    assert row is not None
    return row


def rows(database: Database, table: type[SQLModel]) -> list[Any]:
    with database.reading() as db:
        return list(db.execute(select(table)).scalars())


def state(database: Database, session: str = "s1") -> dict[str, Any]:
    """All that a visit has made of the record, without random names."""
    with database.reading() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        who = identities.get(db, row.patient_id) if row.patient_id else None
        person = patients.get(db, row.patient_id) if row.patient_id else None
        agreed = db.execute(select(ConsentRow)).scalars().all()
        return {
            "protocol": row.protocol,
            "fleeting": row.fleeting,
            "patient": row.patient_id,
            "who": who,
            "person": person and (person.birth_year, person.sex, person.clinic_id),
            "patients": sorted(each.id for each in db.execute(select(PatientRow)).scalars()),
            "identities": len(db.execute(select(IdentityRow)).scalars().all()),
            "consents": sorted(
                (each.id, each.patient_id, each.purpose, each.text_version, each.given_ns, each.recorded_by or "")
                for each in agreed
            ),
            "talk": dialogues.of_session(db, session),
            "responses": sorted((each.id, each.score, each.recorded_by, each.created_ns)
                                for each in db.execute(select(ResponseRow)).scalars()),
            "scores": sorted((each.measure, each.value, each.start_ns, each.source)
                             for each in db.execute(select(ReadingRow)).scalars()),
            "waiting": sorted(each.of for each in db.execute(select(EntryRow)).scalars() if each.of == "said"),
        }  # fmt: skip


def test_a_visit_is_recorded_with_consents_a_person_answers_and_the_talk(database: Database) -> None:
    record(database, opened("s1"), *told("s1", VISIT))
    found = state(database)
    assert found["protocol"] == "full"
    assert not found["fleeting"]
    assert found["who"] == Who(given=(GIVEN,), family=FAMILY)
    assert found["person"] == (1981, "female", "main")
    assert [(each[2], each[3], each[4], each[5]) for each in found["consents"]] == sorted(
        [(purpose, VERSION, ORIGIN.utc + 20 * SECOND, "visitor") for purpose in ("measure", "store", "talk")],
        key=lambda each: [row[2] for row in found["consents"]].index(each[0]),
    )
    assert [(line.who, line.text, line.time_ns) for line in found["talk"]] == [("visitor", LINE, 50 * SECOND)]
    assert found["scores"] == [("findrisc", 14.0, 40 * SECOND, "questionnaire")]
    assert [each[1:3] for each in found["responses"]] == [(14.0, "visitor")]
    assert found["waiting"] == []
    with database.reading() as db:
        assert consents.allowed(db, found["patient"]) == {"measure", "store", "talk"}
        # found as if staff had entered it
        wanted = [("full", identities.full_name(GIVEN, FAMILY))]
        assert [each.id for each in identities.find(db, "main", wanted, limit=5)] == [found["patient"]]


@pytest.mark.parametrize("code", [None, "P-CODE", "NOBODY"], ids=["no code", "a code", "a wrong code"])
def test_the_order_of_arrival_makes_no_difference(database: Database, code: str | None) -> None:
    known = patient(database, "p-code") if code else None
    visit = (CHOSEN, AGREED, Person(code, GIVEN, FAMILY, 1981, "female"), SAID)
    orders = list(itertools.permutations(visit_of("s1", visit)))
    random.Random(5).shuffle(orders)
    first: dict[str, Any] = {}
    for number, order in enumerate(orders[: 24 if database.dialect == "sqlite" else 4]):
        name = f"s{number}"
        for message in rename(order, name):
            record(database, message)  # a recorder each: nothing is remembered
        found = {key: value for key, value in state(database, name).items() if key not in ("patients", "consents")}
        with database.reading() as db:
            made = settling.made_for(db, name)
            given = db.execute(select(ConsentRow).where(col(ConsentRow.session_id) == name)).scalars().all()
        found["consents"] = sorted((each.purpose, each.given_ns, each.patient_id == found["patient"]) for each in given)
        found["patient"] = "made" if found["patient"] == made else found["patient"]
        found.pop("identities")
        first = first or found
        assert found == first
    assert first["patient"] == (known if code == "P-CODE" else "made")
    left = {each.id for each in rows(database, PatientRow)}
    # whoever was made before the code was known is no more
    assert code != "P-CODE" or left == {known}


def rename(messages: Sequence[Message], session: str) -> list[Message]:
    """The same of another session."""
    renamed: list[Message] = []
    for each in messages:
        assert isinstance(each, Session | Entry)
        renamed.append(msgspec.structs.replace(each, stream=msgspec.structs.replace(each.stream, session=session)))
    return renamed


def test_what_comes_twice_counts_once_whichever_recorder_takes_it(database: Database) -> None:
    messages = visit_of("s1", VISIT)
    record(database, *messages)
    once = state(database)
    record(database, *messages)
    again = Recorder(database)
    for message in messages:
        again.commit([Delivery(address("kiosk-1", message), encode(message))])
    assert state(database) == once


def test_a_crash_in_between_leaves_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = visit_of("s1", VISIT)
    with monkeypatch.context() as broken:
        broken.setattr(settling, "_settle_talk", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            record(database, *messages)
    assert rows(database, SessionRow) == rows(database, PatientRow) == rows(database, ConsentRow) == []
    record(database, *messages)
    assert (len(rows(database, PatientRow)), len(rows(database, ConsentRow)), len(rows(database, DialogueRow))) == (
        1,
        3,
        1,
    )


def test_nothing_is_made_of_what_was_told_until_something_is_agreed_to(database: Database) -> None:
    record(database, opened("s1"), *told("s1", [CHOSEN, PERSON, SAID]))
    found = state(database)
    assert (found["patient"], found["patients"], found["talk"]) == (None, [], [])
    assert found["waiting"] == ["said"]
    with database.transaction() as db:
        settling.forget_unheard(db, "s1")
    assert state(database)["waiting"] == []


@pytest.mark.parametrize("before", [True, False], ids=["said first", "agreed first"])
def test_a_talk_that_was_not_agreed_to_is_not_kept(database: Database, *, before: bool) -> None:
    agreed = Agreed(("measure", "store"), VERSION, "en")
    record(database, opened("s1"))
    for entry in sorted(told("s1", [agreed, SAID]), key=lambda each: each.seq, reverse=before):
        record(database, entry)
    assert rows(database, DialogueRow) == []
    assert [each.of for each in rows(database, EntryRow)] == ["agreed"]


def test_a_talk_goes_when_it_is_not_agreed_to_any_more(database: Database, client: Any, tmp_path: Path) -> None:
    record(database, opened("s1"), *told("s1", VISIT))
    assert [each["text"] for each in client.get("/api/v1/sessions/s1/dialogue").json()["items"]] == [LINE]
    taken = next(each.id for each in rows(database, ConsentRow) if each.purpose == "talk")
    assert client.post(f"/api/v1/consents/{taken}/withdraw").status_code == 200
    assert client.get("/api/v1/sessions/s1/dialogue").json()["items"] == []
    # what still comes is not kept either
    record(database, *told("s1", [Said("assistant", "en", "late")], first=9))
    assert not [each for each in rows(database, EntryRow) if each.of == "said"]
    retention.sweep(database, tmp_path, retention.Rules(), utc_now())
    assert rows(database, DialogueRow) == []
    assert rows(database, SessionRow), "the session stays"


def test_a_code_gives_the_session_to_its_patient_and_changes_nothing_about_them(database: Database) -> None:
    known = patient(database, "p-code")
    with database.transaction() as db:
        patients.change(db, known, {"birth_year": 1950})
        identities.put(db, known, "main", Who(family="Staff wrote this"))
    record(database, opened("s1"), *told("s1", [AGREED, Person("p-code", GIVEN, FAMILY, 1981, "male")]))
    found = state(database)
    assert (found["patient"], found["patients"]) == (known, [known])
    assert found["person"] == (1950, None, "main")
    assert found["who"] == Who(family="Staff wrote this")


@pytest.mark.parametrize("why", ["merged", "erased", "foreign"])
def test_a_code_that_is_nobodys_here_makes_somebody_new(database: Database, why: str, tmp_path: Path) -> None:
    other = patient(database, "p-code", clinic="main" if why != "foreign" else "elsewhere")
    with database.transaction() as db:
        if why == "merged":
            db.add(PatientRow(id="p-two", pseudonym="P-TWO", created_ns=BEGAN))
            db.flush()
            patients.merge(db, other, "p-two")
    if why == "erased":
        # broken off right after the keys
        database.vault.destroy("patient", [other])
    record(database, opened("s1"), *told("s1", [AGREED, Person("P-CODE", GIVEN)]))
    found = state(database)
    assert found["patient"] not in (None, other, "p-two")
    assert found["who"] == Who(given=(GIVEN,))


def test_a_name_never_gives_somebody_elses_record(database: Database) -> None:
    other = patient(database, "p-other")
    with database.transaction() as db:
        identities.put(db, other, "main", Who(given=(GIVEN,), family=FAMILY))
    record(database, opened("s1"), *told("s1", [AGREED, PERSON]))
    assert state(database)["patient"] != other


def test_what_staff_said_of_a_session_stays(client: Any, database: Database) -> None:
    mine = patient(database, "p-mine")
    record(database, opened("s1"))
    change = {"patient_id": mine, "protocol": "study-7"}
    assert client.patch("/api/v1/sessions/s1", json=change).status_code == 200
    record(database, *told("s1", VISIT))
    found = state(database)
    assert (found["patient"], found["protocol"], found["who"]) == (mine, "study-7", None)
    assert {each[1] for each in found["consents"]} == {mine}


def test_what_staff_wrote_on_somebody_who_was_made_too_early_goes_with_them(client: Any, database: Database) -> None:
    known = patient(database, "p-code")
    agreed, person = told("s1", [AGREED, Person("P-CODE")])
    record(database, opened("s1"), agreed)
    made = state(database)["patient"]
    assert client.post(f"/api/v1/patients/{made}/notes", json={"text": "seemed pale"}).status_code == 201
    record(database, person)
    assert state(database)["patient"] == known
    assert [each.patient_id for each in rows(database, NoteRow)] == [known]
    assert {each.patient_id for each in rows(database, ConsentRow)} == {known}


def test_who_changes_their_mind_is_taken_by_their_last_word(database: Database) -> None:
    first, last = AGREED, Agreed(("measure", "store", "share"), VERSION, "ru")
    other = Person(given="Zephyr", birth_year=1982)
    messages = told("s1", [first, PERSON, last, other])
    for number, order in enumerate(itertools.permutations(messages)):
        if number % 5:
            continue
        name = f"s{number}"
        for message in rename([opened("s1"), *order], name):
            record(database, message)
        found = state(database, name)
        assert sorted(each[2] for each in found["consents"] if each[1] == found["patient"]) == [
            "measure",
            "share",
            "store",
        ]
        assert (found["who"], found["person"]) == (Who(given=("Zephyr",)), (1982, None, "main"))


def test_a_session_that_is_not_to_be_stored_is_nobodys_and_goes_after_its_results(
    database: Database, tmp_path: Path
) -> None:
    agreed = Agreed(("measure",), VERSION, "en")
    record(database, opened("s1"), *told("s1", [agreed, PERSON, ANSWERED]))
    found = state(database)
    assert found["fleeting"]
    assert (found["patient"], found["patients"], found["consents"], found["identities"]) == (None, [], [], 0)
    now = utc_now()
    assert retention.forget_fleeting(database, tmp_path, now) == []
    marked_closed(database, "s1", now)
    assert retention.forget_fleeting(database, tmp_path, now + 29 * MINUTE) == []
    assert retention.forget_fleeting(database, tmp_path, now + 31 * MINUTE) == ["s1"]
    assert rows(database, SessionRow) == rows(database, EntryRow) == rows(database, ResponseRow) == []
    assert [(each.actor, each.action) for each in rows(database, AuditRow)] == [("system", "sessions.erase")]


def test_one_that_is_never_closed_goes_after_a_day(database: Database, tmp_path: Path) -> None:
    record(database, opened("s1"), *told("s1", [Agreed(("measure",), VERSION, "en")]))
    with database.reading() as db:
        assert store.fleeting_before(db, 0, utc_now() - MINUTE) == []
    assert retention.forget_fleeting(database, tmp_path, utc_now() + 25 * 60 * MINUTE) == ["s1"]


def marked_closed(database: Database, session: str, now: int) -> None:
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        row.state, row.outcome, row.revision, row.closed_ns = "closed", "complete", 1, now
        results.add(db, session, 1, outcome="complete", version="1", context={}, beats=None, readings=[], now=now)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Answered("findrisc", "1", "en", {"age": 77}), "bad_answers"),
        (Answered("findrisc", "1", "en", {"phosphorescent_item": 1}), "bad_answers"),
        (Answered("findrisc", "0", "en", FINDRISC), "other_version"),
        (Answered("horoscope", "1", "en", {}), "unknown_questionnaire"),
        (Agreed(("store",), "1999-1", "en"), "unknown_text"),
    ],
    ids=["no option", "no item", "no version", "no questionnaire", "no text"],
)
def test_what_makes_no_sense_is_kept_aside_and_refused(database: Database, content: Content, reason: str) -> None:
    recorder = Recorder(database)
    (entry,) = told("s1", [content])
    deliver = [Delivery(address("kiosk-1", each), encode(each)) for each in (opened("s1"), entry)]
    batch = recorder.commit(deliver)
    assert batch.reasons == [reason]
    (aside,) = rows(database, QuarantineRow)
    assert (aside.reason, aside.sealed) == (reason, True)
    assert b"phosphorescent" not in aside.payload
    assert rows(database, ResponseRow) == rows(database, EntryRow) == []
    recorder._memory.suspects = type(recorder._memory.suspects)(dict.fromkeys(recorder._memory.suspects, 0))
    said = recorder.commit(deliver[1:]).receipts["kiosk-1", entry.stream]
    assert [each.reason for each in said.refused] == [reason]


def test_purposes_that_nobody_knows_are_counted_and_count_for_nothing(database: Database) -> None:
    recorder = Recorder(database)
    messages = visit_of("s1", [Agreed(("store", "advertise"), VERSION, "en")])
    batch = recorder.commit([Delivery(address("kiosk-1", each), encode(each)) for each in messages])
    assert batch.reasons == ["unknown_purpose"]
    assert [each.purpose for each in rows(database, ConsentRow)] == ["store"]


def test_an_answer_that_must_not_wait_raises_an_alert(database: Database) -> None:
    urgent = Answered("phq9", "1", "en", {f"q{number}": 0 for number in range(1, 9)} | {"q9": 1})
    record(database, opened("s1"), *told("s1", [AGREED, urgent]))
    assert [(each.measure, each.severity) for each in rows(database, AlertRow)] == [("phq9_self_harm", "urgent")]


def test_a_clock_that_runs_ahead_does_not_outlast_a_withdrawal(database: Database) -> None:
    ahead = msgspec.structs.replace(opened("s1"), origin=msgspec.structs.replace(ORIGIN, utc=utc_now() + 10**18))
    record(database, ahead, *told("s1", [AGREED]))
    found = rows(database, ConsentRow)
    assert all(each.given_ns <= utc_now() for each in found)
    with database.transaction() as db:
        for each in found:
            consents.withdraw(db, each.id, "u", utc_now())
    record(database, *told("s1", [SAID], first=5))
    with database.reading() as db:
        assert consents.allowed(db, found[0].patient_id) == set()


def test_the_talk_is_for_clinicians(client_as: ClientAs, database: Database) -> None:
    record(database, opened("s1"), *told("s1", [AGREED, SAID, Said("assistant", "en", "Thank you.")]))
    answer = client_as("clinician").get("/api/v1/sessions/s1/dialogue")
    assert [(each["who"], each["text"], each["at"]) for each in answer.json()["items"]] == [
        ("visitor", LINE, 20.0),
        ("assistant", "Thank you.", 30.0),
    ]
    problem_of(client_as("operator").get("/api/v1/sessions/s1/dialogue"), 403, "forbidden")
    problem_of(client_as("clinician", clinic="other").get("/api/v1/sessions/s1/dialogue"), 404, "unknown-session")
    noted = [each for each in rows(database, AuditRow) if each.action == "dialogues.read"]
    assert [each.outcome for each in noted] == ["done", "refused", "absent"]
    assert noted[0].object_id == "s1"
    assert LINE not in str([each.detail for each in noted])


def test_what_a_visitor_told_stands_nowhere_in_plain_and_is_erased(
    database: Database,
    client_as: ClientAs,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {"given": GIVEN, "family": FAMILY, "line": LINE, "answer": "activity", "item": "phosphorescent_item"}
    strange = Answered("findrisc", "1", "en", {"phosphorescent_item": 1})
    record(database, opened("s1"), *told("s1", [*VISIT, strange]))
    assert client_as("clinician").get("/api/v1/sessions/s1/dialogue").status_code == 200
    folders = [tmp_path]
    if database.dialect == "postgresql":
        folders.append(request.getfixturevalue("server").home / "data")
    forms = {name: spellings(text.encode()) for name, text in secrets.items()}
    # PostgreSQL's own files hold the word "activity" (pg_stat_activity)
    if database.dialect == "postgresql":
        forms.pop("answer")
    assert not found_in(folders, forms)
    assert not [name for name, text in secrets.items() if text in caplog.text]
    owner = state(database)["patient"]
    with database.reading() as db:
        assert vault_of(db).keys.sessions_of(owner) == ["s1"]
    assert client_as("administrator").delete(f"/api/v1/patients/{owner}").status_code == 200
    for table in (EntryRow, DialogueRow, ResponseRow, ConsentRow, PatientRow, IdentityRow, QuarantineRow, SessionRow):
        assert rows(database, table) == [], table
