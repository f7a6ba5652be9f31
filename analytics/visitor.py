"""Who was before the camera: of several people after each other, the one who was there longest.

The sensor counts the people that it follows (`face_motion`'s channel `visitor`) and knows nobody. A mean over two
people is a number of nobody: what the camera saw of the others is left out, and the change is marked.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import Recording, Track

CAMERA = ("rgb", "face_motion", "face_units", "face_scores")
"""What a camera sends of a face."""
COUNT = "visitor"


@dataclass(frozen=True, slots=True)
class Change:
    """Another person came before a camera."""

    time: float
    detail: str


def alone(recording: Recording) -> tuple[Recording, tuple[Change, ...]]:
    """The recording with one person before each camera, and when that person came or went."""
    tracks, changes = recording.tracks, []
    for motion in recording.of("face_motion"):
        if COUNT not in motion.channels:
            continue
        there = np.flatnonzero(np.isfinite(motion.channel(COUNT)))
        numbers = motion.channel(COUNT)[there]
        if not len(there) or (numbers == numbers[0]).all():
            continue
        times = motion.times[there]
        known, counts = np.unique(numbers, return_counts=True)
        longest = known[np.argmax(counts)]
        share = counts.max() / counts.sum()
        detail = f"{motion.device}: one of {len(known)} people is measured, {100 * share:.0f} % of the time with a face"
        changes += [Change(int(times[i + 1]) / SECOND, detail) for i in np.flatnonzero(np.diff(numbers))]
        others = numbers != longest
        tracks = tuple(
            _without(track, times, others) if track.device == motion.device and track.signal in CAMERA else track
            for track in tracks
        )
    return replace(recording, tracks=tracks), tuple(changes)


def _without(track: Track, times: NDArray[np.int64], others: NDArray[np.bool_]) -> Track:
    """The track without the samples that were taken while somebody else was there."""
    # between two pictures with a face the earlier one tells
    last = np.searchsorted(times, track.times, side="right") - 1
    keep = (last < 0) | ~others[np.maximum(last, 0)]
    return replace(track, times=track.times[keep], samples=track.samples[keep])
