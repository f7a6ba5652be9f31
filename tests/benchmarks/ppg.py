"""Pulses of real recordings against chest strap, ECG, expert and others, beside heartpy, neurokit2 and plain maxima.

KIOSK_RECORDINGS=... kiosk bench ppg [--part camera,strips,monitor,wrist,minutes,silence,cost]
"""

import argparse
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from analytics import filters, hrv, ppg
from analytics.beats import Beats
from analytics.ecg import r_peaks
from analytics.ecg.vote import matched
from analytics.resample import regular
from analytics.sources import sources
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording
from sensors.drivers.simulated import Body, Person
from tests.analytics.test_ppg_live import findings, pulseless
from tests.analytics.test_ppg_recordings import (
    SEEN,
    arterial,
    finger,
    finger_clip,
    intensive,
    numbers,
    rates,
    shifted,
    strips,
    told,
    track,
    wrist,
)
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
Detector = Callable[[Floats, float], Floats]

WRISTS = tuple(f"S{number:02d}" for number in range(2, 12))
SEEN_WRISTS = WRISTS[:5]
SEEN_STRIPS = 8
RATE = 100.0
MINUTE = 60
SURE = 20.0
"""Seconds of a minute that the wrist device's own intervals cover, from which they are compared with."""


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default="camera,strips,monitor,wrist,minutes,silence,cost")
    parser.add_argument("--seeds", type=int, default=80, help="of the signals without a heart")
    arguments = parser.parse_args()
    named = os.environ.get("KIOSK_RECORDINGS")
    if not named:
        sys.exit("KIOSK_RECORDINGS names no folder of real recordings")
    parts: dict[str, Callable[[], None]] = {
        "camera": partial(camera, Path(named)),
        "strips": partial(expert, Path(named)),
        "monitor": partial(monitor, Path(named)),
        "wrist": partial(wrists, Path(named)),
        "minutes": partial(minutes, Path(named)),
        "silence": partial(silence, arguments.seeds),
        "cost": cost,
    }
    for part in arguments.part.split(","):
        parts[part]()


def camera(folder: Path) -> None:
    """Heart rate, SDNN and RMSSD of fingers before a camera, less those of the chest strap."""
    rows: list[tuple[object, ...]] = []
    errors: dict[str, list[tuple[bool, Floats]]] = {}
    for place in sorted((folder / "ppg" / "welltory").glob("subject_*")):
        recording, rr = finger(folder, place.name)
        truth = np.array([60.0 / rr.mean(), 1000 * np.std(rr, ddof=1), 1000 * np.sqrt(np.mean(np.diff(rr) ** 2))])
        found = ppg.beats(recording)
        ours = np.array(numbers(found)) if told(found) else None
        even = regular(recording, RATE)
        # the others are given the channel that we read (red where we read none), the pulse upright
        channel = found.channel if ours is not None else "red"
        upright = -filters.filled(even.channel(channel))
        results = {"ours": ours} | {name: plain(detector(upright, RATE)) for name, detector in OTHERS.items()}
        cells = []
        for name, result in results.items():
            if result is None:
                cells.append("absent")
                continue
            off = result - truth
            errors.setdefault(name, []).append((place.name in SEEN, off))
            cells.append(" ".join(f"{each:+.1f}" for each in off))
        beat = beat_error(found, rr) if ours is not None else "-"
        seen = " (seen)" if place.name in SEEN else ""
        rows.append((place.name + seen, channel, " ".join(f"{each:.1f}" for each in truth), *cells, beat))
    for title, keep in (("median |error|, not seen", (False,)), ("median |error|, all", (False, True))):
        medians = []
        for name in ("ours", *OTHERS):
            chosen = [np.abs(off) for seen, off in errors.get(name, []) if seen in keep]
            told_of = " ".join(f"{each:.1f}" for each in np.median(chosen, axis=0)) if chosen else "-"
            medians.append(f"{told_of} ({len(chosen)})")
        rows.append((title, "", "", *medians, ""))
    report(
        "real: finger before a phone's camera, 30 frames/s; HR /min, SDNN ms, RMSSD ms less the chest strap's RR",
        ("recording", "channel", "strap", "ours", *OTHERS, "ours: beats, interval SD ms, stated"),
        rows,
    )


