"""The whole product on demonstration data, as a newcomer starts it: processes, a temporary folder, free ports."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.login import demo
from tests.brokers import free_port

KIOSK = (sys.executable, "-c", "from kiosk.__main__ import main; main()")
STOP_WITHIN = 40


@dataclass
class Product:
    """Where it is, and what it said."""

    address: str
    station: str | None
    folder: Path
    said: list[str] = field(default_factory=list)
    _tokens: dict[str, str] = field(default_factory=dict)

    def password(self, login: str) -> str:
        """Of one of the demonstration's users."""
        found: dict[str, str] = json.loads((self.folder / demo.FILE).read_text())
        return found[login]

    def get(self, path: str, login: str = demo.CLINICIAN) -> Any:
        """What the API answers to one of them."""
        if login not in self._tokens:
            body = json.dumps({"login": login, "password": self.password(login)}).encode()
            headers = {"content-type": "application/json"}
            asked = urllib.request.Request(f"{self.address}/api/v1/account/login", body, headers)
            with urllib.request.urlopen(asked, timeout=20) as answer:
                self._tokens[login] = json.loads(answer.read())["access"]
        asked = urllib.request.Request(
            f"{self.address}{path}", headers={"Authorization": f"Bearer {self._tokens[login]}"}
        )
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.loads(answer.read())


@contextmanager
def product(folder: Path, *demo_data: str, visit: float = 3600.0) -> Iterator[Product]:
    """Fill a folder, start everything on it, and stop it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    ports = {name: str(free_port()) for name in ("KIOSK_BROKER_PORT", "KIOSK_STATION_PORT")}
    environment |= {**ports, "KIOSK_DATA": str(folder)}
    subprocess.run([*KIOSK, "demo-data", *demo_data], env=environment, check=True)
    command = [*KIOSK, "up", "--data", str(folder), "--port", str(free_port()), "--visit", str(visit)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        else:
            raise RuntimeError(f"kiosk up ended: {''.join(said)}")
        text = "".join(said)
        address = re.search(r"is up: (http://\S+)", text)
        screen = re.search(r"screen\s+(http://\S+?)/?\s", text)
        assert address is not None, text
        threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True).start()
        yield Product(address[1], screen[1] + "/" if screen else None, folder, said)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
