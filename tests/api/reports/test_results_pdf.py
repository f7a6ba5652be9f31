"""The report says what is stored, in both languages, and no text of anybody's becomes a part of the program."""

import re
import xml.etree.ElementTree as ET
from importlib import resources
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from analytics.languages import Language
from api.dashboard.words import GROUPS, REASONS
from api.interop.flows import flows
from api.reports import NoResults, pages, results_pdf, words
from api.reports.strip import HEIGHT, ROW_SECONDS, ROWS, SPEED, strip
from api.store import Database, consents, identities, responses, results, utc_now, vault_of
from api.store import audit as audited
from api.store.audit import Wanted
from api.tables import ConsentRow, PatientRow, ResponseRow, SessionRow
from kiosk.measures import MEASURES
from kiosk.messages import SECOND, Reading, Stream
from tests.api.conftest import ClientAs, opened, problem_of, record
from tests.api.interop.exporting import stored, wave
from tests.api.reports.reading_pdf import text_of

ATTACK = '#panic("x") $x^2$ *b* _i_ `c` <l> @r \\ = h #read("/etc/passwd") ]"); #let a = ("'
FAMILY = "Иванова-Петрова"
SESSION = "s-report"


def found(measure: str, value: float | None, absent: Any = None, **more: Any) -> results.Found:
    given = {"low": None, "high": None, "source": "ecg", "scope": "recording", "method": "vote-3", "note": ""} | more
    return results.Found(
        measure, value, given["low"], given["high"], None if value is None else 0.93, absent, given["source"],
        given["scope"], given["method"], preferred=True, start_ns=0, end_ns=60 * SECOND, note=given["note"],
    )  # fmt: skip


@pytest.fixture
def session(database: Database) -> str:
    """A session with some of everything, revised by hand."""
    record(database, opened(SESSION))
    stored(database, SESSION, "ecg", wave(15_000, 1, 1), 250.0, ["I"], device="strap")
    cuff = Stream(SESSION, "cuff", "readings", "r1")
    record(database, Reading(cuff, 0, "systolic", 121.0, "cuff", "spot", "osc", 0, 30 * SECOND, quality=0.9))
    now = utc_now()
    readings = [
        found("heart_rate", 68.4, low=67.9, high=69.2), found("rmssd", 38.71), found("sdnn", None, "too_short"),
        found("eda_peaks", None, "missing_channels"), found("face_happiness", 0.86, source="face_scores"),
        found("valence", -0.31, source="fusion", note=ATTACK), found("voice_anger", None, "no_speech"),
    ]  # fmt: skip
    with database.transaction() as db:
        db.add(PatientRow(id="p-1", pseudonym="K7QF-9M2X", birth_year=1981, sex="female", created_ns=now))
        db.flush()
        vault_of(db).assign(SESSION, "p-1")
        identities.put(db, "p-1", "main", identities.Who(given=("Anna",), family=FAMILY))
        row = db.get(SessionRow, SESSION)
        assert row is not None
        row.patient_id, row.revision, row.state, row.protocol = "p-1", 2, "closed", "quick"
        row.ended_ns = 60 * SECOND
        context = {"age": 44.0, "sex": "female", "by_hand": 3}
        beats = np.arange(0.4, 60, 0.87).astype("<f8").tobytes()
        for number in (1, 2):
            results.add(db, SESSION, number, outcome="complete", version="0.1.0", context=context, beats=beats,
                        readings=readings, now=now)  # fmt: skip
        for name, score in (("who5", 64.0), ("cbi_work", None)):
            response = ResponseRow(id=f"q-{name}", session_id=SESSION, questionnaire=name, questionnaire_version="1",
                                   language="ru", score=score, created_ns=now)  # fmt: skip
            responses.add(db, response, {}, None)
    return SESSION


def told(database: Database, session: str, language: Language = "en", **more: Any) -> str:
    return text_of(results_pdf(database, session, language=language, **more))


def joined(*parts: str) -> str:
    return re.sub(r"\s+", "", "".join(parts))


def test_it_says_whose_when_and_what_was_found(database: Database, session: str) -> None:
    said = told(database, session)
    for part in (
        "K7QF-9M2X", "44 years, female", "2 January 2025, 09:00 UTC", "kiosk-1", "quick", "1:00", "revision 2",
        "Heart rate", "higher than in 52 % of people of this age and sex [1]", "68 /min", "68 – 69", "93 %",
        "RMSSD", "38.7 ms", "Systolic blood pressure", "121 mmHg", "Happiness", "0.86", "64 / 100",
        "not all items were answered", "vote-3", "health-kiosk 0.1.0", "Dantas et al. 2018", "page",
        "Screening, not a diagnosis", "Beats corrected by a person in this revision: 3",
        "25 mm/s, 10 mm/mV", "lead I",
    ):  # fmt: skip
        assert joined(part) in said, part


