"""The live socket of the wall: every kiosk of a clinic at once."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import APIRouter, WebSocket
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from api.dependencies import TheDatabase, TheHub, TheMetrics
from api.errors import Failed
from api.routes import sockets
from api.routes.words import moment
from api.store import roster, utc_now
from api.store.roster import Seat
from api.wall import Viewer
from api.wall.known import AWAY
from api.wall.thinning import BUCKETS
from kiosk.messages import SECOND, Name

router = APIRouter(tags=["waveforms"])
MOST_IN_VIEW = 300
"""Cards on a screen: four thousand pixels hold no more that can be read."""


class Look(Struct, frozen=True, forbid_unknown_fields=True):
    """What a page says: which kiosks are on its screen."""

    view: Annotated[list[Name], Meta(max_length=MOST_IN_VIEW)]


_looks = msgspec.json.Decoder(Look)


@router.websocket("/api/v1/wall/live")
async def watch_wall(websocket: WebSocket, database: TheDatabase, hub: TheHub, metrics: TheMetrics) -> None:
    """Say what all kiosks of the clinic do, at most four times a second, until the page leaves or its login ends."""
    try:
        who = await run_in_threadpool(sockets.permitted, websocket)
    except Failed as refused:
        await sockets.refuse(websocket, refused.kind, refused.detail)
        return

    def look(clinic: str | None) -> dict[str, Seat]:
        with database.reading() as db:
            return roster.seats(db, clinic)

    async with hub.wall.watch(who.clinic, look) as viewer:
        await websocket.accept()
        await websocket.send_text(_hello())
        sending = asyncio.create_task(_send(websocket, viewer, metrics.live_sent.inc))
        watching = asyncio.create_task(sockets.watch_login(websocket, who))
        try:
            while (heard := await websocket.receive())["type"] != "websocket.disconnect":
                with contextlib.suppress(msgspec.DecodeError):
                    viewer.look_at(_looks.decode(heard.get("text") or heard.get("bytes") or b"").view)
        finally:
            for task in (watching, sending):
                task.cancel()
                # a send to a client that left ends in whatever error the server has for it
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task


def _hello() -> str:
    hello = {"kind": "hello", "now": moment(utc_now()).isoformat(), "buckets": BUCKETS, "away": AWAY / SECOND}
    return msgspec.json.encode(hello).decode()


async def _send(websocket: WebSocket, viewer: Viewer, count: Callable[[], None]) -> None:
    # past Starlette's own method: per message it costs as much as all the rest
    send = websocket.send
    async for text in viewer.words():
        await send({"type": "websocket.send", "text": text.decode()})
        count()
    await websocket.close(1012, "the server stops")
