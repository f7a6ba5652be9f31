"""Traces of a recording, thinned out to what a figure can show: an envelope of the whole, and ten seconds exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analytics.session import Result
from kiosk.recording import Recording, Track
from kiosk.signals import SIGNALS

Floats = NDArray[np.float64]

DETAIL = 10.0
"""Seconds that are shown exactly."""
BINS = 1500
"""Points of an envelope: more than a page has room for."""
MOST_TRACES = 8
TEMPLATE = 200
"""Beats whose mean tells how well a channel shows them."""
_HEARTS = ("ecg", "ppg", "rgb")
_NO_WAVES = ("rr", "face_motion", "face_units", "face_scores", "voice_functionals", "voice_scores")
_TITLES: Mapping[str, str] = MappingProxyType({"rgb": "Pulse of the face"})
"""Of what stands in the place of a signal."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One channel, moved up or down to stand beside others."""

    name: str
    offset: float
    times: Floats
    """Bins of the whole recording."""
    low: Floats
    high: Floats
    detail_times: Floats
    detail: Floats


@dataclass(frozen=True, slots=True)
class Wave:
    """A signal: one channel where beats were looked for, several where not."""

    title: str
    unit: str
    traces: tuple[Trace, ...]
    spacing: float
    """Between traces, in the unit."""
    window: tuple[float, float]
    """Of the detail."""
    limits: tuple[float, float]
    """Of nearly all values, those of the traces' own offset included."""


def wave(recording: Recording, result: Result) -> Wave | None:
    """What to draw of a recording's signals; None where it has none, but intervals."""
    track = _track(recording, result)
    if track is None:
        return None
    signal = SIGNALS[track.signal]
    beats = np.asarray(result.beats)
    names = _channels(track, beats) if track.signal in _HEARTS else track.channels[:MOST_TRACES]
    window = _window(track, result)
    series = [track.channel(name) for name in names]
    spreads = [_limits(each) for each in series]
    spacing = float(np.median([high - low for low, high in spreads])) if len(series) > 1 else 0.0
    offsets = [-i * spacing - (sum(spreads[i]) / 2 if spacing else 0.0) for i in range(len(series))]
    traces = tuple(
        _trace(name, offset, track, values, window) for name, offset, values in zip(names, offsets, series, strict=True)
    )
    lows, highs = zip(*((low + o, high + o) for (low, high), o in zip(spreads, offsets, strict=True)), strict=True)
    margin = 0.08 * (max(highs) - min(lows)) or 1.0
    named = len(names) == 1 and names[0].lower() != track.signal
    title = _TITLES.get(track.signal) or (f"{signal.title} {names[0]}" if named else signal.title)
    return Wave(title, signal.unit, traces, spacing, window, (min(lows) - margin, max(highs) + margin))


def heights(shown: Wave, times: Floats) -> Floats:
    """The first trace at some times within the detail."""
    trace = shown.traces[0]
    good = np.isfinite(trace.detail)
    return np.interp(times, trace.detail_times[good], trace.detail[good]) if good.any() else np.zeros(len(times))


def _track(recording: Recording, result: Result) -> Track | None:
    """The track whose beats were taken, else the first of a heart, else the first of anything."""
    waves = [track for track in recording.tracks if track.signal not in _NO_WAVES and len(track.times) > 1]
    signal, _, device = result.source.partition(".")
    ranks = [
        (track.signal != signal or device not in ("", track.device), track.signal not in _HEARTS) for track in waves
    ]
    return waves[min(range(len(waves)), key=ranks.__getitem__)] if waves else None


def _channels(track: Track, beats: Floats) -> tuple[str, ...]:
    """The one channel in which the beats look most alike; without beats the first that is not flat."""

    def clearness(name: str) -> float:
        values = track.channel(name)
        good = np.isfinite(values)
        if not good.any() or np.ptp(values[good]) == 0:
            return -1.0
        if not len(beats):
            return 0.0
        some = beats[:: -(-len(beats) // TEMPLATE)]
        grid = some[:, None] + np.linspace(-0.2, 0.4, 61)
        around = np.interp(grid, track.seconds[good], values[good])
        around -= around.mean(axis=1, keepdims=True)
        return float(around.mean(axis=0).var() / (around.var() or 1.0))

    return (max(track.channels, key=clearness),)


def _window(track: Track, result: Result) -> tuple[float, float]:
    """Ten seconds where a beat is not as measured, else where the beats are readable; of those the middlemost."""
    seconds = track.seconds
    first, last = float(seconds[0]), float(seconds[-1])
    if last - first <= DETAIL:
        return first, last
    middle = float(np.median(seconds))  # of samples: a gap has none
    starts = np.arange(first, last - DETAIL, DETAIL / 4)
    beats = np.asarray(result.beats)
    noted = np.sort(np.concatenate((beats[list(result.corrected)], result.removed, result.ectopic)))
    own = result.source.partition(".")[0] in (track.signal, "manual")
    for times in (noted, beats) if own else ():
        inside = np.searchsorted(times, starts + 0.9 * DETAIL) - np.searchsorted(times, starts + 0.1 * DETAIL)
        # of beats as many as usual; of those that are not as measured, one
        wanted = 0.8 * float(np.median(inside[inside > 0])) if times is beats and inside.any() else 1
        if (inside >= wanted).any():
            starts = starts[inside >= wanted]
            break
    start = float(starts[np.argmin(np.abs(starts + DETAIL / 2 - middle))])
    return start, start + DETAIL


def _limits(values: Floats) -> tuple[float, float]:
    good = values[np.isfinite(values)]
    if not len(good):
        return 0.0, 0.0
    low, high = np.percentile(good[:: max(1, len(good) // 200_000)], (0.1, 99.9))
    return float(low), float(high)


def _trace(name: str, offset: float, track: Track, values: Floats, window: tuple[float, float]) -> Trace:
    seconds = track.seconds
    begin, end = np.searchsorted(seconds, window)
    times, part = with_breaks(seconds[begin:end], values[begin:end] + offset, 1.5 / track.rate if track.rate else 1.0)
    return Trace(name, offset, *envelope(seconds, values + offset), times, part)


def envelope(times: Floats, values: Floats, bins: int = BINS) -> tuple[Floats, Floats, Floats]:
    """Times, lowest and highest value of each bin; NaN where a bin has none."""
    edges = np.linspace(times[0], times[-1], min(bins, len(times)) + 1)
    starts = np.searchsorted(times, edges[:-1])
    filled = np.diff(np.append(starts, len(times))) > 0
    low, high = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
    low[filled] = np.fmin.reduceat(values, starts[filled])
    high[filled] = np.fmax.reduceat(values, starts[filled])
    return (edges[:-1] + edges[1:]) / 2, low, high


def with_breaks(times: Floats, values: Floats, longest: float) -> tuple[Floats, Floats]:
    """The series with a NaN in each step that is longer than so many seconds, so that no line bridges it."""
    gaps = np.flatnonzero(np.diff(times) > longest) + 1
    return np.insert(times, gaps, times[gaps - 1]), np.insert(values, gaps, np.nan)


def joined(pairs: Sequence[Floats]) -> Floats:
    """Low and high of bins one after the other: one line that fills the envelope."""
    return np.column_stack(pairs).ravel()
