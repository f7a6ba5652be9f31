"""The ten commonest calls, and clients that ask them over connections that stay: as little client as can be."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kiosk.messages import SECOND
from tests.benchmarks._clinic import Filled

Call = tuple[str, str, bytes]
CALLS = (
    "sessions, first page",
    "sessions of a patient",
    "sessions of a kiosk, a day",
    "a session",
    "its readings",
    "its ECG, 5 minutes",
    "patients, first page",
    "a patient by name",
    "a patient's trend",
    "alerts",
)
VARIED = 40
"""Of each call so many different ones."""


@dataclass(slots=True)
class Asked:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took if self.took else 0.0


def calls(filled: Filled) -> dict[str, list[Call]]:
    """The calls by name."""
    rng = random.Random(3)

    def session() -> str:
        return filled.session(rng.randrange(filled.sessions))

    def day() -> str:
        began = (filled.began_ns + rng.randrange(filled.sessions) * 600 * SECOND) // SECOND
        since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each)) for each in (began, began + 86_400))
        return f"/api/v1/sessions?kiosk=k-{rng.randrange(filled.kiosks):04}&since={since}&until={until}"

    def patient() -> str:
        return filled.patient(rng.randrange(filled.patients))

    def search() -> bytes:
        number = rng.randrange(min(2000, filled.patients))
        return json.dumps({"name": f"Given{number} Family{number % 500}"}).encode()

    made: dict[str, Callable[[], Call]] = {
        "sessions, first page": lambda: ("GET", "/api/v1/sessions?limit=50", b""),
        "sessions of a patient": lambda: ("GET", f"/api/v1/sessions?patient={patient()}", b""),
        "sessions of a kiosk, a day": lambda: ("GET", day(), b""),
        "a session": lambda: ("GET", f"/api/v1/sessions/{session()}", b""),
        "its readings": lambda: ("GET", f"/api/v1/sessions/{session()}/readings", b""),
        "its ECG, 5 minutes": lambda: ("GET", f"/api/v1/sessions/{rng.choice(filled.waved)}/waveforms/ecg", b""),
        "patients, first page": lambda: ("GET", "/api/v1/patients?limit=50", b""),
        "a patient by name": lambda: ("POST", "/api/v1/patients/search", search()),
        "a patient's trend": lambda: ("GET", f"/api/v1/patients/{patient()}/trends?measures=rmssd,heart_rate", b""),
        "alerts": lambda: ("GET", "/api/v1/alerts", b""),
    }
    return {name: [made[name]() for _ in range(VARIED)] for name in CALLS}


def ask(
    port: int,
    headers: Mapping[str, str],
    wanted: Sequence[Sequence[Call]],
    *,
    clients: int,
    seconds: float,
    pace: float | None = None,
) -> Asked:
    """Let so many clients ask for so long; with a pace, each once in so many seconds, whatever the answers do."""
    each = [call for part in wanted for call in part]
    asked = Asked()

    async def everybody() -> None:
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(_client(port, headers, each, number, begun + seconds, pace, asked))
        asked.took = time.perf_counter() - begun

    asyncio.run(everybody())
    return asked


async def _client(
    port: int,
    headers: Mapping[str, str],
    wanted: Sequence[Call],
    seed: int,
    until: float,
    pace: float | None,
    to: Asked,
) -> None:
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    due = time.perf_counter() + (rng.random() * pace if pace else 0.0)
    place = rng.randrange(len(wanted))
    try:
        while (now := time.perf_counter()) < until:
            if pace is not None:
                await asyncio.sleep(max(0.0, due - now))
                begun, due = due, due + pace
            else:
                begun = now
            # every call in turn, so that all are asked equally often
            place = (place + VARIED + 1) % len(wanted)
            method, path, body = wanted[place]
            length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}{length}\r\n".encode() + body)
            status = await _answer(reader)
            to.seconds.append(time.perf_counter() - begun)
            to.failed += status != 200
    finally:
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])
