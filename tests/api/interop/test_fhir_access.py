"""Who may read what in FHIR, and how it is said that they may not."""

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from api.interop.fhir.search import INCLUDES, SEARCHES
from api.interop.fhir.terminology import STATIC
from api.security import ALLOWED, Action, Role
from api.store import Database, consents, vault_of
from api.tables import AuditRow, ConsentRow
from tests.api.conftest import ClientAs
from tests.api.interop.fhir_model import Json, check, entries
from tests.api.interop.fhir_visit import BEGAN, NAME, visit

R4 = "/fhir/R4"
PATIENT = "p-00000000000000f1"


def read(client: TestClient, path: str) -> Json:
    answer = client.get(f"{R4}/{path}")
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


def test_a_patient_is_named_where_they_agreed_and_the_reader_may(client: TestClient, database: Database) -> None:
    visit(database)
    said = read(client, f"Patient/{PATIENT}")
    check(said)
    assert said["name"] == [{"text": "Jo Doe", "family": "Doe", "given": ["Jo"]}]
    assert said["birthDate"] == "1981-03-04"
    assert {"system": "urn:oid:1.2.3", "value": f"MRN-{PATIENT}"} in said["identifier"]
    assert "security" not in said["meta"]


def test_who_did_not_agree_to_be_shared_has_a_pseudonym_alone(client: TestClient, database: Database) -> None:
    visit(database, shares=False)
    said = read(client, f"Patient/{PATIENT}")
    check(said)
    assert_nameless(said)


def assert_nameless(said: Json) -> None:
    assert said["identifier"] == [
        {
            "system": "https://health-kiosk.example/fhir/identifiers/pseudonym",
            "value": f"PSEUDO-{PATIENT}",
            "use": "secondary",
        }
    ]
    assert said["birthDate"] == "1981"
    assert [each["code"] for each in said["meta"]["security"]] == ["PSEUDED"]
    assert not {NAME, "Jo", "MRN", "jo@example.org"} & set(str(said).replace("'", " ").split())


def test_a_consent_that_was_taken_back_takes_the_name_away(client: TestClient, database: Database) -> None:
    visit(database)
    with database.transaction() as db:
        consents.withdraw(db, f"c-share-{PATIENT[2:]}", "u-1", BEGAN)
    assert_nameless(read(client, f"Patient/{PATIENT}"))
    consent = read(client, f"Consent/c-share-{PATIENT[2:]}")
    check(consent)
    assert (consent["status"], consent["provision"]["period"]["end"]) == ("inactive", "2025-01-02T09:00:00.000000Z")


