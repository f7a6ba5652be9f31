"""What a figure shows of a camera: the face with its regions, the pulse wave, and the spectrum over time."""

from dataclasses import dataclass, replace

import numpy as np

from analytics.rppg import record
from kiosk.commands.figure.waves import Floats
from kiosk.messages import SECOND
from kiosk.recording import Recording, Track

PERCENTILE = 99.5
"""Of the evidence: what is as dark as it gets."""
HIGHEST = 180.0
"""Per minute: what is drawn of the spectrum when the pulse is not faster."""


@dataclass(frozen=True, slots=True)
class Course:
    """The evidence for each pulse rate in each second, and the rate that was read."""

    times: Floats
    """Seconds: the middle of each second."""
    rates: Floats
    """Per minute, of the rows."""
    evidence: Floats
    """(rates, times), 0..1; NaN where nothing was looked at."""
    told: Floats
    """Per minute, of each second; NaN where none was."""


def with_pulse(recording: Recording) -> tuple[Recording, Course | None]:
    """The recording with the pulse wave in the place of the colours that it was read from, and its course."""
    tracks: list[Track] = []
    course = None
    for track in recording.tracks:
        if track.signal != "rgb" or len(track.times) < 2:
            tracks.append(track)
            continue
        found = record.pulse(track, recording.beside(track, "face_motion"))
        if len(found.times) > 1:
            wave = found.wave.astype(np.float32)[:, None]
            tracks.append(Track("rgb", track.device, ("pulse",), found.rate, found.times, wave))
        course = course or _course(found)
    return replace(recording, tracks=tuple(tracks)), course


def _course(found: record.Pulse) -> Course | None:
    if not len(found.hertz) or not np.isfinite(found.spectrum).any():
        return None
    rates = 60.0 * found.hertz
    told = found.rates[np.isfinite(found.rates)]
    shown = rates <= max([HIGHEST, *(1.2 * told)])
    dark = float(np.nanpercentile(found.spectrum, PERCENTILE)) or 1.0
    return Course(
        found.starts / SECOND + 0.5,
        rates[shown],
        np.clip(found.spectrum[:, shown].T / dark, 0.0, 1.0),
        found.rates,
    )
