"""Kiosks over HTTP, and commands that are repeated until somebody obeys."""

import asyncio

import pytest
from starlette.testclient import TestClient

from api import commands as module
from api.commands import Commands, Given
from api.store import Database
from kiosk import topics
from kiosk.bus import MemoryBus, send
from kiosk.errors import BusDown
from kiosk.messages import Command, Status, decode
from tests.api.conftest import problem_of, record

LIST = "/api/v1/kiosks"


class DeadBus(MemoryBus):
    """A bus without a connection."""

    async def publish(self, topic: str, payload: bytes) -> bool:
        return not (topic and payload)


async def outcome(given: Given) -> str:
    """What became of a command."""
    async with asyncio.timeout(5):
        while given.state == "pending":
            await asyncio.sleep(0.005)
    return given.state


def test_kiosks_tell_what_their_devices_do(client: TestClient, database: Database) -> None:
    record(database, Status("sensors", "running", simulated=True), Status("strap", "failed", lost=3), kiosk="k-b")
    record(database, Status("strap", "running", drift_ppm=-11.5, waiting=3, detail="ok"), kiosk="k-a")
    first, second = client.get(LIST).json()["items"]
    assert (first["kiosk"], second["kiosk"]) == ("k-a", "k-b")
    (strap,) = first["devices"]
    assert strap["device"] == "strap"
    assert (strap["state"], strap["drift_ppm"], strap["waiting"], strap["detail"]) == ("running", -11.5, 3, "ok")
    assert 0 <= strap["age"] < 60
    assert [(device["device"], device["simulated"], device["lost"]) for device in second["devices"]] == [
        ("sensors", True, 0),
        ("strap", False, 3),
    ]


def test_a_command_is_accepted_and_can_be_asked_for(client: TestClient, database: Database) -> None:
    record(database, Status("sensors", "running"))
    given = client.post(f"{LIST}/kiosk-1/commands", json={"action": "start"})
    assert given.status_code == 202
    said = client.get(given.headers["location"]).json()
    assert (said["id"], said["kiosk"], said["action"], said["state"]) == (
        given.json()["id"], "kiosk-1", "start", "pending"
    )  # fmt: skip


def test_commands_that_cannot_be_are_refused(client: TestClient, database: Database) -> None:
    record(database, Status("sensors", "running"))
    problem_of(client.post(f"{LIST}/nowhere/commands", json={"action": "start"}), 404, "unknown-kiosk")
    problem_of(client.post(f"{LIST}/kiosk-1/commands", json={"action": "calibrate"}), 422, "invalid")
    problem_of(client.post(f"{LIST}/kiosk-1/commands", json={"action": "stop", "now": True}), 422, "invalid")
    problem_of(client.get(f"{LIST}/kiosk-1/commands/c-1"), 404, "unknown-command")


def test_without_a_broker_a_command_is_refused_at_once(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, Status("sensors", "running"))
    monkeypatch.setattr(MemoryBus, "publish", DeadBus.publish)
    response = client.post(f"{LIST}/kiosk-1/commands", json={"action": "start"})
    problem_of(response, 503, "broker-down")
    assert response.headers["retry-after"]


async def test_a_command_is_repeated_until_a_status_of_that_kiosk_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    bus = MemoryBus()
    async with bus.subscribe(topics.pattern("command")) as heard, Commands(bus) as commands:
        given = await commands.give("k-a", "stop")
        for _ in range(3):
            (delivery,) = await heard.batch(1)
            where, message = decode(delivery.topic, delivery.payload)
            assert where.kiosk == "k-a"
            assert message == Command(given.id, "stop")
        await send(bus, "k-b", Status("sensors", "running", command=given.id))
        await send(bus, "k-a", Status("sensors", "running", command="c-other"))
        await bus.publish("kiosk/v1/k-a/status/sensors", b'{"kind":"nonsense"}')
        await heard.batch(1)
        assert given.state == "pending"
        await send(bus, "k-a", Status("sensors", "running", command=given.id))
        assert await outcome(given) == "obeyed"
        assert commands.get("k-a", given.id) is given
        assert commands.get("k-b", given.id) is None


async def test_a_command_that_nobody_obeys_is_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    async with Commands(MemoryBus()) as commands:
        given = await commands.give("k-a", "start")
        assert await outcome(given) == "unanswered"


async def test_only_the_last_commands_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    async with Commands(MemoryBus()) as commands:
        given = [await commands.give("k-a", "start") for _ in range(3)]
        assert [commands.get("k-a", one.id) is not None for one in given] == [False, True, True]


async def test_a_command_that_nobody_could_hear_is_not_given() -> None:
    async with Commands(DeadBus()) as commands:
        with pytest.raises(BusDown):
            await commands.give("k-a", "start")
