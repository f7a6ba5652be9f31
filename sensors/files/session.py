"""Several recordings of one visit as one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kiosk.errors import BadRecording
from kiosk.recording import Recording, Track, marks
from sensors.files.content import Start, merged


def join(recordings: Sequence[Recording], starts: Sequence[Start | None] = (), name: str = "") -> Recording:
    """One recording with the tracks of all, moved to where they began if all of them say when."""
    if not recordings:
        raise BadRecording("no recordings to join")
    moves, assumed = _moves(recordings, starts)
    tracks: list[Track] = []
    beats: tuple[float, ...] | None = None
    for recording, move in zip(recordings, moves, strict=True):
        if recording.beats is not None:
            if beats is not None:
                raise BadRecording(f"{recording.name}: a session has one list of beats, this is a second")
            beats = tuple(beat + move / 1e9 for beat in recording.beats)
        tracks += [_distinct(replace(track, times=track.times + np.int64(move)), tracks) for track in recording.tracks]
        assumed += [(what, f"{Path(recording.name).name}: {value}") for what, value in recording.assumed]
    noted = [
        replace(mark, time=mark.time + move)
        for recording, move in zip(recordings, moves, strict=True)
        for mark in recording.marks
    ]
    spans = [
        (recording.span[0] + move, recording.span[1] + move)
        for recording, move in zip(recordings, moves, strict=True)
        if recording.span is not None
    ]
    span = (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None
    return Recording(tuple(tracks), name or recordings[0].name, beats, merged(assumed), marks(noted), span)


def _moves(recordings: Sequence[Recording], starts: Sequence[Start | None]) -> tuple[list[int], list[tuple[str, str]]]:
    """How far each recording moves, in nanoseconds."""
    known = [start for start in starts if start is not None]
    if len(recordings) == 1:
        return [0], []
    if len(known) == len(recordings) and len({start.zoned for start in known}) == 1:
        first = min(start.time for start in known)
        moves = [start.time - first for start in known]
        if max(moves) <= 86_400 * 1_000_000_000:
            return moves, []
        return [0] * len(recordings), [("session", "files of different days are taken to begin together")]
    return [0] * len(recordings), [("session", "not every file says when it began: taken to begin together")]


def _distinct(track: Track, others: list[Track]) -> Track:
    """The track under a device name that no other track of its signal has."""
    taken = {other.device for other in others if other.signal == track.signal}
    device, count = track.device, 1
    while device in taken:
        count += 1
        device = f"{track.device[:58]}-{count}"
    return replace(track, device=device)
