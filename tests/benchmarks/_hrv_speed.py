"""How long it takes from the wave to every number, beside neurokit2; and how much memory a day needs."""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from threadpoolctl import threadpool_limits

from analytics import ecg, hrv
from analytics.correction import correct
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from tests.analytics.test_correction import beats
from tests.benchmarks._measuring import peak_megabytes, report

Floats = NDArray[np.float64]
RATE = 250
VISIT = 300
CHUNK = 25
VISITOR = Context(age=40.0, sex="male")


def waves(folder: Path) -> list[Floats]:
    """The real records at 250 Hz."""
    found = []
    for path in sorted((folder / "ecg" / "mitbih").glob("*.npz")):
        with np.load(path) as file:
            x = file["ecg_adu"] / float(file["adu_per_mV"])
            found.append(np.asarray(signal.resample_poly(x, 25, round(float(file["fs"]) / 10)), np.float64))
    return found


def ours(x: Floats) -> None:
    """Beats, correction and every measure."""
    corrected = correct(beats(ecg.r_peaks(x, RATE)))
    hrv.findings(corrected, start_ns=0, end_ns=len(x) * SECOND // RATE, quality=None)


def recording(x: Floats) -> Recording:
    """One lead and nothing else."""
    times = np.arange(len(x), dtype=np.int64) * (SECOND // RATE)
    return Recording((Track("ecg", "bench", ("II",), float(RATE), times, x[:, None].astype(np.float32)),))


def whole(x: Floats) -> None:
    """The whole final analysis - rhythm, breath and stress, too - without a second opinion."""
    session(recording(x), VISITOR, vote=False)


def voted(x: Floats) -> None:
    """The same with every second opinion."""
    session(recording(x), VISITOR)


def lean(x: Floats) -> None:
    """neurokit2: clean, peaks, fixpeaks, hrv_time, hrv_frequency."""
    import neurokit2

    cleaned = neurokit2.ecg_clean(x, sampling_rate=RATE)
    _, info = neurokit2.ecg_peaks(cleaned, sampling_rate=RATE)
    _, peaks = neurokit2.signal_fixpeaks(info["ECG_R_Peaks"], sampling_rate=RATE, method="Kubios")
    neurokit2.hrv_time(peaks, sampling_rate=RATE)
    neurokit2.hrv_frequency(peaks, sampling_rate=RATE)


def full(x: Floats) -> None:
    """neurokit2: ecg_process and hrv."""
    import neurokit2

    _, info = neurokit2.ecg_process(x, sampling_rate=RATE)
    neurokit2.hrv(info["ECG_R_Peaks"], sampling_rate=RATE)


def live(x: Floats) -> None:
    """The live analyzer, fed with chunks of a tenth of a second."""
    analyzer = ecg.LiveHeartRate(float(RATE), ("II",))
    times = np.arange(len(x), dtype=np.int64) * (SECOND // RATE)
    samples = x[:, None].astype(np.float32)
    for begin in range(0, len(x), CHUNK):
        analyzer.feed(times[begin : begin + CHUNK], samples[begin : begin + CHUNK])


def speed(folder: Path) -> None:
    """Five minutes of every record through each path; the second run of two counts."""
    # CPU time: threads that wait for work by spinning would count
    threadpool_limits(1)
    visits = [x[: VISIT * RATE] for x in waves(folder)]
    paths: dict[str, Callable[[Floats], None]] = {
        "beats, correction, every measure": ours,
        "whole final analysis, no second opinion": whole,
        "whole final analysis, every second opinion": voted,
        "neurokit2: clean, peaks, fixpeaks, hrv_time, hrv_frequency": lean,
        "neurokit2: ecg_process, hrv": full,
        "live analyzer, chunks of 0.1 s": live,
    }
    spent: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, path in paths.items():
            # what is imported or planned at first use is nobody's speed
            path(visits[0])
            started = time.process_time()
            for x in visits:
                path(x)
            spent[name] = (time.process_time() - started) / len(visits)
    reference = spent["beats, correction, every measure"]
    rows = [
        (name, f"{1000 * each:.1f}", f"{each / reference:.1f}", f"{1000 * each / VISIT:.3f}")
        for name, each in spent.items()
    ]
    report(
        f"real: first 5 min of {len(visits)} MIT-BIH records at 250 Hz, CPU time",
        ("path", "ms a record", "times ours", "ms per second of signal"),
        rows,
    )


def day(folder: Path, hours: int) -> str:
    """CPU seconds of beats, of correction and measures, and of the whole final analysis; peak megabytes of that.

    The records end to end, over and over.
    """
    parts = waves(folder)
    length = hours * 3600 * RATE
    given = recording(np.resize(np.concatenate(parts), length))
    del parts
    before = peak_megabytes(os.getpid())
    started = time.process_time()
    session(given, VISITOR, vote=False)
    entire = time.process_time() - started
    after = peak_megabytes(os.getpid())
    x = given.tracks[0].channel("II")
    started = time.process_time()
    found = ecg.r_peaks(x, RATE)
    middle = time.process_time()
    corrected = correct(beats(found))
    hrv.findings(corrected, start_ns=0, end_ns=length * SECOND // RATE, quality=None)
    ended = time.process_time()
    spent = (middle - started, ended - middle, entire, before, after)
    return " ".join([str(len(found)), *(f"{value:.2f}" for value in spent)])


def memory(rows: list[tuple[str, ...]]) -> None:
    """What days cost."""
    report(
        "real: MIT-BIH records joined at 250 Hz, one core, one process each, no second opinion",
        ("length", "beats", "CPU s: beats", "correction, measures", "all", "peak MB: input", "analysed"),
        rows,
    )
