"""Settings: a wrong one is named, never shown; a secret is never printed."""

from pathlib import Path

import pytest

from kiosk import settings
from kiosk.errors import BadSettings
from kiosk.settings import Settings

SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KIOSK_{name.upper()}", raising=False)
    monkeypatch.delenv("KIOSK_IN_CONTAINER", raising=False)


def test_everything_has_a_default() -> None:
    loaded = settings.load()
    assert (loaded.id, loaded.broker_host, loaded.broker_port) == ("kiosk-1", "127.0.0.1", 1883)
    assert loaded.database == f"sqlite:///{loaded.data}/kiosk.sqlite"
    assert loaded.outbox == loaded.data / "outbox-kiosk-1.sqlite"
    assert loaded.tls is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIOSK_ID", "a/b-hunter2"),
        ("KIOSK_ID", "hunter2+"),
        ("KIOSK_ID", ""),
        ("KIOSK_BROKER_PORT", "hunter2"),
        ("KIOSK_BROKER_PORT", "70123"),
        ("KIOSK_BROKER_TLS", "hunter2"),
        ("KIOSK_OUTBOX_BYTES", "-70123"),
        ("KIOSK_CLOSE_AFTER", "hunter2"),
        ("KIOSK_SILENCE_ENDS", "-70123"),
        ("KIOSK_HTTP_HOST", "hunter2.example.com"),
        ("KIOSK_HTTP_PORT", "70123"),
        ("KIOSK_METRICS_PORT", "hunter2"),
        ("KIOSK_LOG_LEVEL", "hunter2"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=f"^{name}: ") as caught:
        settings.load()
    # neither here nor in a traceback
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not value or value not in str(caught.value)


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_BROKER_PORT", "none")
    monkeypatch.setenv("KIOSK_HTTP_PORT", "none")
    with pytest.raises(BadSettings, match=r"KIOSK_BROKER_PORT: .*KIOSK_HTTP_PORT: "):
        settings.load()


def test_secrets_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_BROKER_PASSWORD", SECRET)
    monkeypatch.setenv("KIOSK_DATABASE_URL", f"postgresql://kiosk:{SECRET}@db/kiosk")
    loaded = settings.load()
    for text in (repr(loaded), str(loaded), f"{loaded}", loaded.model_dump_json(), str(loaded.model_dump())):
        assert SECRET not in text
    assert loaded.broker_password is not None
    assert loaded.broker_password.get_secret_value() == SECRET


def test_secrets_are_not_printed_after_they_were_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_DATABASE_URL", f"postgresql://kiosk:{SECRET}@db/kiosk")
    loaded = settings.load()
    assert SECRET in loaded.database
    assert SECRET not in repr(loaded)
    assert SECRET not in loaded.model_dump_json()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_plain_database_addresses_get_our_driver(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("KIOSK_DATABASE_URL", f"{scheme}://kiosk@db/kiosk")
    assert settings.load().database == "postgresql+psycopg://kiosk@db/kiosk"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
def test_pages_stay_on_this_machine_outside_a_container(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("KIOSK_HTTP_HOST", host)
    with pytest.raises(BadSettings, match=r"KIOSK_HTTP_HOST: .*this machine only, unless"):
        settings.load()
    monkeypatch.setenv("KIOSK_IN_CONTAINER", "1")
    assert settings.load().http_host == host


def test_tls_that_cannot_be_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIOSK_BROKER_CA", str(tmp_path / "absent.pem"))
    with pytest.raises(BadSettings, match="TLS for the broker"):
        _ = settings.load().tls
    (tmp_path / "absent.pem").write_text("no certificate")
    with pytest.raises(BadSettings, match="TLS for the broker"):
        _ = settings.load().tls


def test_tls_is_on_by_a_word_and_not_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_BROKER_TLS", "true")
    context = settings.load().tls
    assert context is not None
    assert context.minimum_version.name == "TLSv1_2"
    assert context.check_hostname


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings.load()
    with pytest.raises(ValueError, match="frozen"):
        loaded.id = "other"  # type: ignore[misc]


def test_a_child_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KIOSK_BROKER_PASSWORD", SECRET)
    monkeypatch.setenv("KIOSK_DATA", str(tmp_path))
    monkeypatch.setenv("KIOSK_METRICS_PORT", "9100")
    monkeypatch.setenv("KIOSK_BROKER_TLS", "true")
    loaded = settings.load()
    environment = settings.child_environment(loaded)
    assert "KIOSK_BROKER_CA" not in environment
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert settings.load() == loaded


@pytest.mark.parametrize("given", [{"KIOSK_BEHIND_PROXY": "true"}, {"KIOSK_HTTP_CERT": "c", "KIOSK_HTTP_KEY": "k"}])
def test_pages_leave_this_machine_over_tls(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KIOSK_HTTP_HOST", "0.0.0.0")
    loaded = settings.load()
    assert loaded.http_host == "0.0.0.0"
    assert loaded.https


def test_a_certificate_and_its_key_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_HTTP_KEY", "key.pem")
    with pytest.raises(BadSettings, match=r"KIOSK_HTTP_KEY: .*go together"):
        settings.load()


@pytest.mark.parametrize(
    "value", ["kiosk", "*.example.org", "https://kiosk.example.org", "a.example:8000", "a..b", "-a.b"]
)
def test_names_of_the_server_are_host_names(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KIOSK_HTTP_NAMES", value)
    with pytest.raises(BadSettings, match="KIOSK_HTTP_NAMES: "):
        settings.load()
    monkeypatch.setenv("KIOSK_HTTP_NAMES", "Kiosk.Example.org, two.example.org,")
    assert settings.load().host_names == {"kiosk.example.org", "two.example.org"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KIOSK_BROKER_PASSWORD", "changeme"),
        ("KIOSK_BROKER_PASSWORD", "Password123"),
        ("KIOSK_BROKER_PASSWORD", "mosquitto"),
        ("KIOSK_DATABASE_URL", "postgresql://kiosk:postgres@db/kiosk"),
        ("KIOSK_DATABASE_URL", "postgresql://kiosk:change%2Dme@db/kiosk"),
        ("KIOSK_KEYS_URL", "postgres://kiosk:secret@db/keys"),
        ("KIOSK_MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ],
)
def test_secrets_that_everybody_knows_are_refused_outside_a_demonstration(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=f"^{name}: .*everybody knows") as caught:
        settings.load()
    assert value not in str(caught.value)
    monkeypatch.setenv("KIOSK_DEMO", "true")
    settings.load()
