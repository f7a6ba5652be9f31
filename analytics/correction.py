"""Beats as they would be without artefacts and ectopic beats: what was missed is added, what is extra taken out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.beats import Beats, Change, Corrected, Flags, Floats, Kind

Counts = NDArray[np.int64]

LEVEL_BEATS = 11
"""Intervals whose median is the usual one (Lipponen & Tarvainen 2019)."""
SPREAD_BEATS = 91
"""Beats whose quartiles say how much this heart varies (Lipponen & Tarvainen 2019)."""
QUARTILE_DEVIATIONS = 5.2
"""Quartile deviations that are too many: 3.5 standard deviations of a normal distribution (as they have it)."""
LEAST = 0.020
"""Seconds of displacement that are nothing, however even the heart: what a detector may be wrong by."""
EARLY = 0.92
"""Times the shorter of the intervals on either side: a beat out of place makes an interval below; a heart that speeds
up or slows down (sinus arrhythmia, a deep breath, a pause) does not."""
DISPLACED = 0.20
"""Of the usual interval: a beat displaced by more is none of the sinus node's, however much this heart varies."""
FIT = (0.10, 0.20)
"""Of the usual interval: at least and at most tolerated between it and what correction makes."""
EXTRA = (0.75, 1.40)
"""Of the usual interval: of two that an extra beat made, the shorter is below the first, their sum below the second."""
VERY_EARLY = 0.70
"""Of the usual interval: one below is an early beat's itself, and says nothing of what is usual beside it."""
LONG = (1.50, 1.75)
"""Times the longer interval beside it: less is no hole but a heart that slows down. An interval beside it that is above
the second number of usual ones is a hole itself and does not count."""
PAUSE = (0.80, 2.25)
"""Usual intervals: beside an early beat, an interval below the first, a long one is its pause and no hole, where both
together are below the second."""
MOST_MISSED = 4
"""Intervals that a hole is divided into at most; in a longer one nobody knows."""
LATEST = 1e9
"""Seconds: no session is thirty years long."""
LONGEST = 10.0
"""Seconds between two beats above which one was not there to be seen."""
PASSES = 5
"""A group of ectopic beats is found one by one."""


def correct(beats: Beats) -> Corrected:
    """Beats without artefacts, never across a gap.

    A beat is distrusted for its shape (`Kind`) or for its time: where it makes two intervals of what is one (extra), or
    makes one shorter than its neighbours and stands away from where a cubic through two beats on each side has it, by
    more than 5.2 quartile deviations of such distances among 91 beats (ectopic, misplaced). Where trusted neighbours
    are left with a hole, it is divided into as many intervals as fit - adding, moving or removing beats - with lengths
    from one neighbour's to the other's. Where none fit, the intervals are not held: a non-compensated early beat loses
    its two intervals and distorts no other. Thresholds after Lipponen & Tarvainen 2019,
    doi:10.1080/03091902.2019.1640306; the number of intervals in a hole, the cubic, that an early beat must be early
    beside its neighbours (so that sinus arrhythmia stays), the cap on thresholds (so that fibrillation and bigeminy are
    no variability) and the use of shape are ours.
    """
    times, held, kinds = _readable(beats)
    if len(times) < 2:
        return as_measured(beats)
    trusted = kinds == Kind.NORMAL
    if trusted.sum() < 2:
        trusted = np.ones(len(times), np.bool_)
    filled = _filled(times, held, trusted)
    for _ in range(PASSES):
        distrusted = _distrusted(filled, max(LEAST, QUARTILE_DEVIATIONS * beats.precision))
        if not len(distrusted):
            break
        trusted[distrusted] = False
        filled = _filled(times, held, trusted)
    return Corrected(filled.times, filled.held, filled.changes, filled.removed)


def as_measured(beats: Beats) -> Corrected:
    """The same beats where nobody is to correct them."""
    times, held, _ = _readable(beats)
    return Corrected(times, held, np.zeros(len(times), np.uint8), np.empty(0))


@dataclass(frozen=True, slots=True)
class _Filled:
    """Trusted beats with holes divided."""

    times: Floats
    held: Flags
    joined: Flags
    """As held, and where the parts of a hole do not fit: another distrusted beat may explain why."""
    changes: NDArray[np.uint8]
    removed: Floats
    origins: Counts
    """For each beat its index among the detected ones; -1 where it stands elsewhere."""


