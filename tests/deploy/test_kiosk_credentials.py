"""`kiosk kiosks`: who was added speaks over TLS for themselves, who was revoked is out. A real mosquitto proves it."""

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner, Result

from api.store import kiosks as store
from kiosk import certificates
from kiosk.__main__ import app
from kiosk.broker import HOST
from kiosk.certificates import BadCertificate
from kiosk.credentials import PasswordFile, fits, mosquitto_hash
from kiosk.errors import BusDown
from kiosk.messages import Status, address, encode
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings
from tests import databases
from tests.api.conftest import record
from tests.brokers import find
from tests.conftest import require
from tests.deployed_broker import deployed

NOW = datetime(2025, 6, 1, tzinfo=UTC)
ALIVE = Status("sensors", "running")


class Clinic(NamedTuple):
    """A data folder with a database, and a broker that reads its password file."""

    folder: Path
    secure: int

    def run(self, *words: str, **environment: str) -> Result:
        values = {"KIOSK_DATA": str(self.folder), "KIOSK_BROKER_HOST": HOST, **environment}
        return CliRunner().invoke(app, ["kiosks", *words], env=values)

    def said(self, *words: str) -> dict[str, str]:
        """The settings that a command prints for a kiosk."""
        reach = (
            "--port",
            str(self.secure),
            "--ca",
            str(self.broker / "ca.pem"),
            "--pid-file",
            str(self.broker / "pid"),
        )
        result = self.run(*words, *reach)
        assert result.exit_code == 0, result.output
        return dict(line.split("=", 1) for line in result.stdout.splitlines())

    @property
    def broker(self) -> Path:
        return self.folder / "broker"

    @property
    def passwords(self) -> PasswordFile:
        return PasswordFile(self.broker / "passwords")


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    database = databases.database(folder)
    database.migrate()
    database.close()
    (folder / "broker").mkdir()
    PasswordFile(folder / "broker/passwords").set("recorder", "r-3cord")
    with deployed(folder / "broker") as (_, secure):
        yield Clinic(folder, secure)


def bus_of(said: dict[str, str], name: str = "sensors", **changes: str) -> MqttBus:
    """The bus of a process that was given these settings."""
    values = {name.removeprefix("KIOSK_").lower(): value for name, value in {**said, **changes}.items()}
    return MqttBus.to(Settings.model_validate(values), name)


def recorder_of(said: dict[str, str]) -> MqttBus:
    return bus_of(said, "recorder", KIOSK_BROKER_USERNAME="recorder", KIOSK_BROKER_PASSWORD="r-3cord")


async def refusal(bus: MqttBus, seconds: float = 1.0) -> str:
    """Why there is no connection."""
    async with bus:
        with pytest.raises(BusDown) as error:
            await bus.wait_first_connection(seconds)
    return str(error.value)


async def hears(listener: MqttBus, pattern: str, speaker: MqttBus, topic: str, payload: bytes) -> bool:
    """Whether what is said arrives; what is not hindered needs milliseconds."""
    async with listener.subscribe(pattern) as arriving:
        await speaker.publish(topic, payload)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.4):
                async for delivery in arriving:
                    if delivery.topic == topic:
                        return True
    return False


def test_a_kiosk_that_was_added_speaks_over_tls_with_what_was_printed(clinic: Clinic) -> None:
    said = clinic.said("add", "k-add", "--place", "waiting room")
    assert set(said) == {
        "KIOSK_ID", "KIOSK_BROKER_HOST", "KIOSK_BROKER_PORT", "KIOSK_BROKER_USERNAME", "KIOSK_BROKER_PASSWORD",
        "KIOSK_BROKER_CA",
    }  # fmt: skip
    assert len(said["KIOSK_BROKER_PASSWORD"]) >= 32

    async def speak() -> None:
        async with bus_of(said) as kiosk, recorder_of(said) as recorder:
            await kiosk.wait_first_connection(5)
            await recorder.wait_first_connection(5)
            own = address("k-add", ALIVE)
            assert await hears(recorder, "kiosk/v1/+/status/+", kiosk, own, encode(ALIVE))
            # another's name in the topic, and the words of services
            for topic in (
                "kiosk/v1/k-other/status/sensors",
                "kiosk/v1/k-add/receipt/ecg",
                "kiosk/v1/k-add/command/sensors",
            ):
                assert not await hears(recorder, "kiosk/v1/+/+/+", kiosk, topic, encode(ALIVE)), topic
            # everything is asked for, and nothing of others comes
            for pattern in ("#", "kiosk/v1/+/+/+", "kiosk/v1/k-other/#"):
                foreign = "kiosk/v1/k-other/receipt/ecg"
                assert not await hears(kiosk, pattern, recorder, foreign, b"{}"), pattern
            assert await hears(kiosk, "kiosk/v1/k-add/receipt/+", recorder, "kiosk/v1/k-add/receipt/ecg", b"{}")

    asyncio.run(speak())


