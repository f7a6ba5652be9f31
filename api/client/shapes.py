"""What the API answers, as Python has it. Times of day are UTC, times within a session seconds since its start."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Session(Struct, frozen=True, kw_only=True):
    """A session in a list."""

    id: str
    kiosk: str
    patient_id: str | None
    pseudonym: str | None
    state: str
    outcome: str | None
    revision: int
    simulated: bool
    started: datetime | None
    duration: float | None
    first_seen: datetime
    last_seen: datetime
    closed: datetime | None
    heart_rate: float | None


class Stream(Struct, frozen=True, kw_only=True):
    """What one device delivered of one signal."""

    device: str
    signal: str
    run: str
    unit: str | None
    channels: list[str] | None
    rate: float | None
    samples: int
    start: float | None
    end: float | None
    complete: bool


class SessionDetail(Session, frozen=True, kw_only=True):
    """A session with its streams."""

    streams: list[Stream]


class Reading(Struct, frozen=True, kw_only=True):
    """A number with its doubt - or its absence, with the reason in `absent`."""

    measure: str
    title: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    quality: float | None
    absent: str | None
    source: str
    scope: str
    method: str
    version: str
    revision: int
    start: float
    end: float
    preferred: bool
    note: str


class Patient(Struct, frozen=True, kw_only=True):
    """A person under a pseudonym."""

    id: str
    pseudonym: str
    birth_year: int | None
    sex: str | None
    created: datetime
    etag: str | None = None
    """Of the version that this is; a change sends it along, so that it overwrites nobody else's."""


class Analysis(Struct, frozen=True, kw_only=True):
    """An upload, and how far it is."""

    id: str
    state: str
    progress: float
    patient_id: str | None
    session_id: str | None
    size: int
    error: str | None
    created: datetime
    finished: datetime | None

    @property
    def over(self) -> bool:
        """Whether it is done, or failed for good."""
        return self.state in ("done", "failed")


class Alert(Struct, frozen=True, kw_only=True):
    """A reading that a rule spoke about."""

    id: str
    rule_id: str
    session_id: str
    patient_id: str | None
    revision: int
    measure: str
    value: float
    severity: str
    state: str
    raised: datetime
    acknowledged: datetime | None
    acknowledged_by: str | None


class Point(Struct, frozen=True, kw_only=True):
    """One session's answer in a trend."""

    session_id: str
    time: datetime
    value: float | None
    low: float | None
    high: float | None
    quality: float | None
    absent: str | None
    change: str | None


class Series(Struct, frozen=True, kw_only=True):
    """One measure over a person's sessions, the oldest first."""

    measure: str
    title: str
    unit: str
    scope: str
    points: list[Point]


class Trends(Struct, frozen=True, kw_only=True):
    """A page of a person's sessions, and what they say."""

    sessions: list[str]
    times: list[datetime]
    series: list[Series]
    next: str | None


@dataclass(frozen=True, slots=True)
class Waveform:
    """Samples as they were measured."""

    signal: str
    device: str
    unit: str
    channels: tuple[str, ...]
    rate: float | None
    times: NDArray[np.float64]
    """Seconds since the session's start."""
    samples: NDArray[np.float32]
    """A row per time, a column per channel; NaN where there is no sample."""
