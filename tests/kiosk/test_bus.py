"""Both buses keep the same promises: in memory, over mosquitto, and over the in-process amqtt."""

import asyncio
import shutil
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kiosk import topics
from kiosk.bus import Bus, MemoryBus, Subscription, send
from kiosk.errors import BusDown, Refused
from kiosk.messages import Chunk, Origin, Receipt, Session, Status, Stream, address, decode, encode
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings
from tests.brokers import amqtt, find, free_port, mosquitto, start_mosquitto, stop
from tests.conftest import require

STREAM = Stream("s1", "ecg-1", "ecg", "r1")
CHUNK = Chunk(STREAM, 0, 0, 250.0, ("II",), bytes(100))


Connect = Callable[[], Awaitable[Bus]]
"""Makes another connected bus; those of one test reach each other."""


def chunk(seq: int) -> bytes:
    return encode(Chunk(STREAM, seq, seq * 100_000_000, 250.0, ("II",), bytes(100)))


@pytest.fixture(params=["memory", "mosquitto", "amqtt"])
async def connect(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            shared = MemoryBus()

            async def connected() -> Bus:
                return shared
        else:
            if request.param == "mosquitto":
                require(find() is not None, "mosquitto")
                host, port = stack.enter_context(mosquitto(tmp_path))
            else:
                host, port = await stack.enter_async_context(amqtt())

            async def connected() -> Bus:
                bus = await stack.enter_async_context(MqttBus(host=host, port=port, name="test"))
                await bus.wait_first_connection(10)
                return bus

        yield connected


async def take(arriving: Subscription, count: int) -> list[tuple[str, bytes]]:
    got: list[tuple[str, bytes]] = []
    async with asyncio.timeout(10):
        async for delivery in arriving:
            got.append((delivery.topic, delivery.payload))
            if len(got) == count:
                return got
    raise AssertionError("the subscription closed")


async def test_messages_of_one_publisher_arrive_in_order_and_unchanged(connect: Connect) -> None:
    sender, receiver = await connect(), await connect()
    topic = address("k1", CHUNK)
    async with receiver.subscribe(topics.pattern("chunk")) as arriving:
        for seq in range(500):
            assert await sender.publish(topic, chunk(seq))
        assert await take(arriving, 500) == [(topic, chunk(seq)) for seq in range(500)]


async def test_a_subscription_gets_its_kind_and_kiosk_only(connect: Connect) -> None:
    sender, receiver = await connect(), await connect()
    receipt = Receipt(STREAM, 5)
    async with receiver.subscribe(topics.pattern("receipt", kiosk="k1")) as arriving:
        for kiosk in ("k2", "k1"):
            await sender.publish(address(kiosk, CHUNK), chunk(0))
            await send(sender, kiosk, receipt)
        (got,) = await take(arriving, 1)
        assert got == (address("k1", receipt), encode(receipt))
        assert decode(*got) == (topics.Topic("k1", "receipt", "ecg"), receipt)


async def test_two_subscriptions_of_one_bus_each_get_everything(connect: Connect) -> None:
    sender, receiver = await connect(), await connect()
    async with (
        receiver.subscribe(topics.pattern("chunk")) as one,
        receiver.subscribe(topics.pattern("chunk", kiosk="k1")) as other,
    ):
        for seq in range(20):
            await sender.publish(address("k1", CHUNK), chunk(seq))
        for arriving in (one, other):
            payloads = [payload for _, payload in await take(arriving, 20)]
            # a broker may send one copy for each of two overlapping filters: at least once each, in order
            assert list(dict.fromkeys(payloads))[:10] == [chunk(seq) for seq in range(10)]


async def test_retained_kinds_greet_a_late_subscriber_until_they_are_cleared(connect: Connect) -> None:
    sender = await connect()
    session = Session(Stream("s1", "kiosk", "session", "r1"), 0, "open", Origin(1, 2, "b"))
    await send(sender, "k1", session)
    await sender.publish(address("k1", CHUNK), chunk(0))
    await asyncio.sleep(0.2)
    late = await connect()
    async with late.subscribe(topics.pattern("session"), topics.pattern("chunk")) as arriving:
        assert await take(arriving, 1) == [(address("k1", session), encode(session))]
        await sender.publish(address("k1", session), b"")
        await sender.publish(address("k1", CHUNK), chunk(7))
        # the measurement was not retained, and the clearing is not delivered
        assert await take(arriving, 1) == [(address("k1", CHUNK), chunk(7))]
    later = await connect()
    async with later.subscribe(topics.pattern("session")) as arriving:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(arriving.batch(), 0.3)


async def test_a_slow_subscriber_loses_the_newest_and_counts_them(connect: Connect) -> None:
    sender, receiver = await connect(), await connect()
    async with receiver.subscribe(topics.pattern("chunk"), depth=10) as arriving:
        for seq in range(50):
            await sender.publish(address("k1", CHUNK), chunk(seq))
        await asyncio.sleep(0.5)
        assert [payload for _, payload in await take(arriving, 10)] == [chunk(seq) for seq in range(10)]
        assert arriving.dropped == 40


async def test_what_no_receiver_would_take_is_refused_before_it_travels(connect: Connect) -> None:
    sender = await connect()
    for topic, payload, reason in (
        ("kiosk/v1/k1/chunk/ecg", bytes(300_000), "oversized"),
        ("kiosk/v1/k1/nonsense/ecg", b"{}", "unknown_kind"),
        ("kiosk/v1/k1/chunk/+", b"{}", "bad_topic"),
        ("other/topic", b"{}", "bad_topic"),
    ):
        with pytest.raises(Refused) as refusal:
            await sender.publish(topic, payload)
        assert refusal.value.reason == reason


async def test_leaving_a_subscription_ends_it(connect: Connect) -> None:
    sender, receiver = await connect(), await connect()
    async with receiver.subscribe(topics.pattern("chunk")) as arriving:
        pass
    await sender.publish(address("k1", CHUNK), chunk(0))
    assert await arriving.batch() == []


async def test_a_will_speaks_for_a_process_that_died(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    gone = Status("sensors", "gone")
    with mosquitto(tmp_path) as (host, port):
        doomed = MqttBus(host=host, port=port, name="doomed", will=(address("k1", gone), encode(gone)))
        async with MqttBus(host=host, port=port, name="watcher") as watcher, doomed:
            await asyncio.gather(watcher.wait_first_connection(10), doomed.wait_first_connection(10))
            async with watcher.subscribe(topics.pattern("status")) as arriving:
                # the socket breaks without a goodbye, as when the process is killed
                doomed._client.socket().shutdown(2)  # type: ignore[union-attr]
                assert await take(arriving, 1) == [(address("k1", gone), encode(gone))]


async def test_a_goodbye_leaves_no_will(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    gone = Status("sensors", "gone")
    with mosquitto(tmp_path) as (host, port):
        async with MqttBus(host=host, port=port, name="watcher") as watcher:
            await watcher.wait_first_connection(10)
            async with watcher.subscribe(topics.pattern("status")) as arriving:
                polite = MqttBus(host=host, port=port, name="polite", will=(address("k1", gone), encode(gone)))
                async with polite:
                    await polite.wait_first_connection(10)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(arriving.batch(), 0.3)


async def test_a_bus_comes_back_after_its_broker_and_subscribes_again(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    process, port = start_mosquitto(tmp_path)
    try:
        async with MqttBus(host="127.0.0.1", port=port, name="steady") as bus:
            await bus.wait_first_connection(10)
            async with bus.subscribe(topics.pattern("chunk")) as arriving:
                await bus.publish(address("k1", CHUNK), chunk(1))
                await take(arriving, 1)
                process.kill()
                process.wait()
                async with asyncio.timeout(5):
                    while await bus.publish(address("k1", CHUNK), chunk(2)):
                        await asyncio.sleep(0.01)
                process, _ = start_mosquitto(tmp_path, port=port)
                async with asyncio.timeout(15):
                    await bus.wait_connected()
                assert bus.connections == 2
                assert await bus.publish(address("k1", CHUNK), chunk(3))
                assert (await take(arriving, 1))[0][1] == chunk(3)
    finally:
        stop(process)


async def test_without_a_broker_nothing_hangs_and_the_error_says_where() -> None:
    port = free_port()
    async with MqttBus(host="127.0.0.1", port=port, name="lonely") as bus:
        assert not await bus.publish(address("k1", CHUNK), chunk(0))
        with pytest.raises(BusDown, match=f"127.0.0.1:{port}"):
            await bus.wait_first_connection(0.5)


async def test_a_connection_called_off_before_the_broker_answered_is_closed() -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        came.set()
        while await reader.read(1000):
            pass
        gone.set()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server:
        async with asyncio.timeout(10):
            async with MqttBus(host=host, port=port, name="test"):
                await came.wait()
            await gone.wait()


async def test_a_fast_publisher_is_slowed_by_the_connection_and_loses_nothing(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    with mosquitto(tmp_path) as (host, port):
        async with (
            MqttBus(host=host, port=port, name="fast") as fast,
            MqttBus(host=host, port=port, name="reader") as reader,
        ):
            await asyncio.gather(fast.wait_first_connection(10), reader.wait_first_connection(10))
            async with reader.subscribe(topics.pattern("chunk")) as arriving:
                big = encode(Chunk(STREAM, 0, 0, 250.0, ("II",), bytes(40_000)))
                for _ in range(500):
                    assert await fast.publish(address("k1", CHUNK), big)
                assert len(await take(arriving, 500)) == 500


async def test_the_last_message_needs_no_next_one_to_be_sent(tmp_path: Path) -> None:
    require(find() is not None, "mosquitto")
    process, port = start_mosquitto(tmp_path)
    try:
        async with (
            MqttBus(host="127.0.0.1", port=port, name="fast") as fast,
            MqttBus(host="127.0.0.1", port=port, name="reader") as reader,
        ):
            await asyncio.gather(fast.wait_first_connection(10), reader.wait_first_connection(10))
            async with reader.subscribe(topics.pattern("chunk")) as arriving:
                big = encode(Chunk(STREAM, 0, 0, 250.0, ("II",), bytes(120_000)))
                process.send_signal(signal.SIGSTOP)
                sent = 0
                # until one does not fit into the socket of a broker that does not read
                while not fast._client.want_write() and sent < 500:
                    assert await fast.publish(address("k1", CHUNK), big)
                    sent += 1
                assert fast._client.want_write()
                process.send_signal(signal.SIGCONT)
                assert len(await take(arriving, sent)) == sent
    finally:
        process.send_signal(signal.SIGCONT)
        stop(process)


async def test_tls_and_passwords_come_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(find() is not None, "mosquitto")
    require(find("mosquitto_passwd") is not None, "mosquitto_passwd")
    require(shutil.which("openssl"), "openssl")
    key, certificate, passwords = tmp_path / "key.pem", tmp_path / "cert.pem", tmp_path / "passwords"
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    openssl += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(openssl, check=True, capture_output=True)
    passwd = find("mosquitto_passwd")
    assert passwd is not None
    subprocess.run([passwd, "-b", "-c", str(passwords), "k1", "right"], check=True, capture_output=True)
    config = (
        f"listener {{port}} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
        f"certfile {certificate}\nkeyfile {key}\n"
    )
    with mosquitto(tmp_path, config) as (host, port):
        given = {"HOST": host, "PORT": str(port), "CA": str(certificate), "USERNAME": "k1", "PASSWORD": "right"}
        for name, value in given.items():
            monkeypatch.setenv(f"KIOSK_BROKER_{name}", value)
        settings = Settings()
        assert settings.tls is not None
        assert settings.tls.verify_mode == ssl.CERT_REQUIRED
        async with MqttBus.to(settings, "test") as bus:
            await bus.wait_first_connection(10)
            async with bus.subscribe(topics.pattern("chunk")) as arriving:
                await bus.publish(address("k1", CHUNK), chunk(0))
                await take(arriving, 1)
        monkeypatch.setenv("KIOSK_BROKER_PASSWORD", "wrong")
        async with MqttBus.to(Settings(), "test") as bus:
            with pytest.raises(BusDown, match="refused"):
                await bus.wait_first_connection(2)
        monkeypatch.setenv("KIOSK_BROKER_PASSWORD", "right")
        monkeypatch.delenv("KIOSK_BROKER_CA")
        monkeypatch.setenv("KIOSK_BROKER_TLS", "1")
        async with MqttBus.to(Settings(), "test") as bus:
            with pytest.raises(BusDown, match=r"(?i)certificate"):
                await bus.wait_first_connection(2)
