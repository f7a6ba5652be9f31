"""The pages in headless chromium: how long the strip of a day takes to follow the wheel, what the wall costs.

    kiosk bench pages [--part strip,wall] [--hours 24] [--kiosks 50]

Everything is made up and on this machine: server, database and browser share its cores.
"""

import argparse

from tests.benchmarks import _pages_strip, _pages_wall
from tests.benchmarks._measuring import report

PARTS = ("strip", "wall")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS))
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--kiosks", type=int, default=50)
    arguments = parser.parse_args()
    parts = arguments.part.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if "strip" in parts:
        report("zoom of the full-disclosure strip, ms", _pages_strip.HEAD, _pages_strip.run(arguments.hours))
    if "wall" in parts:
        cost = _pages_wall.run(arguments.kiosks)
        report(
            "the live wall, shares of a core",
            ("what", "cost"),
            [(name, f"{value:.2f}") for name, value in _shares(cost)],
        )


def _shares(cost: _pages_wall.Cost) -> list[tuple[str, float]]:
    return [("browser", cost.browser), ("server", cost.server)]


if __name__ == "__main__":
    main()