def test_a_kiosk_does_not_come_in_as_another(clinic: Clinic) -> None:
    first, second = clinic.said("add", "k-first"), clinic.said("add", "k-second")
    for name, password in (("k-first", second["KIOSK_BROKER_PASSWORD"]), ("recorder", first["KIOSK_BROKER_PASSWORD"])):
        words = asyncio.run(refusal(bus_of(first, KIOSK_BROKER_USERNAME=name, KIOSK_BROKER_PASSWORD=password)))
        assert "ot authori" in words or "user name" in words.lower(), words


def test_who_is_revoked_is_thrown_out_and_the_others_stay(clinic: Clinic) -> None:
    leaving, staying = clinic.said("add", "k-leaving"), clinic.said("add", "k-staying")

    async def live() -> None:
        async with bus_of(leaving) as gone, bus_of(staying) as here:
            await gone.wait_first_connection(5)
            await here.wait_first_connection(5)
            result = await asyncio.to_thread(
                clinic.run, "revoke", "k-leaving", "--pid-file", str(clinic.broker / "pid")
            )
            assert result.exit_code == 0, result.output
            async with asyncio.timeout(5):
                # publish says False as soon as there is no connection
                while await gone.publish(address("k-leaving", ALIVE), encode(ALIVE)):
                    await asyncio.sleep(0.02)
            await asyncio.sleep(1)
            assert gone.connections == 1
            assert here.connections == 1
            assert await here.publish(address("k-staying", ALIVE), encode(ALIVE))
        assert "ot authori" in await refusal(bus_of(leaving))

    asyncio.run(live())
    assert "k-leaving" not in clinic.passwords.users()
    listed = clinic.run("list").stdout.splitlines()
    assert [line.split("\t")[-1] for line in listed if line.startswith("k-leaving\t")] == ["revoked"]
    assert clinic.run("revoke", "k-leaving").exit_code == 2
    # and comes back with another password
    again = clinic.said("add", "k-leaving")
    assert again["KIOSK_BROKER_PASSWORD"] != leaving["KIOSK_BROKER_PASSWORD"]


def test_after_a_rotation_the_old_password_is_worth_nothing(clinic: Clinic) -> None:
    old = clinic.said("add", "k-turn")
    new = clinic.said("rotate", "k-turn")
    assert "ot authori" in asyncio.run(refusal(bus_of(old)))

    async def come_in() -> None:
        async with bus_of(new) as bus:
            await bus.wait_first_connection(5)

    asyncio.run(come_in())


