"""What the benchmarks share: processes with their CPU and memory, percentiles, and a table."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

TICKS = os.sysconf("SC_CLK_TCK")


def kiosk_process(folder: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """A process of the product, its output in `folder`."""
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", "from kiosk.__main__ import main; main()", *arguments],
            env=dict(environment),
            stdout=log,
            stderr=log,
        )


def environment(folder: Path, port: int, **more: str) -> dict[str, str]:
    """This environment with the settings of a benchmark and none of the user's."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    return {**mine, "KIOSK_DATA": str(folder), "KIOSK_BROKER_PORT": str(port), "KIOSK_LOG_LEVEL": "WARNING", **more}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99."""
    p50, p95, p99 = np.percentile(np.asarray(values), (50, 95, 99))
    return float(p50), float(p95), float(p99)


def report(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table, with the machine that it was measured on."""
    table = Table(
        *head, title=title, caption=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=160).print(table)
