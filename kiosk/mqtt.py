"""The bus over MQTT 3.1.1. The only importer of paho.

paho is driven from asyncio's own loop (no thread, no lock handed back and forth): its socket's reader and writer are
ours, and a write that the socket does not take at once makes `publish` wait.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, cast

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from kiosk.bus import DEPTH, Delivery, Subscription, wire_of
from kiosk.errors import BusDown
from kiosk.messages import Message, address, encode
from kiosk.settings import Settings

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
KEEPALIVE = 15
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
MOST_TOPICS_REMEMBERED = 10_000


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho leaves it to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, or close."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class MqttBus:
    """A connection to a broker that comes back by itself, with a jittered, growing pause between attempts."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        name: str,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.connections = 0
        self.dropped = 0
        """QoS 1 messages that found paho's queue full."""
        self._host, self._port = host, port
        # brokers throw the older of two equal ids off the line: never equal, even for two recorders
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{name}-{secrets.token_hex(4)}",
            clean_session=True,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        self._client.max_inflight_messages_set(1000)
        self._client.max_queued_messages_set(20_000)
        self._client.connect_timeout = CONNECT_TIMEOUT
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_socket_close = self._on_socket_close
        if username is not None:
            self._client.username_pw_set(username, password)
        if tls is not None:
            tls.sslsocket_class = _TidySocket
            self._client.tls_set_context(tls)
        if will is not None:
            wire = wire_of(*will)
            self._client.will_set(*will, qos=wire.qos, retain=wire.retain)
        self._subscriptions: list[Subscription] = []
        self._receivers: dict[str, list[Subscription]] = {}
        self._subacks: dict[int, asyncio.Event] = {}
        self._received = 0
        self._watched: socket.socket | None = None
        self._accepted = asyncio.Event()
        self._connected = asyncio.Event()
        self._lost = asyncio.Event()
        self._drained = asyncio.Event()
        self._refusal = ""
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    def to(cls, settings: Settings, name: str, will: Message | None = None) -> Self:
        """The bus that the settings describe."""
        password = settings.broker_password
        return cls(
            host=settings.broker_host,
            port=settings.broker_port,
            name=f"{name}-{settings.id}",
            username=settings.broker_username,
            password=password.get_secret_value() if password else None,
            tls=settings.tls,
            will=(address(settings.id, will), encode(will)) if will else None,
        )

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep_connected(), name="mqtt")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is None:
            return
        if self._connected.is_set():
            # what was published is handed over before the goodbye
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while self._connected.is_set() and self._client.want_write():
                        await self._drain()
            self._client.disconnect()
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        for subscription in self._subscriptions:
            subscription.close()

    async def wait_connected(self) -> None:
        """Return when there is a connection."""
        await self._connected.wait()

    async def wait_first_connection(self, seconds: float) -> None:
        """Return when there is a connection, or say why there is none."""
        try:
            async with asyncio.timeout(seconds):
                await self._connected.wait()
        except TimeoutError:
            raise BusDown(f"no broker at {self._host}:{self._port}: {self._refusal or 'no answer'}") from None

    async def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection; False when there is none. Waits while the socket is full."""
        wire = wire_of(topic, payload)
        if self._client.want_write():
            await self._drain()
        if not self._connected.is_set():
            return False
        sent = self._client.publish(topic, payload, qos=wire.qos, retain=wire.retain)
        self._flush()
        if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self.dropped += 1
            return False
        return sent.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    @asynccontextmanager
    async def subscribe(self, *patterns: str, depth: int = DEPTH) -> AsyncIterator[Subscription]:
        """Deliveries under the filters. With a connection, the broker has agreed before the context is entered."""
        subscription = Subscription(patterns, depth)
        self._subscriptions.append(subscription)
        self._receivers.clear()
        try:
            if self._accepted.is_set():
                await self._ask_for(patterns)
            yield subscription
        finally:
            self._subscriptions.remove(subscription)
            self._receivers.clear()
            subscription.close()
            still_wanted = {pattern for other in self._subscriptions for pattern in other.patterns}
            unwanted = [pattern for pattern in patterns if pattern not in still_wanted]
            if unwanted and self._accepted.is_set():
                self._client.unsubscribe(unwanted)
                self._flush()

    async def _ask_for(self, patterns: tuple[str, ...]) -> None:
        # QoS 1 is the most: each message keeps the QoS of its kind
        result, mid = self._client.subscribe([(pattern, 1) for pattern in patterns])
        self._flush()
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS or mid is None:
            return  # the link just broke: the next connection subscribes
        agreed = self._subacks[mid] = asyncio.Event()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await agreed.wait()
        except TimeoutError:
            log.warning("the broker did not answer a subscription in %s s", CONNECT_TIMEOUT)
        finally:
            self._subacks.pop(mid, None)

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            self._lost.clear()
            try:
                await self._connect()
                pause = FIRST_PAUSE
                await self._serve()
                log.warning("connection to the broker lost")
            except (OSError, BusDown, ValueError) as error:
                if str(error) != self._refusal:
                    log.warning("no connection to %s:%s: %s", self._host, self._port, error)
                self._refusal = str(error)
            finally:
                self._accepted.clear()
                self._connected.clear()
                self._hang_up()
            # full jitter: a thousand kiosks must not come back in the same second
            await asyncio.sleep(random.uniform(0.3, 1) * pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _connect(self) -> None:
        # name look-up, TCP and TLS handshake block, so they are done aside
        await asyncio.to_thread(self._client.connect, self._host, self._port, KEEPALIVE)
        link = cast(socket.socket | None, self._client.socket())
        if link is None:
            raise BusDown("the broker closed the connection")
        # small packets must not wait for each other's acknowledgement
        with contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watched = link
        asyncio.get_running_loop().add_reader(link, self._readable)
        self._flush()
        accepted = asyncio.create_task(self._accepted.wait())
        refused = asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait((accepted, refused), timeout=CONNECT_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        finally:
            accepted.cancel()
            refused.cancel()
        if not self._accepted.is_set():
            self._client.disconnect()
            raise BusDown(self._refusal or "the broker does not answer")

    async def _serve(self) -> None:
        patterns = tuple({pattern for subscription in self._subscriptions for pattern in subscription.patterns})
        if patterns:
            await self._ask_for(patterns)
        # only now: whoever waits for a connection may count on what it subscribed to
        self.connections += 1
        self._refusal = ""
        if self._accepted.is_set():
            self._connected.set()
        while not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._lost.wait()
            self._client.loop_misc()
            self._flush()

    def _readable(self) -> None:
        link = self._watched
        # a bounded number per wake-up, so that timers and writers get their turn
        for _ in range(200):
            before = self._received
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if self._received == before and not (isinstance(link, ssl.SSLSocket) and link.pending()):
                break
        self._flush()

    def _flush(self) -> None:
        """What the socket did not take at once is written when it can: nothing waits for the next message."""
        if self._client.want_write():
            self._writable()

    def _writable(self) -> None:
        self._client.loop_write()
        if self._watched is None:
            return
        loop = asyncio.get_running_loop()
        if self._client.want_write():
            loop.add_writer(self._watched, self._writable)
        else:
            loop.remove_writer(self._watched)
            self._drained.set()

    async def _drain(self) -> None:
        self._drained.clear()
        self._writable()
        if self._watched is not None and self._client.want_write():
            await self._drained.wait()

    def _hang_up(self) -> None:
        """Whatever ended the connection, even being called off before the broker's answer: no socket stays behind."""
        link = self._watched
        self._forget_socket()
        if link is not None:
            link.close()

    def _forget_socket(self) -> None:
        if self._watched is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._watched)
            loop.remove_writer(self._watched)
            self._watched = None
        self._drained.set()

    def _on_connect(self, _c: paho.Client, _u: object, _f: object, reason: ReasonCode, _p: object) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refused: {reason}"
            self._lost.set()
        else:
            self._accepted.set()

    def _on_disconnect(self, _c: paho.Client, _u: object, _f: object, _r: ReasonCode, _p: object) -> None:
        self._accepted.clear()
        self._connected.clear()
        self._lost.set()
        for agreed in self._subacks.values():
            agreed.set()

    def _on_socket_close(self, _c: paho.Client, _u: object, link: object) -> None:
        # asyncio must let go of the descriptor before the system gives its number to somebody else
        if link is self._watched:
            self._forget_socket()

    def _on_subscribe(self, _c: paho.Client, _u: object, mid: int, reasons: list[ReasonCode], _p: object) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error("the broker refused a subscription: its access list does not allow it")
        if (agreed := self._subacks.get(mid)) is not None:
            agreed.set()

    def _on_message(self, _c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        self._received += 1
        if not message.payload:
            return  # a retained message was cleared
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        receivers = self._receivers.get(topic)
        if receivers is None:
            if len(self._receivers) > MOST_TOPICS_REMEMBERED:
                self._receivers.clear()
            receivers = [each for each in self._subscriptions if each.matches(topic)]
            self._receivers[topic] = receivers
        delivery = Delivery(topic, bytes(message.payload))
        for subscription in receivers:
            subscription.put(delivery)
