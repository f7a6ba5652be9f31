"""R peaks against human annotations, beside other libraries' defaults, on the real records that KIOSK_RECORDINGS holds.

KIOSK_RECORDINGS=... kiosk bench accuracy [--fit]

With --fit the weights of the evidence for beats are fitted anew and printed, and nothing is scored.
"""

import logging
import os
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics.ecg import r_peaks
from analytics.ecg.vote import pairs
from tests.analytics.stress import electrode_motion, lasting, muscle, scaled
from tests.analytics.test_ecg_recordings import SEEN, mitbih, stream
from tests.benchmarks._fitting_ecg import fitted
from tests.benchmarks._measuring import report

_log = logging.getLogger(__name__)
Floats = NDArray[np.float64]
Detector = Callable[[Floats, float], Floats]
CLEAN = ("100", "103", "119", "123")
"""Records that noise is added to..."""
NOISY_FROM, NOISY_FOR, EXCERPT = 60.0, 120.0, 190.0
"""... from here on, for so many seconds of an excerpt of so many."""
STARTS = (0.0, 600.0, 1200.0)
LEVELS = (12.0, 6.0, 0.0)
"""Decibels."""


@dataclass(frozen=True, slots=True)
class Score:
    """Beats found against beats annotated."""

    same: int
    strict: int
    found: int
    annotated: int
    errors: Floats
    """Of the same beats, in seconds."""
    seconds: float

    @property
    def f1(self) -> float:
        """Within 150 ms."""
        return 2.0 * self.same / max(1, self.found + self.annotated)

    @property
    def cells(self) -> tuple[str, ...]:
        """For a table."""
        strict = 2.0 * self.strict / max(1, self.found + self.annotated)
        sensitivity, predictivity = self.same / max(1, self.annotated), self.same / max(1, self.found)
        jitter = 1000.0 * float(self.errors.std()) if len(self.errors) else float("nan")
        return (*(f"{each:.4f}" for each in (self.f1, strict, sensitivity, predictivity)), f"{jitter:.1f}",
                f"{self.seconds:.2f}")  # fmt: skip


HEAD = ("F1 150 ms", "F1 50 ms", "Se", "PPV", "jitter ms", "CPU s")


