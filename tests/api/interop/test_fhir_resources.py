"""What we say in FHIR: it fits the model, the vital signs profile, and what was measured."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.interop.fhir import codes
from api.interop.fhir.observations import Around, Told, of_pressure, of_reading, sampled
from api.interop.fhir.shapes import jsonable
from api.interop.fhir.words import extension_url, fhir_id, instant, names_of, nanoseconds
from api.store import Database
from api.tables import ReadingRow, SessionRow
from kiosk.measures import LOINC, MEASURES, OWN
from kiosk.messages import SECOND
from tests.api.conftest import ClientAs
from tests.api.interop.fhir_model import Json, check, entries
from tests.api.interop.fhir_visit import BEGAN, CLOSED, found, revise, visit

R4 = "/fhir/R4"
PROFILE = "http://hl7.org/fhir/StructureDefinition"


def everything(client: TestClient, session: str = "s-fhir.u1") -> Json:
    said: Json = client.get(f"{R4}/Encounter/{session}/$everything").json()
    return said


def by_code(bundle: Json, code: str) -> list[Json]:
    return [
        each
        for each in entries(bundle, "Observation")
        if code in [coding["code"] for coding in each["code"]["coding"]]
    ]  # fmt: skip


def extension(element: Json, name: str) -> Json | None:
    return next((each for each in element.get("extension", ()) if each["url"] == extension_url(name)), None)


def test_all_of_a_session_fits_the_model_and_the_value_sets(client: TestClient, database: Database) -> None:
    visit(database)
    revise(database, "s-fhir_1", (found("heart_rate", 71.0),), at=CLOSED + SECOND, corrector="u-1")
    bundle = everything(client)
    kinds = {each["resourceType"] for each in entries(bundle)}
    assert kinds == {
        "Encounter", "Patient", "Observation", "DiagnosticReport", "QuestionnaireResponse", "Provenance", "Device",
        "Consent",
    }  # fmt: skip
    for each in entries(bundle):
        check(each)
    check(bundle)


def test_every_reference_leads_somewhere(client: TestClient, database: Database) -> None:
    visit(database)
    revise(database, "s-fhir_1", (found("heart_rate", 71.0), found("rmssd", 30.0)), at=CLOSED + SECOND)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            here = [value["reference"]] if isinstance(value.get("reference"), str) else []
            return here + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    wanted = set(references(everything(client)))
    assert len(wanted) > 15
    for each in sorted(wanted):
        answer = client.get(f"{R4}/{each}")
        # what an earlier revision told and the newest does not is there as that version
        assert answer.status_code == 200, each
        assert answer.json()["resourceType"] == each.partition("/")[0]


def test_vital_signs_keep_their_profile_to_the_letter(client: TestClient, database: Database) -> None:
    visit(database)
    bundle = everything(client)
    vital = [each for each in entries(bundle, "Observation") if extension_of_category(each) == "vital-signs"]
    assert len(vital) == 12
    for each in vital:
        assert each["status"] in ("final", "amended")
        assert {"system": codes.CATEGORY, "code": "vital-signs", "display": "Vital Signs"} in each["category"][0][
            "coding"
        ]
        assert each["subject"]["reference"] == "Patient/p-00000000000000f1"
        # vs-1: at least to the day
        assert len(each["effectivePeriod"]["start"]) >= 10
        assert f"{PROFILE}/vitalsigns" in each["meta"]["profile"]
        # vs-2: a value or the reason of its absence, where there are no parts
        parts = "component" in each or "hasMember" in each
        assert parts or ("valueQuantity" in each) != ("dataAbsentReason" in each)
        # vs-3: so for each component
        for part in each.get("component", ()):
            assert ("valueQuantity" in part) != ("dataAbsentReason" in part)
        for holder in (each, *each.get("component", ())):
            if "valueQuantity" in holder:
                assert holder["valueQuantity"].keys() == {"value", "unit", "system", "code"}
                assert holder["valueQuantity"]["system"] == "http://unitsofmeasure.org"


def extension_of_category(observation: Json) -> str:
    code: str = observation["category"][0]["coding"][0]["code"]
    return code


ALONE = [
    ("9279-1", "resprate", 14, "/min"),
    ("8310-5", "bodytemp", 36.6, "Cel"),
    ("59408-5", "oxygensat", 98, "%"),
    ("2708-6", "oxygensat", 98, "%"),
    ("29463-7", "bodyweight", 71.5, "kg"),
    ("8302-2", "bodyheight", 175, "cm"),
    ("39156-5", "bmi", 23.3, "kg/m2"),
]


def test_each_vital_sign_has_its_code_unit_and_profile(client: TestClient, database: Database) -> None:
    visit(database)
    bundle = everything(client)
    for code, profile, value, ucum in ALONE:
        (said,) = by_code(bundle, code)
        assert f"{PROFILE}/{profile}" in said["meta"]["profile"]
        assert (said["valueQuantity"]["value"], said["valueQuantity"]["code"]) == (value, ucum)


def test_blood_pressure_is_one_observation_with_two_components(client: TestClient, database: Database) -> None:
    visit(database)
    bundle = everything(client)
    first, second = sorted(by_code(bundle, "85354-9"), key=lambda each: str(each["effectivePeriod"]["start"]))
    assert f"{PROFILE}/bp" in first["meta"]["profile"]
    assert "valueQuantity" not in first
    said = {part["code"]["coding"][0]["code"]: part for part in first["component"]}
    assert said.keys() == {"8480-6", "8462-4"}
    assert said["8480-6"]["valueQuantity"] == {"value": 121, "unit": "mmHg", "system": codes.UCUM, "code": "mm[Hg]"}
    assert said["8462-4"]["valueQuantity"]["value"] == 79
    # a part that could not be measured says why
    absent = second["component"][1]
    assert [each["code"] for each in absent["dataAbsentReason"]["coding"]] == ["error", "noisy"]
    # and neither part is told a second time
    assert not by_code(bundle, "8480-6")
    assert not by_code(bundle, "8462-4")


def test_the_panel_of_vital_signs_has_all_of_them_as_members(client: TestClient, database: Database) -> None:
    visit(database)
    bundle = everything(client)
    (panel,) = by_code(bundle, "85353-1")
    assert f"{PROFILE}/vitalspanel" in panel["meta"]["profile"]
    vital = {
        f"Observation/{each['id']}"
        for each in entries(bundle, "Observation")
        if extension_of_category(each) == "vital-signs"
    }
    assert {each["reference"] for each in panel["hasMember"]} == vital - {f"Observation/{panel['id']}"}


def test_what_is_absent_says_why_in_hl7s_words_and_in_ours(client: TestClient, database: Database) -> None:
    visit(database)
    bundle = everything(client)
    (pnn50,) = by_code(bundle, "pnn50")
    assert "valueQuantity" not in pnn50
    assert pnn50["dataAbsentReason"]["coding"] == [
        {"system": codes.DATA_ABSENT, "code": "error", "display": "Error"},
        {"system": codes.ABSENT, "code": "too_short", "display": "Too short to tell"},
    ]
    spot = [each for each in by_code(bundle, "8867-4") if "dataAbsentReason" in each]
    assert [[code["code"] for code in each["dataAbsentReason"]["coding"]] for each in spot] == [
        ["unknown", "cuff_leak"]
    ]  # fmt: skip


def test_a_number_tells_its_doubt_method_source_and_window(client: TestClient, database: Database) -> None:
    visit(database)
    (rate,) = [each for each in by_code(everything(client), "8867-4") if "derivedFrom" in each]
    assert rate["valueQuantity"] == {"value": 72, "unit": "beats/minute", "system": codes.UCUM, "code": "/min"}
    interval = extension(rate, "interval-95")
    assert interval is not None
    # rounded outward: it holds the value still
    assert (interval["valueRange"]["low"]["value"], interval["valueRange"]["high"]["value"]) == (71, 74)
    assert (extension(rate, "quality") or {})["valueDecimal"] == 0.875
    assert (extension(rate, "preferred") or {})["valueBoolean"] is True
    assert (extension(rate, "source") or {})["valueString"] == "ecg.chest-strap"
    assert rate["method"]["text"] == "pan-tompkins-1985"
    assert rate["device"]["reference"] == "Device/kiosk-1.-chest-strap"
    assert (rate["effectivePeriod"]["start"], rate["effectivePeriod"]["end"]) == (
        "2025-01-02T09:00:00.000000Z",
        "2025-01-02T09:01:00.000000Z",
    )
    assert len(rate["derivedFrom"]) == 2


def test_an_electrocardiogram_comes_back_within_half_a_microvolt(client: TestClient, database: Database) -> None:
    seen = visit(database)
    traces = sorted(by_code(everything(client), "131328"), key=lambda each: str(each["effectivePeriod"]["start"]))
    assert [len(each["component"]) for each in traces] == [2, 2]
    assert [part["code"]["coding"][0]["code"] for part in traces[0]["component"]] == ["131329", "131392"]
    back = np.full((10_000, 2), np.nan)
    for each in traces:
        begin = round((nanoseconds(each["effectivePeriod"]["start"]) - BEGAN) / SECOND * 250)
        for lead, part in enumerate(each["component"]):
            data = part["valueSampledData"]
            assert (data["origin"]["code"], data["period"], data["dimensions"]) == ("mV", 4, 1)
            values = [np.nan if one == "E" else int(one) * data["factor"] for one in data["data"].split(" ")]
            back[begin : begin + len(values), lead] = values
    expected = seen.ecg.astype(float)
    expected[20 * 250 : 21 * 250] = np.nan
    assert (np.isnan(back) == np.isnan(expected)).all()
    assert np.nanmax(np.abs(back - expected)) <= 0.0005 + 1e-9


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-20, 20, width=32)), min_size=1, max_size=50))
def test_samples_round_trip_within_their_quantum(values: list[float]) -> None:
    said = sampled(np.array(values, dtype=np.float32), 250.0)
    back = [np.nan if each == "E" else int(each) * float(said.factor) for each in said.data.split(" ")]
    assert np.allclose(back, values, rtol=0, atol=0.0005 + 1e-9, equal_nan=True)


NUMBERS = st.sampled_from(sorted(MEASURES)).flatmap(
    lambda name: st.tuples(
        st.just(name), st.one_of(st.none(), st.floats(MEASURES[name].low, MEASURES[name].high, allow_subnormal=False))
    )
)


@settings(max_examples=150, deadline=None)
@given(
    NUMBERS,
    st.floats(0, 1),
    st.floats(0, 5),
    st.integers(0, 600 * SECOND),
    st.integers(0, 600 * SECOND),
    st.sampled_from([*codes.REASONS, "odd.reason"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_any_reading_comes_back_from_fhir(
    told: tuple[str, float | None],
    quality: float,
    doubt: float,
    start: int,
    length: int,
    reason: str,
    assigned: bool,
    revision: int,
) -> None:
    name, value = told
    row = ReadingRow(
        id=7, session_id="s-1", revision=revision, measure=name, value=value,
        low=None if value is None else value - doubt, high=None if value is None else value + doubt,
        quality=quality, absent=reason if value is None else None, source="ecg.strap", scope="recording",
        method="a-method", version="1", preferred=True, start_ns=start, end_ns=start + length,
    )  # fmt: skip
    session = SessionRow(
        id="s-1", kiosk="k", origin_utc_ns=BEGAN, first_seen_ns=BEGAN, last_seen_ns=BEGAN,
        patient_id="p-1" if assigned else None,
    )  # fmt: skip
    pressure = name in ("systolic", "diastolic")
    around = Around(session, BEGAN)
    said: Json = jsonable(
        of_pressure(Told(row, "r-7"), None, around) if pressure else of_reading(Told(row, "r-7"), around)
    )
    check(said)
    holder = said["component"][0 if name == "systolic" else 1] if pressure else said
    assert {"system": OWN, "code": name, "display": MEASURES[name].title} in holder["code"]["coding"]
    half = Decimal(5).scaleb(-MEASURES[name].decimals - 1)
    if value is None:
        assert holder["dataAbsentReason"]["coding"][-1]["code"] == reason
        assert "valueQuantity" not in holder
    else:
        back = Decimal(str(holder["valueQuantity"]["value"]))
        assert abs(back - Decimal(repr(value))) <= half
        assert holder["valueQuantity"]["code"] == MEASURES[name].unit
        ends = (extension(holder, "interval-95") or {})["valueRange"]
        assert Decimal(str(ends["low"]["value"])) <= min(back, Decimal(repr(value - doubt)))
        assert Decimal(str(ends["high"]["value"])) >= max(back, Decimal(repr(value + doubt)))
    assert abs(float((extension(holder, "quality") or {})["valueDecimal"]) - quality) <= 0.0005
    assert nanoseconds(said["effectivePeriod"]["start"]) == (BEGAN + start) // 1000 * 1000
    assert nanoseconds(said["effectivePeriod"]["end"]) == (BEGAN + start + length) // 1000 * 1000
    assert (extension(said, "revision") or {})["valueInteger"] == revision


def test_who_is_not_known_and_when_is_not_known_is_said_so(client: TestClient, database: Database) -> None:
    visit(database, assigned=False)
    with database.transaction() as db:
        row = db.get(SessionRow, "s-fhir_1")
        assert row is not None
        row.origin_utc_ns = None
    unknown = [{"url": f"{PROFILE}/data-absent-reason", "valueCode": "unknown"}]
    bundle = everything(client)
    for each in entries(bundle):
        check(each)
    for each in entries(bundle, "Observation"):
        assert each["subject"] == {"extension": unknown}
        assert each["effectivePeriod"] == {"extension": unknown}


def test_a_simulated_session_is_tagged_in_every_resource(client: TestClient, database: Database) -> None:
    visit(database, simulated=True)
    for each in entries(everything(client)):
        if each["resourceType"] not in ("Patient", "Consent", "Device"):
            assert [tag["code"] for tag in each["meta"]["tag"]] == ["HTEST"], each["id"]


def test_a_new_revision_amends_under_the_same_id_and_the_old_one_stays_readable(
    client: TestClient, database: Database
) -> None:
    visit(database)
    (before,) = by_code(everything(client), "rmssd")
    revise(database, "s-fhir_1", (found("rmssd", 36.0),), at=CLOSED + SECOND, corrector="u-corrector")
    bundle = everything(client)
    (after,) = by_code(bundle, "rmssd")
    assert (before["id"], before["status"], before["meta"]["versionId"]) == (after["id"], "final", "1")
    assert (after["status"], after["meta"]["versionId"], after["valueQuantity"]["value"]) == ("amended", "2", 36.0)
    history = client.get(f"{R4}/Observation/{after['id']}/_history").json()
    check(history)
    assert [each["meta"]["versionId"] for each in entries(history)] == ["2", "1"]
    old = client.get(f"{R4}/Observation/{after['id']}/_history/1").json()
    assert old["valueQuantity"] == before["valueQuantity"]
    assert client.get(f"{R4}/Observation/{after['id']}/_history/3").status_code == 404
    # what only the first analysis told is gone, and says so
    (sdnn,) = entries(client.get(f"{R4}/Observation/{sdnn_id(database)}/_history").json())
    assert client.get(f"{R4}/Observation/{sdnn['id']}").status_code == 410
    # who corrected it is in the provenance
    newest = next(each for each in entries(bundle, "Provenance") if each["id"].endswith("-2"))
    authors = [each["who"]["identifier"]["value"] for each in newest["agent"] if "identifier" in each["who"]]
    assert authors == ["u-corrector"]
    assert {"reference": f"Observation/{after['id']}/_history/2", "type": "Observation"} in newest["target"]
    (report,) = entries(bundle, "DiagnosticReport")
    assert (report["status"], report["meta"]["versionId"]) == ("amended", "2")


def sdnn_id(database: Database) -> str:
    with database.reading() as db:
        return next(f"r-{row.id}" for row in db.query(ReadingRow).all() if row.measure == "sdnn")


def test_numbers_that_are_none_are_refused_rather_than_said() -> None:
    row = ReadingRow(
        id=1, session_id="s", measure="stress", value=float("nan"), source="x", scope="spot", method="m", version="1",
        start_ns=0, end_ns=0,
    )  # fmt: skip
    session = SessionRow(id="s", kiosk="k", first_seen_ns=0, last_seen_ns=0)
    with pytest.raises(ValueError, match="reason"):
        of_reading(Told(row, "r-1"), Around(session, 0))


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True), min_size=1, max_size=2))
def test_ids_of_ours_come_back_from_their_fhir_ids(names: list[str]) -> None:
    said = fhir_id(*names)
    if len(said) <= 64 and not any("-" in each[-1:] + each[:1] for each in names):
        assert names_of(said) == tuple(names)


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_moments_come_back_to_the_microsecond(moment: int) -> None:
    assert nanoseconds(instant(moment)) == moment // 1000 * 1000


def test_a_patient_of_the_same_name_is_not_in_anything_but_the_patient(client_as: ClientAs, database: Database) -> None:
    visit(database)
    bundle = everything(client_as("clinician"))
    named = [each["resourceType"] for each in entries(bundle) if "Doe" in str(each)]
    assert named == ["Patient"]
    assert LOINC in str(bundle)


def test_what_one_revision_says_twice_are_two_resources(client: TestClient, database: Database) -> None:
    """A device that began anew with another rate has two waveforms, and so two readings of one source."""
    visit(database)
    twice = (found("heart_rate", 70.0), found("heart_rate", 90.0, preferred=False), found("rmssd", 36.0))
    revise(database, "s-fhir_1", twice, at=CLOSED + SECOND)
    revise(database, "s-fhir_1", twice, at=CLOSED + 2 * SECOND)
    bundle = everything(client)
    rates = {
        each["id"]: each["valueQuantity"]["value"]
        for each in by_code(bundle, "8867-4")
        if "valueQuantity" in each and extension(each, "source") and "hasMember" not in each
    }
    assert sorted(rates.values()) == [70, 90]
    for name, value in rates.items():
        said = client.get(f"{R4}/Observation/{name}").json()
        assert said["valueQuantity"]["value"] == value
        check(client.get(f"{R4}/Observation/{name}/_history").json())
    (report,) = entries(bundle, "DiagnosticReport")
    results = [each["reference"] for each in report["result"]]
    assert len(set(results)) == len(results)
    assert {f"Observation/{name}" for name in rates} <= set(results)
    newest = next(each for each in entries(bundle, "Provenance") if each["id"].endswith("-3"))
    targets = {each["reference"] for each in newest["target"]}
    assert {f"Observation/{name}/_history/3" for name in rates} <= targets
