"""How often a heart rate is told of what has no heart: live in 8 s, final in 12 and 30 s, generator by generator.

kiosk bench heartless [windows per path]; with KIOSK_RECORDINGS real speech is among the generators.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from analytics.ecg import LiveHeartRate
from analytics.session import session
from kiosk.recording import Context
from tests.analytics.visitors import Floats, clock, heartless, recording
from tests.benchmarks._measuring import report

RATES = (100.0, 250.0, 500.0, 1000.0)
LIVE = 8
"""Seconds of a window of live readings: one of them with a value is one too many."""
STREAM = 48
"""Seconds of a live stream: six windows."""
FINAL = (12, 30)
"""Seconds of a recording: ten of intervals, the least that is asked for, do not fit into fewer than twelve."""
AT_MOST = 0.001


def main() -> None:
    """Feed every generator to every path."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    named = os.environ.get("KIOSK_RECORDINGS")
    voices = sorted((Path(named) / "voice" / "emodb4").glob("*.flac")) if named else []
    rows: list[tuple[str, ...]] = []
    for title, seconds, per_signal in (("live", STREAM, STREAM // LIVE), *((f"final {s} s", s, 1) for s in FINAL)):
        windows, told = Counter[str](), Counter[str]()
        seed = 0
        while windows.total() < wanted:
            rate = RATES[seed % len(RATES)]
            for name, x in (*heartless(rate, seconds, seed), *spoken(voices, rate, seconds, seed)):
                windows[name] += per_signal
                told[name] += live(x, rate) if title == "live" else final(x, rate)
            seed += 1
        rows += [(title, name, str(windows[name]), str(told[name])) for name in windows]
        share = told.total() / windows.total()
        verdict = "as it should be" if share <= AT_MOST else "TOO MANY"
        rows.append((title, "all", str(windows.total()), f"{told.total()} ({100 * share:.3f} %): {verdict}"))
    report(
        "synthetic, and real where it says so: no heart in it", ("path", "generator", "windows", "with a value"), rows
    )


def live(x: Floats, rate: float) -> int:
    """Windows of a stream in which any reading has a value."""
    found = LiveHeartRate(rate, ("II",)).feed(clock(len(x), rate), x.astype(np.float32)[:, None])
    return len({round(finding.end_ns * 1e-9 - 1) // LIVE for finding in found if finding.value is not None})


def final(x: Floats, rate: float) -> int:
    """1 where any reading of the recording has a value."""
    result = session(recording(x.astype(np.float32)[:, None], rate), Context(), vote=False)
    return int(any(reading.value is not None for reading in result.readings))


def spoken(voices: list[Path], rate: float, seconds: float, seed: int) -> Iterator[tuple[str, Floats]]:
    """Sentences of actors one after the other, as an input without a filter would sample them."""
    if not voices:
        return
    parts, have = [np.empty(0)], 0.0
    while have < seconds:
        samples, fine = soundfile.read(voices[seed % len(voices)])
        places = np.arange(0, len(samples) - 1, fine / rate)
        parts.append(np.interp(places, np.arange(len(samples)), samples))
        have, seed = have + len(samples) / fine, seed + 1
    x = np.concatenate(parts)[: round(rate * seconds)]
    yield "real speech", 0.3 * x / max(float(x.std()), 1e-9)


if __name__ == "__main__":
    main()