def _readable(beats: Beats) -> tuple[Floats, Flags, NDArray[np.uint8]]:
    """Times, held and kinds of the beats whose time is a number; what no heart waits is not held."""
    index = np.flatnonzero(np.abs(beats.times) < LATEST)
    times = beats.times[index]
    steps = np.diff(times)
    held = beats.held[index[1:] - 1] & (np.diff(index) == 1) & (steps > 0) & (steps <= LONGEST)
    return times, held, beats.kinds[index]


def _filled(times: Floats, held: Flags, trusted: Flags) -> _Filled:
    kept = np.flatnonzero(trusted)
    spans = np.diff(times[kept])
    inside = np.diff(kept) - 1
    lost = np.concatenate(([0], np.cumsum(~held)))
    sound = lost[kept[1:]] == lost[kept[:-1]]
    plain = sound & (inside == 0)
    level = _level(spans, plain if plain.any() else sound)
    before, after = _neighbours(spans, plain & (spans >= VERY_EARLY * level), level)
    usual = np.median(np.stack((level, before, after)), axis=0)
    tolerance = np.clip(_spread(spans - level, plain), FIT[0] * level, FIT[1] * level)
    parts = np.where(sound, np.maximum(1, np.floor(spans / usual + 0.5)), 1).astype(np.int64)
    longest = np.max([np.where(each < LONG[1] * level, each, level) for each in (before, after)], axis=0)
    hole = (spans >= LONG[0] * longest) & (parts <= MOST_MISSED) & ~_after_early(spans, plain, level)
    parts[(inside == 0) & ~hole] = 1
    parts[parts > MOST_MISSED + inside] = 1
    share = spans / parts
    off = np.minimum(np.abs(share - usual), np.abs(share - level)) > tolerance
    changed = (parts > 1) | (inside > 0)
    fits = ~(changed & off)
    return _placed(times, kept, spans, inside, parts, sound, fits, before, after)


def _placed(
    times: Floats,
    kept: Counts,
    spans: Floats,
    inside: Counts,
    parts: Counts,
    sound: Flags,
    fits: Flags,
    before: Floats,
    after: Floats,
) -> _Filled:
    """Each span divided into its parts, whose lengths go from the interval before it to the one after."""
    span = np.repeat(np.arange(len(spans)), parts)
    step = np.arange(len(span)) - np.repeat(np.cumsum(parts) - parts, parts)
    weight = (step + 1) / (parts[span] + 1)
    lengths = (1 - weight) * before[span] + weight * after[span]
    sums = np.bincount(span, lengths, minlength=len(spans))
    reached = np.cumsum(lengths) - (np.cumsum(sums) - sums)[span]
    ends = times[kept[:-1]][span] + spans[span] * reached / sums[span]
    last = step == parts[span] - 1
    ends[last] = times[kept[1:]]
    changes = np.where(step < np.minimum(inside, parts - 1)[span], Change.MOVED, Change.ADDED).astype(np.uint8)
    changes[last] = Change.MEASURED
    origins = np.where(last, kept[1:][span], -1)
    return _Filled(
        np.concatenate((times[kept[:1]], ends)),
        (sound & fits)[span],
        sound[span],
        np.concatenate((np.zeros(1, np.uint8), changes)),
        _removed(times, kept, inside, parts),
        np.concatenate((kept[:1], origins)),
    )


def _removed(times: Floats, kept: Counts, inside: Counts, parts: Counts) -> Floats:
    """Beats that no part has room for: the last of their span, and those outside all spans."""
    span = np.repeat(np.arange(len(inside)), inside)
    place = np.arange(len(span)) - np.repeat(np.cumsum(inside) - inside, inside)
    over = place >= (parts - 1)[span]
    within = (kept[:-1][span] + 1 + place)[over]
    outside = np.concatenate((np.arange(kept[0]), np.arange(kept[-1] + 1, len(times))))
    return np.asarray(times[np.sort(np.concatenate((within, outside)))])


