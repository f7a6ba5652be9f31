"""Breaths per minute from belt, ECG and PPG against breaths counted by eye, beside neurokit2, in windows of 32 s.

KIOSK_RECORDINGS=... kiosk bench respiration

Real recordings first; then simulated visitors and generated noise, which verify the code and no accuracy.
"""

import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import respiration
from analytics.beats import Beats
from analytics.filters import filled
from kiosk.recording import Track
from sensors import files
from sensors.drivers.simulated import Body, Person
from tests.analytics.test_respiration import RATE, breathless, hearts, track
from tests.analytics.test_respiration_recordings import (
    BEDS,
    UNCLEAR,
    WINDOW,
    beats,
    bed,
    between,
    breaths_by_eye,
    part,
    told,
    windows,
)
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
SEEDS = 60
"""Of each generator of noise, for both lengths of a window."""


@dataclass(slots=True)
class Tally:
    """Errors of the windows that got a number, and what all of them cost."""

    errors: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def cells(self, count: int) -> tuple[str, ...]:
        """Answered, mean absolute error, limits of agreement, worst."""
        if not self.errors:
            return (f"0/{count}", "", "", "")
        errors = np.array(self.errors)
        spread = 1.96 * errors.std(ddof=1) if len(errors) > 1 else 0.0
        limits = f"{errors.mean() - spread:+.1f} .. {errors.mean() + spread:+.1f}" if len(errors) > 2 else ""
        return (f"{len(errors)}/{count}", f"{np.abs(errors).mean():.2f}", limits, f"{np.abs(errors).max():.1f}")


def main() -> None:
    """Compare on every recording, then verify on what was generated."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    import neurokit2  # noqa: F401  so that its import is in nobody's time

    head = ("MAE", "95 % limits", "worst")
    report(
        "real, none held back: windows of 32 s, per minute; breaths by eye; the same beats for both",
        ("record", "source", "ours", *head, "neurokit2", *head, "MAE where ours answers", "time, ours = 1"),
        compared(folder),
    )
    report("real: belts too irregular to count by eye", ("record", "ours", "reason"), unclear(folder))
    report(
        "synthetic (verifies the code): visitors of 96 s, 3 seeds a rate: numbers given, worst error per minute",
        ("breaths", "heart", "belt", "ECG", "PPG", "fused"),
        simulated(),
    )
    report(
        "synthetic: numbers from what does not breathe, windows of 32 s and 64 s",
        ("generator", "windows", "belt"),
        invented(),
    )


def compared(folder: Path) -> Iterator[tuple[str, ...]]:
    """A row per record and source."""
    for name in BEDS:
        of = bed(folder, name)
        truth = list(windows(of.breath, breaths_by_eye(of.breath)))
        for source in (of.breath, *of.hearts):
            found = None if source is of.breath else beats(source)
            ours, theirs, shared = Tally(), Tally(), Tally()
            for start, true in truth:
                cut = part(source, start)
                heart = None if found is None else between(found, start, start + WINDOW)
                begun = time.process_time()
                value = told(cut, heart).value
                ours.seconds += time.process_time() - begun
                ours.errors += [] if value is None else [value - true]
                begun = time.process_time()
                other = neurokit(cut, heart)
                theirs.seconds += time.process_time() - begun
                theirs.errors += [] if other is None else [other - true]
                # those that we left out may be the hard ones
                shared.errors += [] if other is None or value is None else [other - true]
            count = len(truth)
            label = f"{source.signal} {source.channels[0]}"
            ratio = f"{theirs.seconds / ours.seconds:.1f}"
            same = f"{shared.cells(count)[1]} ({len(shared.errors)})"
            yield (name, label, *ours.cells(count), *theirs.cells(count), same, ratio)


def neurokit(cut: Track, heart: Beats | None) -> float | None:
    """neurokit2's rate: of a belt by its process; of beats, the same beats as ours, by ecg_rsp and rsp_rate."""
    import neurokit2

    assert cut.rate is not None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if heart is None:
                x = filled(cut.samples[:, 0].astype(np.float64))
                told, _ = neurokit2.rsp_process(x, sampling_rate=round(cut.rate))
                rates = told["RSP_Rate"]
            else:
                at = np.rint((heart.times - cut.seconds[0]) * cut.rate).astype(int)
                beat = neurokit2.signal_rate(at, sampling_rate=round(cut.rate), desired_length=len(cut.times))
                breath = neurokit2.ecg_rsp(beat, sampling_rate=round(cut.rate))
                rates = neurokit2.rsp_rate(breath, sampling_rate=round(cut.rate))
        known = np.asarray(rates, dtype=np.float64)
        known = known[np.isfinite(known)]
    except Exception:
        # what it says of some windows is an error of its own
        return None
    return float(known.mean()) if len(known) else None


def unclear(folder: Path) -> Iterator[tuple[str, ...]]:
    """A row per belt that nobody can count."""
    for name in UNCLEAR:
        belt = next(each for each in files.read(folder / name).tracks if each.signal == "respiration")
        (whole,) = respiration.from_belt(belt)
        starts = np.arange(0.0, belt.seconds[-1] - WINDOW, WINDOW / 2).tolist()
        values = [respiration.from_belt(part(belt, start))[0].value for start in starts]
        answered = sum(value is not None for value in values)
        yield (name, f"{answered}/{len(values)} windows", whole.absent or f"{whole.value:.1f}")


def simulated() -> Iterator[tuple[str, ...]]:
    """A row per rate of breath and heart."""
    for breath, heart in ((6, 60), (8, 68), (10, 68), (14, 68), (20, 75), (25, 90), (30, 100), (40, 110), (40, 60)):
        errors: list[list[float]] = [[], [], [], []]
        for seed in range(3):
            person = Person(seed=seed, respiration_rate=breath, heart_rate=heart)
            body = Body(person)
            ecg, r, ppg, pulses = hearts(person, 96.0)
            belt = track(body.respiration(np.arange(round(96 * RATE)) / RATE)[:, 0], RATE)
            findings = [
                *respiration.from_belt(belt), respiration.from_ecg(ecg, r), respiration.from_ppg(ppg, pulses),
            ]  # fmt: skip
            findings.append(respiration.fused(findings))
            true = body.truth(0.0, 96.0).respiration_rate
            for wrong, finding in zip(errors, findings, strict=True):
                wrong.extend([] if finding.value is None else [abs(finding.value - true)])
        yield (str(breath), str(heart), *(f"{len(wrong)}/3 {max(wrong):.1f}" if wrong else "0/3" for wrong in errors))


def invented() -> Iterator[tuple[str, ...]]:
    """A row per generator."""
    wrong: dict[str, int] = {}
    for seed in range(1000, 1000 + SEEDS):
        for seconds in (32.0, 64.0):
            for name, x in breathless(seconds, seed):
                (finding,) = respiration.from_belt(track(x, RATE))
                wrong[name] = wrong.get(name, 0) + (finding.value is not None)
    for name, count in wrong.items():
        yield (name, str(2 * SEEDS), str(count))
    yield ("all", str(2 * SEEDS * len(wrong)), str(sum(wrong.values())))


if __name__ == "__main__":
    main()
