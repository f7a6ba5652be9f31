"""R peaks against human annotations, beside neurokit2's default, on the real records that KIOSK_RECORDINGS holds.

KIOSK_RECORDINGS=... kiosk bench accuracy
"""

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.ecg import r_peaks
from analytics.ecg.vote import matched
from tests.analytics.test_ecg_recordings import SEEN, mitbih, stream
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
TOLERANCES = (0.150, 0.050)


def main() -> None:
    """Score every annotated record."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    detectors: dict[str, Callable[[Floats, float], Floats]] = {
        "ours, whole record": r_peaks,
        "ours, live": stream,
        "neurokit2": neurokit,
    }
    rows: list[tuple[str, ...]] = []
    for name in sorted(path.stem for path in (folder / "ecg" / "mitbih").glob("*.npz")):
        x, rate, truth = mitbih(folder, name)
        cells: list[str] = []
        for detector in detectors.values():
            started = time.process_time()
            found = detector(x, rate)
            spent = time.process_time() - started
            hits, strict = (matched(found, truth, tolerance=tolerance) for tolerance in TOLERANCES)
            total = len(found) + len(truth)
            cells += [f"{2 * hits / total:.4f}", f"{2 * strict / total:.4f}", f"{spent:.2f}"]
        rows.append((f"{name}{' (seen)' if name in SEEN else ''}", str(len(truth)), *cells))
    head = [f"{detector}: F1 150 ms" if not index else part for detector in detectors
            for index, part in enumerate(("", "50 ms", "CPU s"))]  # fmt: skip
    report("real: MIT-BIH, 30 min a record, beats by annotators", ("record", "beats", *head), rows)


def neurokit(x: Floats, rate: float) -> Floats:
    """neurokit2's default: clean, then find the peaks."""
    import neurokit2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cleaned = neurokit2.ecg_clean(x, sampling_rate=rate)
        _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=rate)
    return np.asarray(found["ECG_R_Peaks"], dtype=np.float64) / rate


if __name__ == "__main__":
    main()
