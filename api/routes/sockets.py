"""What live sockets have in common: who may open one, for how long, and how one is refused."""

import asyncio

import msgspec
from fastapi import WebSocket
from starlette.concurrency import run_in_threadpool

from api import errors
from api.dependencies import Gate, Permission, identity_of
from api.errors import Kind
from api.security import Action, Identity

STILL_WELCOME_EVERY = 30.0
"""Seconds between two looks whether the login that opened a socket still counts."""


def permitted(websocket: WebSocket) -> Identity:
    """Who opens the socket, or Failed."""
    return Permission(Action.WATCH_LIVE)(identity_of(websocket), websocket)


async def watch_login(websocket: WebSocket, who: Identity) -> None:
    """Close the socket once its login counts no more."""
    gate: Gate = websocket.app.state.gate
    while await run_in_threadpool(gate.alive, who):
        await asyncio.sleep(STILL_WELCOME_EVERY)
    await websocket.close(4000 + errors.NO_LOGIN.status, errors.NO_LOGIN.title)


async def refuse(websocket: WebSocket, kind: Kind, detail: str | None = None) -> None:
    """Say the problem. Browsers hide an HTTP answer to a WebSocket from their page: so accept, say it, close."""
    await websocket.accept()
    problem = {"kind": "problem", **msgspec.json.decode(errors.body(kind, detail), type=dict[str, object])}
    await websocket.send_text(msgspec.json.encode(problem).decode())
    await websocket.close(4000 + kind.status, kind.title)
