"""The camera's pulse beside seven published methods and the shipped network, in tables that are never mixed.

KIOSK_RECORDINGS=... kiosk bench rppg [--part real,injected,synthetic,rendered,nobody,speed] [--quick]

real: fingers before a phone's camera beside a chest strap. injected: a real face clip with a known pulse multiplied
into its skin. synthetic: the simulated visitor's colours. rendered: films of a simulated visitor, synthetic as well,
through the observer. nobody: what has no blood; every number told of it is wrong.
Rivals are given the mean colour of the whole face as our observer sees it, at true times.
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks import _rppg_injected, _rppg_nobody, _rppg_real, _rppg_rendered, _rppg_speed, _rppg_synthetic

PARTS = "real,injected,synthetic,rendered,nobody,speed"


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=PARTS)
    parser.add_argument("--quick", action="store_true", help="a taste of every part, in less than a minute")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--per-cell", type=int, default=1, help="pulses per scene and amplitude (injected)")
    parser.add_argument("--windows", type=int, default=3000, help="without a living face (nobody)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first window (nobody)")
    parser.add_argument("--vp9", action="store_true", help="encode to VP9 as well, which takes minutes (injected)")
    arguments = parser.parse_args()
    # workers are many enough: a library's own threads would only wait for each other
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    named = os.environ.get("KIOSK_RECORDINGS")
    folder = Path(named) if named else None
    quick, workers = arguments.quick, arguments.workers
    parts: dict[str, Callable[[], None]] = {
        "real": partial(_with, folder, "real", _rppg_real.run),
        "injected": partial(
            _with,
            folder,
            "injected",
            partial(
                _rppg_injected.run,
                quick=quick,
                workers=workers,
                per_cell=arguments.per_cell,
                slow_codec=arguments.vp9,
            ),
        ),
        "synthetic": partial(_rppg_synthetic.run, quick=quick, workers=workers),
        "rendered": partial(_rppg_rendered.run, quick=quick, workers=workers),
        "nobody": partial(
            _rppg_nobody.run, folder, quick=quick, workers=workers, windows=arguments.windows, seed=arguments.seed
        ),
        "speed": partial(_rppg_speed.run, quick=quick),
    }
    unknown = set(arguments.part.split(",")) - set(parts)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {PARTS}")
    for part in arguments.part.split(","):
        parts[part]()


def _with(folder: Path | None, part: str, work: Callable[[Path], None]) -> None:
    if folder is None:
        sys.stdout.write(f"{part}: KIOSK_RECORDINGS names no folder of real recordings; this part was left out\n")
    else:
        work(folder)


if __name__ == "__main__":
    main()
