"""The broker that is deployed lets everyone say and hear their own, and nothing else. A real mosquitto proves it."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from kiosk.asyncapi import ROUTES
from kiosk.broker import HOST
from kiosk.credentials import PasswordFile, fits
from kiosk.messages import KINDS, MAX_PAYLOAD
from tests.brokers import find
from tests.conftest import require
from tests.deployed_broker import DEPLOYED, deployed

PASSWORDS = {
    "recorder": "r-3cord",
    "analytics": "a.na_lytics",
    "api": "4pi",
    "kiosk-a": "first",
    "kiosk-b": "second",
    "demo": "demonstration",
}
ENVIRONMENT = {
    "RECORDER_PASSWORD": PASSWORDS["recorder"],
    "ANALYTICS_PASSWORD": PASSWORDS["analytics"],
    "API_PASSWORD": PASSWORDS["api"],
    "DEMO_PASSWORD": PASSWORDS["demo"],
}
KIOSKS = ("kiosk-a", "kiosk-b")
SERVICES = ("recorder", "analytics", "api")
MARK = "kiosk/v1/kiosk-a/command/mark"


def make_passwords(file: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    program = find("mosquitto_passwd")
    require(program, "mosquitto_passwd")
    assert program
    environment = {"PATH": f"/usr/bin:/bin:{Path(program).parent}", **ENVIRONMENT, **changes}
    script = DEPLOYED / "passwords.sh"
    return subprocess.run(["sh", str(script), str(file)], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A mosquitto with the deployed files; only ports and paths are replaced."""
    folder = tmp_path_factory.mktemp("mosquitto")
    passwords = folder / "passwords"
    made = make_passwords(passwords)
    assert made.returncode == 0, made.stderr
    for name in KIOSKS:
        PasswordFile(passwords).set(name, PASSWORDS[name])
    with deployed(folder) as (chosen, _):
        yield chosen


