"""A mosquitto with the very files that are deployed; only ports and paths are replaced."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kiosk import certificates
from kiosk.broker import HOST
from tests.brokers import free_port, mosquitto

DEPLOYED = Path(__file__).parents[1] / "deploy/mosquitto"


def ca(folder: Path) -> Path:
    """The authority's certificate, as a kiosk is given it."""
    return folder / "ca.pem"


@contextmanager
def deployed(folder: Path, hosts: tuple[str, ...] = (HOST,)) -> Iterator[tuple[int, int]]:
    """The plain and the TLS port; in the folder are its password file, its certificates and its pid file."""
    certificates.ensure(folder / "authority", folder, hosts, datetime.now(UTC))
    secure = free_port()
    config = (DEPLOYED / "mosquitto.conf").read_text("utf-8")
    for written, here in (
        ("listener 1883\n", f"listener {{port}} {HOST}\n"),
        ("listener 8883\n", f"listener {secure} {HOST}\n"),
        ("/mosquitto/state/server.pem\n", f"{folder / 'server.pem'}\n"),
        ("/mosquitto/state/server.key\n", f"{folder / 'server.key'}\n"),
        ("/mosquitto/state/passwords\n", f"{folder / 'passwords'}\n"),
        ("/mosquitto/config/acl\n", f"{DEPLOYED / 'acl'}\n"),
    ):
        assert config.count(written) == 1, written
        config = config.replace(written, here)
    with mosquitto(folder, f"{config}\npid_file {folder / 'pid'}\n") as (_, plain):
        yield plain, secure


def trusting(file: Path) -> ssl.SSLContext:
    """A client's context that trusts this authority alone."""
    return ssl.create_default_context(cafile=file)
