"""Requests on whose end two servers could disagree: what hides in one is not answered as another."""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.server import server
from tests.api.attacks.siege import on_sqlite

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
LONG = f"Content-Length: {len(HIDDEN) + 5}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
ENDED = f"0\r\n\r\n{HIDDEN}"
SHAPES = {
    "length and chunks": f"{LONG}{CHUNKED}\r\n{ENDED}",
    "chunks and length": f"{CHUNKED}{LONG}\r\n{ENDED}",
    "two lengths": f"Content-Length: 0\r\n{LONG}\r\n{ENDED}",
    "list of lengths": f"Content-Length: 0, {len(ENDED)}\r\n\r\n{ENDED}",
    "signed length": f"Content-Length: +{len(ENDED)}\r\n\r\n{ENDED}",
    "blank before the colon": f"Content-Length : {len(ENDED)}\r\n\r\n{ENDED}",
    "chunks in another case, and more": f"Transfer-Encoding: xchunked\r\n{LONG}\r\n{ENDED}",
    "identity and chunks": f"Transfer-Encoding: identity, chunked\r\n{LONG}\r\n{ENDED}",
    "tab": f"Transfer-Encoding:\tchunked\r\n{LONG}\r\n{ENDED}",
    "bare line feed": f"X: y\n{LONG}\r\n{ENDED}",
    "chunk with a sign": f"{CHUNKED}\r\n-1\r\n{HIDDEN}",
    "chunk in 64 bits and more": f"{CHUNKED}\r\nfffffffffffffffff1\r\n{HIDDEN}",
}
"""After the request line and Host. In all of them one way of reading leaves a second request."""


@pytest.fixture(scope="module")
def port(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real server: what it reads with, a test client has not."""
    with on_sqlite(tmp_path_factory.mktemp("smuggled"), sqlite_template) as target:
        running = server(target.app, "127.0.0.1", 0)
        thread = threading.Thread(target=asyncio.run, args=(running.serve(),))
        thread.start()
        while not running.started:
            thread.join(0.01)
        yield running.servers[0].sockets[0].getsockname()[1]
        running.should_exit = True
        thread.join()


def answers(port: int, request: str) -> list[int]:
    """The statuses of all answers that come on one connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        said = b""
        try:
            while piece := connection.recv(65_536):
                said += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3})", said)]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_request_hides_in_another(port: int, shape: str) -> None:
    got = answers(port, f"POST /api/v1/account/login HTTP/1.1\r\nHost: 127.0.0.1\r\n{SHAPES[shape]}")
    assert len(got) <= 1 or got[0] == 400, got
    assert all(status < 500 for status in got), got


def test_this_test_sees_a_second_request(port: int) -> None:
    first = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert answers(port, first + HIDDEN) == [200, 404]
