"""The live socket of a session."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, WebSocket
from starlette.concurrency import run_in_threadpool

from api import errors
from api.dependencies import TheDatabase, TheHub, TheMetrics
from api.errors import Failed
from api.live import Client
from api.routes import sockets
from api.routes.words import moment, moment_or_none
from api.store import Database, DatabaseDown, StoreError, sessions, utc_now
from api.store.outage import is_outage
from api.tables import SessionRow
from kiosk.signals import SIGNALS
from kiosk.topics import NAME

router = APIRouter(tags=["waveforms"])
MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame: what the socket is of, and what time it is here."""

    kind: str
    session: str
    kiosk: str
    state: str
    simulated: bool
    revision: int
    started: str | None
    now: str
    signals: list[str] | None


@router.websocket("/api/v1/sessions/{session}/live")
async def watch_session(
    websocket: WebSocket,
    session: str,
    database: TheDatabase,
    hub: TheHub,
    metrics: TheMetrics,
    signals: Annotated[str | None, Query()] = None,
) -> None:
    """Pass on what the session's kiosk says, until the page leaves or its login ends."""
    try:
        who = await run_in_threadpool(sockets.permitted, websocket)
    except Failed as refused:
        await sockets.refuse(websocket, refused.kind, refused.detail)
        return
    wanted = None if signals is None else [name for name in signals[:MOST_NAMES].split(",") if name]
    if wanted is not None and (unknown := [name for name in wanted if name not in SIGNALS]):
        await sockets.refuse(websocket, errors.INVALID, f"{len(unknown)} of the signals are unknown.")
        return
    if not NAME.fullmatch(session):
        await sockets.refuse(websocket, errors.NO_SESSION)
        return
    try:
        row = await run_in_threadpool(_find, database, session)
    except (StoreError, DatabaseDown) as error:
        if isinstance(error, StoreError) and not is_outage(error):
            raise
        await sockets.refuse(websocket, errors.NO_DATABASE)
        return
    if row is None or not who.sees(row.clinic_id):
        await sockets.refuse(websocket, errors.NO_SESSION)
        return
    async with hub.watch(row.kiosk, session, wanted) as client:
        await websocket.accept()
        await websocket.send_text(_hello(row, wanted))
        sending = asyncio.create_task(_send(websocket, client, metrics.live_sent.inc))
        watching = asyncio.create_task(sockets.watch_login(websocket, who))
        try:
            while (await websocket.receive())["type"] != "websocket.disconnect":
                pass  # pages have nothing to say here
        finally:
            for task in (watching, sending):
                task.cancel()
                # a send to a client that left ends in whatever error the server has for it
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task


def _find(database: Database, session: str) -> SessionRow | None:
    with database.reading() as db:
        return sessions.get(db, session)


def _hello(row: SessionRow, wanted: list[str] | None) -> str:
    started = moment_or_none(row.origin_utc_ns)
    hello = Hello(
        kind="hello",
        session=row.id,
        kiosk=row.kiosk,
        state=row.state,
        simulated=row.simulated,
        revision=row.revision,
        started=started.isoformat() if started else None,
        now=moment(utc_now()).isoformat(),
        signals=wanted,
    )
    return msgspec.json.encode(asdict(hello)).decode()


async def _send(websocket: WebSocket, client: Client, count: Callable[[], None]) -> None:
    told = 0
    # past Starlette's own method: per message it costs as much as all the rest
    send = websocket.send
    while (text := await client.take()) is not None:
        if client.dropped != told:
            told = client.dropped
            await send({"type": "websocket.send", "text": f'{{"kind":"dropped","total":{told}}}'})
        await send({"type": "websocket.send", "text": text})
        count()
    await websocket.close(1012, "the server stops")
