"""The live service on a bus: readings out, poison counted, other people's signals untouched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from analytics.router import Router
from analytics.service import serve
from kiosk import topics
from kiosk.bus import MemoryBus, Subscription, send
from kiosk.messages import Chunk, Reading, Stream, decode
from tests.analytics.test_router import chunks, ended


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[MemoryBus, Router, Subscription]]:
    bus, router = MemoryBus(), Router()
    async with bus.subscribe(topics.pattern("reading")) as readings:
        task = asyncio.create_task(serve(bus, router=router))
        await settle()
        yield bus, router, readings
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def test_chunks_become_readings_on_the_bus() -> None:
    async with serving() as (bus, router, readings):
        for chunk in chunks():
            await send(bus, "hall", chunk)
        await settle()
        got = [decode(*delivery) for delivery in await readings.batch()]
        assert len(got) == 20
        where, last = got[-1]
        assert str(where) == "kiosk/v1/hall/reading/heart_rate"
        assert isinstance(last, Reading)
        assert last.value == pytest.approx(60, abs=4)
        assert router.counters.readings == 20


async def test_poison_is_counted_and_nothing_stops() -> None:
    async with serving() as (bus, router, readings):
        good = chunks()
        for payload in (b"{}", b"\xff\x00", b"[" * 10_000, b'{"kind":"chunk"}', b"null"):
            await bus.publish("kiosk/v1/hall/chunk/ecg", payload)
            await bus.publish("kiosk/v1/hall/session/visit-1", payload)
        stranger = Chunk(good[0].stream, 0, 0, 250.0, ("II",), b"abc")
        await send(bus, "hall", stranger)
        for chunk in good:
            await send(bus, "hall", chunk)
        await settle()
        assert router.counters.refused.total() == 11
        assert len(await readings.batch()) == 20


async def test_signals_that_nobody_analyses_are_not_even_decoded() -> None:
    async with serving() as (bus, router, _):
        piece = chunks()[0]
        other = Chunk(Stream("visit-1", "wrist", "eda", "run-1"), 0, 0, 250.0, ("left",), piece.samples)
        await send(bus, "hall", other)
        await bus.publish("kiosk/v1/hall/chunk/eda", b"poison")
        await settle()
        assert router.counters.chunks == 0
        assert not router.counters.refused


async def test_a_session_that_ends_is_forgotten() -> None:
    async with serving() as (bus, router, _):
        await send(bus, "hall", chunks()[0])
        await settle()
        assert router.counters.sessions == 1
        await send(bus, "hall", ended())
        await settle()
        assert router.counters.sessions == 0
