"""A broker on this machine, for `kiosk up` and for tests: mosquitto where it is installed, else amqtt in this process.

Both listen on 127.0.0.1 without passwords: they are for one machine. A clinic's broker is `deploy/mosquitto`.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig

HOST = "127.0.0.1"
MOSQUITTO = f"""\
listener {{port}} {HOST}
allow_anonymous true
# a broker that remembers would hide what only receipts may promise
persistence false
# a chunk must not wait for the acknowledgement of the one before
set_tcp_nodelay true
max_queued_messages 100000
"""


def find_mosquitto(program: str = "mosquitto") -> str | None:
    """Where mosquitto (or mosquitto_passwd) is; daemons live outside an ordinary user's PATH."""
    return shutil.which(program, path=os.pathsep.join((os.defpath, "/usr/sbin", "/usr/local/sbin", "/usr/local/bin")))


@asynccontextmanager
async def embedded(port: int = 0) -> AsyncIterator[int]:
    """The port of an amqtt in this event loop, for as long as the context lasts."""
    # it logs every packet, and transitions every state
    loggers = [logging.getLogger(name) for name in ("amqtt", "transitions")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        broker = Broker(
            BrokerConfig(
                # port 0: the system chooses, so that nobody can be faster
                listeners={"default": ListenerConfig(bind=f"{HOST}:{port}", max_connections=-1)},
                plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            )
        )
        connections = _Connections(broker)
        await broker.start()
        try:
            # the broker has no word for its port
            yield int(broker._servers["default"].instance.sockets[0].getsockname()[1])
        finally:
            await broker.shutdown()
            await connections.end()
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class _Connections:
    """What amqtt forgets at its shutdown; left to the garbage collector they warn, and warnings are errors."""

    def __init__(self, broker: Broker) -> None:
        self._serve = broker.stream_connected
        self._writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        broker.stream_connected = self._remember

    async def _remember(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._writers[task] = writer
        try:
            await self._serve(reader, writer, listener_name=listener_name)
        finally:
            writer.transport.abort()
            self._writers.pop(task, None)

    async def end(self) -> None:
        """Abort what is open still."""
        for task, writer in list(self._writers.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        # a transport lets go of its socket in the loop's next turn
        await asyncio.sleep(0)
