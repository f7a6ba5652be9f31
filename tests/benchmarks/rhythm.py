"""Kinds of beats against annotators, live heart rate under real electrode motion, and the irregular-rhythm notice.

KIOSK_RECORDINGS=... kiosk bench rhythm
"""

import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import io

from analytics import rhythm
from analytics.beats import Beats, Codes, Corrected, Flags, Kind
from analytics.ecg import LiveHeartRate, peaks
from analytics.ecg.kinds import kinds
from analytics.ecg.live import rate_of
from kiosk.messages import SECOND
from tests.analytics.test_ecg_recordings import BEATS, REPORTED, SEEN
from tests.analytics.visitors import Floats, clock
from tests.benchmarks._measuring import report

VENTRICULAR, ATRIAL = "VEF", "AaJS"
TOLERANCE = 0.150
NOISE_BEGINS, SHARED_BEATS = 41.0, 77
"""Of the two excerpts of record 118: seconds after which noise is in both, and by how many beats they are apart."""
WINDOW = 300.0
MOTION_RECORDS = ("100", "103", "119", "116")


def main() -> None:
    """Three tables."""
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    folder = Path(named)
    report(
        "real: MIT-BIH, 30 min a record; every annotated beat counts, found or not",
        ("record", "V E F", "found", "A a J S", "found", "called ectopic", "right", "no beat", "called artefact"),
        [_kinds(folder, name) for name in SEEN + REPORTED],
    )
    head = ("record", "shown of", "> 5/min wrong", "> 10/min", "worst", "with quality >= .5: > 5/min", "> 10/min")
    report("real: live heart rate of 118 in electrode motion (noise stress test, 2 min)", head, _stressed(folder))
    report("injected: real records, 5 min each, with real electrode motion added", head, _moved(folder))
    report(
        "real: irregular rhythm, windows of 5 min (fibrillation: one excerpt)",
        ("source", "noticed", "not", "insufficient"),
        _irregular(folder),
    )


def _mitbih(folder: Path, name: str) -> tuple[Floats, float, Floats, list[str]]:
    with np.load(folder / "ecg" / "mitbih" / f"{name}.npz") as file:
        chosen = np.isin(file["symbol"], BEATS)
        rate = float(file["fs"])
        return (
            file["ecg_adu"] / float(file["adu_per_mV"]),
            rate,
            file["r"][chosen] / rate,
            file["symbol"][chosen].tolist(),
        )


def _kinds(folder: Path, name: str) -> tuple[str, ...]:
    x, rate, truth, symbols = _mitbih(folder, name)
    found = peaks.beats(x, rate).at
    codes = kinds(x, found, rate)
    nearest = _nearest(found / rate, truth)
    hit = np.abs(truth[nearest] - found / rate) <= TOLERANCE
    labels = np.where(hit, np.array(symbols)[nearest], "")

    def counted(kinds_of_beat: str) -> tuple[str, str]:
        total = sum(symbol in kinds_of_beat for symbol in symbols)
        right = int((np.isin(labels, list(kinds_of_beat)) & (codes == Kind.ECTOPIC)).sum())
        return str(total), f"{right} ({100 * right / total:.1f} %)" if total else "-"

    called = codes == Kind.ECTOPIC
    right = int(np.isin(labels[called], list(VENTRICULAR + ATRIAL)).sum())
    extra = ~hit
    return (
        f"{name}{' (seen)' if name in SEEN else ''}",
        *counted(VENTRICULAR),
        *counted(ATRIAL),
        str(int(called.sum())),
        f"{right} ({100 * right / called.sum():.1f} %)" if called.any() else "-",
        str(int(extra.sum())),
        f"{int((codes[extra] == Kind.ARTEFACT).sum())}, and {int((codes[hit] == Kind.ARTEFACT).sum())} beats",
    )


