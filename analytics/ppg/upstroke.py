"""The pulses of a stretch: which upstrokes are heart beats, and when each was steepest.

Candidates are the maxima of the slope. Which of them are beats is decided for the whole stretch at once, by dynamic
programming: a beat brings its height, and costs as far as the interval before it is strange to the rhythm around.
That cost is bounded, so that a tall beat is never given up for its time: an arrhythmia stays one.

The fiducial is the steepest point of the systolic upstroke: it keeps its place while the rest of the pulse changes
with every breath. On two camera recordings with simultaneous RR its intervals were off by 12 and 11 ms (SD), those of
the foot (intersecting tangents) by 13 and 18, of a template of the whole pulse by 27 and 16, of the peak by 19 and 52.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from analytics.ppg.repeats import INTERVALS
from analytics.ppg.wave import Wave, wave

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

REACH = 0.14
"""Seconds on both sides within which a candidate is the steepest."""
LEVEL = 6.0
"""Seconds before and after a moment whose beats tell how steep the next one should be."""
LOWEST = 1e-6
"""Share of the steepest slope of all that this is at least."""
SPELL = 2.0
"""Seconds in which at least one beat is expected."""
WEAKEST = 0.3
"""Share of that steepness that brings nothing: dicrotic waves have about that much."""
TALLEST = 1.2
"""Share from which a beat brings no more."""
STRANGE = 0.2
"""Cost of an interval per squared logarithm of its ratio to the usual one..."""
STRANGEST = 0.35
"""... and its bound."""
FEWEST = 4
"""Beats that make a usual pulse."""
USUAL_BEFORE, USUAL_AFTER = (0.25, 0.2), (0.5, 0.4)
"""How far the usual pulse reaches before and after its upstroke: a share of the interval, and seconds at most."""
NEAR = 0.1
"""Seconds from where there is most of the usual pulse to the steepest point of its upstroke."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """Beats of one stretch of a wave."""

    wave: Wave
    at: Floats
    """Broken indices into the wave where each upstroke is steepest."""
    heights: Floats
    """Slope there, over the slope expected around it."""
    period: Floats
    """The usual interval around each beat in seconds."""


def pulses(x: Floats, rate: float, *, inverted: bool | None = None) -> Pulses:
    """All beats of a stretch without gaps; which way is up is seen from the pulse unless it is told."""
    seen = wave(x, rate, inverted=inverted)
    return _found(seen, seen.slope, seen.rate)


def _found(seen: Wave, slope: Floats, rate: float) -> Pulses:
    """First by their slope alone, then by how much of the usual pulse there is in each."""
    empty = np.empty(0)
    if not slope.any():
        return Pulses(seen, empty, empty, empty)
    period = seen.repeats.usual(len(slope))
    tops, heights = _chosen(slope, period, rate)
    if len(tops) >= FEWEST:
        tops, heights = _chosen(_amount(seen, tops, float(np.median(period[tops]))), period, rate)
        tops = _steepest(slope, tops, rate)
    inner = (tops > 0) & (tops < len(slope) - 1)
    tops, heights = tops[inner], heights[inner]
    left, middle, right = slope[tops - 1], slope[tops], slope[tops + 1]
    bend = left - 2 * middle + right
    safe = np.where(bend < 0, bend, -1.0)
    shift = np.where(bend < 0, np.clip(0.5 * (left - right) / safe, -0.5, 0.5), 0.0)
    at = tops.astype(np.float64) + shift
    # two pulses may share an upstroke: it belongs to the first
    keep = np.concatenate(([True], np.diff(at) >= INTERVALS[0] * rate))[: len(at)]
    return Pulses(seen, at[keep], heights[keep], period[tops][keep])


def _chosen(feature: Floats, period: Floats, rate: float) -> tuple[Indices, Floats]:
    """The maxima of a feature that are beats, and their heights."""
    reach = max(1, round(REACH * rate))
    highest = ndimage.maximum_filter1d(feature, 2 * reach + 1)
    tops = np.flatnonzero((feature == highest) & (feature > 0))
    # of a plateau only its first sample; the ends of a stretch show no maximum
    tops = tops[(tops > 0) & (tops < len(feature) - 1)]
    tops = tops[feature[tops] > feature[tops - 1]]
    heights = feature[tops] / level(feature, rate)[tops]
    row = rhythm(tops / rate, heights, period[tops])
    return tops[row], heights[row]


def _amount(seen: Wave, tops: Indices, period: float) -> Floats:
    """How much of the usual pulse there is around each sample, were its upstroke there."""
    before, after = (
        max(2, round(min(share * period, most) * seen.rate)) for share, most in (USUAL_BEFORE, USUAL_AFTER)
    )
    whole = tops[(tops >= before) & (tops < len(seen.volume) - after)]
    if not len(whole):
        return seen.slope
    usual_pulse = np.median(seen.volume[whole[:, None] + np.arange(-before, after + 1)], axis=0)
    return np.correlate(np.pad(seen.volume, (before, after)), usual_pulse - usual_pulse.mean(), mode="valid")


def _steepest(slope: Floats, tops: Indices, rate: float) -> Indices:
    """The steepest samples near the given ones."""
    reach = max(1, round(NEAR * rate))
    places = np.clip(tops[:, None] + np.arange(-reach, reach + 1), 0, len(slope) - 1)
    return np.asarray(places[np.arange(len(tops)), np.argmax(slope[places], axis=1)])


def level(slope: Floats, rate: float) -> Floats:
    """How steep a beat is around each sample: the median over some seconds before or after, whichever is less."""
    step = max(1, round(0.25 * rate))
    tops = ndimage.maximum_filter1d(slope, round(SPELL * rate) | 1)[::step]
    count = max(1, round(LEVEL * rate / step))
    whole = np.pad(tops, count, mode="reflect" if len(tops) > count else "edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(whole, count + 1), axis=1)
    least = np.minimum(medians[: len(tops)], medians[count : count + len(tops)])
    places = np.arange(len(slope))
    return np.asarray(np.maximum(np.interp(places, places[::step], least), LOWEST * float(np.abs(slope).max())))


def rhythm(seconds: Floats, heights: Floats, period: Floats) -> Indices:
    """Which candidates are beats: the row with the highest sum of heights less the cost of strange intervals."""
    value = (np.clip(heights, 0.0, TALLEST) - WEAKEST).tolist()
    at, usual_at = seconds.tolist(), np.log(period).tolist()
    best: list[float] = []
    before: list[int] = []
    # of all candidates up to each one, that whose row is worth most
    leader: list[int] = []
    first = 0
    for here, moment in enumerate(at):
        while moment - at[first] > INTERVALS[1]:
            first += 1
        # a row may begin here, or go on after a pause longer than any interval
        link = leader[first - 1] if first else -1
        top = max(0.0, best[link] if first else 0.0) - STRANGEST
        for there in range(first, here):
            gap = moment - at[there]
            if gap < INTERVALS[0]:
                break
            ratio = log(gap) - usual_at[here]
            score = best[there] - min(STRANGEST, STRANGE * ratio * ratio)
            if score > top:
                top, link = score, there
        best.append(top + value[here])
        before.append(link)
        leader.append(here if not leader or best[here] > best[leader[-1]] else leader[-1])
    row = []
    place = leader[-1] if leader else -1
    while place >= 0:
        row.append(place)
        place = before[place]
    return np.array(row[::-1], dtype=np.intp)
