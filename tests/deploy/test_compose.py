"""What is deployed, read as it stands: nothing is published beyond this machine, no secret is written down."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from kiosk.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "health-kiosk"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE))
SETTINGS = {f"KIOSK_{name.upper()}": field for name, field in Settings.model_fields.items()}
# ours to read, and no setting: it says where the process runs
MARKS = {"KIOSK_IN_CONTAINER"}


def texts(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [text for value in part.values() for text in texts(value)]
    if isinstance(part, list):
        return [text for value in part for text in texts(value)]
    return [part] if isinstance(part, str) else []


def variables(text: str) -> list[tuple[str, str]]:
    """Name and modifier of each ${...} that compose fills in; `$$` is a dollar for the container."""
    return re.findall(r"(?<!\$)\$\{([A-Z_]+)(:[-?][^}]*)?\}", text)


def test_every_setting_is_in_the_example_with_its_default() -> None:
    assert {name for name in EXAMPLE if name.startswith("KIOSK_")} == set(SETTINGS)
    for name, field in SETTINGS.items():
        default = field.default
        assert default is not PydanticUndefined, f"{name} has no default"
        shown = EXAMPLE[name].replace("~", str(Path.home()), 1)
        if default is None:
            assert shown == "", name
        elif isinstance(default, bool):
            assert shown == str(default).lower(), name
        else:
            assert type(default)(shown) == default, name


def test_the_example_holds_no_secret() -> None:
    others = {"KIOSK_DATABASE_URL", "KIOSK_KEYS_URL", "KIOSK_MASTER_KEY", "KIOSK_OIDC_CLIENT_SECRET",
              "KIOSK_ASSISTANT_KEY"}  # fmt: skip
    secrets = [name for name in EXAMPLE if "PASSWORD" in name or name in others]
    assert len(secrets) >= 7
    assert not [name for name in secrets if EXAMPLE[name]]
    # settings that hide their value are among them
    hidden = [name for name, field in SETTINGS.items() if SecretStr in getattr(field.annotation, "__args__", ())]
    assert set(hidden) <= set(secrets)


def test_what_compose_asks_for_is_in_the_example() -> None:
    asked = {name for text in texts(SERVICES) for name, _ in variables(text)}
    assert asked <= set(EXAMPLE)
    assert {name for name in EXAMPLE if not name.startswith("KIOSK_")} <= asked


def test_secrets_come_from_the_environment_and_are_asked_for() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if value and ("PASSWORD" in variable or variable in {"KIOSK_DATABASE_URL", "KIOSK_MASTER_KEY"}):
                found = variables(value)
                assert found, f"{name}: {variable} is written down"
                optional = name == "sensors" or variable == "DEMO_PASSWORD"
                assert optional or all(modifier.startswith(":?") for _, modifier in found), f"{name}: {variable}"


def test_processes_are_given_settings_that_exist() -> None:
    for name in OURS:
        given = {variable for variable in SERVICES[name]["environment"] if variable.startswith("KIOSK_")}
        assert given <= set(SETTINGS), name
        # without a value it is taken from deploy/.env, where the example says so
        assert {variable for variable, value in SERVICES[name]["environment"].items() if value is None} <= set(EXAMPLE)
    given = set(re.findall(r"\b(KIOSK_[A-Z_]+)=", DOCKERFILE))
    assert given <= set(SETTINGS) | MARKS


def test_ports_are_published_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    # the broker's TLS port alone may be published elsewhere, by whoever says so
    elsewhere = [port for port in ports if not port.startswith("127.0.0.1:")]
    assert len(ports) == 3
    assert elsewhere == ["${BROKER_ADDRESS:-127.0.0.1}:${BROKER_TLS_PORT:-8883}:8883"]
    assert elsewhere[0] in SERVICES["broker"]["ports"]
    assert not [name for name, service in SERVICES.items() if service.get("network_mode") == "host"]


def test_every_service_is_watched_and_comes_back() -> None:
    once = {"broker-passwords", "certificates", "kiosks", "migrate"}
    for name, service in SERVICES.items():
        assert service["restart"] == ("no" if name in once else "unless-stopped"), name
        # the API's is the image's
        check = service.get("healthcheck")
        assert check or name == "api", name
        if check and not check.get("disable"):
            assert {"test", "interval", "timeout", "retries", "start_period"} <= set(check), name


def test_services_wait_for_what_they_need() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            disabled = SERVICES[other].get("healthcheck", {}).get("disable", False)
            wanted = "service_completed_successfully" if disabled else "service_healthy"
            assert how["condition"] == wanted, f"{name} waits for {other}"


def test_volumes_are_declared_and_used() -> None:
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {volume for volume in mounted if not volume.startswith(".")} == set(COMPOSE["volumes"])
    for path in (volume for volume in mounted if volume.startswith(".")):
        assert (DEPLOY / path).exists()
    assert "database:/var/lib/postgresql/data" in SERVICES["database"]["volumes"]


def test_the_database_commits_to_the_disk() -> None:
    assert {"synchronous_commit=on", "fsync=on", "full_page_writes=on"} <= set(SERVICES["database"]["command"])
    assert int(SERVICES["database"]["image"].partition(":")[2]) >= 15


def test_our_processes_have_no_rights_to_spare() -> None:
    assert set(OURS) == {"certificates", "kiosks", "migrate", "recorder", "analytics", "api", "sensors"}
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert not service.get("privileged")
        # the tool that writes two owners' files is no service, and gone when it has
        assert "cap_add" not in service or service["profiles"] == ["tools"]
    assert SERVICES["sensors"]["profiles"] == ["demo"]


def test_each_process_has_a_user_of_its_own_at_the_broker() -> None:
    users = {name: SERVICES[name]["environment"].get("KIOSK_BROKER_USERNAME") for name in OURS}
    assert users == {
        "certificates": None,
        "kiosks": None,
        "migrate": None,
        "recorder": "recorder",
        "analytics": "analytics",
        "api": "api",
        "sensors": SERVICES["sensors"]["environment"]["KIOSK_ID"],
    }


def test_keys_lie_apart_from_what_they_open() -> None:
    with_database = [name for name in OURS if "KIOSK_DATABASE_URL" in SERVICES[name]["environment"]]
    for name in OURS:
        volumes = {volume.partition(":")[0] for volume in SERVICES[name].get("volumes", [])}
        assert ("keys" in volumes) == ("KIOSK_KEYS_URL" in SERVICES[name]["environment"]) == (name in with_database), (
            name
        )
    assert "keys" not in str(SERVICES["database"].get("volumes"))
    # the master key is on no volume at all
    assert not [name for name in OURS if "KIOSK_MASTER_KEY_FILE" in SERVICES[name]["environment"]]


@pytest.mark.parametrize(
    ("service", "beginnings"),
    [("recorder", ("KIOSK_UPLOAD_", "KIOSK_KEEP_")), ("api", ("KIOSK_OIDC_", "KIOSK_RESEARCH_", "KIOSK_UPLOAD_BYTES"))],
)
def test_what_a_process_reads_can_be_set(service: str, beginnings: tuple[str, ...]) -> None:
    wanted = {name for name in SETTINGS if name.startswith(beginnings)}
    assert wanted <= set(SERVICES[service]["environment"])
    assert all("KIOSK_LOG_FORMAT" in SERVICES[name]["environment"] for name in OURS if name != "certificates")


def test_the_image_can_back_up_the_database() -> None:
    server = SERVICES["database"]["image"].partition(":")[2]
    # the same version: an older pg_dump refuses, and what a newer one writes an older server cannot read
    assert f"postgresql-client-{server} " in DOCKERFILE


def test_only_those_reach_the_database_who_own_it() -> None:
    assert [name for name in OURS if "KIOSK_DATABASE_URL" in SERVICES[name]["environment"]] == [
        "kiosks",
        "migrate",
        "recorder",
        "api",
    ]


@pytest.mark.parametrize("name", OURS)
def test_the_commands_exist(name: str) -> None:
    from typer.testing import CliRunner

    from kiosk.__main__ import app

    # --help parses what stands before it, so that a wrong word or option fails, and runs nothing
    before = SERVICES[name].get("entrypoint", ["kiosk"])[1:]
    result = CliRunner().invoke(app, [*before, *SERVICES[name]["command"], "--help"])
    assert result.exit_code == 0, result.output


def test_the_image_is_built_from_the_lock_and_does_not_run_as_root() -> None:
    assert len(re.findall(r"^FROM python:3\.12-slim\b", DOCKERFILE, re.MULTILINE)) == 2
    installs = re.findall(r"pip (?:install|wheel) [^&\n]*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--no-deps" in call and ("--require-hashes" in call or "--no-index" in call) for call in installs)
    assert re.search(r"^USER kiosk$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", DOCKERFILE, re.MULTILINE)


def test_the_build_sees_sources_alone() -> None:
    let_in = re.findall(r"^!(.+)$", (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert sorted(set(copied)) == sorted(let_in)
    assert all((ROOT / path).exists() for path in let_in)
    for package in ("kiosk", "sensors", "analytics", "api"):
        assert package in let_in


def test_the_passwords_file_of_compose_is_ignored_by_git() -> None:
    assert "/.env" in (DEPLOY / ".gitignore").read_text("utf-8").splitlines()
