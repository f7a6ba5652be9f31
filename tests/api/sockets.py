"""A live socket of the test's client, which cancels what serves it when it leaves: that is no failure."""

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession


@contextmanager
def live(client: TestClient, address: str, **more: Any) -> Iterator[WebSocketTestSession]:
    """Open one, and leave it."""
    with suppress(CancelledError), client.websocket_connect(address, **more) as socket:
        yield socket