class Client:
    """A plain MQTT client that waits for each answer of the broker."""

    def __init__(self, port: int, user: str | None, password: str | None = None) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.refused: str | None = None
        self._answered = threading.Event()
        self._granted: list[bool] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user is not None:
            self._client.username_pw_set(user, PASSWORDS[user] if password is None else password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = lambda _c, _u, message: self.received.append((message.topic, bytes(message.payload)))
        self._client.connect(HOST, port)
        self._client.loop_start()
        self.wait()

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.refused = str(reason) if reason.is_failure else None
        self._answered.set()

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        self._granted = [not reason.is_failure for reason in reasons]
        self._answered.set()

    def wait(self) -> None:
        assert self._answered.wait(10)
        self._answered.clear()

    def subscribe(self, *patterns: str) -> list[bool]:
        self._client.subscribe([(pattern, 1) for pattern in patterns])
        self.wait()
        return self._granted

    def publish(self, topic: str, payload: bytes = b"x", qos: int = 1) -> None:
        """Return when the broker has acknowledged (which it also does to what it throws away)."""
        self._client.publish(topic, payload, qos=qos).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def client(port: int, user: str | None, password: str | None = None) -> Iterator[Client]:
    connected = Client(port, user, password)
    try:
        yield connected
    finally:
        connected.close()


def topic(kind: str, kiosk: str) -> str:
    return f"kiosk/v1/{kiosk}/{kind}/name"


def heard_by(port: int, listener: str, pattern: str, speaker: str, said: str) -> bool:
    """Whether a message arrives. A mark sent after it by one who may tells when to stop waiting."""
    with client(port, listener) as ears, client(port, speaker) as mouth, client(port, "api") as marker:
        ears.subscribe(pattern, MARK)
        mouth.publish(said)
        # who may not hear the mark gets a second instead
        marker.publish(MARK)
        deadline = time.monotonic() + (5 if listener in ("recorder", "api", "kiosk-a") else 0.5)
        while time.monotonic() < deadline and MARK not in [where for where, _ in ears.received]:
            time.sleep(0.005)
        return said in [where for where, _ in ears.received]


@pytest.mark.parametrize(("user", "password"), [(None, None), ("recorder", "guess"), ("kiosk-a", PASSWORDS["kiosk-b"])])
def test_nobody_comes_in_without_the_right_password(port: int, user: str | None, password: str | None) -> None:
    with client(port, user, password) as stranger:
        assert stranger.refused is not None


@pytest.mark.parametrize("user", PASSWORDS)
def test_everyone_comes_in_with_it(port: int, user: str) -> None:
    with client(port, user) as known:
        assert known.refused is None


@pytest.mark.parametrize("kind", [kind for kind, route in ROUTES.items() if "sensors" in route.senders])
def test_a_kiosk_speaks_for_itself_alone(port: int, kind: str) -> None:
    assert heard_by(port, "recorder", topic(kind, "+"), "kiosk-a", topic(kind, "kiosk-a"))
    assert not heard_by(port, "recorder", topic(kind, "+"), "kiosk-a", topic(kind, "kiosk-b"))


@pytest.mark.parametrize(
    ("kind", "sender"),
    [(kind, role) for kind, route in ROUTES.items() for role in SERVICES if role not in route.senders]
    + [(kind, "kiosk-a") for kind, route in ROUTES.items() if "sensors" not in route.senders],
)
def test_nobody_says_what_is_not_theirs_to_say(port: int, kind: str, sender: str) -> None:
    assert not heard_by(port, "recorder", topic(kind, "+"), sender, topic(kind, "kiosk-a"))


@pytest.mark.parametrize(
    ("kind", "sender", "receiver"),
    [
        (kind, sender, receiver)
        for kind, route in ROUTES.items()
        for sender in route.senders
        for receiver in route.receivers
    ],
)
def test_every_route_is_open(port: int, kind: str, sender: str, receiver: str) -> None:
    said = topic(kind, "kiosk-b")
    as_user = {"sensors": "kiosk-b"}
    listener, speaker = as_user.get(receiver, receiver), as_user.get(sender, sender)
    with client(port, listener) as ears, client(port, speaker) as mouth:
        assert ears.subscribe(said) == [True]
        mouth.publish(said)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not ears.received:
            time.sleep(0.005)
        assert [where for where, _ in ears.received] == [said]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kiosk_hears_nothing_of_another(port: int, kind: str) -> None:
    speaker = {"receipt": "recorder", "command": "api"}.get(kind, "kiosk-b")
    for pattern in (topic(kind, "kiosk-b"), topic(kind, "+"), "#"):
        assert not heard_by(port, "kiosk-a", pattern, speaker, topic(kind, "kiosk-b"))


def test_analytics_hears_no_readings_and_no_commands(port: int) -> None:
    for kind, speaker in (("reading", "kiosk-a"), ("event", "kiosk-a"), ("command", "api"), ("receipt", "recorder")):
        assert not heard_by(port, "analytics", "kiosk/v1/#", speaker, topic(kind, "kiosk-a"))


def test_the_broker_does_not_tell_about_itself(port: int) -> None:
    with client(port, "recorder") as curious:
        curious.subscribe("$SYS/#", "#")
        time.sleep(0.3)
        assert not curious.received


def test_the_largest_message_passes_and_a_larger_one_does_not(port: int) -> None:
    with client(port, "recorder") as ears, client(port, "kiosk-a") as mouth:
        ears.subscribe(topic("chunk", "+"))
        mouth.publish(topic("chunk", "kiosk-a"), bytes(MAX_PAYLOAD * 11 // 10))
        mouth.publish(topic("chunk", "kiosk-a"), bytes(MAX_PAYLOAD))
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not ears.received:
            time.sleep(0.005)
        assert [len(payload) for _, payload in ears.received] == [MAX_PAYLOAD]


def test_the_health_check_of_the_compose_file_works(port: int) -> None:
    program = find("mosquitto_sub")
    require(program, "mosquitto_sub")
    assert program
    command = [program, "-h", HOST, "-p", str(port), "-u", "api", "-t", "kiosk/v1/+/status/+", "-E", "-W", "4", "-P"]
    assert subprocess.run([*command, PASSWORDS["api"]], check=False, capture_output=True).returncode == 0
    assert subprocess.run([*command, "guess"], check=False, capture_output=True).returncode != 0


def test_passwords_are_hashed_and_for_the_broker_alone(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    assert make_passwords(file).returncode == 0
    text = file.read_text()
    assert [line.partition(":")[0] for line in text.splitlines()] == [*SERVICES, "demo"]
    assert not [password for password in PASSWORDS.values() if password in text]
    assert file.stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir()} == {"passwords", "passwords.lock"}


def test_kiosks_stay_when_the_services_passwords_are_written_again(tmp_path: Path) -> None:
    file = PasswordFile(tmp_path / "passwords")
    assert make_passwords(file.path).returncode == 0
    file.set("kiosk-a", "first")
    before = file.users()
    assert make_passwords(file.path, DEMO_PASSWORD="", API_PASSWORD="another").returncode == 0
    after = file.users()
    assert set(after) == {*SERVICES, "kiosk-a"}
    assert after["kiosk-a"] == before["kiosk-a"]
    assert fits("another", after["api"])


@pytest.mark.parametrize("changes", [{"API_PASSWORD": ""}, {"API_PASSWORD": "with:colon"}])
def test_nobody_is_let_in_without_a_password_that_mosquitto_can_keep(tmp_path: Path, changes: dict[str, str]) -> None:
    made = make_passwords(tmp_path / "passwords", **changes)
    assert made.returncode != 0
    assert "the password of" in made.stderr
    assert "colon" not in made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["passwords.lock"]
