"""Pulling a network: whatever a server does, only the right file is installed, and what came is not fetched twice."""

import fcntl
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kiosk import download, models
from kiosk.errors import BadModel
from kiosk.models import Input, Network

CONTENT = bytes(range(256)) * 2000
PATIENCE = 0.4
PAUSE = 0.02


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for seconds."""
    monkeypatch.setattr(download, "PAUSE", PAUSE)


@dataclass
class Server:
    """A server with habits, and what it was asked."""

    content: bytes = CONTENT
    tag: str = '"one"'
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    """After so many bytes of a body it hangs up, once each."""
    stalls: bool = False
    """It falls silent instead."""
    answer: Callable[["Handler"], bool] | None = None
    """Says something else; False where it does not."""
    asked: list[dict[str, str]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def url(self, path: str = "/file.onnx") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    habits: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        habits = self.habits
        habits.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.close_connection = True
        if habits.answer is not None and habits.answer(self):
            return
        first = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if habits.ranges and wanted and self.headers.get("If-Range", habits.tag) == habits.tag:
            first = int(wanted[1])
        body = habits.content[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(habits.content) - 1}/{len(habits.content)}")
        if habits.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if habits.tag:
            self.send_header("ETag", habits.tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        end = habits.breaks.pop(0) if habits.breaks else len(body)
        self.wfile.write(body[:end])
        self.wfile.flush()
        if habits.stalls and end < len(body):
            habits.done.wait(20)

    def say(self, status: int, headers: dict[str, str], body: bytes = b"") -> bool:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        return True


@pytest.fixture
def server() -> Iterator[Server]:
    habits = Server()
    handler = type("Habits", (Handler,), {"habits": habits})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        habits.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield habits
        habits.done.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def network(server: Server, monkeypatch: pytest.MonkeyPatch) -> Network:
    row = Network(
        name="bytes",
        purpose="test",
        file="bytes.onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        licence="MIT",
        attribution="us",
        origin="https://example.com",
        inputs=(Input("x", (0,)),),
        outputs=("y",),
        url=server.url(),
    )
    monkeypatch.setattr(models, "listed", lambda: (row,))
    return row


def pull(folder: Path, told: download.Told | None = None) -> Network:
    return models.pull("bytes", folder, plain=True, patience=PATIENCE, told=told)


def kept(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()} if folder.exists() else {}


PART = ".bytes.onnx.part"
WHOLE = {"bytes.onnx": len(CONTENT)}


def test_a_published_file_is_installed_with_its_progress_told(tmp_path: Path, network: Network) -> None:
    told: list[tuple[int, int]] = []
    assert pull(tmp_path, lambda have, whole: told.append((have, whole))) == network
    assert models.status(network, tmp_path) == "installed"
    assert kept(tmp_path) == WHOLE
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [have for have, _ in told] == sorted(have for have, _ in told)


def test_what_is_installed_is_not_fetched_again(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / network.file).write_bytes(CONTENT)
    pull(tmp_path)
    assert not server.asked


def test_a_damaged_file_is_fetched_again(tmp_path: Path, network: Network) -> None:
    (tmp_path / network.file).write_bytes(CONTENT[:-1] + b"?")
    pull(tmp_path)
    assert models.status(network, tmp_path) == "installed"


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path, network: Network, server: Server) -> None:
    server.breaks = [100_000, 50_000]
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert [asked.get("range") for asked in server.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert [asked.get("if-range") for asked in server.asked] == [None, '"one"', '"one"']


def test_a_server_that_gives_a_byte_at_a_time_is_not_hammered(
    tmp_path: Path, network: Network, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.1)
    monkeypatch.setattr(download, "LONGEST", 0.5)
    server.breaks = [1] * 10_000
    with pytest.raises(BadModel, match=r"too slow|broke off"):
        pull(tmp_path)
    assert 2 <= len(server.asked) <= 7


def test_another_day_goes_on_where_the_last_one_ended(tmp_path: Path, network: Network, server: Server) -> None:
    server.breaks = [100_000, 0, 0, 0]
    with pytest.raises(BadModel, match="broke off after 100000 bytes of 512000; call again to continue at 100000"):
        pull(tmp_path)
    assert kept(tmp_path)[PART] == 100_000
    assert models.status(network, tmp_path) == "missing"
    server.asked.clear()
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert [asked["range"] for asked in server.asked] == ["bytes=100000-"]


def test_a_silent_server_is_given_up_and_what_came_is_kept(tmp_path: Path, network: Network, server: Server) -> None:
    server.stalls, server.breaks = True, [100_000, 0, 0, 0]
    with pytest.raises(BadModel, match="broke off: no answer in time; call again"):
        pull(tmp_path)
    assert kept(tmp_path)[PART] == 100_000


def test_a_server_that_does_not_even_answer_leaves_nothing(tmp_path: Path, network: Network, server: Server) -> None:
    def silent(_: Handler) -> bool:
        return server.done.wait(20)

    server.answer = silent
    with pytest.raises(BadModel, match="cannot be reached: no answer in time"):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_a_server_without_ranges_is_asked_from_the_start(tmp_path: Path, network: Network, server: Server) -> None:
    server.ranges, server.breaks = False, [100_000]
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert not any("range" in asked for asked in server.asked)


def test_half_a_file_that_cannot_be_continued_is_not_kept(tmp_path: Path, network: Network, server: Server) -> None:
    server.ranges, server.breaks = False, [100_000, 100_000, 100_000]
    with pytest.raises(BadModel, match="broke off"):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(b"old" * 1000)
    (tmp_path / f"{PART}.tag").write_text('"of yesterday"')
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert server.asked[0]["if-range"] == '"of yesterday"'


@pytest.mark.parametrize("tag", [b'"two"\r\nX-Evil: 1', b"\xff\xfe", b""])
def test_a_tag_that_was_damaged_is_not_sent(tmp_path: Path, network: Network, server: Server, tag: bytes) -> None:
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    (tmp_path / f"{PART}.tag").write_bytes(tag)
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert "if-range" not in server.asked[0]
    assert "x-evil" not in server.asked[0]


def test_a_weak_tag_is_not_used_to_continue(tmp_path: Path, network: Network, server: Server) -> None:
    server.tag, server.breaks = 'W/"one"', [100_000]
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert "if-range" not in server.asked[1]


def test_a_wrong_half_is_dropped_and_all_of_it_fetched(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(b"?" * 1000)
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert [asked.get("range") for asked in server.asked] == ["bytes=1000-", None]


@pytest.mark.parametrize("span", ["bytes 0-511999/512000", "bytes 1001-511999/512000", "lines 1-2/3", ""])
def test_a_lie_about_the_range_is_seen(tmp_path: Path, network: Network, server: Server, span: str) -> None:
    (tmp_path / PART).write_bytes(CONTENT[:1000])

    def lies(handler: Handler) -> bool:
        return "Range" in handler.headers and handler.say(206, {"Content-Range": span}, CONTENT)

    server.answer = lies
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE


def test_a_part_that_is_longer_than_the_file_is_dropped(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(CONTENT + b"more")
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert "range" not in server.asked[0]


def test_a_part_that_is_complete_needs_no_server(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(CONTENT)
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE
    assert not server.asked


def test_a_range_that_the_server_cannot_satisfy_begins_anew(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    server.answer = lambda handler: "Range" in handler.headers and handler.say(416, {"Content-Length": "0"})
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (CONTENT[:-1] + b"?", "sends another file"),
        (CONTENT[:-7], "has 511993 bytes, the right file has 512000"),
        (CONTENT + b"!", "has 512001 bytes, the right file has 512000"),
    ],
)
def test_a_wrong_file_is_refused_and_not_kept(
    tmp_path: Path, network: Network, server: Server, content: bytes, said: str
) -> None:
    server.content = content
    with pytest.raises(BadModel, match=said):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_a_wrong_file_leaves_an_installed_one_alone(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / network.file).write_bytes(b"damaged but mine")
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(BadModel):
        pull(tmp_path)
    assert kept(tmp_path) == {network.file: 16}


def test_a_stream_without_end_is_cut(tmp_path: Path, network: Network, server: Server) -> None:
    def endless(handler: Handler) -> bool:
        handler.say(200, {})
        while not server.done.is_set():
            try:
                handler.wfile.write(CONTENT)
            except OSError:
                break
        return True

    server.answer = endless
    with pytest.raises(BadModel, match="sends more than 512000 bytes"):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_a_stream_of_unknown_length_is_bounded_too(
    tmp_path: Path, network: Network, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LARGEST", 300_000)
    server.answer = lambda handler: handler.say(200, {}, CONTENT)
    with pytest.raises(download.NotFetched, match="more than 300000"):
        download.fetch(server.url(), tmp_path / "x", sha256=network.sha256, plain=True, patience=PATIENCE)


def test_a_drip_is_given_up(tmp_path: Path, network: Network, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def drips(handler: Handler) -> bool:
        handler.say(200, {"Accept-Ranges": "bytes", "Content-Length": str(len(CONTENT))})
        while not server.done.wait(0.02):
            try:
                handler.wfile.write(b"x")
            except OSError:
                break
        return True

    monkeypatch.setattr(download, "LONGEST", 0.2)
    server.answer = drips
    with pytest.raises(BadModel, match="too slow"):
        pull(tmp_path)


@pytest.mark.parametrize(
    "target", ["http://localhost:1/file", "http://192.0.2.1/file", "file:///etc/hostname", "ftp://127.0.0.1/x"]
)
def test_a_redirect_to_anything_but_https_is_not_followed(
    tmp_path: Path, network: Network, server: Server, target: str
) -> None:
    server.answer = lambda handler: handler.say(302, {"Location": target, "Content-Length": "0"})
    with pytest.raises(BadModel, match=r"is not https|says 302"):
        pull(tmp_path)
    assert len(server.asked) == 1
    assert not kept(tmp_path)


def test_a_redirect_keeps_the_range(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(CONTENT[:1000])

    def moved(handler: Handler) -> bool:
        headers = {"Location": server.url("/elsewhere"), "Content-Length": "0"}
        return handler.path != "/elsewhere" and handler.say(307, headers)

    server.answer = moved
    pull(tmp_path)
    assert server.asked[1]["range"] == "bytes=1000-"
    assert kept(tmp_path) == WHOLE


@pytest.mark.parametrize(
    "target", ["https://" + "x" * 80 + "/", "https://example.com:port/", "https://[", "https://a b/"]
)
def test_a_redirect_to_what_cannot_be_is_refused(tmp_path: Path, network: Network, server: Server, target: str) -> None:
    server.answer = lambda handler: handler.say(302, {"Location": target, "Content-Length": "0"})
    with pytest.raises(BadModel):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_redirects_in_a_circle_end(tmp_path: Path, network: Network, server: Server) -> None:
    server.answer = lambda handler: handler.say(302, {"Location": server.url("/again"), "Content-Length": "0"})
    with pytest.raises(BadModel, match="says 302"):
        pull(tmp_path)
    assert len(server.asked) <= download.REDIRECTS + 1


def test_what_is_not_there_is_said(tmp_path: Path, network: Network, server: Server) -> None:
    server.answer = lambda handler: handler.say(404, {"Content-Length": "0"})
    with pytest.raises(BadModel, match=r"bytes: 127.0.0.1 says 404 Not Found"):
        pull(tmp_path)
    assert not kept(tmp_path)


def test_a_server_in_trouble_costs_no_byte_that_came(tmp_path: Path, network: Network, server: Server) -> None:
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    for status in (503, 429):
        server.answer = lambda handler, status=status: handler.say(status, {"Content-Length": "0"})
        with pytest.raises(BadModel, match=str(status)):
            pull(tmp_path)
        assert kept(tmp_path) == {PART: 1000}


@pytest.mark.parametrize(
    "answer",
    [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ids=["nothing", "noise", "bad chunks"],
)
def test_what_is_no_http_is_refused(tmp_path: Path, network: Network, server: Server, answer: bytes) -> None:
    def raw(handler: Handler) -> bool:
        handler.wfile.write(answer)
        return True

    server.answer = raw
    with pytest.raises(BadModel):
        pull(tmp_path)
    assert models.status(network, tmp_path) == "missing"
    assert not kept(tmp_path)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/x", "http://example.com/x", "ftp://example.com/x", "file:///etc/passwd", "", "https://["]
)
def test_only_https_is_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(download.NotFetched, match=r"is not https|is no address"):
        download.fetch(url, tmp_path / "x", sha256="0" * 64)
    with pytest.raises(download.NotFetched, match=r"is not https|is no address"):
        download.fetch(url.replace("127.0.0.1", "127.0.0.2"), tmp_path / "x", sha256="0" * 64, plain=True)
    assert not kept(tmp_path)


def test_two_downloads_of_one_file_do_not_mix(tmp_path: Path, network: Network, server: Server) -> None:
    with (tmp_path / PART).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BadModel, match="under way"):
            pull(tmp_path)
    assert not server.asked
    pull(tmp_path)
    assert kept(tmp_path) == WHOLE


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, network: Network) -> None:
    (tmp_path / "occupied").write_text("")
    with pytest.raises(BadModel, match="cannot be kept in"):
        pull(tmp_path / "occupied" / "models")


@pytest.mark.parametrize("changes", [{"url": ""}, {"sha256": ""}])
def test_what_is_added_by_hand_says_so(
    tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    import msgspec

    row = msgspec.structs.replace(network, **changes)
    monkeypatch.setattr(models, "listed", lambda: (row,))
    with pytest.raises(BadModel, match=r"cannot be pulled: get bytes\.onnx from .* `kiosk models add FILE"):
        pull(tmp_path)
