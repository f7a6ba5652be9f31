"""The PPG of a whole record: its beats, which of its intervals hold, and how good all that is."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics import intervals
from analytics.beats import Beats, Kind
from analytics.ecg.vote import matched
from analytics.ppg.clock import steadied
from analytics.ppg.seconds import quality
from analytics.ppg.trust import ENOUGH, WINDOWS, judged
from analytics.ppg.upstroke import Pulses, pulses
from analytics.ppg.vote import heartpy_beats, neurokit_beats
from analytics.ppg.wave import FINEST, SLOWEST
from analytics.quality import READABLE, Quality, ramp
from analytics.resample import regular
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

METHOD = "ppg-upstroke-2"
SHORTEST = 4.0
"""Seconds of signal that are looked at."""
LIKENESS = (0.85, 0.60)
"""Correlation of a pulse with its fellows: whole and no quality of the seconds that it fills."""
STEP = 0.2
"""Share of a window by which the next one that is judged begins later."""
TRANSIT = 0.006
"""Seconds (SD) by which the pulse wave's own travel varies from beat to beat."""
DENSEST = 1000.0
"""Hertz of the finest grid that samples with times of their own are brought onto."""
VAGUE = 0.200
"""Seconds that no fiducial is said to be off by more than: nobody would call it one."""
_NOTHING = 1e-12  # of the signal's largest value: what rounding leaves


@dataclass(frozen=True, slots=True)
class Stretch:
    """One channel between two gaps, times in seconds after its first sample."""

    at: Floats
    good: Flags
    held: Flags
    quality: Quality
    trusted: Floats
    """Of each second; 0 where it is not used."""
    found: Pulses

    @property
    def score(self) -> Floats:
        """Quality x trust of each second."""
        return self.quality.value * self.trusted


def beats(track: Track, *, vote: bool = True) -> Beats:
    """All beats of a PPG track, of its most readable channel; the fiducial is the steepest point of the upstroke.

    Gaps restart; intervals across gaps or unusable seconds do not hold. Frames with times of their own are brought
    onto a regular grid first.
    """
    even = _even(track)
    if even is None:
        empty = np.empty(0)
        return Beats("", empty, empty.astype(np.bool_), empty.astype(np.uint8), VAGUE, 0.0, None, "unsuitable_rate")
    assert even.rate is not None
    segments = [part for part in even.segments() if len(part.times) >= SHORTEST * even.rate]
    looks = [
        _upright([part.samples[:, column].astype(np.float64) for part in segments], even.rate)
        for column in range(len(even.channels))
    ]
    best = int(np.argmax([_mean(look) for look in looks])) if segments else 0
    chosen = looks[best] if looks else []
    times: list[Floats] = []
    held: list[Flags] = []
    same = compared = 0
    for part, look in zip(segments, chosen, strict=True):
        index = look.at * even.rate
        times.append(np.interp(index, np.arange(len(part.times)), part.times / SECOND))
        # the interval that would end at the first beat spans the gap
        held.append(np.concatenate((np.zeros(min(1, len(index)), dtype=np.bool_), look.held)))
        if vote and look.good.any():
            more, all_of = _asked(look)
            same, compared = same + more, compared + all_of
    joined = np.concatenate(times) if times else np.empty(0)
    return Beats(
        channel=even.channels[best] if even.channels else "",
        times=joined,
        held=np.concatenate(held)[1:] if len(joined) else np.zeros(0, dtype=np.bool_),
        kinds=np.full(len(joined), Kind.NORMAL, dtype=np.uint8),
        precision=_precision(chosen),
        signal_quality=_mean(chosen),
        agreement=same / compared if compared else None,
        trouble=_trouble(chosen),
    )


