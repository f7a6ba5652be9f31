"""The product's own way from pictures to numbers: the observer, then the session that every recording gets."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from kiosk.signals import MOTION_CHANNELS, REGIONS, RGB_CHANNELS
from sensors.face.seen import Sight

Floats = NDArray[np.float64]

RATE = 30.0
"""Hertz of the grid that the rivals are given."""


def recording(sights: Iterable[Sight]) -> Recording:
    """What would have reached the analysis."""
    seen = list(sights)
    times = np.array([sight.at for sight in seen], dtype=np.int64)
    colours = np.array([sight.rgb for sight in seen], dtype=np.float32).reshape(-1, len(RGB_CHANNELS))
    motion = np.array([sight.motion for sight in seen], dtype=np.float32).reshape(-1, len(MOTION_CHANNELS))
    return Recording(
        (
            Track("rgb", "camera", RGB_CHANNELS, None, times, colours),
            Track("face_motion", "camera", MOTION_CHANNELS, None, times, motion),
        )
    )


def of_colours(times: NDArray[np.int64], colours: Floats, *, pixels: float = 20_000.0) -> Recording:
    """A recording of the whole skin's mean colour and nothing else."""
    samples = np.full((len(times), len(RGB_CHANNELS)), np.nan, dtype=np.float32)
    samples[:, 3::4] = 0.0
    samples[:, :3], samples[:, 3] = colours, pixels
    return Recording((Track("rgb", "camera", RGB_CHANNELS, None, times, samples),))


def whole(known: Recording) -> Floats:
    """Mean colour of the whole face on a regular grid, lost pictures bridged by a line: what the rivals are given."""
    track = known.of("rgb")[0]
    colours = np.column_stack([track.channel(f"{REGIONS[0]}_{part}") for part in "rgb"])
    there = np.isfinite(colours).all(axis=1)
    if there.sum() < 2:
        return np.empty((0, 3))
    seconds = track.seconds[there] - track.seconds[0]
    grid = np.arange(0.0, track.seconds[-1] - track.seconds[0] + 1e-9, 1.0 / RATE)
    return np.column_stack([np.interp(grid, seconds, column) for column in colours[there].T])


def final(known: Recording) -> dict[str, float | None]:
    """Of each measure that the camera answers, its value; None where it is absent."""
    result = session(known, Context())
    return {each.measure: each.value for each in result.readings if each.source.startswith("rgb")}


def live(known: Recording, *, chunk: int = 10) -> Sequence[Finding]:
    """Heart rates of a stream of both signals, in the order in which they are told."""
    from analytics.rppg.live import LiveCamera

    track = known.of("rgb")[0]
    analyzer = LiveCamera(RATE, track.channels)
    found: list[Finding] = []
    for begin in range(0, len(track.times), chunk):
        part = track.part(begin, min(len(track.times), begin + chunk))
        found += analyzer.feed(part.times, part.samples)
    return [each for each in found if each.measure == "heart_rate"]


def part(known: Recording, start: float, end: float) -> Recording:
    """Its seconds from start to end."""
    return Recording(tuple(track.between(round(start * SECOND), round(end * SECOND)) for track in known.tracks))
