"""Searching in FHIR: dates to the letter, paging, what is not known, and what somebody may try."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.interop.fhir.dates import PATTERN, NoDate, span
from api.interop.fhir.search import alternatives
from api.store import Database
from api.store.fhir import LEAST, MOST
from kiosk.messages import SECOND
from tests.api.interop.fhir_model import Json, check, entries
from tests.api.interop.fhir_visit import BEGAN, CLOSED, found, revise, visit

R4 = "/fhir/R4"
DAY = 86_400 * SECOND
MINE = "p-00000000000000f1"


def ask(client: TestClient, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Json:
    answer = client.get(f"{R4}/{path}", headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    said: Json = answer.json()
    return said


def ids(bundle: Json, kind: str | None = None) -> list[str]:
    return [each["id"] for each in entries(bundle, kind) if each["resourceType"] != "OperationOutcome"]


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ("2025", 365 * DAY), ("2024", 366 * DAY), ("1900", 365 * DAY), ("2000", 366 * DAY),
        ("2025-02", 28 * DAY), ("2024-02", 29 * DAY), ("2025-12", 31 * DAY), ("9999-12", None), ("9999-12-31", None),
        ("2025-01-02", DAY), ("2025-01-02T09:00", 60 * SECOND), ("2025-01-02T09:00Z", 60 * SECOND),
        ("2025-01-02T09:00:00Z", SECOND), ("2025-01-02T09:00:00.5Z", SECOND // 10),
        ("2025-01-02T09:00:00.123456Z", 1000), ("2025-01-02T09:00:00.123456789Z", 1),
        ("2024-12-31T23:59:60Z", SECOND),
    ],
)  # fmt: skip
def test_a_date_is_as_long_as_it_is_imprecise(said: str, length: int | None) -> None:
    made = span(said, 0)
    assert made.prefix == "eq"
    if length is None:
        assert made.end == MOST
    else:
        assert made.end - made.start == length


def test_zones_shift_and_an_unescaped_plus_is_one() -> None:
    noon = span("2025-01-02T09:00:00Z", 0)
    assert span("2025-01-02T11:30:00+02:30", 0) == span("2025-01-02T11:30:00 02:30", 0) == noon
    assert span("2025-01-02T00:00:00-09:00", 0) == noon
    assert (noon.start, noon.end) == (BEGAN, BEGAN + SECOND)
    assert span("0001-01-01", 0).start == LEAST


@pytest.mark.parametrize(
    "said",
    ["", "x", "25", "2025-13", "2025-00", "2025-02-30", "2025-1-2", "2025-01-02T25:00", "2025-01-02T09", "0000",
     "2025-01-02 09:00", "xx2025", "2025-01-02T09:00:00.Z", "2025-01-02T09:00:00+25", "２０２５", "2025\n", "2025\0"],
)  # fmt: skip
def test_what_is_no_date_is_refused(said: str) -> None:
    with pytest.raises(NoDate):
        span(said, 0)


@given(st.from_regex(PATTERN, fullmatch=True))
def test_whatever_fits_the_documented_pattern_is_read_or_refused_in_words(said: str) -> None:
    try:
        made = span(said, CLOSED)
    except NoDate:
        assert re.search(r"0000|-(02-(29|30|31)|(04|06|09|11)-31)", said)
    else:
        assert LEAST <= made.start <= made.end <= MOST


# the session is from 09:00:00 to 09:01:00
WHEN = [
    ("2025-01-02", True), ("2025", True), ("2025-01-02T09:00:00Z", False), ("2025-01-02T09:00Z", False),
    ("ne2025-01-02", False), ("ne2025-01-02T09:00Z", True), ("ne2024", True),
    ("gt2025-01-02", False), ("gt2025-01-01", True), ("gt2025-01-02T09:00:59Z", True),
    ("gt2025-01-02T09:01:00Z", False),
    ("lt2025-01-02", False), ("lt2025-01-03", True), ("lt2025-01-02T09:00:00Z", False),
    ("lt2025-01-02T09:00:00.000001Z", True),
    ("ge2025-01-02", True), ("ge2025-01-02T09:01:00Z", False), ("ge2025-01-02T09:00:59Z", True),
    ("ge2025-01-03", False),
    ("le2025-01-02", True), ("le2025-01-02T09:00:00Z", False), ("le2025-01-01", False),
    ("sa2025-01-01", True), ("sa2025-01-02", False), ("sa2025-01-02T08:59:59Z", True),
    ("sa2025-01-02T09:00:00Z", False),
    ("eb2025-01-03", True), ("eb2025-01-02", False), ("eb2025-01-02T09:01:00Z", False),
    ("eb2025-01-02T09:01:01Z", True), ("eb2025-01-02T09:01:00.000001Z", True),
    ("ap2025-01-02", True), ("ap1990", False), ("2024,2025", True), ("2023,2024", False),
    ("9999", False), ("lt9999", True), ("gt0001", True), ("sa9999-12-31", False),
    ("2025-01-02T08:59:00-00:01", False), ("ge2025-01-02T11:00:00+02:00", True),
]  # fmt: skip


def test_dates_find_what_the_specification_says(client: TestClient, database: Database) -> None:
    visit(database)
    wrong = {
        said: expected
        for said, expected in WHEN
        if bool(ids(ask(client, f"Encounter?date={said}"))) is not expected
    }  # fmt: skip
    assert not wrong


def test_two_dates_make_a_range(client: TestClient, database: Database) -> None:
    visit(database)
    assert ids(ask(client, "Encounter?date=ge2025-01-01&date=lt2025-02-01"))
    assert not ids(ask(client, "Encounter?date=ge2025-01-01&date=lt2025-01-02"))


def test_what_changed_since_is_found_by_last_updated(client: TestClient, database: Database) -> None:
    visit(database)
    said = "2025-01-02T09:06:40Z"
    there = ids(ask(client, f"Observation?_lastUpdated={said}"))
    assert there
    assert not ids(ask(client, "Observation?_lastUpdated=gt2025-01-02T09:06:40Z&code=rmssd"))
    revise(database, "s-fhir_1", (found("rmssd", 36.0),), at=CLOSED + 5 * SECOND)
    assert len(ids(ask(client, "Observation?_lastUpdated=gt2025-01-02T09:06:40Z&code=rmssd"))) == 1


CODES = [
    ("code=8867-4", 3), ("code=http://loinc.org|8867-4", 3), ("code=http://example.org|8867-4", 0), ("code=|8867-4", 0),
    ("code=85354-9", 2), ("code=8480-6", 0), ("component-code=8480-6", 2),
    ("component-code=http://loinc.org|8462-4", 2),
    ("code=59408-5", 1), ("code=2708-6", 1), ("code=85353-1", 1), ("code=rmssd", 1), ("code=80404-7,rmssd", 2),
    ("code=80404-7&code=rmssd", 0), ("code=131328", 2), ("component-code=131329", 2), ("code=nothing", 0),
    ("category=vital-signs", 12), ("category=exam", 6), ("category=procedure", 2), ("category=survey", 0),
    ("category=vital-signs&code=rmssd", 0), ("code=urn:iso:std:iso:11073:10101|131328", 2),
]  # fmt: skip


def test_codes_and_categories_find_what_they_mean(client: TestClient, database: Database) -> None:
    visit(database)
    found_ = {query: len(ids(ask(client, f"Observation?patient={MINE}&{query}"))) for query, _ in CODES}
    assert found_ == dict(CODES)


def test_everything_can_be_searched_by_patient_and_session(client: TestClient, database: Database) -> None:
    visit(database)
    visit(database, "s-2", "p-00000000000000f2", kiosk="kiosk-2", began=BEGAN + DAY)
    base = f"http://testserver{R4}"
    for kind in ("Observation", "DiagnosticReport", "QuestionnaireResponse"):
        by_patient = [
            ids(ask(client, f"{kind}?{name}={value}"))
            for name in ("patient", "subject", "subject:Patient")
            for value in (MINE, f"Patient/{MINE}", f"{base}/Patient/{MINE}")
        ]
        by_session = [ids(ask(client, f"{kind}?encounter={value}")) for value in ("s-fhir.u1", "Encounter/s-fhir.u1")]
        assert by_patient[0], kind
        assert all(each == by_patient[0] for each in by_patient + by_session), kind
        assert not ids(ask(client, f"{kind}?patient=Encounter/{MINE}"))
        assert not ids(ask(client, f"{kind}?patient=http://elsewhere.example/Patient/{MINE}"))
        one = by_patient[0][-1]
        assert ids(ask(client, f"{kind}?_id={one}")) == [one]
        assert not ids(ask(client, f"{kind}?_id={one}&patient=p-00000000000000f2"))
    assert ids(ask(client, f"Encounter?patient={MINE}&status=finished")) == ["s-fhir.u1"]
    assert not ids(ask(client, f"Encounter?patient={MINE}&status=in-progress"))
    assert ids(ask(client, "Patient?identifier=PSEUDO-p-00000000000000f2")) == ["p-00000000000000f2"]
    assert ids(ask(client, f"Consent?patient={MINE}&status=active"))
    assert not ids(ask(client, f"Consent?patient={MINE}&status=inactive"))
    assert ids(ask(client, "Device?identifier=kiosk-2/chest-strap")) == ["kiosk-2.-chest-strap"]
    assert ids(ask(client, "Provenance?target=Encounter/s-2")) == ["s-2.-1"]
    canonical = "https://health-kiosk.example/fhir/Questionnaire/who5"
    assert len(ids(ask(client, f"QuestionnaireResponse?questionnaire={canonical}"))) == 2


@pytest.mark.parametrize("sort", ["date", "-date", "_lastUpdated", "-_lastUpdated"])
def test_pages_follow_each_other_and_skip_and_repeat_nothing(client: TestClient, database: Database, sort: str) -> None:
    visit(database)
    whole = ask(client, f"Observation?patient={MINE}&_sort={sort}&_count=200")
    assert whole["total"] == len(ids(whole)) == 20
    seen: list[str] = []
    address: str | None = f"Observation?patient={MINE}&_sort={sort}&_count=3"
    while address is not None:
        page = ask(client, address)
        check(page)
        assert len(ids(page)) <= 3
        seen += ids(page)
        links = {link["relation"]: link["url"] for link in page["link"]}
        following = links.get("next")
        address = None if following is None else following.partition(f"{R4}/")[2]
    assert seen == ids(whole)
    if sort.endswith("date"):
        starts = [each["effectivePeriod"]["start"] for each in entries(whole)]
        assert starts == sorted(starts, reverse=sort.startswith("-"))


def test_a_count_of_nothing_says_how_many_there_are(client: TestClient, database: Database) -> None:
    visit(database)
    said = ask(client, f"Observation?patient={MINE}&_count=0")
    check(said)
    assert (said["total"], entries(said)) == (20, [])


def test_what_is_included_comes_beside_the_matches(client: TestClient, database: Database) -> None:
    visit(database)
    ways = "&".join(f"_include=Observation:{each}" for each in ("patient", "encounter", "device"))
    said = ask(client, f"Observation?patient={MINE}&code=8867-4&{ways}")
    check(said)
    modes = [(entry["search"]["mode"], entry["resource"]["resourceType"]) for entry in said["entry"]]
    assert modes == [("match", "Observation")] * 3 + [
        ("include", "Patient"),
        ("include", "Encounter"),
        ("include", "Device"),
    ]
    assert said["total"] == 3
    report = ask(client, "DiagnosticReport?encounter=s-fhir.u1&_include=DiagnosticReport:result")
    assert len(entries(report, "Observation")) == 20


def test_what_is_not_known_is_ignored_in_words_or_refused(client: TestClient, database: Database) -> None:
    visit(database)
    for unknown in (
        "colour=red",
        "_summary=true",
        "_sort=colour",
        "_include=Observation:performer",
        "patient.name=Doe",
    ):
        said = ask(client, f"Observation?patient={MINE}&code=rmssd&{unknown}")
        check(said)
        assert len(ids(said)) == 1
        (outcome,) = entries(said, "OperationOutcome")
        assert outcome["issue"][0]["severity"] == "warning"
        assert [entry["search"]["mode"] for entry in said["entry"]] == ["match", "outcome"]
        # the link says what was done, and that alone
        assert "colour" not in said["link"][0]["url"]
        strict = {"Prefer": "return=representation; handling=strict"}
        refused = ask(client, f"Observation?patient={MINE}&{unknown}", status=400, headers=strict)
        check(refused)
        assert "Doe" not in str(refused)


@pytest.mark.parametrize(
    "query",
    ["_count=x", "_count=-1", "_count=1.5", "date=yesterday", "date=2025-02-30", "code:not=rmssd",
     "patient:missing=true",
     "_page=x", "_page=%00", "_page=WzEsIlx1MDAwMCJd", "_lastUpdated=now", "encounter:Patient=x"],
)  # fmt: skip
def test_what_cannot_be_read_is_an_outcome(client: TestClient, query: str) -> None:
    said = ask(client, f"Observation?patient={MINE}&{query}", status=400)
    check(said)
    assert said["issue"][0]["severity"] == "error"


def test_a_search_of_everything_is_too_costly(client: TestClient, database: Database) -> None:
    visit(database)
    assert ask(client, "Observation?code=8867-4", status=403)["issue"][0]["code"] == "too-costly"
    assert ids(ask(client, "Observation?code=8867-4&date=2025-01-02"))


ATTACKS = [
    "' OR 1=1 --", "%27%20OR%20%271%27%3D%271", '") OR 1=1 --', "1; DROP TABLE readings", "%00", "a%00b",
    "\\", "%5C%5C",
    "%25", "_", "*", "$(id)", "{{7*7}}", "%F0%9F%98%80", "../../etc/passwd", "r-99999999999999999999",
    "w-1--99999999999",
    "r-1 OR 1=1", ",,,", "|", "||", "a|b|c", "x" * 3000, "%ED%A0%80", "-1", "v-", "v-%00", "NULL", "%0D%0AX-Evil:%201",
]  # fmt: skip


PARAMETERS = {
    "Observation": ["_id", "patient", "subject", "encounter", "code", "category", "component-code"],
    "Patient": ["_id", "identifier", "gender"],
    "Encounter": ["_id", "patient", "status"],
    "Provenance": ["_id", "target"],
    "Device": ["_id", "identifier"],
    "QuestionnaireResponse": ["_id", "patient", "questionnaire"],
}


def test_nothing_in_a_parameter_gets_into_a_statement(client: TestClient, database: Database) -> None:
    visit(database)
    for number, (kind, name) in enumerate((kind, name) for kind, names in PARAMETERS.items() for name in names):
        narrow = "&date=2025" if kind == "Observation" else ""
        # the parameters go one way through the code: each takes its share of the attacks, and the first kind all
        for attack in ATTACKS if number < 2 else ATTACKS[number % 3 :: 3]:
            answer = client.get(f"{R4}/{kind}?{name}={attack}{narrow}")
            assert answer.status_code in (200, 400), (name, attack, answer.text)
            if answer.status_code == 200:
                assert ids(answer.json()) == [], (name, attack)
            assert "X-Evil" not in answer.headers
    with database.reading() as db:
        assert db.connection().exec_driver_sql("SELECT count(*) FROM readings").scalar_one() > 10


def test_nothing_in_a_path_gets_into_a_statement(client: TestClient) -> None:
    for number, attack in enumerate(each for each in ATTACKS if "/" not in each):
        kind = ("Observation", "Encounter", "Patient", "Device", "Provenance")[number % 5]
        answer = client.get(f"{R4}/{kind}/{attack}")
        assert answer.status_code in (400, 404), (kind, attack, answer.text)
        assert answer.headers["content-type"] in ("application/fhir+json", "application/problem+json")


def test_commas_separate_and_a_backslash_makes_them_plain() -> None:
    assert alternatives("a,b") == ["a", "b"]
    assert alternatives(r"a\,b,c\|d,\\") == ["a,b", "c|d", "\\"]
    assert alternatives(",,") == []


@given(st.text(max_size=50))
def test_any_text_separates_without_an_error(said: str) -> None:
    parts: list[Any] = alternatives(said)
    assert sum(map(len, parts)) <= len(said)
