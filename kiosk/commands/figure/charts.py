"""Charts: lines over a common axis, for what has no picture of its own - brain and voice."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from analytics import eeg
from analytics.eeg.bands import LIMITS
from analytics.voice.words import heard
from kiosk.commands.figure.axes import clock
from kiosk.commands.figure.waves import Floats
from kiosk.recording import Recording

FEWEST = 3
"""Points of which a line is drawn; fewer are in the table."""
POINTS = 60
"""Of the bands over time: from second to second they jump more than they change."""
BRAIN = (1.0, 45.0)
"""Hertz that are drawn of an EEG."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    x: Floats
    y: Floats
    dashed: bool = False
    marked: bool = False
    """Its points are few and shown."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines that share axes."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    limits: tuple[float, float] | None = None
    logarithmic: bool = False
    edges: tuple[float, ...] = ()
    """Where something begins or ends on the x axis."""


def charts(recording: Recording) -> tuple[Chart, ...]:
    """What to draw of brain and voice."""
    return (*_brain(recording), *_voice(recording))


def _brain(recording: Recording) -> Iterator[Chart]:
    track = next((each for each in recording.of("eeg") if len(each.times)), None)
    if track is None:
        return
    spectrum, course = eeg.spectrum(track), eeg.course(track)
    if spectrum is not None:
        there = (spectrum.frequencies >= BRAIN[0]) & (spectrum.frequencies <= BRAIN[1])
        hertz = spectrum.frequencies[there]
        # powers of channels differ by factors: their geometric mean is none of the loudest alone
        lines = [Line("mean of the channels", hertz, np.exp(np.log(spectrum.power[:, there]).mean(axis=0)))]
        if spectrum.background is not None:
            lines.append(Line("aperiodic", hertz, spectrum.background[there], dashed=True))
        edges = tuple(sorted({edge for limits in LIMITS.values() for edge in limits if edge < BRAIN[1]}))
        yield Chart("Spectrum of the EEG", "Frequency (Hz)", "Density (µV²/Hz)", tuple(lines), None, True, edges)
    if course is not None and len(course.times) > 1:
        span = clock(recording.duration)
        groups = np.array_split(np.arange(len(course.times)), min(POINTS, len(course.times)))
        times = np.array([course.times[group].mean() for group in groups]) / span.seconds
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # the mean of nothing is NaN, and not drawn
            powers = np.array([np.nanmean(course.powers[group], axis=0) for group in groups])
        shares = powers / powers.sum(axis=1, keepdims=True)
        lines = [Line(band, times, shares[:, i]) for i, band in enumerate(course.bands)]
        yield Chart("Bands over time", f"Time ({span.unit})", "Share of the power", tuple(lines), (0.0, 1.0))


def _voice(recording: Recording) -> Iterator[Chart]:
    span = clock(recording.duration)
    said = next((each for each in recording.of("voice_functionals") if len(each.times) >= FEWEST), None)
    if said is not None:
        low, middle, high = (said.channel(name) for name in ("f0_p20", "f0_p50", "f0_p80"))
        times = said.seconds / span.seconds
        lines = [
            Line("median of the second", times, middle, marked=True),
            Line("20th and 80th percentile", np.tile(np.append(times, np.nan), 2), np.concatenate(
                (low, [np.nan], high, [np.nan])), dashed=True),
        ]  # fmt: skip
        yield Chart("Pitch of the voice", f"Time ({span.unit})", "Pitch (Hz)", tuple(lines))
    for track in recording.of("voice_scores"):
        good = np.isfinite(track.samples).all(axis=1)
        told = heard(track.channels, track.samples[good].astype(np.float64))
        if told is None or good.sum() < FEWEST:
            continue
        times = track.seconds[good] / span.seconds
        shares = np.exp(told.logs)
        lines = [Line(name, times, shares[:, i], marked=True) for i, name in enumerate(told.emotions)]
        yield Chart("How the voice sounded", f"Time ({span.unit})", "Probability", tuple(lines), (0.0, 1.0))


def batched(items: Sequence[Chart], count: int) -> Iterator[tuple[Chart, ...]]:
    """The items in groups of so many."""
    left = iter(items)
    while group := tuple(islice(left, count)):
        yield group