def test_it_says_the_same_in_russian(database: Database, session: str) -> None:
    said = told(database, session, "ru")
    for part in (
        "44 лет, женский", "2 января 2025 г., 09:00 UTC", "Частота сердечных сокращений", "68 /мин", "38,7 мс",
        "Скрининг, а не диагноз", "редакция 2", "Систолическое артериальное давление", "121 мм рт. ст.", "Радость",
        "0,86", "Индекс общего самочувствия ВОЗ-5", "наш, не валидирован",
    ):  # fmt: skip
        assert joined(part) in said, part
    assert "Heartrate" not in said


def test_what_is_absent_has_its_reason_in_words(database: Database, session: str) -> None:
    said = told(database, session)
    assert joined("SDNN. There is not enough signal for this value.") in said
    assert joined("Skin conductance responses. The channels that this value needs were not recorded.") in said
    assert joined("Anger. Nobody spoke.") in said
    assert joined("SDNN. Для этого значения сигнала недостаточно.") in told(database, session, "ru")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_text_that_is_a_program_stands_there_as_it_is(database: Database, session: str, language: Language) -> None:
    with database.transaction() as db:
        row, person = db.get(SessionRow, session), db.get(PatientRow, "p-1")
        assert row is not None
        assert person is not None
        row.protocol, person.pseudonym = f"protocol {ATTACK}"[:64], ATTACK[:64]
        identities.put(db, "p-1", "main", identities.Who(given=("</svg>",), family=ATTACK))
    said = told(database, session, language, named=True)
    # the note, the name, the pseudonym, the protocol
    assert said.count(joined(ATTACK)) == 2
    assert joined(ATTACK[:64]) in said
    assert joined(f"protocol {ATTACK}"[:64]) in said
    assert joined("</svg>") in said
    assert "root:" not in said


def test_the_name_stands_there_only_where_it_is_asked_for(database: Database, session: str) -> None:
    assert FAMILY not in told(database, session)
    assert FAMILY in told(database, session, named=True)


def test_it_is_an_archive_pdf_with_its_fonts_and_a_page_or_two(database: Database, session: str) -> None:
    made = results_pdf(database, session, language="ru")
    assert b"pdfaid:part" in made.replace(b"<pdfaid:part>", b"pdfaid:part")
    fonts = set(re.findall(rb"/BaseFont/([A-Z]{6}\+\w+)", made))
    assert fonts
    assert made.count(b"/FontFile") >= len(fonts) - 1
    assert len(made) < 500_000
    drawn = pages(database, session, language="ru")
    assert 1 <= len(drawn) <= 2
    assert all(each.startswith(b"\x89PNG") for each in drawn)


def test_a_session_of_nothing_says_that_there_is_nothing(database: Database) -> None:
    record(database, opened("s"))
    with pytest.raises(NoResults):
        results_pdf(database, "s", language="en")
    with database.transaction() as db:
        results.add(db, "s", 1, outcome="partial", version="1", context={}, beats=None, readings=[], now=utc_now())
    said = told(database, "s")
    assert joined("There are no results.") in said
    assert joined("Part of the recording was not delivered.") in said
    assert joined("not assigned to anybody") in said


def test_a_simulation_says_so(database: Database) -> None:
    record(database, opened("s", simulated=True))
    with database.transaction() as db:
        results.add(db, "s", 1, outcome="complete", version="1", context={}, beats=None,
                    readings=[found("heart_rate", 70.0)], now=utc_now())  # fmt: skip
    assert joined("Simulated: no person sat there.") in told(database, "s")


# --- the strip


def test_the_strip_is_true_to_scale_and_has_its_beats(database: Database) -> None:
    record(database, opened("s"))
    samples = np.zeros((5000, 1), np.float32)
    samples[::250] = 1.0
    stored(database, "s", "ecg", samples, 250.0, ["I"])
    with database.reading() as db:
        drawn = strip(db, tuple(flows(db, "s")), np.arange(0.0, 20.0))
    assert drawn is not None
    tree = ET.fromstring(drawn.svg)
    assert tree.get("width") == f"{ROW_SECONDS * SPEED:g}mm"
    waves = [each.get("d", "") for each in tree if each.get("stroke") == "#111"]
    assert len(waves) == ROWS
    points = np.array(re.findall(r"([-\d.]+) ([-\d.]+)", waves[0]), float)
    # 25 mm a second, 10 mm a millivolt
    assert np.allclose(np.diff(points[:, 0]), 0.1, atol=0.011)
    assert np.ptp(points[:, 1]) == pytest.approx(10.0, abs=0.02)
    ticks = [each for each in tree if each.get("stroke") == "#1d4f91"]
    assert len(ticks) == ROWS * ROW_SECONDS


