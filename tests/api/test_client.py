"""The client against a real server: what docs/client.md shows is run as it stands there."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from api.app import create_app
from api.client import Client, Problem, Session, Unreachable
from api.server import server
from api.store import Database
from api.tables import AlertRow, RuleRow
from api.uploads.worker import Uploads
from kiosk.bus import MemoryBus
from kiosk.commands.services import read_upload
from kiosk.messages import Chunk, Stream
from kiosk.settings import Settings
from tests import databases
from tests.api import staff
from tests.api.conftest import chunks_of, opened, record
from tests.api.uploading import ecg

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"
WAVE = (np.arange(2500).reshape(-1, 1) / 100).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Here:
    address: str
    token: str
    login: str
    database: Database
    settings: Settings


@pytest.fixture(scope="module")
def here(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A real server on a port of its own, with a worker for uploads."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "kiosk.sqlite").write_bytes(sqlite_template.read_bytes())
    database, settings = databases.database(folder), Settings(data=folder)
    user = staff.hire(database, "clinician", login="client")
    record(database, *(opened(f"s-{number}") for number in range(5)))
    stream, rr = Stream("s-1", "strap", "ecg", "r1"), Stream("s-1", "strap", "rr", "r1")
    record(database, *chunks_of(stream, WAVE, 250.0, ["I"]))
    lengths, offsets = np.full(3, 800, "<f4"), np.array([0, 800_000, 1_600_000], "<i4")
    record(database, Chunk(rr, 0, 0, None, ("rr",), lengths.tobytes(), offsets.tobytes()))
    running = server(create_app(settings=settings, database=database, bus=MemoryBus()), "127.0.0.1", 0)
    thread = threading.Thread(target=asyncio.run, args=(running.serve(),))
    thread.start()
    stop = threading.Event()
    uploads = Uploads(database, settings, read_upload)

    def work() -> None:
        while not stop.is_set():
            if not uploads.work():
                stop.wait(0.2)

    worker = threading.Thread(target=work)
    worker.start()
    while not running.started:
        thread.join(0.01)
    address = f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    token = staff.bearer(database, user)["Authorization"].removeprefix("Bearer ")
    yield Here(address, token, user.login, database, settings)
    stop.set()
    uploads._stop.set()
    worker.join()
    running.should_exit = True
    thread.join()
    database.close()


@pytest.fixture
def client(here: Here) -> Iterator[Client]:
    with Client(here.address, token=here.token) as made:
        yield made


def test_the_documented_example_does_what_it_says(
    here: Here, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert example is not None
    recording = ecg(tmp_path / "record.csv", seconds=30)
    known: dict[str, object] = {"address": here.address, "key": here.token, "recording": recording}
    exec(compile(example[1], str(DOCUMENT), "exec"), known)
    said = capsys.readouterr().out
    assert "done 100%" in said
    assert re.search(r"heart_rate 6\d\.", said)
    assert "ecg mV 250.0 (2500, 1)" in said
    assert len(known["mine"]) == 1  # type: ignore[arg-type]


def test_a_login_lasts_as_long_as_it_is_needed_and_is_ended(here: Here) -> None:
    with Client(here.address, login=here.login, password=staff.PASSWORD) as client:
        first = client._pair
        assert len(list(client.sessions())) >= 5
        assert client._pair == first
        client._until = 0.0  # the token is about to end
        list(client.patients())
        assert client._pair is not None
        assert client._pair != first
        access = client._pair.access
    with Client(here.address, token=access) as other, pytest.raises(Problem) as told:
        other.session("s-1")
    assert (told.value.status, told.value.kind) == (401, "not-logged-in")
    with pytest.raises(Problem) as refused:
        Client(here.address, login=here.login, password="wrong")
    assert refused.value.status in (401, 403, 429)
    with pytest.raises(ValueError, match="either"):
        Client(here.address)


def test_lists_are_fetched_as_far_as_they_are_looked_at(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    send = httpx.HTTPTransport.handle_request

    def counted(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        # pages of two instead of a hundred
        request.url = request.url.copy_set_param("limit", "2")
        asked.append(str(request.url))
        return send(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", counted)
    with Client(here.address, token=here.token) as client:
        sessions = client.sessions(kiosk="kiosk-1")
        assert isinstance(next(sessions), Session)
        assert len(asked) == 1
        rest = [session.id for session in sessions]
        assert len(rest) == 4
        assert len(asked) == 3


def test_waveforms_are_arrays_with_times(client: Client) -> None:
    whole = client.waveform("s-1", "ecg")
    assert np.array_equal(whole.samples, WAVE)
    assert (whole.unit, whole.channels, whole.rate, whole.device) == ("mV", ("I",), 250.0, "strap")
    assert whole.times[-1] == pytest.approx(2499 / 250)
    part = client.waveform("s-1", "ecg", start=2.0, end=3.0)
    assert np.array_equal(part.samples, WAVE[500:750])
    assert part.times[0] == pytest.approx(2.0)
    beats = client.waveform("s-1", "rr")
    assert beats.rate is None
    assert beats.times.tolist() == pytest.approx([0.0, 0.8, 1.6])
    assert beats.samples.tolist() == [[800.0]] * 3


def test_every_refusal_is_one_exception_with_its_kind(client: Client) -> None:
    with pytest.raises(Problem) as told:
        client.session("s-nowhere")
    assert (told.value.status, told.value.kind) == (404, "unknown-session")
    with pytest.raises(Problem) as wrong:
        list(client.sessions(state="asleep"))
    assert wrong.value.kind == "invalid"
    assert wrong.value.more["errors"]


def test_patients_trends_and_alerts_have_their_shapes(here: Here, client: Client) -> None:
    patient = client.add_patient(pseudonym="P-CLIENT", birth_year=1970)
    assert patient.etag
    assert client.patient(patient.id).etag == patient.etag
    changed = client.change_patient(patient, birth_year=1971)
    assert changed.birth_year == 1971
    with pytest.raises(Problem) as told:
        client.change_patient(patient, birth_year=1972)
    assert (told.value.status, told.value.kind) == (412, "changed-meanwhile")
    trends = client.trends(patient.id, ["heart_rate"])
    assert (trends.sessions, trends.series) == ([], [])
    with here.database.transaction() as db:
        db.add(RuleRow(id="r-c", clinic_id="main", measure="systolic", severity="urgent", author_id="u", created_ns=1))
        db.flush()
        db.add(
            AlertRow(
                id="a-c", clinic_id="main", rule_id="r-c", session_id="s-1", revision=1, measure="systolic",
                value=190.0, severity="urgent", raised_ns=1,
            )
        )  # fmt: skip
    (alert,) = client.alerts(state="open")
    assert (alert.id, alert.value) == ("a-c", 190.0)
    assert client.acknowledge("a-c").state == "acknowledged"


def test_a_failed_upload_is_told_in_words_and_several_files_are_one_recording(client: Client, tmp_path: Path) -> None:
    wave = (1000 * np.sin(np.arange(5000) / 30)).astype("<i2")
    (tmp_path / "r.hea").write_text("r 1 250 9000\nr.dat 16 200/mV 16 0 0 0 0 II\n")
    (tmp_path / "r.dat").write_bytes(wave.tobytes())
    seen: list[float] = []
    over = client.wait(
        client.upload([tmp_path / "r.hea", tmp_path / "r.dat"]), tell=lambda now: seen.append(now.progress)
    )
    assert over.state == "failed"
    assert "truncated" in (over.error or "")
    assert seen == sorted(seen) or over.progress == seen[-1]
    assert over.id in {each.id for each in client.analyses(state="failed")}
    client.cancel(over.id)
    with pytest.raises(Problem):
        client.analysis(over.id)


Answer = httpx.Response | Exception


def answering(*answers: Answer) -> tuple[Callable[..., Client], list[httpx.Request]]:
    """A client of a server that answers so, in this order; and what it was asked."""
    asked: list[httpx.Request] = []
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        request.read()
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return lambda: Client("http://test", token="t", transport=httpx.MockTransport(handle)), asked


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("api.client.calls.time.sleep", slept.append)
    return slept


PATIENT = {"id": "p-1", "pseudonym": "A", "birth_year": None, "sex": None, "created": "2025-01-02T08:55:00Z"}


def test_what_does_no_harm_is_tried_again_with_longer_pauses_and_one_key(pauses: list[float]) -> None:
    made, asked = answering(
        httpx.ConnectError("no"),
        httpx.Response(503, headers={"Retry-After": "3"}),
        httpx.ReadTimeout("no"),
        httpx.Response(201, json=PATIENT),
    )
    with made() as client:
        assert client.add_patient(pseudonym="A").id == "p-1"
    assert len(asked) == 4
    assert len({request.headers["idempotency-key"] for request in asked}) == 1
    assert len({request.content for request in asked}) == 1
    assert pauses[1] == 3.0
    assert 0.1 <= pauses[0] <= 0.2
    assert 0.4 <= pauses[2] <= 0.8


def test_what_cannot_be_repeated_is_sent_once_and_what_stays_wrong_is_said(pauses: list[float]) -> None:
    made, asked = answering(httpx.Response(503, json={"type": "x/database-down", "title": "t", "detail": "d"}))
    with made() as client, pytest.raises(Problem) as told:
        client.patch("/api/v1/patients/p-1", {}, '"1"')
    assert (told.value.kind, len(asked), pauses) == ("database-down", 1, [])
    assert asked[0].headers["if-match"] == '"1"'
    made, asked = answering(*[httpx.ConnectError("no")] * 5)
    with made() as client, pytest.raises(Unreachable):
        client.patient("p-1")
    assert len(asked) == 5
    made, asked = answering(httpx.Response(404, text="<html>"))
    with made() as client, pytest.raises(Problem) as plain:
        client.patient("p-1")
    assert (plain.value.kind, len(asked)) == ("http-404", 1)


def test_an_upload_that_broke_off_is_sent_whole_again(pauses: list[float], tmp_path: Path) -> None:
    analysis = {
        "id": "x-1", "state": "queued", "progress": 0, "patient_id": None, "session_id": None, "size": 3, "error": None,
        "created": "2025-01-02T08:55:00Z", "finished": None,
    }  # fmt: skip
    made, asked = answering(httpx.WriteError("broken"), httpx.Response(202, json=analysis))
    (tmp_path / "a.csv").write_bytes(b"123")
    with made() as client:
        assert client.upload(tmp_path / "a.csv", kind="rr").id == "x-1"
    assert all(b"123" in request.content and b'name="kind"' in request.content for request in asked)
    assert asked[0].headers["idempotency-key"] == asked[1].headers["idempotency-key"]
    assert len(pauses) == 1
