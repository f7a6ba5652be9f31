"""`kiosk demo-data`: an invented clinic that looks like one, is marked as none, and stands in nobody's way."""

import math
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from api import erasure
from api.demo import course, spoken
from api.demo.calendar import visits
from api.demo.people import OLDEST, YOUNGEST, Member, cast
from api.demo.writing import SYSTEM
from api.store import (
    Database,
    Transaction,
    alerts,
    auditing,
    consents,
    corrections,
    courses,
    identities,
    notes,
    patients,
    readings,
    responses,
    reviews,
    sessions,
    streams,
)
from api.tables import MAIN, PatientRow, SessionRow
from kiosk import questionnaires
from kiosk.__main__ import app
from kiosk.measures import MEASURES
from kiosk.settings import Settings

pytestmark = pytest.mark.timeout(600)
UNTIL = datetime(2026, 3, 2, 18, tzinfo=UTC)
SMALL = ("demo-data", "--people", "14", "--months", "3", "--full-sessions", "4", "--longest", "100",
         "--until", "2026-03-02")  # fmt: skip


class Made(NamedTuple):
    """A database that the command filled."""

    folder: Path
    said: str


def demo_data(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env={"KIOSK_DATA": str(folder)})
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("demo")
    code, said = demo_data(folder, *SMALL)
    assert code == 0, said
    return Made(folder, said)


def opened(folder: Path) -> Database:
    return Database.to(Settings(data=folder))


def everybody(db: Transaction) -> list[PatientRow]:
    return patients.newest(db, limit=1000)


def every_session(db: Transaction) -> list[SessionRow]:
    return sessions.newest(db, limit=5000)


def preferred(db: Transaction, row: SessionRow, measure: str) -> float | None:
    return readings.results(db, [row.id], measure).get(row.id)