@pytest.mark.parametrize("size", [0.0001, 1.0, 4.0, 15.0])
def test_the_strip_fits_its_paper_and_says_its_gain(database: Database, size: float) -> None:
    record(database, opened("s"))
    samples = wave(5000, 1, 1, size)
    samples[700:800] = np.nan
    stored(database, "s", "ecg", samples, 250.0, ["I"])
    with database.reading() as db:
        drawn = strip(db, tuple(flows(db, "s")), np.empty(0))
    assert drawn is not None
    numbers = [float(y) for _, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", drawn.svg)]
    assert 0 <= min(numbers) <= max(numbers) <= ROWS * HEIGHT + 3.0
    assert (drawn.gain == 10.0) == (size < 2)


@pytest.mark.parametrize("samples", [wave(100, 1, 1), np.full((5000, 1), np.nan, np.float32)])
def test_there_is_no_strip_of_nothing(database: Database, samples: Any) -> None:
    record(database, opened("s"))
    stored(database, "s", "ecg", samples, 250.0, ["I"])
    with database.reading() as db:
        assert strip(db, tuple(flows(db, "s")), np.empty(0)) is None


# --- words


def test_every_measure_and_reason_has_russian_words() -> None:
    for name in MEASURES:
        russian = words.title(name, "ru")
        assert name in words.ALIKE or re.search("[а-яё]", russian.lower()), name
        assert russian.isprintable()
    for reason, english in REASONS.items():
        assert words.reason(reason, "en") == english
        assert re.search("[а-яё]", words.reason(reason, "ru")), reason
    assert set(words.LIMITS) == set(words.GROUPS) == {group.name for group in GROUPS}


# --- over HTTP


def test_the_route_answers_a_pdf_in_either_language(client: TestClient, session: str) -> None:
    for language in ("en", "ru"):
        answer = client.get(f"/api/v1/sessions/{session}/report.pdf", params={"language": language})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
    problem_of(client.get(f"/api/v1/sessions/{session}/report.pdf?language=de"), 422, "invalid")
    problem_of(client.get("/api/v1/sessions/s-none/report.pdf"), 404, "unknown-session")


def test_who_may_read_it_and_the_name_in_it(
    client: TestClient, client_as: ClientAs, database: Database, session: str
) -> None:
    address = f"/api/v1/sessions/{session}/report.pdf"
    for role in ("operator", "researcher", "administrator", "auditor"):
        problem_of(client_as(role).get(address), 403, "forbidden")
    problem_of(client_as("clinician", "other").get(address), 404, "unknown-session")
    assert FAMILY not in text_of(client.get(address).content)
    assert FAMILY in text_of(client.get(address, params={"name": True}).content)
    # to a program the name goes where sharing was agreed to
    integrator = client_as("integrator")
    assert FAMILY not in text_of(integrator.get(address, params={"name": True}).content)
    with database.transaction() as db:
        consents.give(db, ConsentRow(id="c-1", patient_id="p-1", purpose="share", text_version="1", language="en",
                                     given_ns=utc_now()))  # fmt: skip
    assert FAMILY in text_of(integrator.get(address, params={"name": True}).content)
    with database.reading() as db:
        noted = [(row.action, row.object_id) for row in audited.newest(db, Wanted(), limit=50, before=None)]
    assert noted.count(("identities.read", "p-1")) == 2
    assert noted.count(("results.read", session)) >= 3


def test_what_is_not_analysed_has_no_report(client: TestClient, database: Database) -> None:
    record(database, opened("s"))
    problem_of(client.get("/api/v1/sessions/s/report.pdf"), 409, "not-analysed")


def test_the_template_takes_text_as_data_alone() -> None:
    """It never evaluates, reads or imports anything but what it is given."""
    template = (resources.files("api.reports") / "results.typ").read_text("utf-8")
    code = re.sub(r"//.*", "", template)
    assert not re.search(r"\beval\b|\bread\(|#import|#include|\bplugin\b", code)
    assert code.count("sys.inputs") == 1