def main() -> None:
    """Score every annotated record, then the same with noise."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    if "--fit" in sys.argv[1:]:
        fit(folder)
        return
    detectors: dict[str, Detector] = {
        "ours, whole record": r_peaks,
        "ours, live": stream,
        "neurokit2": neurokit,
        "heartpy": heartpy,
        "wfdb xqrs": xqrs,
        "mne": mne,
    }
    for detector in detectors.values():
        # imports and first calls are not what is measured
        detector(mitbih(folder, "100")[0][:21600], 360.0)
    records(folder, detectors)
    noisy(folder, detectors)


def fit(folder: Path) -> None:
    """What analytics/ecg/evidence.py should hold."""
    with np.printoptions(linewidth=120, suppress=True, formatter={"float_kind": "{:.3f}".format}):
        for name, weights in zip(("FIRST", "SECOND"), fitted(folder), strict=True):
            sys.stdout.write(f"{name} = {np.array2string(weights, separator=', ')}\n")


def records(folder: Path, detectors: dict[str, Detector]) -> None:
    """Every annotated record as it is."""
    rows: list[tuple[str, ...]] = []
    scores: dict[str, dict[str, Score]] = defaultdict(dict)
    for name in sorted(path.stem for path in (folder / "ecg" / "mitbih").glob("*.npz")):
        x, rate, truth = mitbih(folder, name)
        for label, detector in detectors.items():
            scores[label][name] = scored(detector, x, rate, truth)
            marked = f"{name} (seen)" if name in SEEN else name
            rows.append((marked, str(len(truth)), label, *scores[label][name].cells))
    report("real: MIT-BIH, 30 min a record, beats by annotators", ("record", "beats", "detector", *HEAD), rows)
    report(
        "real: the same, together",
        ("detector", "records", "worst F1", *HEAD),
        [
            (label, kind, f"{min(score.f1 for score in some):.4f}", *pooled(some).cells)
            for label, each in scores.items()
            for kind, some in (
                ("all", list(each.values())),
                ("not seen", [score for name, score in each.items() if name not in SEEN]),
            )
        ],
    )


def noisy(folder: Path, detectors: dict[str, Detector]) -> None:
    """Clean records with noise: F1 in the noisy minutes alone, and worst record."""
    # the weights were fitted with the first half
    motion = np.array_split(electrode_motion(folder), 2)[1]
    rows: list[tuple[str, ...]] = []
    for kind, decibels in ((kind, level) for kind in ("electrode motion", "synthetic muscle") for level in LEVELS):
        scores: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
        for name in CLEAN:
            x, rate, truth = mitbih(folder, name)
            for seed, start in enumerate(STARTS):
                part = x[round(start * rate) : round((start + EXCERPT) * rate)].copy()
                beats = truth[(truth >= start) & (truth < start + EXCERPT)] - start
                begin, count = round(NOISY_FROM * rate), round(NOISY_FOR * rate)
                noise = muscle(count, rate, seed) if "muscle" in kind else lasting(motion, count, seed)
                part[begin : begin + count] += scaled(noise, x, truth, rate, decibels)
                for label, detector in detectors.items():
                    scores[label][name].append(
                        scored(detector, part, rate, beats, (NOISY_FROM, NOISY_FROM + NOISY_FOR))
                    )
        for label, each in scores.items():
            worst = min(pooled(some).f1 for some in each.values())
            everything = [score for some in each.values() for score in some]
            rows.append((f"{kind} {decibels:.0f} dB", label, f"{worst:.4f}", *pooled(everything).cells))
    report(
        f"real records {', '.join(CLEAN)} with noise: real electrode motion (noise stress test) or synthetic muscle",
        ("noise", "detector", "worst F1", *HEAD),
        rows,
    )


def scored(
    detector: Detector, x: Floats, rate: float, truth: Floats, within: tuple[float, float] = (-np.inf, np.inf)
) -> Score:
    """A detector's beats against the annotated ones, where both lie within these seconds."""
    started = time.process_time()
    try:
        found = detector(x, rate)
    except Exception as error:
        _log.warning("a detector failed and found nothing: %s", error)
        found = np.empty(0)
    seconds = time.process_time() - started
    found, truth = (times[(times >= within[0]) & (times < within[1])] for times in (found, truth))
    same = np.array(pairs(found, truth, tolerance=0.150), dtype=np.intp).reshape(-1, 2)
    errors = found[same[:, 0]] - truth[same[:, 1]]
    strict = len(pairs(found, truth, tolerance=0.050))
    return Score(len(same), strict, len(found), len(truth), errors, seconds)


def pooled(scores: list[Score]) -> Score:
    """All beats together."""
    return Score(
        same=sum(score.same for score in scores),
        strict=sum(score.strict for score in scores),
        found=sum(score.found for score in scores),
        annotated=sum(score.annotated for score in scores),
        errors=np.concatenate([score.errors for score in scores]),
        seconds=sum(score.seconds for score in scores),
    )


def neurokit(x: Floats, rate: float) -> Floats:
    """neurokit2's default: clean, then find the peaks."""
    import neurokit2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cleaned = neurokit2.ecg_clean(x, sampling_rate=rate)
        _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=rate)
    return np.asarray(found["ECG_R_Peaks"], dtype=np.float64) / rate


def heartpy(x: Floats, rate: float) -> Floats:
    """heartpy's default: process, and the peaks that it did not reject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import heartpy

        data, _ = heartpy.process(x, rate)
    kept = np.asarray(data["binary_peaklist"], dtype=np.bool_)
    return np.asarray(data["peaklist"], dtype=np.float64)[kept] / rate


def xqrs(x: Floats, rate: float) -> Floats:
    """wfdb's XQRS with its learning phase."""
    from wfdb.processing import xqrs_detect

    return np.asarray(xqrs_detect(sig=x, fs=rate, verbose=False), dtype=np.float64) / rate


def mne(x: Floats, rate: float) -> Floats:
    """mne's qrs_detector with its automatic threshold."""
    from mne.preprocessing.ecg import qrs_detector

    logging.getLogger("mne").setLevel(logging.ERROR)
    return np.asarray(qrs_detector(rate, x, verbose="ERROR"), dtype=np.float64) / rate


if __name__ == "__main__":
    main()