def _nearest(found: Floats, truth: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    right = np.clip(np.searchsorted(truth, found), 1, len(truth) - 1)
    return np.asarray(right - (found - truth[right - 1] < truth[right] - found))


def _excerpts(folder: Path) -> dict[str, tuple[Floats, Floats]]:
    place = folder / "ecg" / "noise"
    return {db: (np.loadtxt(place / f"118e{db}.csv"), np.loadtxt(place / f"118e{db}_ann.csv")) for db in ("12", "24")}


def _motion(folder: Path) -> Floats:
    """What the two excerpts differ by where they overlap: the noise that was added, 23 s of it."""
    (loud, loud_beats), (quiet, quiet_beats) = _excerpts(folder).values()
    shift = int(quiet_beats[SHARED_BEATS] - loud_beats[0])
    noise = (loud[: len(quiet) - shift] - quiet[shift:])[round(NOISE_BEGINS * 360) :]
    return np.asarray(noise - noise.mean())


def _long(noise: Floats, count: int, seed: int) -> Floats:
    """As much of it as is wanted: pieces at other speeds, sizes, signs and directions, joined without a step."""
    rng = np.random.default_rng(seed)
    parts, have, last = [np.empty(0)], 0, 0.0
    while have < count:
        size = int(rng.integers(2000, 5000))
        begin = int(rng.integers(0, len(noise) - size))
        piece = np.interp(np.arange(0, size - 1, rng.uniform(0.6, 1.5)), np.arange(size), noise[begin : begin + size])
        piece = piece[:: int(rng.choice((-1, 1)))] * rng.choice((-1, 1)) * rng.uniform(0.6, 1.4)
        target = 0.3 * float(piece[-1])
        piece += np.linspace(last - piece[0], target - piece[-1], len(piece))
        parts.append(piece)
        have, last = have + len(piece), target
    return np.concatenate(parts)[:count]


def _moved(folder: Path) -> list[tuple[str, ...]]:
    noise = _motion(folder)
    rows = []
    for name in MOTION_RECORDS:
        x, rate, truth, _ = _mitbih(folder, name)
        x, truth = x[: round(WINDOW * rate)], truth[truth < WINDOW]
        middles = np.rint(truth[1:-1] * rate).astype(np.intp)[:, None] + np.arange(-18, 19)
        # signal power as the noise stress test defines it: QRS peak to peak, squared, over 8
        power = float(np.median(np.ptp(x[middles], axis=1))) ** 2 / 8
        for seed, level in enumerate((18, 12, 6)):
            added = _long(noise, len(x), seed)
            added *= np.sqrt(power / 10 ** (level / 10) / np.mean(added**2))
            rows.append((f"{name} at {level} dB", *_live_errors(x + added, rate, truth)))
    return rows


def _stressed(folder: Path) -> list[tuple[str, ...]]:
    return [(f"118 at {db} dB", *_live_errors(x, 360.0, beats / 360.0)) for db, (x, beats) in _excerpts(folder).items()]


def _live_errors(x: Floats, rate: float, truth: Floats) -> tuple[str, ...]:
    """Against the annotated beats of the same window, averaged as the product does or plainly, whichever is nearer."""
    found = LiveHeartRate(rate, ("II",)).feed(clock(len(x), rate), x.astype(np.float32)[:, None])
    errors, sure = [], []
    for finding in found:
        steps = np.diff(truth[(truth >= finding.start_ns / SECOND) & (truth <= finding.end_ns / SECOND)])
        if finding.value is None or len(steps) < 2:
            continue
        rates = (rate_of(steps, np.ones(len(steps) - 1, np.bool_)) or 0.0, 60.0 / float(steps.mean()))
        errors.append(min(abs(finding.value - rate) for rate in rates))
        sure.append((finding.quality or 0.0) >= 0.5)
    wrong, good = np.array(errors), np.array(sure, dtype=np.bool_)
    counts = [str(int((wrong > limit).sum())) for limit in (5, 10)]
    among = [str(int((wrong[good] > limit).sum())) for limit in (5, 10)]
    return (f"{len(wrong)} of {len(found)}", *counts, f"{wrong.max(initial=0.0):.1f}", *among)


def _irregular(folder: Path) -> list[tuple[str, ...]]:
    rows = []
    x = io.loadmat(folder / "ecg" / "TestAFdata.mat")["signal"][:, 0].astype(np.float64)
    found = peaks.beats(x, 128.0).at
    rows.append(("fibrillation (ECG)", *_notices(found / 128.0, kinds(x, found, 128.0))))
    for name in SEEN + REPORTED:
        x, rate, _, _ = _mitbih(folder, name)
        found = peaks.beats(x, rate).at
        rows.append((f"MIT-BIH {name} (ECG)", *_notices(found / rate, kinds(x, found, rate))))
    ends = np.loadtxt(folder / "rr" / "nsr2db" / "nsr001_rr_fs125.csv", delimiter=",", skiprows=1, usecols=0)
    rows.append(("nsr2db (intervals)", *_notices(ends)))
    for number in (1, 2):
        steps = np.loadtxt(folder / "rr" / "kubios" / f"kubios_series_{number}_rr_ms.txt") / 1000.0
        rows.append((f"one-hour series {number} (intervals)", *_notices(np.cumsum(steps))))
    return rows


def _notices(times: Floats, codes: Codes | None = None) -> tuple[str, ...]:
    verdicts = Counter[float | None]()
    codes = np.zeros(len(times), np.uint8) if codes is None else codes
    for start in np.arange(times[0], max(times[-1] - WINDOW, times[0] + 1.0), WINDOW):
        inside = (times >= start) & (times < start + WINDOW)
        held: Flags = np.ones(max(0, int(inside.sum()) - 1), np.bool_)
        beats = Beats("II", times[inside], held, codes[inside], 0.002, 1.0, None, None)
        plain = Corrected(beats.times, held, np.zeros(len(beats.times), np.uint8), np.empty(0))
        *_, irregular = rhythm.findings(beats, plain, start_ns=0, end_ns=round(WINDOW * SECOND))
        verdicts[irregular.value] += 1
    return str(verdicts[1.0]), str(verdicts[0.0]), str(verdicts[None])


if __name__ == "__main__":
    main()
