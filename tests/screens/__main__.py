"""`make screenshots`: every page of the whole product on demonstration data, in every language, theme and size.

It fails where a page says an error, an answer is one, or a request would leave the machine.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.screens import pages, sheet, station
from tests.screens.product import product
from tests.screens.walk import Timer, Walk, browser, walk_dashboard

SEEN = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def main() -> int:
    """Make the pictures; 1 where something went wrong."""
    given = argparse.ArgumentParser(prog="python -m tests.screens", description=__doc__)
    given.add_argument("--out", type=Path, default=Path("screenshots"))
    given.add_argument("--people", default="16")
    given.add_argument("--months", default="12")
    given.add_argument("--full-sessions", default="6")
    given.add_argument("--only", default="", help="a part of the names of the dashboard's pages")
    given.add_argument("--no-station", action="store_true")
    asked = given.parse_args()
    shutil.rmtree(asked.out, ignore_errors=True)
    asked.out.mkdir(parents=True)
    walk, timer = Walk(asked.out), Timer()
    made = ("--people", asked.people, "--months", asked.months, "--full-sessions", asked.full_sessions)
    with tempfile.TemporaryDirectory(prefix="kiosk-screens-") as folder, product(Path(folder), *made) as running:
        _say(f"the product is up after {timer}: {running.address}")
        with sync_playwright() as player:
            window = browser(player, *SEEN)
            shots = [each for each in pages.dashboard(running) if asked.only in each.name]
            walk_dashboard(walk, window, running, shots)
            _say(f"{len(walk.pictures)} pictures of the dashboard after {timer}")
            if running.station is not None and not asked.no_station:
                link = station.walk_station(walk, window, running)
                if link is not None:
                    station.walk_link(walk, window, running, link)
            window.close()
    said = f"{len(walk.pictures)} pictures in {timer}. Everything on them is simulated."
    sheet.write(walk, asked.out / "index.html", said)
    for each in (*sorted(walk.missing), *dict.fromkeys(walk.complaints)):
        _say(f"  {each}")
    _say(f"{said} {asked.out / 'index.html'}")
    return 1 if walk.missing or walk.complaints else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
