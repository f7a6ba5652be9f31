"""A clinic in one process for the browser's tests: the real app on SQLite and a memory bus, and visits that feed it."""

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np
import uvicorn
from playwright.sync_api import BrowserContext

from api.app import create_app
from api.recorder import Recorder
from api.security import Role
from api.store import results, sessions, utc_now
from api.store.results import Found
from api.store.sessions import Due
from api.tables import UserRow
from kiosk import bus, topics
from kiosk.bus import Delivery, MemoryBus
from kiosk.messages import (
    EVENTS,
    READINGS,
    SECOND,
    SESSION,
    Chunk,
    End,
    Event,
    Message,
    Origin,
    Reading,
    Session,
    Status,
    Stream,
    address,
    decode,
    encode,
)
from kiosk.settings import Settings
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person
from tests import databases
from tests.api import staff

T = TypeVar("T")
KIOSK = "kiosk-1"
RATES = {"ecg": 250.0, "ppg": 100.0, "respiration": 25.0}
CHUNK = SECOND // 10


class Clinic:
    """Server, database and bus. What it offers may be called from the test's thread."""

    def __init__(self, folder: Path) -> None:
        self.database = databases.database(folder)
        self.database.migrate()
        self.bus = MemoryBus()
        self.recorder = Recorder(self.database)
        self.app = create_app(settings=Settings(data=folder), database=self.database, bus=self.bus)
        self.clinician = staff.hire(self.database, Role.CLINICIAN)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_level="error", ws="websockets-sansio"))
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a clinician's program sends along."""
        return staff.bearer(self.database, self.clinician)

    def enter(self, context: BrowserContext, user: UserRow | None = None) -> None:
        """Log a browser in, a clinician if nobody else is said."""
        given = staff.cookies(self.database, self.app.state.gate, user or self.clinician)
        context.add_cookies([{"name": name, "value": value, "url": self.address} for name, value in given.items()])

    def run(self) -> None:
        """Serve, until told to stop."""

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            # another recorder than the one for `store`: each keeps books of its own streams
            recording = asyncio.create_task(Recorder(self.database).serve(self.bus))
            await self.server.serve([self._socket])
            recording.cancel()
            await asyncio.wait([recording])

        asyncio.run(serve())

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's event loop, where the bus lives."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def say(self, *messages: Message) -> None:
        """Publish, as the kiosk does."""

        async def publish() -> None:
            for message in messages:
                await bus.send(self.bus, KIOSK, message)

        self.call(publish())

    @contextmanager
    def listening(self, kind: str) -> Iterator[list[Message]]:
        """What is said of one kind, as it comes."""
        heard: list[Message] = []

        async def listen() -> None:
            async with self.bus.subscribe(topics.pattern(kind)) as arriving:
                async for topic, payload in arriving:
                    heard.append(decode(topic, payload)[1])

        async def start() -> asyncio.Task[None]:
            return asyncio.create_task(listen())

        async def stop() -> None:
            task.cancel()

        task = self.call(start())
        try:
            yield heard
        finally:
            self.call(stop())

    def knows(self, session: str) -> bool:
        """Whether the recorder has committed something of this session."""
        with self.database.reading() as db:
            return sessions.get(db, session) is not None

    def store(self, *messages: Message) -> None:
        """Commit, as the recorder does."""
        self.recorder.commit([Delivery(address(KIOSK, message), encode(message)) for message in messages])


@contextmanager
def clinic(folder: Path) -> Iterator[Clinic]:
    """A running clinic."""
    made = Clinic(folder)
    thread = threading.Thread(target=made.run, name="clinic")
    thread.start()
    try:
        while not made.server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.02)
        yield made
    finally:
        made.server.should_exit = True
        thread.join(20)
        made.database.close()


