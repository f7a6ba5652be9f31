"""The socket of the visit: whom it lets in, what it takes and tells; and what the server hands out. Simulated."""

import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from kiosk.bus import MemoryBus
from kiosk.visitor import WORDS
from sensors.clock import SystemClock
from sensors.drivers.simulated.driver import signal_factory, spot_factory
from sensors.outbox import Outbox
from sensors.service import Sensors
from sensors.station import server
from sensors.station.camera import BAD_MESSAGE, FLOOD, MOST_REFUSED, NO_TOKEN, TAKEN
from sensors.station.reception import Reception
from sensors.station.socket import MOST_ACTS, VisitSocket
from sensors.station.speech import Voice

HOST = "127.0.0.1"


class Page:
    """What a browser does: loads the page, opens the socket, reports touches."""

    def __init__(self, client: TestClient, visits: VisitSocket) -> None:
        self.client, self.visits = client, visits

    def token(self) -> str:
        return self.client.get("/").text.split('name="visit" content="')[1].split('"')[0]

    @contextmanager
    def opened(self, token: str | None = None, origin: str = f"http://{HOST}") -> Iterator[WebSocketTestSession]:
        with self.client.websocket_connect("/visit", headers={"origin": origin, "host": HOST}) as socket:
            socket.send_json({"kind": "hello", "token": self.token() if token is None else token})
            yield socket


def heard(socket: WebSocketTestSession, kind: str, wanted: Callable[[dict[str, Any]], object] = bool) -> dict[str, Any]:
    for _ in range(200):
        word = socket.receive_json()
        if word["kind"] == kind and wanted(word):
            return dict(word)
    raise AssertionError(f"no such {kind}")


def act(socket: WebSocketTestSession, name: str, **more: object) -> None:
    socket.send_json({"act": name, **more})


def code(socket: WebSocketTestSession) -> int:
    try:
        for _ in range(500):
            socket.receive_json()
    except WebSocketDisconnect as closed:
        return closed.code
    raise AssertionError("it stays open")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    clock, bus = SystemClock(), MemoryBus()
    devices = [signal_factory("ecg"), signal_factory("ppg"), spot_factory("oximeter")]
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=10**9) as outbox:
        sensors = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=clock, visitor=lambda: devices, simulated=True)
        reception = Reception(sensors=sensors, outbox=outbox, bus=bus, kiosk="k1", clock=clock, simulated=True)
        visits = VisitSocket(reception)
        with TestClient(server.application(None, None, visits), base_url=f"http://{HOST}") as client:
            assert client.portal is not None
            with client.portal.wrap_async_context_manager(_running(sensors, reception)):
                yield Page(client, visits)


class _running:  # noqa: N801 - a context, read as one
    def __init__(self, sensors: Sensors, reception: Reception) -> None:
        self._parts, self._stack = (sensors, reception), AsyncExitStack()

    async def __aenter__(self) -> None:
        for each in self._parts:
            await self._stack.enter_async_context(each.running())

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


def test_a_page_is_told_what_to_show_and_its_touches_count(page: Page) -> None:
    with page.opened() as socket:
        assert heard(socket, "ready")["token"]
        first = heard(socket, "view")
        assert (first["screen"], first["simulated"]) == ("welcome", True)
        assert [each["id"] for each in first["offers"]] == ["quick", "follow_up", "full"]
        act(socket, "begin", protocol="quick", language="ru")
        consent = heard(socket, "view", lambda view: view["screen"] == "consent")
        assert consent["language"] == "ru"
        assert "Измерение" in consent["consent"]["text"]
        act(socket, "agree", purposes=["measure"])
        assert heard(socket, "view", lambda view: view["screen"] == "check_in")["steps"] == 5
        act(socket, "check_in", birth_year=1970)
        electrodes = heard(socket, "view", lambda view: len(view["contacts"]) == 2)
        assert electrodes["screen"] == "electrodes"
        # a simulated kiosk has no camera here: the guide is left out
        assert (electrodes["step"], electrodes["steps"]) == (3, 5)
        wave = heard(socket, "wave")
        assert wave["signal"] in ("ecg", "ppg")
        assert 4 <= 1000 / wave["step"] <= 125
        act(socket, "do", what="next")
        measuring = heard(socket, "view", lambda view: view["screen"] == "measure")["measuring"]
        assert (measuring["mark"], measuring["seconds"]) == ("rest", 60.0)
        act(socket, "do", what="leave")
        assert heard(socket, "view", lambda view: view["screen"] == "goodbye")["measuring"] is None


def test_waves_go_on_without_a_jump(page: Page) -> None:
    with page.opened() as socket:
        act(socket, "begin", protocol="quick", language="en")
        act(socket, "agree", purposes=["measure"])
        act(socket, "do", what="next")
        ends: dict[str, float] = {}
        for _ in range(40):
            wave = heard(socket, "wave")
            if wave["signal"] in ends:
                assert wave["at"] == pytest.approx(ends[wave["signal"]], abs=1)
            ends[wave["signal"]] = wave["at"] + wave["step"] * len(wave["values"])
        assert set(ends) == {"ecg", "ppg"}


