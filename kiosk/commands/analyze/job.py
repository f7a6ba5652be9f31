"""One recording from its files to its answer, with its figure; made of what can travel between processes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from analytics.session import FinalReading, Result, session
from kiosk.errors import BadRecording
from kiosk.recording import Context, Recording, Track
from kiosk.signals import SIGNALS
from sensors import files
from sensors.files import Portrait

FIELDS = (
    "measure", "value", "unit", "low", "high", "quality", "source", "scope", "method", "start", "end", "absent",
    "preferred", "note", "note_ru",
)  # fmt: skip
PLAIN: Mapping[str, str] = MappingProxyType({"voice_functionals": "voice", "voice_scores": "emotions by"})
"""Signals that are called otherwise where people read of them."""
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be read, analysed and drawn."""

    name: str
    """As it is reported."""
    paths: tuple[Path, ...]
    """Of one recording; several of one session."""
    optional: frozenset[Path]
    """Those that nobody named: found in a folder, they may turn out to be no recordings."""
    kind: str
    channel: str | None
    rate: float | None
    correction: bool
    models: Path | None = None
    """The folder of installed networks."""
    figure: Path | None = None

    def of(self, name: str, paths: tuple[Path, ...], optional: frozenset[Path], figure: Path | None) -> "Job":
        """The same for other files."""
        return replace(self, name=name, paths=paths, optional=optional & set(paths), figure=figure)

    def recording(self) -> Recording:
        """Its files, read."""
        if len(self.paths) == 1:
            return files.read(self.paths[0], kind=self.kind, channel=self.channel, rate=self.rate, models=self.models)
        return files.read_session(
            self.paths, kind=self.kind, channel=self.channel, rate=self.rate, name=self.name, optional=self.optional,
            models=self.models,
        )  # fmt: skip

    def portrait(self) -> Portrait | None:
        """The face that was seen, for its figure."""
        seen = (files.portrait(path, kind=self.kind, models=self.models) for path in self.paths)
        return next((each for each in seen if each is not None), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recording says."""

    json: Json
    """What scripts may rely on."""
    channels: tuple[str, ...]
    """As `ecg MLII, V5`, for people."""
    result: Result
    """Without the intervals, which are as long as the recording."""
    figure: Path | None

    @property
    def valued(self) -> bool:
        """Whether any reading has a value."""
        return any(reading.value is not None for reading in self.result.readings)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Nobody named the file, and it is no recording."""

    cause: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be read, or its figure cannot be written."""

    cause: str


Outcome = Answer | PassedOver | Refused


def outcome(job: Job) -> Outcome:
    """What becomes of a job."""
    try:
        recording = job.recording()
        result = session(recording, Context(), correction=job.correction, models=job.models)
        if job.figure is not None:
            from kiosk.commands import figure  # matplotlib and plotly, for those who ask

            figure.write(job.figure, recording, result, job.portrait())
    except files.NoRecording as error:
        return PassedOver(str(error)) if job.optional else Refused(str(error))
    except BadRecording as error:
        return Refused(str(error))
    channels = tuple(_told(track) for track in recording.tracks)
    return Answer(describe(job.name, recording, result), channels, replace(result, intervals=None), job.figure)


def _told(track: Track) -> str:
    """A track's signal, with the channels that not every device of its kind names alike."""
    name = PLAIN.get(track.signal, track.signal)
    if track.channels in ((track.signal,), SIGNALS[track.signal].channels):
        return name
    # of a network's scores the network: `mini_xception.anger`
    return f"{name} {', '.join(dict.fromkeys(channel.partition('.')[0] for channel in track.channels))}"


def describe(name: str, recording: Recording, result: Result) -> Json:
    """The result as the JSON that scripts may rely on."""
    signals = list(dict.fromkeys(track.signal for track in recording.tracks))
    if recording.beats is not None and not signals:
        signals = ["rr"]
    rates = {track.rate for track in recording.tracks}
    return {
        "file": name,
        "kind": signals[0] if len(signals) == 1 else "session",
        "rate": rates.pop() if len(rates) == 1 else None,
        "duration": round(recording.duration, 6),
        "assumed": dict(recording.assumed),
        "source": result.source,
        "beats": [round(beat, 6) for beat in result.beats],
        "corrected": list(result.corrected),
        "removed": [round(beat, 6) for beat in result.removed],
        "ectopic": [round(beat, 6) for beat in result.ectopic],
        "events": [{"event": event.event, "time": event.time, "detail": event.detail} for event in result.events],
        "readings": [_reading(reading) for reading in result.readings],
    }


def _reading(reading: FinalReading) -> Json:
    values = {name: getattr(reading, name) for name in FIELDS}
    # JSON has no NaN, and a reading has none: this would be a bug, and must not become invalid output
    assert all(not isinstance(value, float) or math.isfinite(value) for value in values.values())
    return values