class Visit:
    """A visitor whose signals come in real time while `flows` holds their names."""

    def __init__(
        self, clinic: Clinic, session: str = "s-1", *, person: Person | None = None, age: float = 20.0
    ) -> None:
        self.clinic, self.session = clinic, session
        self.body = Body(person or Person(seed=7))
        self.origin = Origin(utc=utc_now() - round(age * SECOND), boot=0, boot_id="boot")
        self.flows: set[str] = set(RATES)
        self.sent: dict[str, int] = {}
        self.seqs: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def now(self) -> int:
        """Nanoseconds since the visit's origin."""
        return utc_now() - self.origin.utc

    def stream(self, signal: str) -> Stream:
        """A stream of this visit."""
        return Stream(self.session, "station" if signal in (EVENTS, SESSION) else f"simulated-{signal}", signal, "r1")

    def _seq(self, signal: str) -> int:
        seq = self.seqs[signal] = self.seqs.get(signal, -1) + 1
        return seq

    def word(self, state: Literal["open", "ended"] = "open", *, simulated: bool = True) -> Session:
        """The kiosk's word about the visit."""
        ended = self.now if state == "ended" else None
        streams = tuple(self.stream(signal) for signal in RATES) if ended is not None else ()
        return Session(self.stream(SESSION), self._seq(SESSION), state, self.origin, ended, streams, simulated)

    def chunk(self, signal: str, first: int, count: int) -> Chunk:
        """Samples first .. first + count."""
        rate = RATES[signal]
        samples = self.body.stretch(signal, rate, first, count).astype("<f4")
        start = round(first * SECOND / rate)
        return Chunk(self.stream(signal), self._seq(signal), start, rate, self.body.channels(signal), samples.tobytes())

    def reading(self, measure: str, value: float | None, *, absent: str | None = None, **more: Any) -> Reading:
        """A live number of the past seconds."""
        now = self.now
        end = more.pop("end", now)
        stream = msgspec.structs.replace(self.stream(READINGS), device=more.pop("device", "simulated-readings"))
        fixed: dict[str, Any] = {"source": "ecg", "scope": "live", "method": "test", "quality": 0.93, **more}
        if value is None:
            fixed["quality"] = None
        seq = self._seq(READINGS)
        return Reading(stream, seq, measure, value, start=max(0, end - 8 * SECOND), end=end,
                       absent=absent, **fixed)  # fmt: skip

    def event(self, name: str, detail: str = "") -> Event:
        """A mark."""
        return Event(self.stream(EVENTS), self._seq(EVENTS), name, self.now, detail)

    def status(self, state: Literal["running", "failed"] = "running", device: str = "sensors") -> Status:
        """What a device does."""
        return Status(device, state, simulated=True, session=self.session)

    def begin(self) -> None:
        """Sit down: known to the store and on the bus, with signals flowing."""
        self.clinic.say(self.word(), self.status())
        while not self.clinic.knows(self.session):
            time.sleep(0.02)

        async def start() -> None:
            self._task = asyncio.create_task(self._flow())

        self.clinic.call(start())

    def leave(self) -> None:
        """Stop the signals."""

        async def stop() -> None:
            if self._task is not None:
                self._task.cancel()

        self.clinic.call(stop())

    async def _flow(self) -> None:
        """Every tenth of a second what has become due. What fell due while a signal was off is lost."""
        while True:
            await bus.send(self.clinic.bus, KIOSK, self.status())
            now = self.now // CHUNK * CHUNK
            for signal, rate in RATES.items():
                due = int(now * rate / SECOND)
                first = self.sent.get(signal, due)
                if signal in self.flows and due > first:
                    await bus.send(self.clinic.bus, KIOSK, self.chunk(signal, first, due - first))
                self.sent[signal] = due
            await asyncio.sleep(0.1)

    def record(self, seconds: float, *, leave_out: tuple[str, int, int] | None = None) -> None:
        """Store a whole visit at once; `leave_out` is (signal, first, last) of seqs that are not delivered."""
        self.clinic.store(self.word())
        for signal, rate in RATES.items():
            each = int(rate / 5)
            chunks = [self.chunk(signal, first, each) for first in range(0, int(seconds * rate), each)]
            if leave_out and leave_out[0] == signal:
                chunks = [chunk for chunk in chunks if not leave_out[1] <= chunk.seq <= leave_out[2]]
            self.clinic.store(*chunks, End(self.stream(signal), self.seqs[signal]))
        self.clinic.store(self.word("ended"), End(self.stream(SESSION), self.seqs[SESSION]))


def close(clinic: Clinic, visit: Visit, outcome: str) -> None:
    """Close a recorded visit with a few results, as the closer does."""
    due = Due(visit.session, outcome, 0)
    span = (0, 30 * SECOND)
    with clinic.database.transaction() as db:
        assert sessions.claim(db, due, "test", utc_now())
        assert sessions.close(db, due, "test", utc_now())
        results.add(
            db,
            visit.session,
            1,
            outcome=outcome,
            version="0.1.0",
            context={},
            beats=np.arange(0, 30, 0.8).tobytes(),
            now=utc_now(),
            readings=[
                Found("heart_rate", 71.8, 70.9, 72.6, 0.95, None, "simulated-ecg", "recording", "vote-3", True, *span),
                Found("heart_rate", 72.3, None, None, 0.81, None, "simulated-ppg", "recording", "elgendi", False,
                      *span),
                Found("rmssd", 34.2, 31.0, 37.5, 0.9, None, "simulated-ecg", "recording", "vote-3", True, *span),
                Found("lf_power", None, None, None, None, "too_short", "simulated-ecg", "recording", "welch", False,
                      *span),
                Found("respiration_rate", 14.2, None, None, 0.55, None, "simulated-respiration", "recording", "peaks",
                      True, *span),
            ],
        )  # fmt: skip
