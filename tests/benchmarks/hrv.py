"""Heart rate variability: accuracy from detected beats, injected faults, parity with other programs, speed, memory.

    KIOSK_RECORDINGS=... kiosk bench hrv [--part detected|faults|shares|parity|speed|day] [--step 1]

`--step N` injects a fault at every N-th beat only.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Corrected, Intervals
from analytics.correction import correct
from analytics.ecg import r_peaks
from tests.analytics.test_correction import FAULTS, beats, faulty, rmssd
from tests.analytics.test_correction import series as healthy
from tests.benchmarks._hrv_parity import parity
from tests.benchmarks._hrv_speed import day, memory, speed
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
Value = Callable[[Intervals], float | None]

WINDOW = 300.0
SHARES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.10, 0.15, 0.20)
ROUNDS = 4
"""Draws of faults per series and share."""


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--part", choices=("all", "detected", "faults", "shares", "parity", "speed", "day"), default="all"
    )
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--hours", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    if arguments.hours:
        sys.stdout.write(day(folder, arguments.hours))
        return
    parts: dict[str, Callable[[], None]] = {
        "detected": lambda: detected(folder),
        "faults": lambda: faults(folder, arguments.step),
        "shares": lambda: shares(folder),
        "parity": lambda: parity(folder),
        "speed": lambda: speed(folder),
        "day": lambda: memory([_day(hours) for hours in (6, 12, 24)]),
    }
    for name, part in parts.items():
        if arguments.part in ("all", name):
            part()


def _day(hours: int) -> tuple[str, ...]:
    """In a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, "-m", "kiosk", "bench", "hrv", "--hours", str(hours)]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    said = subprocess.run(command, env={**os.environ, **single}, capture_output=True, text=True, check=True)
    return (f"{hours} h", *said.stdout.split())


def value_of(function: Value, given: Corrected) -> float:
    """The value, which these windows are long enough for."""
    value = function(given.intervals)
    assert value is not None
    return value


def detected(folder: Path) -> None:
    """Detected against annotated beats, on windows in which every annotated beat is normal."""
    rows: list[tuple[str, ...]] = []
    every: list[list[float]] = []
    functions: tuple[Value, ...] = (hrv.sdnn, hrv.rmssd, hrv.pnn50)
    for path in sorted((folder / "ecg" / "mitbih").glob("*.npz")):
        with np.load(path) as file:
            rate, symbol = float(file["fs"]), file["symbol"]
            x, truth = file["ecg_adu"] / float(file["adu_per_mV"]), file["r"] / rate
        found = r_peaks(x, rate)
        # where a record's symbols are not complete, a dash is any beat but a ventricular one
        normal = np.isin(symbol, list("NLR/-"))
        errors = []
        for begin in np.arange(0.0, len(x) / rate - WINDOW + 1, WINDOW):
            inside = (truth >= begin) & (truth < begin + WINDOW)
            if not normal[inside].all():
                continue
            near = (found > truth[inside][0] - 0.15) & (found < truth[inside][-1] + 0.15)
            theirs, ours = _as_annotated(truth[inside]), correct(beats(found[near]))
            errors.append([value_of(each, ours) - value_of(each, theirs) for each in functions])
        every += errors
        cells = [f"{value:.2f}" for value in np.median(np.abs(errors), axis=0)] if errors else ["", "", ""]
        rows.append((path.stem, str(len(errors)), *cells))
    middle, worst = np.median(np.abs(every), axis=0), np.max(np.abs(every), axis=0)
    rows.append(("all, median", str(len(every)), *(f"{value:.2f}" for value in middle)))
    rows.append(("all, worst", str(len(every)), *(f"{value:.2f}" for value in worst)))
    report(
        "real: MIT-BIH, 5 min windows of normal beats, |detected and corrected - annotated|",
        ("record", "windows", "SDNN, ms", "RMSSD, ms", "pNN50, points"),
        rows,
    )


def _as_annotated(times: Floats) -> Corrected:
    return Corrected(times, np.ones(len(times) - 1, np.bool_), np.zeros(len(times), np.uint8), np.empty(0))


def faults(folder: Path, step: int) -> None:
    """One fault at a time, at every place of every series; beside neurokit2's correction after the same paper."""
    all_series = healthy(folder)
    rows = []
    for fault in ("none", *FAULTS):
        raw, ours, theirs = [], [], []
        for times in all_series:
            truth = rmssd(times)
            places = range(3, len(times) - 3, step) if fault != "none" else range(1)
            for place in places:
                given = faulty(times, fault, place) if fault != "none" else times
                raw.append(rmssd(given) / truth - 1)
                ours.append(value_of(hrv.rmssd, correct(beats(given))) / truth - 1)
                # a thousand times slower: a sample of the places is enough
                if place % 29 == 3 or fault == "none":
                    theirs.append(rmssd(_neurokit(given)) / truth - 1)
        rows += [
            (fault, name, str(len(values)), *_summary(np.abs(values)))
            for name, values in (("uncorrected", raw), ("ours", ours), ("neurokit2", theirs))
        ]
    report(
        "injected: one fault in 50 real NN series of 5 min, |change of RMSSD| against the series without it",
        ("fault", "correction", "places", "median", "95 %", "worst", "within 5 %"),
        rows,
    )


def _summary(effects: Floats) -> tuple[str, ...]:
    middle, most, worst = np.percentile(effects, (50, 95, 100))
    return f"{middle:.2%}", f"{most:.2%}", f"{worst:.1%}", f"{np.mean(effects <= 0.05):.2%}"


def _neurokit(times: Floats) -> Floats:
    import neurokit2

    whole = np.rint(times * 1000).astype(int) + 1000
    _, found = neurokit2.signal_fixpeaks(whole, sampling_rate=1000, iterative=True, method="Kubios")
    return np.asarray(found, np.float64) / 1000


def shares(folder: Path) -> None:
    """Many faults at once: what the limit of corrected beats rests on."""
    rng = np.random.default_rng(1)
    functions: tuple[Value, ...] = (hrv.mean_rr, hrv.sdnn, hrv.rmssd)
    rows = []
    for share in SHARES:
        told, errors = [], []
        for times in healthy(folder):
            for _ in range(ROUNDS if share else 1):
                given = times
                count = round(share * len(times))
                # from the end, so that a place stays a place
                for place in sorted(rng.choice(np.arange(3, len(times) - 3), count, replace=False))[::-1]:
                    given = faulty(given, FAULTS[rng.integers(len(FAULTS))], int(place))
                found = correct(beats(np.sort(given)))
                told.append(found.share)
                truth = _as_annotated(times)
                errors.append([abs(value_of(each, found) / value_of(each, truth) - 1) for each in functions])
        middle, most = np.median(errors, axis=0), np.percentile(errors, 95, axis=0)
        cells = [f"{a:.2%}, {b:.2%}" for a, b in zip(middle, most, strict=True)]
        rows.append((f"{share:.1%}", f"{np.median(told):.1%}", *cells))
    report(
        "injected: missed, extra, early and late beats at random in 50 real NN series; |error|: median, 95 %",
        ("faults", "corrected", "mean RR", "SDNN", "RMSSD"),
        rows,
    )


if __name__ == "__main__":
    main()
