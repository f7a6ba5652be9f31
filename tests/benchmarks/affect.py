"""Brain, voice and what they say together, in tables that are never mixed.

KIOSK_RECORDINGS=... kiosk bench affect [--part eeg,voice,familiar,fusion,lag] [--quick]

eeg: rest and arithmetic, eyes open and closed, beside plain mne and scikit-learn. voice: speaker-disjoint, per corpus
and across corpora, in noise and reverberation, float against int8. familiar: what the
voice network never heard. fusion: all subsets of four modalities of a stress recording; one modality that lies; lost
packets. lag: what networks cost live analysis.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

PARTS = ("eeg", "voice", "familiar", "fusion", "lag")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a taste of every part")
    arguments = parser.parse_args()
    parts = arguments.part.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named or not Path(named).is_dir():
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    for part in parts:
        # each brings libraries that take seconds to import
        importlib.import_module(f"tests.benchmarks._affect_{part}").run(Path(named), quick=arguments.quick)


if __name__ == "__main__":
    main()
