"""The sender: whatever the bus swallows, doubles or turns around, everything arrives in the end."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest

from kiosk import topics
from kiosk.bus import DEPTH, MemoryBus, Subscription, send
from kiosk.messages import (
    SECOND,
    Chunk,
    End,
    Lost,
    Message,
    Numbered,
    Origin,
    Receipt,
    Session,
    Stream,
    decode,
)
from sensors import sender as module
from sensors.driver import Visit
from sensors.outbox import Item, Outbox
from sensors.sender import Sender

ECG = Stream("s1", "ecg-1", "ecg", "r1")
OWN = Stream("s1", "kiosk", "session", "r0")
VISIT = Visit("s1", Origin(1_700_000_000 * SECOND, 100 * SECOND, "boot-1"), simulated=True)


def chunk(number: int) -> Chunk:
    return Chunk(ECG, 0, number * 100_000_000, 250.0, ("II",), number.to_bytes(4, "little") * 25)


class LossyBus:
    """A memory bus that drops, doubles and holds back messages, and says No when there is no connection."""

    def __init__(self, seed: int = 0, *, drop: float = 0.0, double: float = 0.0, hold: float = 0.0) -> None:
        self.inner = MemoryBus()
        self.connections = 1
        self.connected = asyncio.Event()
        self.connected.set()
        self.published = 0
        self._chance = random.Random(seed)
        self._drop, self._double, self._hold = drop, double, hold
        self._held: list[tuple[str, bytes]] = []

    async def wait_connected(self) -> None:
        await self.connected.wait()

    async def publish(self, topic: str, payload: bytes) -> bool:
        if not self.connected.is_set():
            return False
        self.published += 1
        if self._chance.random() < self._drop:
            return True
        if self._chance.random() < self._hold:
            self._held.append((topic, payload))
            return True
        for _ in range(2 if self._chance.random() < self._double else 1):
            await self.inner.publish(topic, payload)
        if self._held and self._chance.random() < 0.3:
            await self.inner.publish(*self._held.pop(self._chance.randrange(len(self._held))))
        return True

    def subscribe(self, *patterns: str, depth: int = DEPTH) -> AbstractAsyncContextManager[Subscription]:
        return self.inner.subscribe(*patterns, depth=depth)

    def reconnect(self) -> None:
        self.connections += 1
        self.connected.set()


class Clerk:
    """Takes what arrives, as the recorder does, and receipts it."""

    def __init__(self, bus: LossyBus) -> None:
        self._bus = bus
        self.got: dict[Stream, dict[int, Numbered]] = {}
        self.lost: dict[Stream, set[int]] = {}
        self.last: dict[Stream, int] = {}
        self.arrived = 0

    async def run(self) -> None:
        wanted = [topics.pattern(kind) for kind in ("chunk", "end", "lost", "session", "event", "reading")]
        async with self._bus.subscribe(*wanted) as arriving:
            while batch := await arriving.batch():
                streams = {self._take(decode(*each)[1]) for each in batch}
                for stream in sorted(streams, key=repr):
                    await send(self._bus, "k1", self._receipt(stream))

    def _take(self, message: Message) -> Stream:
        assert isinstance(message, Numbered | End | Lost)
        self.arrived += 1
        if isinstance(message, End):
            self.last[message.stream] = message.last
        elif isinstance(message, Lost):
            self.lost.setdefault(message.stream, set()).update(range(message.first, message.last + 1))
        else:
            known = self.got.setdefault(message.stream, {}).setdefault(message.seq, message)
            assert known == message, "one seq, one message"
        return message.stream

    def _receipt(self, stream: Stream) -> Receipt:
        there = self.got.get(stream, {}).keys() | self.lost.get(stream, set())
        upto = next(seq for seq in range(-1, len(there) + 1) if seq + 1 not in there)
        return Receipt(stream, upto, stream in self.last and upto >= self.last[stream])


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=50_000_000) as made:
        yield made


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PATIENCE", 0.05)
    monkeypatch.setattr(module, "LONGEST_PATIENCE", 0.2)
    monkeypatch.setattr(module, "TICK", 0.01)


@asynccontextmanager
async def sending(bus: LossyBus, outbox: Outbox, clerk: Clerk | None = None) -> AsyncIterator[Sender]:
    sender = Sender(bus, outbox, "k1")
    tasks = [asyncio.create_task(sender.run())]
    if clerk is not None:
        tasks.append(asyncio.create_task(clerk.run()))
    await asyncio.sleep(0)
    try:
        yield sender
    finally:
        failed = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in failed:
            task.result()


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("seed", range(4))
async def test_everything_arrives_whatever_the_bus_does(outbox: Outbox, seed: int) -> None:
    bus = LossyBus(seed, drop=0.2, double=0.2, hold=0.2)
    clerk, chance = Clerk(bus), random.Random(seed)
    outbox.open_session(VISIT, "r0")
    async with sending(bus, outbox, clerk) as sender:
        emitted = 0
        while emitted < 300:
            more = chance.randint(1, 40)
            outbox.emit([chunk(emitted + number) for number in range(more)])
            emitted += more
            sender.wake()
            await asyncio.sleep(0.002)
            if chance.random() < 0.2:
                bus.connected.clear()
                await asyncio.sleep(0.01)
                bus.reconnect()
        outbox.end_session("s1", 60 * SECOND)
        async with asyncio.timeout(20):
            await sender.drained()
    assert [clerk.got[ECG][seq] for seq in range(emitted)] == [
        Chunk(ECG, seq, *_rest(chunk(seq))) for seq in range(emitted)
    ]
    assert clerk.last == {ECG: emitted - 1, OWN: 1}


def _rest(of: Chunk) -> tuple[int, float | None, tuple[str, ...], bytes]:
    return of.start, of.rate, of.channels, of.samples


async def test_on_a_good_link_nothing_is_sent_twice(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PATIENCE", 60.0)
    bus = LossyBus()
    clerk = Clerk(bus)
    async with sending(bus, outbox, clerk) as sender:
        outbox.emit([chunk(number) for number in range(1000)])
        sender.wake()
        await until(lambda: not outbox.waiting_count)
    assert clerk.arrived == 1000
    assert sender.sent_again == 0


async def test_what_is_emitted_is_sent_at_once(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # without a wake it would take ten seconds each; one that comes while the outbox is asked must count
    monkeypatch.setattr(module, "TICK", 10.0)
    bus = LossyBus()
    clerk, waiting = Clerk(bus), outbox.waiting
    emitted = iter(range(1, 20))

    def waiting_and_emitting(after: int, most: int) -> list[Item]:
        found = waiting(after, most)
        if not found and (number := next(emitted, None)):
            outbox.emit([chunk(number)])
            loop.call_soon_threadsafe(sender.wake)
        return found

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(outbox, "waiting", waiting_and_emitting)
    async with sending(bus, outbox, clerk) as sender:
        await until(lambda: len(clerk.got.get(ECG, {})) == 19, 5)


async def test_no_more_is_under_way_than_the_window_holds(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 64)
    monkeypatch.setattr(module, "BATCH", 10)
    bus = LossyBus()
    async with sending(bus, outbox) as sender:
        outbox.emit([chunk(number) for number in range(500)])
        await until(lambda: sender.sent_again > 200)
        assert len(sender._under_way) == 64
        clerk = Clerk(bus)
        task = asyncio.create_task(clerk.run())
        await until(lambda: not outbox.waiting_count)
        task.cancel()
        await asyncio.wait([task])


async def test_a_new_connection_sends_again_at_once(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PATIENCE", 60.0)
    bus = LossyBus(drop=1.0)
    async with sending(bus, outbox) as sender:
        outbox.emit([chunk(number) for number in range(20)])
        sender.wake()
        await until(lambda: bus.published == 20)
        bus.connected.clear()
        await asyncio.sleep(0.05)
        bus.reconnect()
        await until(lambda: bus.published == 40)


async def test_patience_grows_while_nobody_answers_and_shrinks_when_somebody_does(outbox: Outbox) -> None:
    bus = LossyBus()
    async with sending(bus, outbox) as sender:
        outbox.emit([chunk(number) for number in range(600)])
        sender.wake()
        await until(lambda: sender._patience == module.LONGEST_PATIENCE)
        clerk = Clerk(bus)
        task = asyncio.create_task(clerk.run())
        await until(lambda: not outbox.waiting_count and sender._patience == module.FIRST_PATIENCE)
        task.cancel()
        await asyncio.wait([task])


async def test_patience_grows_once_a_round_and_not_once_a_batch(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    monkeypatch.setattr(module, "FIRST_PATIENCE", 0.4)
    monkeypatch.setattr(module, "LONGEST_PATIENCE", 100.0)
    async with sending(LossyBus(), outbox) as sender:
        outbox.emit([chunk(number) for number in range(200)])
        sender.wake()
        await until(lambda: sender.sent_again == 200)
        # twenty batches; on a busy machine they may become a few rounds
        assert sender._patience <= 2**6 * module.FIRST_PATIENCE


async def test_what_a_full_connection_did_not_take_is_sent_later(outbox: Outbox) -> None:
    class Full(LossyBus):
        async def publish(self, topic: str, payload: bytes) -> bool:
            # connected all the time, but its queue is full now and then
            return self._chance.random() < 0.7 and await super().publish(topic, payload)

    bus = Full(3, drop=0.3)
    clerk = Clerk(bus)
    async with sending(bus, outbox, clerk) as sender:
        outbox.emit([chunk(number) for number in range(100)])
        sender.wake()
        await until(lambda: not outbox.waiting_count)
    assert len(clerk.got[ECG]) == 100


async def test_what_the_outbox_gave_up_is_not_waited_for(tmp_path: Path) -> None:
    bus = LossyBus()
    with Outbox(tmp_path / "small.sqlite", "k1", limit=100_000) as outbox:
        async with sending(bus, outbox) as sender:
            outbox.emit([chunk(number) for number in range(100)])
            sender.wake()
            await until(lambda: len(sender._under_way) == 100)
            outbox.emit([chunk(number) for number in range(300)])
            await until(lambda: len(sender._under_way) == outbox.waiting_count)
            clerk = Clerk(bus)
            task = asyncio.create_task(clerk.run())
            await until(lambda: not outbox.waiting_count)
            task.cancel()
            await asyncio.wait([task])
    assert clerk.got[ECG].keys() | clerk.lost[ECG] == set(range(400))


async def retained(bus: LossyBus) -> list[Message]:
    async with bus.subscribe(topics.pattern("session")) as arriving:
        with suppress(TimeoutError):
            return [decode(*each)[1] for each in await asyncio.wait_for(arriving.batch(), 0.05)]
    return []


async def test_a_session_is_retained_until_the_record_has_it(outbox: Outbox) -> None:
    bus = LossyBus()
    clerk = Clerk(bus)
    outbox.open_session(VISIT, "r0")
    async with sending(bus, outbox, clerk) as sender:
        await until(lambda: OWN in clerk.got)
        (message,) = await retained(bus)
        assert isinstance(message, Session)
        assert message.state == "open"
        outbox.end_session("s1", SECOND)
        sender.wake()
        await until(lambda: not outbox.waiting_count)
        await until(lambda: not outbox.recorded())
    assert await retained(bus) == []


async def test_a_session_that_could_not_be_cleared_is_cleared_by_the_next_connection(outbox: Outbox) -> None:
    bus = LossyBus()
    outbox.open_session(VISIT, "r0")
    outbox.end_session("s1", SECOND)
    async with sending(bus, outbox):
        await until(lambda: bus.published == 3)
        bus.connected.clear()
        await bus.inner.publish(
            str(topics.Topic("k1", "receipt", "session")), b'{"kind":"receipt","stream":{"session":"s1",'
            b'"device":"kiosk","signal":"session","run":"r0"},"upto":1,"ended":true}',
        )  # fmt: skip
        await until(outbox.recorded)
        assert await retained(bus)
        bus.reconnect()
        await until(lambda: not outbox.recorded())
    assert await retained(bus) == []


async def test_a_receipt_that_comes_while_it_is_sent_again_does_not_retain_the_session_anew(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = LossyBus()
    outbox.open_session(VISIT, "r0")
    outbox.end_session("s1", SECOND)
    sender = Sender(bus, outbox, "k1")
    items = outbox.waiting(0, 10)
    gone = outbox.receipts([Receipt(OWN, 1, ended=True)])
    # read before, receipted meanwhile
    sender._gone.update(gone)
    assert await sender._publish(items)
    assert bus.published == 0
    assert not sender._under_way


async def test_a_disk_in_trouble_does_not_end_the_sending(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = LossyBus()
    clerk, broken = Clerk(bus), True

    def failing(inner: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            if broken:
                raise sqlite3.OperationalError("database or disk is full")
            return inner(*args)

        return call

    outbox.emit([chunk(number) for number in range(10)])
    for name in ("waiting", "still", "receipts"):
        monkeypatch.setattr(outbox, name, failing(getattr(outbox, name)))
    async with sending(bus, outbox, clerk):
        await send(bus, "k1", Receipt(ECG, -1))
        await asyncio.sleep(0.05)
        broken = False
        await until(lambda: not outbox.waiting_count)


async def test_a_visit_in_progress_is_announced_again_to_a_broker_that_forgot(outbox: Outbox) -> None:
    bus = LossyBus()
    clerk = Clerk(bus)
    outbox.open_session(VISIT, "r0")
    async with sending(bus, outbox, clerk):
        await until(lambda: not outbox.waiting_count)
        (opened,) = await retained(bus)
        bus.connected.clear()
        bus.inner._retained.clear()
        bus.reconnect()
        await until(lambda: bus.inner._retained)
        assert await retained(bus) == [opened]
