"""What a kiosk is told of its visits, and what is behind the link that it shows."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from api import erasure, retention
from api.closing import NOTHING, Closer
from api.loading import context_of
from api.store import Database, consents, kiosks, links, patients, utc_now
from api.tables import AuditRow, ClinicRow, ConsentTextRow, EntryRow, KioskRow, LinkRow, ReadingRow, SessionRow
from api.visits import bodies
from api.visits.reception import Reception, fitting
from api.visits.results import VISIBLE
from kiosk import topics
from kiosk.bus import MemoryBus, send
from kiosk.consent import VERSION
from kiosk.measures import MEASURES
from kiosk.messages import (
    READINGS,
    SECOND,
    Agreed,
    Ask,
    ConsentText,
    End,
    Message,
    Reading,
    Results,
    Setup,
    Stream,
    decode,
)
from kiosk.settings import Settings
from tests.api.conftest import record
from tests.api.visiting import AGREED, ANSWERED, CHOSEN, PERSON, SAID, closed, ended, opened
from tests.api.visiting import entries as told

ADDRESS = "https://clinic.example.org"
MINUTE = 60 * SECOND
VISIT = (CHOSEN, AGREED, PERSON, ANSWERED)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, public_address=ADDRESS)


@pytest.fixture
def reception(database: Database, bus: MemoryBus, settings: Settings) -> Reception:
    return Reception(bus, database, settings)


def visited(database: Database, session: str = "s1", agreed: Agreed = AGREED) -> None:
    record(database, opened(session), *told(session, [CHOSEN, agreed, PERSON, ANSWERED]))
    closed(database, session)


def asked(reception: Reception, session: str = "s1", kiosk: str = "kiosk-1") -> Results:
    found = reception.results_for(kiosk, session)
    assert found is not None
    return found


def rows(database: Database, table: type[Any]) -> list[Any]:
    with database.reading() as db:
        return list(db.execute(select(table)).scalars())


def test_a_kiosk_is_told_the_results_of_its_visit(database: Database, reception: Reception) -> None:
    record(database, opened("s1"), *told("s1", VISIT))
    assert asked(reception) == Results("s1", "waiting")
    closed(database, "s1")
    found = asked(reception)
    values = {each.measure: each for each in found.values}
    assert found.state == "ready"
    (person,) = rows(database, SessionRow)
    with database.reading() as db:
        row = patients.get(db, person.patient_id)
    assert row is not None
    assert found.code == row.pseudonym
    assert (values["heart_rate"].value, values["systolic"].value, values["findrisc"].value) == (66.4, 124.0, 14.0)
    assert "eeg_alpha" not in values
    # Dantas 2018, women: 68 (SD 8), so that nine of ten are within 1.645 SD
    assert values["heart_rate"].usual == pytest.approx((68 - 1.645 * 8, 68 + 1.645 * 8), abs=0.01)
    assert "10.1111/psyp.13052" in values["heart_rate"].usual_source
    assert values["stress"].usual is None
    assert found.link is not None
    assert re.fullmatch(rf"{ADDRESS}/r/[\w-]{{43}}", found.link)


def test_what_was_not_measured_is_told_with_its_reason(database: Database, reception: Reception) -> None:
    record(database, opened("s1"), *told("s1", VISIT))
    closed(database, "s1", {"heart_rate": None, "rmssd": 30.0}, age=None, sex=None)
    values = {each.measure: each for each in asked(reception).values}
    assert (values["heart_rate"].value, values["heart_rate"].absent) == (None, "noisy")
    assert values["rmssd"].usual is None, "nobody's age is known"


def test_asking_again_gives_the_same_link_and_the_table_opens_nothing(database: Database, reception: Reception) -> None:
    visited(database)
    first, second = asked(reception), asked(reception)
    assert first == second
    (row,) = rows(database, LinkRow)
    assert first.link is not None
    assert first.link.rpartition("/")[2] not in row.digest
    assert row.until_ns == first.link_until


@pytest.mark.parametrize(
    "why", ["another kiosk", "too late", "withdrawn", "no consent", "erased", "revoked kiosk", "unknown"]
)
def test_whom_nothing_is_told(database: Database, bus: MemoryBus, settings: Settings, tmp_path: Path, why: str) -> None:
    late = 21 * MINUTE if why == "too late" else 19 * MINUTE
    reception = Reception(bus, database, settings, now=lambda: utc_now() + late)
    if why == "no consent":
        record(database, opened("s1"))
        closed(database, "s1")
    else:
        visited(database)
    assert why in ("too late", "no consent") or asked(reception).state == "ready"
    if why == "withdrawn":
        with database.transaction() as db:
            row = db.get(SessionRow, "s1")
            assert row is not None
            for each in consents.of_patient(db, str(row.patient_id)):
                if each.purpose == "measure":
                    consents.withdraw(db, each.id, "u", utc_now())
    if why == "erased":
        erasure.erase_session(database, tmp_path, "s1")
    if why == "revoked kiosk":
        with database.transaction() as db:
            kiosks.revoke(db, "kiosk-1", utc_now())
        assert reception.results_for("kiosk-1", "s1") is None
        return
    session = "s-unknown" if why == "unknown" else "s1"
    found = asked(reception, session, "kiosk-2" if why == "another kiosk" else "kiosk-1")
    assert found == Results(session, "waiting" if why == "unknown" else "refused")


def test_who_agreed_to_measuring_alone_is_told_and_then_nothing_is_left(
    database: Database, bus: MemoryBus, settings: Settings, tmp_path: Path
) -> None:
    visited(database, agreed=Agreed(("measure",), VERSION, "en"))
    reception = Reception(bus, database, settings)
    found = asked(reception)
    assert (found.state, found.code) == ("ready", None)
    assert found.link_until is not None
    assert found.link_until <= utc_now() + 30 * MINUTE, "no link outlives the session"
    assert retention.forget_fleeting(database, tmp_path, utc_now() + 31 * MINUTE) == ["s1"]
    assert rows(database, LinkRow) == rows(database, SessionRow) == []
    assert asked(reception) == Results("s1", "refused")


def test_age_and_sex_count_even_where_nothing_is_stored(database: Database) -> None:
    record(database, opened("s1"), *told("s1", [Agreed(("measure",), VERSION, "en"), PERSON]))
    context = context_of(database, "s1")
    # the session began on 2025-01-02
    assert (context.age, context.sex) == (44.0, "female")


def test_without_an_address_there_is_no_link(database: Database, bus: MemoryBus, tmp_path: Path) -> None:
    visited(database)
    assert asked(Reception(bus, database, Settings(data=tmp_path))).link is None
    assert rows(database, LinkRow) == []


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, None),
        ({"demo": True}, "http://127.0.0.1:8000"),
        ({"http_cert": "c", "http_key": "k", "http_host": "192.0.2.7"}, "https://192.0.2.7:8000"),
        ({"http_cert": "c", "http_key": "k", "http_host": "0.0.0.0"}, None),
        ({"behind_proxy": True, "http_names": "kiosk.example.org"}, "https://kiosk.example.org"),
        ({"behind_proxy": True}, None),
        ({"public_address": "https://a.example.org/"}, "https://a.example.org"),
    ],
    ids=["nothing", "a demonstration", "its own certificate", "all addresses", "a proxy", "a nameless proxy", "said"],
)
def test_where_the_link_leads(given: dict[str, Any], address: str | None) -> None:
    assert Settings(**given).visitors_address == address


@pytest.mark.parametrize(
    "address", ["http://kiosk.example.org", "https://a.example/path", "ftp://x", "https://a b", "a"]
)
def test_an_address_that_does_not_do_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="public_address"):
        Settings(public_address=address)


def test_the_name_of_the_address_is_answered_to() -> None:
    assert Settings(public_address="https://Kiosk.example.org:8443").host_names == {"kiosk.example.org"}


def live(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


async def heard(bus: MemoryBus, kind: str, count: int, *asks: Message) -> list[tuple[str, Message]]:
    """What is said of a kind, the first few."""
    found = []
    async with bus.subscribe(topics.pattern(kind)) as arriving:
        for ask in asks:
            await send(bus, "kiosk-1", ask)
        async for each in arriving:
            where, message = decode(*each)
            found.append((where.kiosk, message))
            if len(found) == count:
                return found
    raise AssertionError


def test_asks_are_answered_on_the_bus_and_poison_stops_nothing(
    database: Database, bus: MemoryBus, settings: Settings
) -> None:
    visited(database)

    async def work() -> None:
        async with Reception(bus, database, settings):
            await bus.publish("kiosk/v1/kiosk-1/ask/s1", b"{nonsense")
            await bus.publish("kiosk/v1/kiosk-1/ask/s1", b'{"kind":"ask","session":"s2"}')
            ((kiosk, answer),) = await heard(bus, "results", 1, Ask("s1"))
            assert isinstance(answer, Results)
            assert (kiosk, answer.state, answer.session) == ("kiosk-1", "ready", "s1")
            # an answer that breaks does not end the answering
            ((_, again),) = await heard(bus, "results", 1, Ask("s1"))
            assert again == answer

    live(work)
    assert bus._retained.keys() == {"kiosk/v1/kiosk-1/setup/clinic"}, "no results are retained"


def test_kiosks_are_told_what_they_offer_and_what_changes(
    database: Database, bus: MemoryBus, settings: Settings
) -> None:
    with database.transaction() as db:
        db.add(ClinicRow(id="two", name="Second Clinic", created_ns=0))
        db.flush()
        db.add(KioskRow(name="k1", added_ns=0))
        db.add(KioskRow(name="k2", clinic_id="two", added_ns=0))
    reception = Reception(bus, database, settings)

    def retained() -> dict[str, Setup]:
        found = {}
        for topic, payload in bus._retained.items():
            where, message = decode(topic, payload)
            assert isinstance(message, Setup)
            found[where.kiosk] = message
        return found

    async def work() -> None:
        await reception.tell()
        first = retained()
        assert first["k2"].clinic == "Second Clinic"
        assert [(each.version, each.language) for each in first["k1"].consents] == [(VERSION, "en"), (VERSION, "ru")]
        # told once: nothing that has not changed is said again
        async with bus.subscribe(topics.pattern("setup"), depth=10) as arriving:
            await arriving.batch()
            await reception.tell()
            with database.transaction() as db:
                consents.add_text(
                    db, ConsentTextRow(version="2026-3", language="en", text="Another.", created_ns=utc_now())
                )
                moved = kiosks.get(db, "k1")
                assert moved is not None
                moved.clinic_id = "two"
                db.add(KioskRow(name="k3", added_ns=0))
                kiosks.revoke(db, "k2", 1)
            await reception.tell()
            assert {decode(*each)[0].kiosk for each in await arriving.batch()} == {"k1", "k3"}
        second = retained()
        assert second.keys() == {"k1", "k3"}, "nothing is retained for one that may not speak"
        assert second["k1"].clinic == "Second Clinic"
        assert second["k1"].consents[0] == ConsentText("2026-3", "en", "Another.")

    live(work)


def test_more_texts_than_a_message_holds_are_told_in_part() -> None:
    texts = tuple(ConsentText("1", f"a{letter}", "щ" * 20_000) for letter in "abcdefghijklmnop")
    left = fitting(Setup("Clinic", texts)).consents
    assert 4 <= len(left) < 16
    assert left == texts[: len(left)]


# --- behind the link


@pytest.fixture
def link(database: Database) -> str:
    visited(database)
    with database.transaction() as db:
        return f"/r/{links.make(db, 's1', utc_now(), utc_now() + 60 * MINUTE)}"


def test_the_page_shows_the_tiles_to_who_has_the_link(anonymous: TestClient, link: str, database: Database) -> None:
    page = anonymous.get(link, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    for words in ("Heart rate", "66", "124/79", "24.2", "female", "Moderate", "Not measured", "HbA1c"):
        assert words in page.text, words
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "set-cookie" not in page.headers
    russian = anonymous.get(link, headers={"Accept-Language": "ru-RU,ru;q=0.9"})
    assert 'lang="ru"' in russian.text
    assert "66" in russian.text
    assert "24,2" in russian.text
    assert 'lang="ru"' in anonymous.get(f"{link}?language=ru", headers={"Accept-Language": "en"}).text
    file = anonymous.get(f"{link}/results.pdf", params={"language": "ru"})
    assert (file.status_code, file.content[:5]) == (200, b"%PDF-")
    assert [row.opened for row in rows(database, LinkRow)] == [4]
    noted = [(row.actor, row.action, row.object_id) for row in rows(database, AuditRow)]
    assert noted == [("visitor", "visitor-link", "s1")] * 4


def test_names_are_not_behind_the_link(anonymous: TestClient, link: str) -> None:
    for address in (link, f"{link}/results.pdf"):
        for name in (PERSON.given, PERSON.family):
            assert str(name).encode() not in anonymous.get(address).content


def test_unknown_expired_and_erased_links_look_the_same(
    anonymous: TestClient, database: Database, tmp_path: Path, link: str
) -> None:
    with database.transaction() as db:
        expired = f"/r/{links.make(db, 's1', utc_now() - 2, utc_now() - 1)}"
    unknown = f"/r/{'A' * 43}"
    erasure.erase_session(database, tmp_path, "s1")
    pages = [anonymous.get(each + end) for each in (unknown, expired, link) for end in ("", "/results.pdf")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert rows(database, LinkRow) == []


def test_a_link_ends_with_the_consent(anonymous: TestClient, link: str, database: Database) -> None:
    assert anonymous.get(link).status_code == 200
    with database.transaction() as db:
        row = db.get(SessionRow, "s1")
        assert row is not None
        for each in consents.of_patient(db, str(row.patient_id)):
            consents.withdraw(db, each.id, "u", utc_now())
    assert anonymous.get(link).status_code == 404


def test_who_tries_links_is_slowed_down(anonymous: TestClient, link: str) -> None:
    tried = [anonymous.get(f"/r/{number:043d}").status_code for number in range(40)]
    assert set(tried) == {404, 429}
    assert tried.index(429) <= 21
    assert anonymous.get(link).status_code == 429, "no oracle: the right one waits as well"


def test_old_links_are_forgotten(database: Database, tmp_path: Path, link: str) -> None:
    with database.transaction() as db:
        links.make(db, "s1", utc_now() - 2, utc_now() - 1)
    retention.sweep(database, tmp_path, retention.Rules(), utc_now())
    assert len(rows(database, LinkRow)) == 1


# --- the body mass index


def spot(measure: str, value: float | None, end: int = 1, source: str = "visitor") -> ReadingRow:
    return ReadingRow(
        session_id="s", measure=measure, value=value, source=source, scope="spot", method="told by the visitor",
        version="1", start_ns=0, end_ns=end,
    )  # fmt: skip


def test_the_body_mass_index_follows_from_the_last_height_and_weight() -> None:
    (found,) = bodies.body_mass(
        [spot("height", 175.0), spot("weight", 90.0, 1), spot("weight", 71.5, 2, "scale"), spot("height", None, 5)]
    )
    assert found.value == pytest.approx(71.5 / 1.75**2)
    assert (found.source, found.method, found.preferred, found.low) == ("scale+visitor", "quetelet-1", True, None)


@pytest.mark.parametrize(
    "given", [[("height", 175.0)], [("weight", 70.0)], [("height", 175.0), ("weight", 70.0), ("bmi", 23.0)], []]
)
def test_there_is_none_of_a_part_and_none_beside_a_devices_own(given: list[tuple[str, float]]) -> None:
    assert bodies.body_mass([spot(*each) for each in given]) == []


def test_an_impossible_one_is_absent() -> None:
    (found,) = bodies.body_mass([spot("height", 50.0), spot("weight", 500.0)])
    assert found.absent is None or found.value is None
    (tiny,) = bodies.body_mass([spot("height", 275.0), spot("weight", 1.0)])
    assert (tiny.value, tiny.absent) == (None, "impossible")


def test_closing_adds_it_and_tells_nothing_of_a_talk_nobody_agreed_to(database: Database, settings: Settings) -> None:
    own = Stream("s1", "visitor", READINGS, "r1")
    measured = [
        Reading(own, seq, measure, value, "visitor", "spot", "told by the visitor", 0, SECOND)
        for seq, (measure, value) in enumerate((("height", 175.0), ("weight", 70.0)))
    ]
    said = told("s1", [CHOSEN, SAID])
    record(database, opened("s1"), *said, *measured, *ended("s1", [own], last=1))
    record(database, End(own, 1))
    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(Closer(database, settings, lambda *_: NOTHING).sweep(pool)) == 1
    (found,) = [row for row in rows(database, ReadingRow) if row.measure == "bmi"]
    assert (found.revision, found.value) == (1, pytest.approx(70 / 1.75**2))
    assert [row.of for row in rows(database, EntryRow)] == ["chosen"]


def test_visitors_are_shown_only_what_the_catalogue_has() -> None:
    assert set(VISIBLE) <= MEASURES.keys()
    assert MEASURES["hba1c"].loinc == "4548-4"
