"""The straight line: one simulated session from driver to dashboard, on every bus and database."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from analytics.service import serve as serve_analytics
from api.app import create_app
from api.closing import Closer, load
from api.recorder import Recorder
from api.store import Database
from kiosk import topics
from kiosk.bus import Bus, MemoryBus, Subscription
from kiosk.messages import Reading, decode
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings
from sensors.clock import Clock, ManualClock
from sensors.driver import Block, Driver, DriverFactory, Item, Port, Visit
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.driver import body_of, visitor
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests import databases
from tests.api import staff
from tests.brokers import amqtt, find, mosquitto
from tests.conftest import require
from tests.postgres import find as find_postgres
from tests.postgres import postgresql

SECONDS = 30
PERSON = Person(seed=7, heart_rate=74, rsa_ms=12, mayer_ms=8, vlf_ms=5)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = databases.database(tmp_path)
        made.migrate()
        yield made
        made.close()
        return
    require(find_postgres() is not None, "postgresql")
    with postgresql(tmp_path) as url:
        made = databases.database(tmp_path, url)
        made.migrate()
        yield made
        made.close()


@pytest.fixture(params=["memory", "mosquitto", "amqtt"])
async def buses(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Bus]]:
    """Three connections: of the sensors, of the analytics, of the recorder."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield [MemoryBus()] * 3
            return
        if request.param == "mosquitto":
            require(find() is not None, "mosquitto")
            host, port = stack.enter_context(mosquitto(tmp_path))
        else:
            host, port = await stack.enter_async_context(amqtt())
        made = [await stack.enter_async_context(MqttBus(host=host, port=port, name=f"line-{n}")) for n in range(3)]
        for bus in made:
            await bus.wait_first_connection(10)
        yield list(made)


class Overheard:
    """A driver whose words are noted before they are stamped."""

    def __init__(self, driver: Driver, notes: dict[str, list[NDArray[np.float32]]]) -> None:
        self._driver, self._notes = driver, notes
        self.name, self.simulated, self.trouble = driver.name, driver.simulated, driver.trouble
        self.ports: tuple[Port, ...] = driver.ports

    async def __aenter__(self) -> "Overheard":
        await self._driver.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._driver.__aexit__(None, None, None)

    async def items(self) -> AsyncIterator[Item]:
        async for item in self._driver.items():
            if isinstance(item, Block):
                self._notes[item.signal].append(item.samples.astype(np.float32))
            yield item


def overhear(factory: DriverFactory, notes: dict[str, list[NDArray[np.float32]]]) -> DriverFactory:
    def make(visit: Visit, clock: Clock) -> Driver:
        return Overheard(factory(visit, clock), notes)

    return make


async def readings_of(arriving: Subscription, kept: list[Reading]) -> None:
    async for delivery in arriving:
        _, message = decode(*delivery)
        assert isinstance(message, Reading)
        kept.append(message)


@pytest.mark.timeout(180)
async def test_one_session_from_driver_to_dashboard(buses: list[Bus], database: Database, tmp_path: Path) -> None:
    made: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    clock = ManualClock()
    live: list[Reading] = []
    recorder = Recorder(database)
    sensors_bus, analytics_bus, recorder_bus = buses
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=10**9) as outbox:
        sensors = Sensors(
            kiosk="k1",
            bus=sensors_bus,
            outbox=outbox,
            clock=clock,
            visitor=lambda: [overhear(factory, made) for factory in visitor(PERSON)],
            simulated=True,
        )
        async with recorder_bus.subscribe(topics.pattern("reading")) as arriving:
            background = [
                asyncio.create_task(work)
                for work in (recorder.serve(recorder_bus), serve_analytics(analytics_bus), readings_of(arriving, live))
            ]
            await asyncio.sleep(0.3)
            async with sensors.running():
                session = await sensors.start_visit()
                for _ in range(SECONDS * 10):
                    await clock.advance(0.1)
                    await asyncio.sleep(0.005)
                await sensors.end_visit()
                async with asyncio.timeout(30):
                    await sensors.sender.drained()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    recording = load(database, session)
    stored = {track.signal: track for track in recording.tracks}
    assert set(stored) == set(made)
    for signal, blocks in made.items():
        assert stored[signal].samples.tobytes() == np.concatenate(blocks).tobytes(), signal
        assert len(list(stored[signal].segments())) == 1

    truth = body_of(session, PERSON)
    heart_rates = [each for each in live if each.measure == "heart_rate" and each.scope == "live"]
    values = [each for each in heart_rates if each.value is not None]
    assert len(values) >= SECONDS - 12
    for each in values:
        # the same beats that the reading was made from
        window = truth.truth(max(0.0, each.start / 1e9), each.end / 1e9)
        assert each.value == pytest.approx(60 / np.median(window.rr), abs=1), each

    settings = Settings(data=tmp_path, close_after=600)
    with ThreadPoolExecutor(1) as inline:
        assert await Closer(database, settings).sweep(inline) == 1
    application = create_app(settings=settings, database=database, bus=MemoryBus())
    staff.let_in(database)
    with TestClient(application, headers=staff.KNOWN) as client:
        seen = client.get(f"/api/v1/sessions/{session}").json()
        assert (seen["state"], seen["outcome"], seen["simulated"]) == ("closed", "complete", True)
        final = client.get(f"/api/v1/sessions/{session}/readings").json()["items"]
        (heart_rate,) = [each for each in final if each["measure"] == "heart_rate" and each["preferred"]]
        assert heart_rate["value"] == pytest.approx(truth.truth(0, SECONDS).heart_rate, abs=1)
        spots = {each["measure"]: each["value"] for each in final if each["scope"] == "spot"}
        assert {"systolic", "diastolic", "spo2", "temperature", "weight"} <= set(spots)
        wave = client.get(f"/api/v1/sessions/{session}/waveforms/ecg", params={"format": "f32"})
        assert wave.content == np.concatenate(made["ecg"]).tobytes()
        page = client.get(f"/sessions/{session}")
        assert page.status_code == 200
        assert json.dumps(session).strip('"') in page.text