def test_our_client_speaks_to_the_clinic_s_broker_alone(clinic: Clinic, tmp_path: Path) -> None:
    said = clinic.said("add", "k-careful")
    stranger = certificates.ensure(tmp_path / "a", tmp_path / "b", [HOST], datetime.now(UTC))
    assert "CERTIFICATE_VERIFY_FAILED" in asyncio.run(refusal(bus_of(said, KIOSK_BROKER_CA=str(stranger.authority))))
    # the system's authorities do not know the clinic's
    without = {name: value for name, value in said.items() if name != "KIOSK_BROKER_CA"}
    assert "CERTIFICATE_VERIFY_FAILED" in asyncio.run(refusal(bus_of({**without, "KIOSK_BROKER_TLS": "true"})))
    # the right authority for another host
    assert "CERTIFICATE_VERIFY_FAILED" in asyncio.run(refusal(bus_of(said, KIOSK_BROKER_HOST="localhost")))
    # and without TLS nothing is said at all, the password least
    assert asyncio.run(refusal(bus_of(without)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_the_broker_speaks_no_old_tls(clinic: Clinic, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=str(clinic.broker / "ca.pem"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = context.maximum_version = version
    with socket.create_connection((HOST, clinic.secure), 5) as link, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(link, server_hostname=HOST)


def test_a_password_is_printed_once_and_kept_nowhere(clinic: Clinic) -> None:
    password = clinic.said("add", "k-once")["KIOSK_BROKER_PASSWORD"]
    kept = [path for path in clinic.folder.rglob("*") if path.is_file()]
    assert len(kept) > 5
    assert not [path for path in kept if password.encode() in path.read_bytes()]
    assert password not in clinic.run("list").output
    for secret in (clinic.broker / "passwords", clinic.broker / "server.key", clinic.broker / "authority/ca.key"):
        assert secret.stat().st_mode & 0o077 == 0, secret


@pytest.mark.parametrize(
    "name", ["+", "#", "a/b", "recorder", "analytics", "api", "", "a b", "a:b", "$SYS", "k\n", "x" * 65]
)
def test_a_name_that_would_open_other_topics_is_refused(clinic: Clinic, name: str) -> None:
    before = clinic.passwords.users()
    result = clinic.run("add", "--", name)
    assert result.exit_code == 2
    assert "cannot be a kiosk's name" in result.stderr
    assert clinic.passwords.users() == before
    with databases.database(clinic.folder).reading() as db:
        assert store.get(db, name) is None


def test_a_kiosk_that_was_heard_before_it_was_added_is_added(clinic: Clinic) -> None:
    database = databases.database(clinic.folder)
    record(database, ALIVE, kiosk="k-heard")
    database.close()
    clinic.said("add", "k-heard", "--place", "hall")
    listed = clinic.run("list").stdout.splitlines()
    assert [line.split("\t")[2] for line in listed if line.startswith("k-heard\t")] == ["hall"]


def test_adding_twice_or_to_no_clinic_changes_nothing(clinic: Clinic) -> None:
    clinic.said("add", "k-twice")
    before = clinic.passwords.users()
    assert "there already" in clinic.run("add", "k-twice").stderr
    assert "no such clinic" in clinic.run("add", "k-nowhere", "--clinic", "elsewhere").stderr
    assert "may speak" in clinic.run("rotate", "k-nowhere").stderr
    assert clinic.passwords.users() == before


def test_a_kiosk_without_a_password_file_is_not_added(clinic: Clinic) -> None:
    result = clinic.run("add", "k-fileless", "--passwords", "/proc/nowhere/passwords")
    assert result.exit_code == 2
    assert "KIOSK_BROKER_PASSWORD" not in result.stdout
    assert "k-fileless" not in clinic.run("list").stdout


def test_no_other_process_is_sent_a_signal(clinic: Clinic, tmp_path: Path) -> None:
    stale = tmp_path / "pid"
    stale.write_text(str(os.getpid()))
    before = clinic.passwords.users()
    result = clinic.run("add", "k-signal", "--pid-file", str(stale))
    assert result.exit_code == 2
    assert "no mosquitto" in result.stderr
    assert clinic.passwords.users() == before


def test_our_hash_is_mosquitto_s(tmp_path: Path) -> None:
    program = find("mosquitto_passwd")
    require(program, "mosquitto_passwd")
    assert program
    file = tmp_path / "passwords"
    subprocess.run([program, "-c", "-b", str(file), "kiosk-a", "its password"], check=True, capture_output=True)
    (hashed,) = PasswordFile(file).users().values()
    assert fits("its password", hashed)
    assert not fits("another", hashed)
    assert mosquitto_hash("its password", b"123456789012").startswith("$7$101$MTIzNDU2Nzg5MDEy$")


@pytest.mark.parametrize(
    "damaged", ["", "x", "$7$", "$7$101$!!$x", "$7$many$AAAA$x", "$6$AAAA$AAAA", "$7$-1$AAAA$AAAA"]
)
def test_a_damaged_hash_fits_no_password(damaged: str) -> None:
    assert not fits("", damaged)


def test_two_changes_at_once_are_both_kept(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    code = "import sys, pathlib; from kiosk.credentials import PasswordFile as P\nfor n in range(20): P(pathlib.Path(sys.argv[1])).set(sys.argv[2] + str(n), 'x')"  # noqa: E501
    running = [subprocess.Popen([sys.executable, "-c", code, str(file), name]) for name in ("a", "b")]
    assert [each.wait(60) for each in running] == [0, 0]
    assert len(PasswordFile(file).users()) == 40


def test_certificates_stay_while_they_are_good(tmp_path: Path) -> None:
    def make(now: datetime, *hosts: str) -> certificates.Made:
        return certificates.ensure(tmp_path / "a", tmp_path / "b", hosts, now)

    first = make(NOW, "broker", "10.0.0.7")
    authority = (tmp_path / "a/ca.pem").read_bytes()
    assert first.renewed
    assert not make(NOW + timedelta(days=600), "broker", "10.0.0.7").renewed
    assert make(NOW + timedelta(days=700), "broker", "10.0.0.7").renewed
    assert make(NOW + timedelta(days=700), "broker", "clinic.example").renewed
    (tmp_path / "b/server.key").write_bytes(b"damaged")
    assert make(NOW + timedelta(days=700), "broker", "clinic.example").renewed
    # whatever happens, kiosks need no other file
    assert (tmp_path / "a/ca.pem").read_bytes() == (tmp_path / "b/ca.pem").read_bytes() == authority
    with pytest.raises(BadCertificate, match="runs out"):
        make(NOW + timedelta(days=3640), "broker")
    (tmp_path / "a/ca.key").write_bytes(b"damaged")
    with pytest.raises(BadCertificate, match="damaged"):
        make(NOW, "broker")


@pytest.mark.parametrize("host", ["", "a b", "a/b", "https://x", "*.example", "ü.example", "x" * 300])
def test_a_certificate_is_for_a_host(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadCertificate):
        certificates.ensure(tmp_path / "a", tmp_path / "b", [host], NOW)