def beat_error(found: Beats, rr: Floats) -> str:
    """Beats that both have, and by how much our intervals differ, and should by the stated precision."""
    strap = np.concatenate(([0.0], np.cumsum(rr)))
    first = found.times[0] - strap[-1] / 2
    strap = shifted(strap, found.times, np.arange(first, found.times[-1] - strap[-1] / 2, 0.02))
    ours, theirs = intervals(found, strap)
    stated = 1000 * np.sqrt(2) * found.precision
    return f"{len(ours)}/{len(rr)} {1000 * np.std(ours - theirs):.1f} {stated:.1f}"


def intervals(found: Beats, truth: Floats) -> tuple[Floats, Floats]:
    """Held intervals between two beats that the truth has, too, and the truth's."""
    right = np.clip(np.searchsorted(truth, found.times), 1, len(truth) - 1)
    nearest = right - (np.abs(truth[right - 1] - found.times) < np.abs(truth[right] - found.times))
    near = np.abs(truth[nearest] - found.times) < 0.25
    both = found.held & (np.diff(nearest) == 1) & near[1:] & near[:-1]
    return np.diff(found.times)[both], np.diff(truth[nearest])[both]


def expert(folder: Path) -> None:
    """Ten-second strips: what is told of those that an expert called good and bad, and how far from the ECG's rate."""
    rows = []
    for number, strip in enumerate(strips(folder)):
        found = ppg.beats(track(strip.x, 30.0))
        rates = [
            f"{60.0 / np.diff(found.times)[found.held].mean() - strip.heart_rate:+.1f}" if found.held.sum() > 4 else "-"
        ]
        for detector in OTHERS.values():
            other = detector(strip.x, 30.0)
            rates.append(f"{60.0 / np.diff(other).mean() - strip.heart_rate:+.1f}" if len(other) > 4 else "-")
        name = strip.name + (" (seen)" if number < SEEN_STRIPS else "")
        verdict = "good" if strip.good else "bad"
        rows.append((name, verdict, f"{strip.heart_rate:.0f}", f"{found.signal_quality:.2f}", *rates))
    report(
        "real: camera pulse, 10 s at 30 Hz; heart rate less the ECG's, /min",
        ("strip", "expert", "ECG", "our quality", "ours", *OTHERS),
        rows,
    )


def monitor(folder: Path) -> None:
    """Beats of a pleth against the R peaks beside it, the delay taken out."""
    pleth, ecg, pleth_rate = intensive(folder)
    pressure, beside, pressure_rate = arterial(folder)
    half = len(pleth) // 2
    rows: list[tuple[object, ...]] = []
    for name, wave, heart, rate in (
        ("ICU, pleth, first half (seen)", pleth[:half], ecg[:half], pleth_rate),
        ("ICU, pleth, second half", pleth[half:], ecg[half:], pleth_rate),
        ("03700181, arterial pressure", pressure, beside, pressure_rate),
    ):
        beats = r_peaks(heart, rate)
        for who, detector in {"ours": upstrokes, **OTHERS}.items():
            found = detector(wave, rate)
            delay = float(np.median(found - beats[np.clip(np.searchsorted(beats, found) - 1, 0, None)]))
            same = matched(found - delay, beats, tolerance=0.05)
            plainly = Beats("", found, np.ones(len(found) - 1, dtype=np.bool_), np.zeros(len(found), dtype=np.uint8),
                            0.01, 1.0, None, None)  # fmt: skip
            ours, theirs = intervals(plainly, beats + delay)
            f1 = 2 * same / (len(found) + len(beats))
            rows.append((name, who, len(beats), f"{f1:.4f}", f"{1000 * np.std(ours - theirs):.1f}"))
    x, clip = finger_clip(folder)
    for who, detector in {"ours": upstrokes, **OTHERS}.items():
        found = detector(x, clip)
        steps = np.diff(found)
        rows.append(("finger clip, 1000 Hz", who, "-", "-", f"{len(found)} beats, RMSSD {rmssd(steps):.1f}"))
    report(
        "real: pleth beside ECG; F1 within 50 ms after the median delay",
        ("record", "detector", "R peaks", "F1", "interval SD ms"),
        rows,
    )


