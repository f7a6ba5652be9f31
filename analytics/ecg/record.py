"""The ECG of a whole record: its beats, which of its intervals hold, and how good all that is."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics import intervals, quality
from analytics.ecg import peaks
from analytics.ecg.leads import usual
from analytics.ecg.trust import ENOUGH, WINDOW, trust
from analytics.ecg.vote import matched, neurokit_peaks
from analytics.filters import filled
from analytics.quality import Quality
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

METHOD = "ecg-r-peaks-1"
BETTER = 0.1
"""Mean quality by which another lead must be better than the usual one."""
SHOWN = 0.1
"""Trust from which beats are told at all; for numbers it takes more."""


@dataclass(frozen=True, slots=True)
class Beats:
    """What a track says about its beats."""

    lead: str
    times: Floats
    """R times in seconds since the recording's origin."""
    held: Flags
    """For each beat but the first: whether the interval that ends there may be used."""
    signal_quality: float
    """Mean over all seconds of quality x trust."""
    agreement: float | None
    """F1 with the second detector; None where it had nothing to say."""
    trouble: Reason | None
    """What is wrong with most of the seconds that cannot be used; None where nothing is."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The same for one segment, times in seconds after its first sample."""

    at: Floats
    good: Flags
    held: Flags
    quality: Quality
    trusted: Floats
    same: int
    compared: int


def beats(track: Track, *, correction: bool = True, vote: bool = True) -> Beats:
    """All beats of an ECG track. Gaps restart; intervals across gaps or unreadable seconds do not hold."""
    assert track.rate is not None
    lead = _lead(track)
    times: list[Floats] = []
    held: list[Flags] = []
    stretches: list[_Stretch] = []
    for segment in track.segments():
        if len(segment.times) < 2 * track.rate:
            continue
        found = _stretch(segment.samples[:, lead].astype(np.float64), track.rate, correction=correction, vote=vote)
        index = found.at * track.rate
        stretches.append(found)
        times.append(np.interp(index, np.arange(len(segment.times)), segment.times / SECOND))
        # the interval that would end at the first beat spans the gap
        held.append(np.concatenate((np.zeros(min(1, len(index)), dtype=np.bool_), found.held)))
    joined = np.concatenate(held) if held else np.zeros(0, dtype=np.bool_)
    compared = sum(stretch.compared for stretch in stretches)
    scores = np.concatenate([stretch.quality.value * stretch.trusted for stretch in stretches] or [np.zeros(1)])
    return Beats(
        lead=track.channels[lead],
        times=np.concatenate(times) if times else np.empty(0),
        held=joined[1:],
        signal_quality=float(scores.mean()),
        agreement=2 * sum(stretch.same for stretch in stretches) / compared if compared else None,
        trouble=_trouble(stretches),
    )


def _lead(track: Track) -> int:
    """The usual lead, unless another one is clearly better to read."""
    first = usual(track.channels)
    if len(track.channels) == 1:
        return first
    assert track.rate is not None
    scores = []
    for column in range(len(track.channels)):
        values = [
            quality.ecg(segment.samples[:, column].astype(np.float64), track.rate).value for segment in track.segments()
        ]
        joined = np.concatenate(values)
        scores.append(float(joined.mean()) if len(joined) else 0.0)
    best = int(np.argmax(scores))
    return best if scores[best] > scores[first] + BETTER else first


def _stretch(x: Floats, rate: float, *, correction: bool, vote: bool) -> _Stretch:
    found = peaks.beats(x, rate)
    wave = filled(x)
    judged = quality.ecg(x, rate)
    windows = max(1, round(len(x) / (WINDOW * rate)))
    edges = np.linspace(0, len(x), windows + 1).astype(np.intp)
    trusts = np.array([trust(wave, found, rate, int(begin), int(end)) for begin, end in pairwise(edges)])
    size = round(rate)
    middles = np.arange(len(judged.value)) * size + size // 2
    trusted = trusts[np.searchsorted(edges, middles, side="right") - 1]
    usable = (judged.value >= quality.READABLE) & (trusted >= ENOUGH)
    shown = trusts[np.searchsorted(edges, found.at, side="right") - 1] >= SHOWN
    at = found.at[shown]
    second = np.minimum((at / size).astype(np.intp), len(usable) - 1)
    good = usable[second]
    # one bad second between two beats is enough
    bad_before = np.concatenate(([0], np.cumsum(~usable)))
    steps = np.diff(at) / rate
    held = intervals.possible(steps) & (bad_before[second[1:] + 1] == bad_before[second[:-1]])
    if correction:
        held = intervals.usual(steps, held)
    same = compared = 0
    theirs = neurokit_peaks(wave, rate) if vote and good.any() else None
    if theirs is not None:
        # asked only where we say something
        theirs = theirs[usable[np.minimum((theirs * rate / size).astype(np.intp), len(usable) - 1)]]
        ours = at[good] / rate
        same, compared = matched(ours, theirs), len(ours) + len(theirs)
    return _Stretch(at / rate, good, held, judged, np.where(usable, trusted, 0.0), same, compared)


def _trouble(stretches: list[_Stretch]) -> Reason | None:
    reasons: Counter[Reason] = Counter()
    for stretch in stretches:
        for reason, trusted in zip(stretch.quality.reason, stretch.trusted.tolist(), strict=True):
            if reason or not trusted:
                reasons[reason or "noisy"] += 1
    return reasons.most_common(1)[0][0] if reasons else None