def _distrusted(filled: _Filled, least: float) -> Counts:
    """Indices, among the detected beats, of those whose time is not to be trusted."""
    steps = np.diff(filled.times)
    if len(steps) < 3:
        return np.empty(0, np.int64)
    level = _level(steps, filled.joined)
    first, second = steps[:-1], steps[1:]
    between = filled.joined[:-1] & filled.joined[1:]
    judged = between & (filled.origins[1:-1] >= 0)
    middle = 0.5 * (level[:-1] + level[1:])
    known = np.where(filled.joined, steps, level)
    ahead = np.concatenate((level[:1], known[:-2]))
    behind = np.concatenate((known[2:], level[-1:]))
    both = first + second
    extra = judged & (np.minimum(first, second) < EXTRA[0] * middle)
    # early beats with their pause are as many as they should be
    extra &= (both < EXTRA[1] * middle) & (np.maximum(ahead, behind) < LONG[1] * middle)
    cost = np.where(extra, np.abs(both - middle), np.inf)
    extra &= cost <= ndimage.minimum_filter1d(cost, 3)
    # where an extra beat is, its neighbours look displaced: they are judged when it is gone
    near_extra = ndimage.binary_dilation(extra, iterations=3)
    early = _early(filled, steps, level)
    away = np.where(between, (first - second) / 2 - (ahead - behind) / 6, 0.0)
    limit = np.clip(_spread(away, between), least, DISPLACED * middle)
    # early before late: of two beats that could be wrong the early one is
    weight = np.where(judged & ~near_extra & early, np.abs(away) * np.where(away < 0, 1.001, 1.0), 0.0)
    displaced = (weight > limit) & (weight >= ndimage.maximum_filter1d(weight, 5))
    return np.asarray(filled.origins[1:-1][extra | displaced])


def _early(filled: _Filled, steps: Floats, level: Floats) -> Flags:
    """Whether the shorter interval of each beat is shorter than those on either side; of early beats in a row, too."""
    measured = (filled.origins[:-1] >= 0) & (filled.origins[1:] >= 0) & filled.joined
    short = np.where(measured, steps, level)
    beside = np.where(filled.joined & (steps >= VERY_EARLY * level), steps, level)
    ahead = np.concatenate((level[:1], beside[:-2]))
    behind = np.concatenate((beside[2:], level[-1:]))
    return np.asarray(np.minimum(short[:-1], short[1:]) < EARLY * np.minimum(ahead, behind))


def _level(steps: Floats, known: Flags) -> Floats:
    """The usual interval around each: the median of eleven two-beat means, so that a bigeminus has one and not two."""
    chosen = steps[known]
    if not len(chosen):
        return np.maximum(steps, LEAST)
    means = np.concatenate((chosen[:1], 0.5 * (chosen[1:] + chosen[:-1])))
    middle = ndimage.median_filter(means, size=min(LEVEL_BEATS, len(means)), mode="reflect")
    index = np.clip(np.cumsum(known) - 1, 0, len(middle) - 1)
    return np.asarray(np.maximum(middle[index], LEAST))


def _spread(values: Floats, known: Flags) -> Floats:
    """5.2 quartile deviations of the values around each."""
    chosen = values[known]
    if not len(chosen):
        return np.zeros(len(values))
    size = min(SPREAD_BEATS, len(chosen))
    upper, lower = (ndimage.percentile_filter(chosen, share, size=size, mode="reflect") for share in (75, 25))
    index = np.clip(np.cumsum(known) - 1, 0, len(chosen) - 1)
    return np.asarray(QUARTILE_DEVIATIONS * 0.5 * (upper - lower)[index])


def _after_early(spans: Floats, plain: Flags, level: Floats) -> Flags:
    """Whether one of the intervals beside each is that of an early beat, whose pause it then is."""
    found = np.zeros(len(spans), np.bool_)
    for beside, turn in zip(_neighbours(spans, plain, level), (1, -1), strict=True):
        beyond = np.roll(beside, turn)
        # early beats come in pairs, too; a heart that became faster stays so
        short = (beside < PAUSE[0] * level) & (beside < EARLY * np.maximum(beyond, np.roll(beside, 2 * turn)))
        two = spans + beside < PAUSE[1] * level
        three = (beyond < VERY_EARLY * level) & (spans + beside + beyond < (PAUSE[1] + 1) * level)
        found |= short & (two | three)
    return found


def _neighbours(spans: Floats, known: Flags, level: Floats) -> tuple[Floats, Floats]:
    """The interval before each and after it, as far as they are known; else the usual one."""
    beside = np.where(known, spans, level)
    return np.concatenate((level[:1], beside[:-1])), np.concatenate((beside[1:], level[-1:]))