def test_it_is_a_clinic_and_everything_in_it_says_that_it_is_simulated(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        people, rows = everybody(db), every_session(db)
        # fourteen, and the twin that became one with another is in no list
        assert len(people) == 14
        assert len(rows) > 40
        assert all(row.simulated and row.state == "closed" and row.clinic_id == MAIN for row in rows)
        assert all(row.patient_id for row in rows)
        assert {row.protocol for row in rows} == {"quick", "follow_up", "full"}
        known = identities.of_patients(db, [each.id for each in people])
        assert len(known) == 14
        assert all(any(number.system == SYSTEM for number in who.identifiers) for who in known.values())
        assert all(each.pseudonym.startswith("DEMO-") for each in people)
        first = [who.given[0][0] for who in known.values()]
        assert any(letter.isascii() for letter in first)
        assert not all(letter.isascii() for letter in first)
    database.close()


def test_sessions_lie_in_the_past_and_none_before_its_person_was_entered(made: Made) -> None:
    end, begin = UNTIL.timestamp() * 1e9, (UNTIL - timedelta(days=160)).timestamp() * 1e9
    database = opened(made.folder)
    with database.reading() as db:
        entered = {each.id: each.created_ns for each in everybody(db)}
        for row in every_session(db):
            assert row.origin_utc_ns is not None
            assert begin < row.first_seen_ns == row.origin_utc_ns < end
            assert row.first_seen_ns < row.last_seen_ns
            assert row.patient_id is not None
            assert entered[row.patient_id] <= row.first_seen_ns
    database.close()


def test_readings_have_the_form_that_the_analysis_gives_them(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        numbers = 0
        for row in every_session(db):
            told = readings.of_session(db, row.id, (row.revision,))
            assert told
            chosen = [each.measure for each in told if each.preferred]
            assert len(chosen) == len(set(chosen)), "one preferred reading a measure"
            for each in told:
                assert (each.value is None) == (each.absent is not None), each.measure
                assert each.method
                assert each.source
                assert each.end_ns >= each.start_ns
                if each.value is not None:
                    numbers += 1
                    assert math.isfinite(each.value)
                    assert MEASURES[each.measure].possible(each.value), (each.measure, each.value)
                    assert each.quality is None or 0.0 <= each.quality <= 1.0
                if each.value is not None and each.low is not None and each.high is not None:
                    assert each.low <= each.value <= each.high, (each.measure, each.low, each.value, each.high)
        assert numbers > 1000
    database.close()


def test_most_visits_have_a_heart_rate_and_a_few_a_reason(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        rows = every_session(db)
        rates = [preferred(db, row, "heart_rate") for row in rows]
        known = [rate for rate in rates if rate is not None]
        assert 0.85 * len(rows) < len(known)
        assert all(40 <= rate <= 130 for rate in known)
        assert 58 < statistics.median(known) < 76
    database.close()


def test_full_sessions_hold_signals_with_a_gap_a_dead_sensor_corrections_and_an_irregular_rhythm(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        rows = every_session(db)
        full = [row for row in rows if streams.extents(db, row.id)]
        assert len(full) == 4
        signals = {row.id: {each.signal for each in streams.of_session(db, row.id)} for row in full}
        assert any(
            {"ecg", "ppg", "respiration", "eeg", "rgb", "face_units", "voice_functionals"} <= each
            for each in signals.values()
        )
        assert any(preferred(db, row, "irregular_rhythm") == 1.0 for row in full)
        lost = [loss for row in full for loss in streams.losses_of_session(db, row.id)]
        assert {stream.signal for stream, _ in lost} == {"ppg"}
        corrected = [row for row in full if corrections.of_session(db, row.id)]
        assert len(corrected) == 1
        assert corrected[0].revision == 2
        assert all(courses.has_any(db, row.id, row.revision) for row in full)
        # nothing of the others can be taken for a recording, or be analysed again
        assert all(row.samples_gone_ns is not None for row in rows if row not in full)
    database.close()


def test_staff_have_been_there(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        rows = every_session(db)
        old = [row for row in rows if UNTIL.timestamp() * 1e9 - row.last_seen_ns > 10 * 86_400e9]
        looked = [row for row in old if reviews.of_session(db, row.id)]
        assert 0.8 * len(old) < len(looked) < len(old) + 1
        assert all(row.reviewed == row.revision for row in looked), "none of them is to be reviewed any more"
        assert sum(len(notes.newest(db, limit=50, session=row.id)) for row in rows) > 0
        assert sum(len(notes.newest(db, limit=50, patient=each.id)) for each in everybody(db)) > 0
        raised = alerts.newest(db, limit=1000, clinic=MAIN)
        urgent = [alert for alert, _ in raised if alert.measure == "phq9_self_harm"]
        assert urgent, "somebody answered question 9"
        assert all(alert.severity == "urgent" for alert in urgent)
        assert {alert.state for alert, _ in raised} >= {"open"}
        agreed = [consents.allowed(db, each.id) for each in everybody(db)]
        assert all({"measure", "store"} <= each for each in agreed)
        assert consents.withdrawn(db, "research")
        assert all(responses.of_session(db, row.id) for row in rows[:5])
    database.close()


def test_nothing_of_it_is_readable_in_the_files(made: Made) -> None:
    data = b"".join(path.read_bytes() for path in made.folder.glob("*.sqlite*"))
    for word in ("Лужина", "Bergström", spoken.PATIENT_NOTES["burnout"][:30], spoken.SESSION_NOTES[1]):
        assert word.encode() not in data


def test_it_is_audited(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        verdict = auditing.verify(db)
        assert verdict.broken is None
        assert verdict.rows >= 1
    database.close()


def test_a_second_call_adds_nothing_unless_again(made: Made) -> None:
    def count() -> tuple[int, int]:
        database = opened(made.folder)
        with database.reading() as db:
            found = len(everybody(db)), len(every_session(db))
        database.close()
        return found

    before = count()
    code, said = demo_data(made.folder, *SMALL)
    assert code == 0
    assert "--again" in said
    assert count() == before
    few = ("demo-data", "--people", "2", "--months", "1", "--full-sessions", "0", "--longest", "60",
           "--until", "2026-03-02", "--again")  # fmt: skip
    assert demo_data(made.folder, *few)[0] == 0
    assert count()[0] == before[0] + 2


def test_it_can_be_erased_and_what_was_erased_does_not_come_back(made: Made) -> None:
    database = opened(made.folder)
    with database.reading() as db:
        somebody = everybody(db)[-1].id
    receipt = erasure.erase_patient(database, made.folder, somebody, by="cli")
    assert receipt.patients >= 1
    assert receipt.sessions > 0
    with database.reading() as db:
        assert patients.get(db, somebody) is None
    database.close()


def test_a_database_with_a_real_session_is_refused(tmp_path: Path) -> None:
    from kiosk.messages import Origin, Session, Stream

    database = opened(tmp_path)
    database.migrate()
    with database.transaction() as db:
        word = Session(Stream("s-real", "station", "session", "r"), 0, "open", Origin(1, 1, "b"), simulated=False)
        sessions.hear(db, "kiosk-1", word, 1)
    database.close()
    code, said = demo_data(tmp_path, *SMALL)
    assert code == 2
    assert "not simulated" in said
    database = opened(tmp_path)
    with database.reading() as db:
        assert not everybody(db)
    database.close()


# --- the invention itself


def member(kind: str, **changes: object) -> Member:
    known: dict[str, object] = {
        "number": 5, "given": "A", "family": "B", "sex": "female", "age": 42, "course": kind, "rhythm": "weekly",
        "department": 1, "turn": 0.3, "seed": 77,
    }  # fmt: skip
    return Member(**(known | changes))  # type: ignore[arg-type]


def mean_of(who: Member, share: float, field: str) -> float:
    state = course.condition(who, share)
    return statistics.fmean(getattr(course.body(who, state, day=day, hour=10.0), field) for day in range(60))


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    assert cast(60, 3) == cast(60, 3)
    assert cast(60, 3) != cast(60, 4)
    ages = [each.age for each in cast(60, 3)]
    assert min(ages) >= YOUNGEST
    assert max(ages) <= OLDEST
    assert {each.sex for each in cast(60, 3)} == {"female", "male"}
    assert {each.course for each in cast(60, 3)} == {
        "stable", "burnout", "recovery", "illness", "athlete", "fibrillation", "crisis",
    }  # fmt: skip


def test_a_burnout_lowers_variability_and_raises_the_rate_and_the_answers() -> None:
    who = member("burnout")
    assert math.log(mean_of(who, 0.2, "rmssd") / mean_of(who, 0.95, "rmssd")) == pytest.approx(0.5, abs=0.05)
    assert mean_of(who, 0.95, "heart_rate") - mean_of(who, 0.2, "heart_rate") > 4.0
    asked = questionnaires.listed()["cbi_personal"]
    scores = []
    for share in (0.2, 0.95):
        body = course.body(who, course.condition(who, share), day=1, hour=10.0)
        found = [asked.score(spoken.answers(who, asked, body, day)) for day in range(20)]
        scores.append(statistics.fmean(each for each in found if each is not None))
    assert scores[1] - scores[0] > 25.0


def test_a_recovery_comes_back_and_a_stable_person_stays() -> None:
    who = member("recovery")
    worst, after = mean_of(who, 0.66, "rmssd"), mean_of(who, 1.0, "rmssd")
    assert worst < 0.75 * mean_of(who, 0.2, "rmssd")
    assert after > 1.25 * worst
    calm = member("stable")
    assert mean_of(calm, 0.2, "rmssd") == pytest.approx(mean_of(calm, 0.95, "rmssd"))


def test_variability_falls_with_age_and_varies_from_day_to_day_as_published() -> None:
    def usual(age: int) -> float:
        middles = []
        for seed in range(120):
            body = course.body(member("stable", age=age, seed=seed), course.Condition(), day=1, hour=13.0)
            middles.append(math.log(body.rmssd))
        return statistics.fmean(middles)

    # the middles of Sinnreich 1998
    assert usual(39) == pytest.approx(3.49, abs=0.15)
    assert usual(60) == pytest.approx(3.08, abs=0.15)
    days = [math.log(course.body(member("stable"), course.Condition(), day=day, hour=13.0).rmssd) for day in range(300)]
    assert np.std(days) == pytest.approx(course.WITHIN_LN_RMSSD, rel=0.15)


def test_only_who_is_very_low_answers_question_nine_and_all_answers_are_offered() -> None:
    for asked in questionnaires.listed().values():
        for number, kind in enumerate(("stable", "burnout", "crisis", "athlete")):
            who = member(kind, seed=number)
            for day, share in enumerate(np.linspace(0.0, 1.0, 15)):
                body = course.body(who, course.condition(who, float(share)), day=day, hour=9.0)
                given = spoken.answers(who, asked, body, day)
                asked.check(given)
                assert asked.score(given) is not None
                if asked.is_urgent(given):
                    assert kind == "crisis"
                    assert share > 0.9


def test_nobody_comes_at_night_or_on_sunday_or_after_the_end() -> None:
    for who in cast(30, 9):
        found = visits(who, 547, UNTIL)
        assert [each.began for each in found] == sorted(each.began for each in found)
        assert len({each.day for each in found}) == len(found)
        for each in found:
            assert each.began <= UNTIL - timedelta(hours=1)
            assert 7 <= each.began.hour + each.began.minute / 60 <= 19.1
            assert each.began.weekday() != 6
            assert each.protocol in {"quick", "follow_up", "full"}