def stretch(x: Floats, rate: float, *, inverted: bool | None = None, windows: tuple[float, ...] = WINDOWS) -> Stretch:
    """The beats of one channel of a stretch without gaps, each second judged with those around it in such windows."""
    found = pulses(x, rate, inverted=inverted)
    wave = found.wave
    seen = quality(x, rate, wave)
    count, length = len(seen.value), len(x) / rate
    trusted, alike = np.zeros(count), np.zeros(len(found.at))
    for window in windows:
        for begin in _begins(length, window):
            end = min(length, begin + window)
            verdict = judged(found, begin, end)
            inside = slice(int(np.ceil(begin - 1e-9)), int(end + 1e-9))
            trusted[inside] = np.maximum(trusted[inside], verdict.trust)
            part = slice(verdict.first, verdict.first + len(verdict.likeness))
            # a pulse that an edge cuts is like nothing: its second is judged by the rest
            alike[part] = np.maximum(alike[part], np.nan_to_num(verdict.likeness, nan=LIKENESS[0]))
    at = found.at / wave.rate
    second = np.minimum(at.astype(np.intp), max(0, count - 1))
    value = seen.value.copy()
    np.minimum.at(value, second, seen.value[second] * ramp(alike, LIKENESS))
    reason = tuple(was or ("noisy" if now < READABLE else None) for was, now in zip(seen.reason, value, strict=True))
    usable = (value >= READABLE) & (trusted >= ENOUGH)
    good = usable[second] if count else np.zeros(0, dtype=np.bool_)
    bad_before = np.concatenate(([0], np.cumsum(~usable)))
    held = intervals.possible(np.diff(at)) & (bad_before[second[1:] + 1] == bad_before[second[:-1]])
    return Stretch(at, good, held, Quality(value, reason), np.where(usable, trusted, 0.0), found)


def _begins(length: float, window: float) -> list[float]:
    """Where windows begin, the last one ending with the signal: what moves before or after good pulses spoils few."""
    if length <= window:
        return [0.0]
    return [*np.arange(0.0, length - window, STEP * window).tolist(), length - window]


def _even(track: Track) -> Track | None:
    """The track on a regular grid; None where it is too slow for a pulse."""
    if track.rate is not None:
        return track if track.rate >= SLOWEST else None
    if len(track.times) < 2:
        return None
    usual = SECOND / float(np.median(np.diff(track.times)))
    return regular(steadied(track), float(np.clip(usual, FINEST, DENSEST))) if usual >= SLOWEST else None


def _upright(parts: list[Floats], rate: float) -> list[Stretch]:
    """Each part of one channel; a sensor does not turn over in a gap, so that all have one vote on which way is up."""
    looks = [stretch(x, rate) for x in parts]
    inverted = sum(look.found.wave.repeats.lean for look in looks) < 0
    return [
        look if look.found.wave.inverted == inverted else stretch(x, rate, inverted=inverted)
        for x, look in zip(parts, looks, strict=True)
    ]


def _mean(looks: list[Stretch]) -> float:
    return float(np.concatenate([look.score for look in looks]).mean()) if looks else 0.0


def _asked(look: Stretch) -> tuple[int, int]:
    """Ours that the two voters have plus theirs that we have, and all of them, of the seconds that are used."""
    same = compared = 0
    ours, used = look.at[look.good], look.trusted > 0
    for voter in (neurokit_beats, heartpy_beats):
        theirs = voter(look.found.wave)
        if theirs is None:
            continue
        inside = theirs[used[np.minimum(theirs.astype(np.intp), len(used) - 1)]]
        # each side is held against all that the other found: a beat may stand on either side of a second's edge
        same += matched(ours, theirs) + matched(look.at, inside)
        compared += len(ours) + len(inside)
    return same, compared


def _precision(looks: list[Stretch]) -> float:
    """From how far each upstroke is from the usual one, and how sharply the usual one peaks."""
    errors = [error for look in looks if (error := _fiducial_error(look)) is not None]
    return float(np.hypot(np.median(errors), TRANSIT)) if errors else VAGUE


def _fiducial_error(look: Stretch) -> float | None:
    wave = look.found.wave
    half = max(2, round(0.10 * wave.rate))
    middles = np.rint(look.found.at[look.good]).astype(np.intp)
    middles = middles[(middles >= half) & (middles < len(wave.slope) - half)]
    if len(middles) < 3:
        return None
    rows = wave.slope[middles[:, None] + np.arange(-half, half + 1)]
    rows = rows / np.maximum(rows.max(axis=1, keepdims=True), _NOTHING)
    usual = np.median(rows, axis=0)
    bend = -float(usual[half - 1] - 2 * usual[half] + usual[half + 1]) * wave.rate**2
    if bend <= 0:
        return None
    jitter = np.gradient(rows - usual, axis=1)[:, half - 1 : half + 2] * wave.rate
    return min(VAGUE, 1.4826 * float(np.median(np.abs(jitter))) / bend)


def _trouble(looks: list[Stretch]) -> Reason | None:
    reasons: Counter[Reason] = Counter()
    for look in looks:
        for reason, trusted in zip(look.quality.reason, look.trusted.tolist(), strict=True):
            if reason or not trusted:
                reasons[reason or "noisy"] += 1
    return reasons.most_common(1)[0][0] if reasons else None