def test_no_name_reaches_whoever_may_not_read_identities(
    client_as: ClientAs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(database)
    allowed = {**ALLOWED, Action.READ_IDENTITIES: frozenset({Role.OPERATOR})}
    monkeypatch.setattr("api.security.ALLOWED", allowed)
    client = client_as("clinician")
    paths = [f"Patient/{PATIENT}", f"Patient/{PATIENT}/$everything", "Encounter/s-fhir.u1/$everything", "Patient"]
    paths += [f"Observation?patient={PATIENT}&_include=Observation:patient"]
    for path in paths:
        text = client.get(f"{R4}/{path}").text
        assert "PSEUDO" in text
        assert not [each for each in (NAME, "MRN-", "jo@example.org", "1981-03-04") if each in text], path


def test_answers_are_told_only_to_whoever_may_read_them(
    client_as: ClientAs, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(database)
    client = client_as("clinician")
    said = read(client, "QuestionnaireResponse/q-s-fhir-1")
    check(said)
    assert [(each["linkId"], each["answer"]) for each in said["item"]] == [
        ("1", [{"valueInteger": 3}]),
        ("2", [{"valueInteger": 2}]),
    ]
    monkeypatch.setattr("api.security.ALLOWED", {**ALLOWED, Action.READ_ANSWERS: frozenset({Role.OPERATOR})})
    assert "item" not in read(client, "QuestionnaireResponse/q-s-fhir-1")


def test_another_clinic_sees_nothing_and_is_told_the_same_as_of_what_is_not_there(
    client_as: ClientAs, database: Database
) -> None:
    visit(database)
    ours, foreign = client_as("clinician"), client_as("clinician", clinic="other")
    everything = read(ours, f"Patient/{PATIENT}/$everything")
    addresses = [f"{each['resourceType']}/{each['id']}" for each in entries(everything)]
    # the kiosk is of the main clinic
    assert {each.partition("/")[0] for each in addresses} == set(SEARCHES)
    addresses += [f"Patient/{PATIENT}/$everything", "Encounter/s-fhir.u1/$everything", "Observation/r-1/_history"]
    addresses.append("Observation/r-1/_history/1")
    for each in addresses:
        answer, nothing = foreign.get(f"{R4}/{each}"), foreign.get(f"{R4}/Patient/p-0000000000000000")
        assert answer.status_code == 404, each
        assert answer.json() == nothing.json()
    for kind in SEARCHES:
        narrow = "?date=2025" if kind == "Observation" else ""
        assert entries(read(foreign, f"{kind}{narrow}")) == []
        assert entries(read(foreign, f"{kind}{narrow or '?'}&_count=0")) == []
        wide = "&".join(f"_include={kind}:{each}" for each in INCLUDES.get(kind, ()))
        assert entries(read(foreign, f"{kind}{narrow or '?'}&{wide}")) == []
    assert read(foreign, f"Observation?patient={PATIENT}&_count=0")["total"] == 0


@pytest.mark.parametrize("role", [role for role in Role if role not in ALLOWED[Action.EXPORT]])
def test_other_roles_are_refused_with_an_outcome(client_as: ClientAs, role: Role) -> None:
    client = client_as(role)
    for path in ("Patient", "Observation?date=2025", f"Patient/{PATIENT}", f"Patient/{PATIENT}/$everything"):
        answer = client.get(f"{R4}/{path}")
        assert answer.status_code == 403
        check(answer.json())
        assert answer.json()["issue"][0]["code"] == "forbidden"


def test_nobody_is_told_to_log_in_with_an_outcome(anonymous: TestClient) -> None:
    answer = anonymous.get(f"{R4}/Patient")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/fhir+json")
    check(answer.json())
    assert answer.json()["issue"][0]["code"] == "login"


def test_what_the_server_can_do_and_its_codes_are_public(anonymous: TestClient) -> None:
    said = read(anonymous, "metadata")
    check(said)
    told = {each["type"]: each for each in said["rest"][0]["resource"]}
    assert told.keys() == {*SEARCHES, *STATIC}
    for kind, parameters in SEARCHES.items():
        named = {each["name"]: each["type"] for each in told[kind]["searchParam"]}
        assert named == {each.name: each.type for each in parameters} | {"_id": "token", "_lastUpdated": "date"}
        assert told[kind].get("searchInclude", []) == [f"{kind}:{each}" for each in INCLUDES.get(kind, ())]
    assert said["fhirVersion"] == "4.0.1"
    for kind, every in STATIC.items():
        for each in every:
            check(read(anonymous, f"{kind}/{each.id}"))
            assert len(entries(read(anonymous, f"{kind}?url={each.url}"))) == 1
    assert anonymous.get(f"{R4}/CodeSystem/other").status_code == 404


def test_what_the_statement_promises_is_kept(client: TestClient, database: Database) -> None:
    visit(database)
    strict = {"Prefer": "handling=strict"}
    samples = {"token": "x", "reference": "Patient/p-1", "date": "2025", "uri": "urn:x"}
    for each in read(client, "metadata")["rest"][0]["resource"]:
        for parameter in each["searchParam"]:
            query = f"{parameter['name']}={samples[parameter['type']]}"
            narrow = "&date=2025" if each["type"] == "Observation" else ""
            answer = client.get(f"{R4}/{each['type']}?{query}{narrow}", headers=strict)
            assert answer.status_code == 200, (each["type"], query, answer.text)
        for include in each.get("searchInclude", ()):
            narrow = "&date=2025" if each["type"] == "Observation" else ""
            answer = client.get(
                f"{R4}/{each['type']}?_include={include}{narrow}", headers={"Prefer": "handling=strict"}
            )
            assert answer.status_code == 200, (include, answer.text)


def test_other_forms_than_json_are_not_acceptable(anonymous: TestClient) -> None:
    for path, accept in (("metadata?_format=xml", "*/*"), ("metadata", "application/fhir+xml")):
        answer = anonymous.get(f"{R4}/{path}", headers={"Accept": accept})
        assert answer.status_code == 406
        check(answer.json())
    for path, accept in (
        ("metadata?_format=json", "application/xml"),
        ("metadata?_format=application/fhir+json", "*/*"),
        ("metadata", "application/fhir+json; fhirVersion=4.0"),
        ("metadata", "text/html, application/*;q=0.5"),
    ):
        assert anonymous.get(f"{R4}/{path}", headers={"Accept": accept}).status_code == 200


def test_a_resource_says_its_version(client: TestClient, database: Database) -> None:
    visit(database)
    assert client.get(f"{R4}/Patient/{PATIENT}").headers["etag"] == 'W/"1"'


def test_what_was_erased_is_gone_or_nameless_and_never_an_error_of_ours(client: TestClient, database: Database) -> None:
    visit(database)
    with database.transaction() as db:
        vault_of(db).destroy("patient", [PATIENT])
    answer = client.get(f"{R4}/Patient/{PATIENT}")
    assert answer.status_code == 200
    assert_nameless(answer.json())
    with database.transaction() as db:
        vault_of(db).destroy("session", ["s-fhir_1"])
    for path in ("Encounter/s-fhir.u1/$everything", f"Observation?patient={PATIENT}&code=131328"):
        gone = client.get(f"{R4}/{path}")
        assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted")


def test_everything_of_a_person_comes_a_few_sessions_at_a_time(client: TestClient, database: Database) -> None:
    visit(database)
    for number in range(2, 5):
        visit(database, f"s-{number}", PATIENT, began=BEGAN + number * 1_000_000_000_000)
    seen: list[str] = []
    address: str | None = f"Patient/{PATIENT}/$everything?_count=2"
    pages = 0
    while address is not None:
        page = read(client, address)
        check(page)
        seen += [each["id"] for each in entries(page, "Encounter")]
        assert len(entries(page, "Patient")) == (1 if pages == 0 else 0)
        following = next((each["url"] for each in page["link"] if each["relation"] == "next"), None)
        address = None if following is None else following.partition(f"{R4}/")[2]
        pages += 1
    assert (pages, seen) == (2, ["s-4", "s-3", "s-2", "s-fhir.u1"])


def test_another_system_is_given_only_what_people_agreed_to_share(client_as: ClientAs, database: Database) -> None:
    shy = "p-00000000000000f2"
    visit(database)
    visit(database, "s-shy", shy, shares=False)
    visit(database, "s-nobodys", "p-00000000000000f3", assigned=False)
    clinician, other_system = client_as("clinician"), client_as("integrator")
    for kind in ("Patient", "Encounter", "Observation?date=2025&_count=200", "QuestionnaireResponse", "Provenance"):
        both, some = entries(read(clinician, kind)), entries(read(other_system, kind))
        assert 0 < len(some) < len(both), kind
        assert "s-shy" not in str(some), kind
        assert "s-nobodys" not in str(some), kind
        assert shy not in str(some), kind
    for address in (f"Patient/{shy}", f"Patient/{shy}/$everything", "Encounter/s-shy", "Encounter/s-shy/$everything"):
        assert clinician.get(f"{R4}/{address}").status_code == 200
        assert other_system.get(f"{R4}/{address}").status_code == 404
    assert read(other_system, f"Observation?patient={shy}&_count=0")["total"] == 0
    assert other_system.get(f"{R4}/Encounter/s-fhir.u1/$everything").status_code == 200
    # taken back, and agreed to anew
    with database.transaction() as db:
        consents.withdraw(db, f"c-share-{PATIENT[2:]}", "u-1", BEGAN)
    assert other_system.get(f"{R4}/Encounter/s-fhir.u1").status_code == 404
    with database.transaction() as db:
        again = ConsentRow(id="c-anew", patient_id=PATIENT, purpose="share", text_version="2025-01", language="en",
                           given_ns=BEGAN + 1)  # fmt: skip
        consents.give(db, again)
    assert other_system.get(f"{R4}/Encounter/s-fhir.u1").status_code == 200


def test_the_audit_says_whose_an_observation_was(client: TestClient, database: Database) -> None:
    visit(database)
    observation = next(each["id"] for each in entries(read(client, "Observation?date=2025")) if each["id"][0] == "r")
    addresses = (
        f"Observation/{observation}",
        f"Observation/{observation}/_history",
        "QuestionnaireResponse/q-s-fhir-1",
    )
    for address in (*addresses, f"Observation?_id={observation}"):
        read(client, address)
        with database.reading() as db:
            last = db.execute(select(AuditRow).order_by(col(AuditRow.seq).desc()).limit(1)).scalar_one()
        assert last.detail is not None, address
        assert (last.detail["session"], last.detail["patient"]) == ("s-fhir_1", PATIENT), address
