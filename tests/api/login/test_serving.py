"""Where the pages are served: over TLS, under their own names, and whom a request is believed to come from."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient
from websockets.asyncio import client as sockets

from api.app import create_app
from api.login.throttle import address_of
from api.security import Role
from api.server import server
from api.store import Database
from kiosk import certificates
from kiosk.bus import MemoryBus
from kiosk.settings import Settings
from tests.api import staff
from tests.api.conftest import problem_of


def connection(client: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return HTTPConnection({"type": "http", "client": (client, 1), "headers": headers})


@pytest.mark.parametrize(
    ("forwarded", "behind_proxy", "address"),
    [
        ((), False, "10.0.0.9"),
        (("1.2.3.4",), False, "10.0.0.9"),
        ((), True, "10.0.0.9"),
        (("1.2.3.4",), True, "1.2.3.4"),
        # what a guesser wrote stands first
        (("6.6.6.6, 7.7.7.7, 1.2.3.4",), True, "1.2.3.4"),
        (("6.6.6.6", "1.2.3.4"), True, "1.2.3.4"),
    ],
)
def test_only_the_proxys_own_word_is_believed(forwarded: tuple[str, ...], behind_proxy: bool, address: str) -> None:
    assert address_of(connection("10.0.0.9", *forwarded), behind_proxy=behind_proxy) == address


def test_a_server_answers_to_its_names_and_no_other(database: Database, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, http_names="kiosk.example.org")
    with TestClient(create_app(settings=settings, database=database, bus=MemoryBus())) as client:
        for host in ("kiosk.example.org", "KIOSK.example.org:8443", "127.0.0.1:8000", "kiosk"):
            assert client.get("/api/v1/health/live", headers={"host": host}).status_code == 200
        for host in ("evil.example.org", "kiosk.example.org.evil.example", "xkiosk.example.org"):
            problem_of(client.get("/api/v1/health/live", headers={"host": host}), 421, "foreign-host")


async def test_it_speaks_tls_with_a_certificate_of_its_own(database: Database, tmp_path: Path) -> None:
    certificates.ensure(tmp_path / "ca", tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
    certificate, key = tmp_path / "tls" / "server.pem", tmp_path / "tls" / "server.key"
    settings = Settings(data=tmp_path, http_cert=certificate, http_key=key)
    app: FastAPI = create_app(settings=settings, database=database, bus=MemoryBus())
    staff.hire(database, Role.OPERATOR, login="olga")
    running = server(app, "127.0.0.1", 0, (certificate, key))
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    place = f"127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    trusted = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
    async with httpx2.AsyncClient(base_url=f"https://{place}", verify=trusted) as client:
        body = {"login": "olga", "password": staff.PASSWORD, "cookie": True}
        answer = await client.post("/api/v1/account/login", json=body, headers={"origin": f"https://{place}"})
        assert answer.status_code == 200
        assert all("Secure" in each for each in answer.headers.get_list("set-cookie"))
        assert (await client.get("/api/v1/account")).json()["login"] == "olga"
    running.should_exit = True
    await task


async def test_a_socket_without_a_login_is_told_so_and_an_address_opens_none(
    database: Database, tmp_path: Path
) -> None:
    app: FastAPI = create_app(settings=Settings(data=tmp_path), database=database, bus=MemoryBus())
    user = staff.hire(database, Role.CLINICIAN, login="clara")
    token = staff.bearer(database, user)["Authorization"].removeprefix("Bearer ")
    running = server(app, "127.0.0.1", 0)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    place = f"127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    cookies = "; ".join(f"{k}={v}" for k, v in staff.cookies(database, app.state.gate, user).items())
    try:
        for query, headers, code in (
            ("", {}, 4401),
            (f"?token={token}", {}, 4401),
            (f"?access_token={token}", {}, 4401),
            ("", {"Authorization": f"Bearer {token}"}, 4404),
            ("", {"Cookie": cookies}, 4404),
        ):
            address = f"ws://{place}/api/v1/sessions/s-none/live{query}"
            async with sockets.connect(address, additional_headers=headers) as socket:
                await socket.recv()
                await socket.wait_closed()
            assert socket.close_code == code, (query, headers)
    finally:
        running.should_exit = True
        await task
