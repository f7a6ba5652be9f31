"""The ECG of a whole record: its beats, which of its intervals hold, and how good all that is."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics import quality
from analytics.beats import Beats, Codes
from analytics.ecg import peaks
from analytics.ecg.kinds import kinds
from analytics.ecg.leads import usual
from analytics.ecg.precision import precision
from analytics.ecg.trust import ENOUGH, WINDOW, trusts
from analytics.ecg.vote import consensus, voices
from analytics.filters import filled
from analytics.quality import Quality
from kiosk.measures import Reason
from kiosk.messages import SECOND
from kiosk.recording import Track

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

METHOD = "ecg-r-peaks-3"
BETTER = 0.1
"""Mean quality by which another lead must be better than the usual one."""
SHOWN = 0.1
"""Trust from which beats are told at all; for numbers it takes more."""
SHORTEST = 2.0
"""Seconds of a segment in which beats are looked for."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The beats of one segment, times in seconds after its first sample."""

    at: Floats
    held: Flags
    kinds: Codes
    precision: float
    quality: Quality
    trusted: Floats
    confirmed: int
    doubted: int


def beats(track: Track, *, vote: bool = True) -> Beats:
    """All beats of an ECG track. Gaps restart; intervals across gaps or unreadable seconds do not hold."""
    assert track.rate is not None
    lead = _lead(track)
    times, held = [np.empty(0)], [np.zeros(0, dtype=np.bool_)]
    stretches: list[_Stretch] = []
    for segment in track.segments():
        if len(segment.times) < SHORTEST * track.rate:
            continue
        found = _stretch(segment.samples[:, lead].astype(np.float64), track.rate, vote=vote)
        stretches.append(found)
        times.append(np.interp(found.at * track.rate, np.arange(len(segment.times)), segment.times / SECOND))
        # the interval that would end at the first beat spans the gap
        held.append(np.concatenate((np.zeros(min(1, len(found.at)), dtype=np.bool_), found.held)))
    confirmed = sum(stretch.confirmed for stretch in stretches)
    doubted = sum(stretch.doubted for stretch in stretches)
    scores = np.concatenate([stretch.quality.value * stretch.trusted for stretch in stretches] or [np.zeros(1)])
    counts = np.array([len(stretch.at) for stretch in stretches])
    errors = np.array([stretch.precision for stretch in stretches])
    return Beats(
        channel=track.channels[lead],
        times=np.concatenate(times),
        held=np.concatenate(held)[1:],
        kinds=np.concatenate([np.zeros(0, dtype=np.uint8), *(stretch.kinds for stretch in stretches)]),
        precision=float(np.sqrt(np.average(errors**2, weights=counts))) if counts.sum() else 0.0,
        signal_quality=float(scores.mean()) if len(scores) else 0.0,
        agreement=2 * confirmed / (2 * confirmed + doubted) if confirmed + doubted else None,
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


def _stretch(x: Floats, rate: float, *, vote: bool) -> _Stretch:
    judged = quality.ecg(x, rate)
    wave = filled(x)
    found = peaks.beats(wave, rate)
    windows = max(1, round(len(x) / (WINDOW * rate)))
    edges = np.linspace(0, len(x), windows + 1).astype(np.intp)
    trust = trusts(wave, found, rate, edges)
    size = round(rate)
    middles = np.arange(len(judged.value)) * size + size // 2
    trusted = trust[np.searchsorted(edges, middles, side="right") - 1]
    usable = (judged.value >= quality.READABLE) & (trusted >= ENOUGH)
    at = found.at[trust[np.searchsorted(edges, found.at, side="right") - 1] >= SHOWN]
    second = np.minimum((at / size).astype(np.intp), len(usable) - 1)
    # one bad second between two beats is enough
    bad_before = np.concatenate(([0], np.cumsum(~usable)))
    held = bad_before[second[1:] + 1] == bad_before[second[:-1]]
    confirmed = doubted = 0
    if vote and (good := usable[second]).any():
        # asked only where we say something
        others = [times[usable[np.minimum((times * rate / size).astype(np.intp), len(usable) - 1)]]
                  for times in voices(wave, rate)]  # fmt: skip
        confirmed, doubted = consensus(at[good] / rate, others)
    return _Stretch(
        at=at / rate,
        held=held,
        kinds=kinds(wave, at, rate),
        precision=precision(wave, at, rate),
        quality=judged,
        trusted=np.where(usable, trusted, 0.0),
        confirmed=confirmed,
        doubted=doubted,
    )


def _trouble(stretches: list[_Stretch]) -> Reason | None:
    reasons: Counter[Reason] = Counter()
    for stretch in stretches:
        for reason, trusted in zip(stretch.quality.reason, stretch.trusted.tolist(), strict=True):
            if reason or not trusted:
                reasons[reason or "noisy"] += 1
    return reasons.most_common(1)[0][0] if reasons else None