def rmssd(steps: Floats) -> float:
    return 1000 * float(np.sqrt(np.mean(np.diff(steps) ** 2)))


def wrists(folder: Path) -> None:
    """An hour at the wrist beside the intervals of the device itself: no truth, a second opinion."""
    rows = []
    for subject in WRISTS:
        recording, given = wrist(folder, subject)
        found = ppg.beats(recording, vote=False)
        ends = given[:, 0]
        # its clock begins some samples before or after
        second = float(np.median(np.diff(found.times)))
        ends = shifted(ends, found.times[1:][found.held], np.arange(-second, second, 0.02))
        held = found.times[1:][found.held]
        steps = np.diff(found.times)[found.held]
        right = np.clip(np.searchsorted(held, ends), 1, len(held) - 1)
        nearest = right - (np.abs(held[right - 1] - ends) < np.abs(held[right] - ends))
        both = np.abs(held[nearest] - ends) < 0.1
        off = 1000 * np.abs(steps[nearest] - given[:, 1])[both]
        rows.append((
            subject + (" (seen)" if subject in SEEN_WRISTS else ""), f"{recording.times[-1] / 60e9:.0f}",
            f"{found.signal_quality:.2f}", int(found.held.sum()), len(given), int(both.sum()),
            f"{np.median(off):.0f}", f"{100 * np.mean(off > 60):.1f}",
        ))  # fmt: skip
    report(
        "real: wrist, 64 Hz, beside its maker's own intervals (no truth)",
        ("wrist", "min", "our quality", "our intervals", "theirs", "both", "median |difference| ms", "% over 60 ms"),
        rows,
    )


def minutes(folder: Path) -> None:
    """Each minute at the wrist as a recording of its own: is a heart rate told, and is it the device's?"""
    rows: list[tuple[object, ...]] = []
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for subject in WRISTS:
        recording, given = wrist(folder, subject)
        theirs = rates(folder, subject)
        found = []
        for begin in range(0, len(theirs) - MINUTE + 1, MINUTE):
            part = recording.between(begin * SECOND, (begin + MINUTE) * SECOND)
            if np.isnan(theirs[begin]) or len(part.times) < MINUTE * 64:
                continue
            source = sources(Recording((part,)), Context(), correct=True, vote=True)[0]
            ours = hrv.heart_rate(source.corrected.intervals) if source.absent is None else None
            inside = given[(given[:, 0] >= begin) & (given[:, 0] < begin + MINUTE), 1]
            sure = 60.0 / inside.mean() if inside.sum() >= SURE else np.nan
            found.append((np.nan if ours is None else ours, sure, theirs[begin : begin + MINUTE].mean()))
        seen = subject in SEEN_WRISTS
        rows.append(_minutes(subject + (" (seen)" if seen else ""), found))
        groups.setdefault("seen" if seen else "not seen", []).extend(found)
    rows += [_minutes(f"all, {name}", found) for name, found in groups.items()]
    report(
        "real: wrist, minutes; heart rate beside the device's own intervals (20 s or more of them) and HR file, /min",
        ("wrist", "minutes", "told", "% told", "both, intervals", "ours off > 5, > 10", "HR file off > 5, > 10",
         "both, HR file", "apart > 10"),
        rows,
    )  # fmt: skip