@pytest.mark.parametrize("token", ["", "x" * 32, "ü" * 10, "x" * 10_000], ids=["none", "wrong", "foreign", "huge"])
def test_without_a_valid_token_nobody_comes_in(page: Page, token: str) -> None:
    with page.opened(token) as socket:
        assert code(socket) == NO_TOKEN


def test_a_token_opens_once(page: Page) -> None:
    token = page.token()
    with page.opened(token) as socket:
        following = heard(socket, "ready")["token"]
    with page.opened(token) as socket:
        assert code(socket) == NO_TOKEN
    with page.opened(following) as socket:
        assert heard(socket, "view")["screen"] == "welcome"


def test_another_origin_is_refused(page: Page) -> None:
    with pytest.raises(WebSocketDisconnect), page.opened(origin="http://evil.example") as socket:
        socket.receive_json()


def test_one_page_at_a_time_and_a_silent_one_gives_way(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    with page.opened() as first:
        heard(first, "view")
        with page.opened() as second:
            assert code(second) == TAKEN
        monkeypatch.setattr("sensors.station.socket.SILENT", 0.0)
        with page.opened() as third:
            assert heard(third, "view")["screen"] == "welcome"
            assert code(first) == TAKEN


def test_a_flood_is_put_out(page: Page) -> None:
    with page.opened() as socket:
        for _ in range(3 * MOST_ACTS):
            act(socket, "do", what="here")
        assert code(socket) == FLOOD


BAD = [
    "", "nonsense", "[]", "{}", '{"act":"fly"}', '{"act":"do","what":"measure"}', '{"act":"begin","protocol":"quick"}',
    '{"act":"begin","protocol":"../x","language":"en"}', '{"act":"say","text":""}', '{"act":"check_in","sex":"x"}',
    json.dumps({"act": "say", "text": "x" * 501}), json.dumps({"act": "say", "text": "x" * 100_000}),
    '{"act":"check_in","birth_year":1}',
    '{"act":"check_in","weight":1e999}', '{"act":"check_in","given":"a\\u0000b"}',
    '{"act":"answer","item":"q1","value":1.5}', '{"act":"do","what":"next","more":1}', "\x00",
    '{"act":"agree","purposes":["' + "x" * 65 + '"]}',
]  # fmt: skip


def test_what_makes_no_sense_is_counted_and_changes_nothing(page: Page) -> None:
    with page.opened() as socket:
        heard(socket, "view")
        for text in BAD[: MOST_REFUSED - 1]:
            socket.send_text(text)
        act(socket, "begin", protocol="quick", language="en")
        assert heard(socket, "view", lambda view: view["screen"] != "welcome")["screen"] == "consent"
    assert page.visits.refused == len(BAD[: MOST_REFUSED - 1])


def test_who_says_nothing_but_nonsense_is_put_out(page: Page) -> None:
    with page.opened() as socket:
        for _ in range(MOST_REFUSED):
            socket.send_text("{}")
        assert code(socket) == BAD_MESSAGE


def test_acts_out_of_order_start_nothing(page: Page) -> None:
    with page.opened() as socket:
        heard(socket, "view")
        for name, more in (
            ("agree", {"purposes": ["measure"]}), ("check_in", {"given": "Ann"}),
            ("answer", {"item": "q1", "value": 1}),
            ("say", {"text": "hello"}), ("do", {"what": "next"}), ("do", {"what": "leave"}), ("do", {"what": "back"}),
            ("begin", {"protocol": "none", "language": "en"}),
        ):  # fmt: skip
            act(socket, name, **more)
        act(socket, "speak", language="ru")
        assert heard(socket, "view", lambda view: view["language"] == "ru")["screen"] == "welcome"


# --- what the server hands out


def test_texts_of_the_catalogue_are_spoken_and_nothing_else(page: Page) -> None:
    get = page.client.get
    there = get("/speech/en/say.welcome.wav")
    if Voice().is_there:
        assert there.status_code == 200
        assert there.headers["content-type"] == "audio/wav"
        assert there.content.startswith(b"RIFF")
        assert get("/speech/ru/say.welcome.wav").content != there.content
    else:
        assert there.status_code == 404
    for path in (
        "en/welcome.title", "en/say.", "en/say.nothing", "xx/say.welcome", "en/--help", "en/say.welcome%20-f%20x",
        "..%2f/say.welcome",
    ):  # fmt: skip
        assert get(f"/speech/{path}.wav").status_code == 404, path


async def test_a_kiosk_without_a_voice_says_nothing() -> None:
    assert await Voice("/nowhere/espeak-ng").say("en", "say.welcome") is None
    assert await Voice("/bin/false").say("en", "say.welcome") is None


def test_the_words_are_the_catalogues(page: Page) -> None:
    assert page.client.get("/words/ru.json").json() == dict(WORDS["ru"])
    assert page.client.get("/words/xx.json").status_code == 404
