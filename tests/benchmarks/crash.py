"""A long crash test: kill -9 of sensors, broker, recorder and database while chunks flow.

kiosk bench crash [--rounds 300] [--seed 1] [--databases sqlite,postgresql]
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks._measuring import report
from tests.crash import Line, settle, storm, verdict
from tests.postgres import cluster


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", default="sqlite,postgresql")
    arguments = parser.parse_args()
    rows, problems = [], []
    for name in arguments.databases.split(","):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosk-crash-")))
            server = stack.enter_context(cluster(folder)) if name == "postgresql" else None
            url = server.url() if server else f"sqlite:///{folder / 'kiosk.sqlite'}"
            line = stack.enter_context(Line(folder, server, url))
            started = time.monotonic()
            killed = asyncio.run(storm(line, random.Random(arguments.seed), arguments.rounds))
            asyncio.run(settle(line))
            result = verdict(line)
            problems += result.problems
            kills = ", ".join(f"{count} {victim}" for victim, count in sorted(killed.items()))
            passed = f"{time.monotonic() - started:.0f}"
            rows.append((name, kills, passed, result.emitted, result.stored, result.lost, len(result.problems)))
    report(
        "kill -9 at random moments, messages doubled, delayed and damaged (synthetic data)",
        ("database", "killed", "seconds", "emitted", "stored", "lost, listed", "problems"),
        rows,
    )
    sys.exit("\n".join(problems[:50]) or None)


if __name__ == "__main__":
    main()