def _minutes(name: str, found: list[tuple[float, float, float]]) -> tuple[object, ...]:
    ours, sure, theirs = np.array(found).T
    told_of, known = np.isfinite(ours), np.isfinite(sure)

    def off(values: Floats, truth: Floats) -> str:
        apart = np.abs(values - truth)[known & told_of]
        return f"{np.count_nonzero(apart > 5)}, {np.count_nonzero(apart > 10)}"

    return (
        name, len(found), int(told_of.sum()), f"{100 * told_of.mean():.0f}", int((known & told_of).sum()),
        off(ours, sure), off(theirs, sure), int(told_of.sum()), int((np.abs(ours - theirs)[told_of] > 10).sum()),
    )  # fmt: skip


def silence(seeds: int) -> None:
    """How often a number is told of what has no heart: live in 10 s, final in 30 s."""
    live: Counter[str] = Counter()
    final: Counter[str] = Counter()
    windows: Counter[str] = Counter()
    for rate in (30.0, 64.0, 125.0):
        for seed in range(seeds):
            for name, x in pulseless(rate, 30.0, seed + 10_000):
                windows[name] += 1
                final[name] += told(ppg.beats(track(x, rate), vote=False))
                third = x[: round(10 * rate)].astype(np.float32)[:, None]
                live[name] += findings(third, rate, sizes=[10**6])[-1].value is not None
    rows = [(name, count, live[name], final[name]) for name, count in windows.items()]
    rows.append(("all", sum(windows.values()), sum(live.values()), sum(final.values())))
    report("synthetic: no heart, at 30, 64 and 125 Hz", ("generator", "windows", "told live", "told in the end"), rows)


def cost() -> None:
    """CPU milliseconds per second of signal."""
    rows = []
    for rate in (30.0, 100.0, 1000.0):
        x = Body(Person(seed=1)).sample("ppg", np.arange(round(60 * rate)) / rate).astype(np.float32)
        spent = []
        for work in (lambda: findings(x, rate), lambda: ppg.beats(track(x[:, 0].astype(np.float64), rate), vote=False)):  # noqa: B023
            started = time.process_time()
            work()
            spent.append(f"{1000 * (time.process_time() - started) / 60:.2f}")
        rows.append((f"{rate:.0f}", *spent))
    report("cost, CPU ms per second of one channel (synthetic)", ("Hz", "live", "whole record"), rows)


def plain(times: Floats) -> Floats | None:
    """The numbers of another detector's beats, corrected as ours are."""
    if len(times) < 5:
        return None
    return np.array(numbers(Beats("", times, np.ones(len(times) - 1, dtype=np.bool_),
                                  np.zeros(len(times), dtype=np.uint8), 0.01, 1.0, None, None)))  # fmt: skip


def upstrokes(x: Floats, rate: float) -> Floats:
    return ppg.beats(track(x, rate), vote=False).times


def heartpy(x: Floats, rate: float) -> Floats:
    """heartpy's default; no beats where it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import heartpy as library

        try:
            working, _ = library.process(library.scale_data(x), rate)
        except Exception:
            return np.empty(0)
    return np.setdiff1d(working["peaklist"], working["removed_beats"]).astype(np.float64) / rate


def neurokit(x: Floats, rate: float) -> Floats:
    """neurokit2's default: clean and find (Elgendi)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import neurokit2

        clean = neurokit2.ppg_clean(x, sampling_rate=round(rate))
        found = neurokit2.ppg_findpeaks(clean, sampling_rate=round(rate))
    return np.asarray(found["PPG_Peaks"], dtype=np.float64) / rate


def maxima(x: Floats, rate: float) -> Floats:
    """Maxima of the pulse's band that are 0.4 s apart and half a standard deviation high."""
    wave = filters.zero_phase(filters.band_pass(rate, 0.5, 8.0), x)
    found, _ = signal.find_peaks(wave, distance=0.4 * rate, prominence=0.5 * wave.std())
    return np.asarray(found / rate, dtype=np.float64)


OTHERS: dict[str, Detector] = {"heartpy": heartpy, "neurokit2": neurokit, "find_peaks": maxima}


if __name__ == "__main__":
    main()
