"""Signs of tiredness: blinks, eyes that close, gaze that leaves the screen, yawns.

A blink is a dip of the lids and back: closure rises above its surroundings by at least `PROMINENT` and stays above
half of that for 50 to 500 ms (Caffier 2003, DOI 10.1007/s00421-003-0807-5: 202 ms alert; longer closures are no
blinks). PERCLOS is P80: the share of time in which the eyes are at least 80 % closed (Wierwille 1994; Dinges & Grace
1998). A yawn is a jaw dropped wide for two seconds or more without a smile (Guggisberg 2010, DOI
10.1016/j.neubiorev.2010.03.008: four to seven seconds; openings of speech are below one).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from analytics.face.words import Floats, Times
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

BLINK_RATE_LEAST = 14.0
"""Pictures per second below which a blink falls between two: cameras of 15 are not exact."""
EYES_RATE_LEAST = 5.0
LONG_ENOUGH = 30.0
"""Seconds of a face in view: people blink 17 times a minute (Bentivoglio 1997, DOI 10.1002/mds.870120629), some 5."""
LOOKED_ENOUGH = 10.0
HOLE = 0.25
"""Seconds without a picture that end a stretch."""
PROMINENT = 1.5
"""Grades of eye closure (of 5)."""
SHORTEST, LONGEST = 0.05, 0.5
"""Seconds at half height."""
AROUND = 2.0
"""Seconds whose closure is a blink's surroundings."""
CLOSED = 4.0
"""Of 5: 80 % of the way from open to closed."""
AWAY_SIDE, AWAY_UP = 20.0, 15.0
"""Degrees from the usual direction, beyond a screen's edges at arm's length."""
WIDE, SMILING = 2.5, 2.0
"""Grades of jaw drop from which a mouth is wide, and of a smile above which it laughs."""
YAWN = 2.0
"""Seconds."""
BREAK, OPEN = 0.3, 0.85
"""Seconds for which a yawn's mouth may seem less wide, and of its time the share in which it must be wide."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of tiredness, or why it cannot be told."""

    measure: str
    value: float | None
    absent: Reason | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Pictures without a hole, on an even grid."""

    rate: float
    units: Floats


def signs(units: Track | None, motion: Track | None) -> tuple[Sign, ...]:
    """All of them, in the order of the catalogue."""
    if units is None or not np.isfinite(units.samples).all(axis=1).any():
        why: Reason = "no_face"
        return (
            *(Sign(measure, None, why) for measure in ("blink_rate", "blink_duration", "perclos")),
            gaze_aversion(motion),
            Sign("yawns", None, why),
        )
    there = np.isfinite(units.samples).all(axis=1)
    times, rows = units.times[there], units.samples[there].astype(np.float64)
    rate = picture_rate(times)
    parts = stretches(times, rows, rate)
    seconds = sum(len(part.units) / part.rate for part in parts)
    return (
        *_blinks(units, parts, rate, seconds),
        _perclos(units, parts, rate, seconds),
        gaze_aversion(motion),
        _yawns(units, parts, rate, seconds),
    )


def picture_rate(times: Times) -> float:
    """Pictures per second, of most of them; 0 for fewer than two."""
    return float(SECOND / np.median(np.diff(times))) if len(times) > 1 else 0.0


def stretches(times: Times, rows: Floats, rate: float) -> list[Stretch]:
    """Each stretch without a hole, between its pictures linear."""
    if rate <= 0.0:
        return []
    grid = []
    hole = max(HOLE, 2.5 / rate)
    breaks = np.flatnonzero(np.diff(times) > hole * SECOND) + 1
    for at, values in zip(np.split(times, breaks), np.split(rows, breaks), strict=True):
        if len(at) < 3:
            continue
        seconds = (at - at[0]) / SECOND
        even = np.arange(0.0, seconds[-1] + 0.5 / rate, 1.0 / rate)
        grid.append(Stretch(rate, np.column_stack([np.interp(even, seconds, column) for column in values.T])))
    return grid


def blinks(closure: Floats, rate: float) -> Floats:
    """Durations in seconds, at half height, of the blinks in an even course of eye closure (0..5)."""
    window = max(3, round(2 * AROUND * rate) | 1)
    # eyes that are kept as closed for longer are no blink, and have no surroundings within the window
    longest = max(1, round(LONGEST * rate))
    peaks, _ = find_peaks(closure, plateau_size=(None, longest), height=PROMINENT, prominence=PROMINENT, wlen=window)
    if not len(peaks):
        return np.empty(0)
    widths = peak_widths(closure, peaks, rel_height=0.5, wlen=window)[0] / rate
    return np.asarray(widths[(widths >= SHORTEST) & (widths <= LONGEST)])


def _column(track: Track, name: str) -> int:
    return track.channels.index(name)


def _blinks(track: Track, parts: list[Stretch], rate: float, seconds: float) -> tuple[Sign, Sign]:
    why: Reason | None = None
    if rate < BLINK_RATE_LEAST:
        why = "unsuitable_rate" if rate > 0.0 else "too_short"
    elif seconds < LONG_ENOUGH:
        why = "too_short"
    if why is not None:
        return Sign("blink_rate", None, why), Sign("blink_duration", None, why)
    eyes = _column(track, "au43")
    found = np.concatenate([blinks(part.units[:, eyes], part.rate) for part in parts])
    note = f"{len(found)} blinks in {seconds:.0f} s of a face in view, {rate:.0f} pictures/s"
    per_minute = Sign("blink_rate", 60.0 * len(found) / seconds, note=note)
    if len(found) < 3:
        return per_minute, Sign("blink_duration", None, "insufficient")
    duration = 1000.0 * float(np.median(found))
    return per_minute, Sign("blink_duration", duration, note=f"median of {len(found)} blinks at half height")


def _perclos(track: Track, parts: list[Stretch], rate: float, seconds: float) -> Sign:
    if rate < EYES_RATE_LEAST:
        return Sign("perclos", None, "unsuitable_rate" if rate > 0.0 else "too_short")
    if seconds < LONG_ENOUGH:
        return Sign("perclos", None, "too_short")
    eyes = _column(track, "au43")
    closed = np.concatenate([part.units[:, eyes] >= CLOSED for part in parts])
    return Sign("perclos", 100.0 * float(closed.mean()), note=f"P80 over {seconds:.0f} s, blinks included")


def _yawns(track: Track, parts: list[Stretch], rate: float, seconds: float) -> Sign:
    if rate < EYES_RATE_LEAST:
        return Sign("yawns", None, "unsuitable_rate" if rate > 0.0 else "too_short")
    if seconds < LONG_ENOUGH:
        return Sign("yawns", None, "too_short")
    jaw, lips, smile = (_column(track, name) for name in ("au26", "au25", "au12"))
    count = sum(
        _long(
            (part.units[:, jaw] >= WIDE) & (part.units[:, lips] >= WIDE) & (part.units[:, smile] < SMILING), part.rate
        )
        for part in parts
    )
    return Sign("yawns", float(count), note=f"mouth wide open for {YAWN:.0f} s or more, within {seconds:.0f} s")


def _long(open_: NDArray[np.bool_], rate: float) -> int:
    """How many runs last a yawn, short breaks closed."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], open_, [False])).astype(np.int8)))
    runs = [[int(begin), int(end)] for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[list[int]] = []
    for run in runs:
        if joined and run[0] - joined[-1][1] <= BREAK * rate:
            joined[-1][1] = run[1]
        else:
            joined.append(run)
    return sum(end - begin >= YAWN * rate and float(open_[begin:end].mean()) >= OPEN for begin, end in joined)


def gaze_aversion(motion: Track | None) -> Sign:
    """The share of time in which head and eyes together point away from where they mostly point."""
    if motion is None:
        return Sign("gaze_aversion", None, "no_face")
    yaw, pitch = motion.channel("yaw"), motion.channel("pitch")
    gaze_x, gaze_y = motion.channel("gaze_x"), motion.channel("gaze_y")
    there = np.isfinite(yaw) & np.isfinite(pitch)
    if not there.any():
        return Sign("gaze_aversion", None, "no_face")
    eyes = bool(np.isfinite(gaze_x[there]).any() and np.isfinite(gaze_y[there]).any())
    if eyes:
        there &= np.isfinite(gaze_x) & np.isfinite(gaze_y)
        yaw, pitch = yaw + gaze_x, pitch + gaze_y
    steps = np.diff(motion.times, append=motion.times[-1:]) / SECOND
    # a picture stands for the time up to the next one, not for the time without a face
    weights = np.minimum(steps[there], HOLE)
    seconds = float(weights.sum())
    if seconds < LOOKED_ENOUGH:
        return Sign("gaze_aversion", None, "too_short")
    side = np.abs(yaw[there] - np.median(yaw[there])) > AWAY_SIDE
    up = np.abs(pitch[there] - np.median(pitch[there])) > AWAY_UP
    share = 100.0 * float(weights @ (side | up) / seconds)
    what = "head and eyes" if eyes else "head alone"
    return Sign("gaze_aversion", share, note=f"{what}, over {seconds:.0f} s with a face in view")
