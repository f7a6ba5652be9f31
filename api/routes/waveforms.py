"""Windows of waveforms: for browsers as JSON, decimated where long; for researchers as raw float32."""

import json
from typing import Annotated, Literal

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from api import drawing, errors, waveform
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.words import PATTERN, Name, TheSession, seconds
from api.security import Action, Identity
from api.store import Transaction, streams, waveforms
from api.tables import StreamRow
from api.waveform import Envelope, Samples, Whole
from kiosk.messages import SECOND
from kiosk.signals import SIGNALS

router = APIRouter(prefix="/api/v1/sessions/{session}/waveforms", tags=["waveforms"])

MOST_SECONDS = 6 * 3600
MOST_SCANNED = 64_000_000
"""Values (samples by channels) that one request may go through."""
MOST_RAW = 8_000_000
"""Values that one request may take away: 32 MB."""
MOST_SHOWN = 400_000
"""Numbers in one JSON answer."""

_EXAMPLE: JsonDict = {
    "session": "s-20250102-0001",
    "signal": "ecg",
    "device": "chest-strap",
    "title": "Electrocardiogram",
    "unit": "mV",
    "rate": 250.0,
    "channels": ["I"],
    "start": 10.0,
    "end": 10.016,
    "decimated": False,
    "times": [10.0, 10.004, 10.008, 10.012],
    "values": [[0.0625, 0.125, None, 0.5]],
    "low": None,
    "high": None,
}
_ROWS = "One list per channel; null where there is no sample."
Rows = list[list[float | None]]


class Waveform(BaseModel):
    """A window of one device's waveform. Times are seconds since the session's start."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    session: str
    signal: str
    device: str
    title: str
    unit: str = Field(description="UCUM.")
    rate: float | None = Field(description="Nominal hertz; null where samples have times of their own.")
    channels: list[str]
    start: float = Field(description="Of the window that was asked for.")
    end: float
    decimated: bool = Field(description="Whether these are buckets (low, high) instead of samples (values).")
    times: list[float] = Field(description="Of the samples, or of the beginnings of the buckets, which all are alike.")
    values: Rows | None = Field(description=f"The samples, exact as float32. {_ROWS} A gap is one null.")
    low: Rows | None = Field(description=f"The least of each bucket. {_ROWS}")
    high: Rows | None = Field(description=f"The greatest of each bucket. {_ROWS}")


class Window(BaseModel):
    """Which part, and how fine."""

    model_config = ConfigDict(extra="forbid")

    device: Name | None = Field(None, description="Needed where several devices have the signal.")
    run: Name | None = Field(None, description="Needed where a device changed its rate or channels between runs.")
    start: float | None = Field(
        None, ge=-3600, le=3_456_000, description="Seconds since the session's start; absent: the first sample."
    )
    end: float | None = Field(None, ge=-3600, le=3_456_000, description="Where it ends; absent: after the last sample.")
    points: int = Field(
        2000, ge=1, le=20_000, description="Buckets. A window of at most twice as many samples is not decimated."
    )
    format: Literal["json", "f32"] = Field("json", description="f32: the samples as they are, raw, not decimated.")


_HEADERS = {
    "Kiosk-Shape": "rows,channels",
    "Kiosk-Channels": "JSON list of the channels' names",
    "Kiosk-Rate": "hertz",
    "Kiosk-Start": "the first row's time, in seconds since the session's start",
    "Kiosk-Unit": "UCUM",
    "Kiosk-Device": "the device",
}


@router.get(
    "/{signal}",
    response_model=Waveform,
    responses={
        200: {
            "description": "The window: JSON, or with format=f32 the samples row by row in little-endian float32.",
            "headers": {
                name: {"description": f"With f32: {text}.", "schema": {"type": "string"}}
                for name, text in _HEADERS.items()
            },
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary"},
                    "example": "(four bytes per value)",
                }
            },
        },
        **documented(
            errors.NO_SESSION,
            errors.NO_WAVEFORM,
            errors.SEVERAL,
            errors.IRREGULAR,
            errors.ERASED,
            errors.TOO_MUCH,
            errors.INVALID,
            errors.NO_DATABASE,
        ),
    },
)
def get_waveform(
    who: Annotated[Identity, may(Action.READ_WAVEFORMS)],
    session: TheSession,
    signal: Annotated[
        str, Path(description="The signal's name.", pattern=PATTERN, max_length=64, examples=["ecg", "ppg"])
    ],
    window: Annotated[Window, Query()],
    db: Reader,
) -> Response:
    """A window of a waveform.

    Windows are at most 6 h long, and at most 64 million values (samples by channels) go into one answer: 8 million
    with `format=f32`. In raw rows a missing sample is NaN, so that a row's number tells its time. Where a device ran
    several times, its runs follow each other. Of a closed session, a window of 32 or more samples to a bucket is taken
    in groups of 16 or 512 consecutive samples: a bucket then has the groups that begin in it, and no extreme is lost.
    """
    chosen = _choose(waveforms.streams_of(db, session.id, signal), window)
    first = chosen[0]
    channels, rate = first.channels or [], first.rate
    start, end = _bounds(db, session.id, chosen, window)
    raw = window.format == "f32"
    # without a rate only the signal's byte budget says how many there may be
    per_second = rate * len(channels) if rate is not None else SIGNALS[signal].budget / 4
    values = per_second * (end - start) / SECOND
    if end - start > MOST_SECONDS * SECOND or values > (MOST_RAW if raw else MOST_SCANNED):
        raise Failed(errors.TOO_MUCH)
    if not raw and 2 * window.points * len(channels) > MOST_SHOWN and values > MOST_SHOWN:
        raise Failed(errors.TOO_MUCH, f"Ask for fewer points: there are {len(channels)} channels.")
    if raw:
        if rate is None:
            raise Failed(errors.IRREGULAR)
        blocks = drawing.blocks(db, chosen, start, end)
        whole = waveform.join((block.within(start, end) for block in blocks), len(channels))
        return _raw(first, whole, rate)
    drawn = drawing.draw(db, chosen, start, end, window.points, len(channels))
    return Response(msgspec.json.encode(_described(first, drawn, start, end)), media_type="application/json")


def _choose(streams_of_signal: list[StreamRow], window: Window) -> list[StreamRow]:
    """One device's streams of one shape."""
    chosen = [
        row
        for row in streams_of_signal
        if window.device in (None, row.device) and window.run in (None, row.run)
    ]  # fmt: skip
    if not chosen:
        raise Failed(errors.NO_WAVEFORM)
    devices = sorted({row.device for row in chosen})
    if len(devices) > 1:
        raise Failed(errors.SEVERAL, f"Say which device: {', '.join(devices)}.")
    if any((row.channels, row.rate) != (chosen[0].channels, chosen[0].rate) for row in chosen):
        raise Failed(errors.SEVERAL, f"Say which run: {', '.join(row.run for row in chosen)}.")
    return chosen


def _bounds(db: Transaction, session: str, chosen: list[StreamRow], window: Window) -> tuple[int, int]:
    """The window in nanoseconds."""
    start = None if window.start is None else round(window.start * SECOND)
    end = None if window.end is None else round(window.end * SECOND)
    if start is None or end is None:
        extents = streams.extents(db, session)
        present = [extents[row.id] for row in chosen if row.id in extents]
        if not present:
            raise Failed(errors.NO_WAVEFORM)
        start = min(extent.start for extent in present) if start is None else start
        # an irregular stream ends with its last sample, which belongs to it
        end = max(extent.end for extent in present) + (chosen[0].rate is None) if end is None else end
        if end <= start and (window.start is None) != (window.end is None):
            raise Failed(errors.NO_WAVEFORM, "Nothing of this signal has been delivered in this window.")
    if end <= start:
        fault = {"where": "query.end", "what": "must be after start"}
        raise Failed(errors.INVALID, "The window ends before it starts.", errors=[fault])
    return start, end


def _described(stream: StreamRow, drawn: Whole | Envelope, start: int, end: int) -> dict[str, object]:
    signal = SIGNALS[stream.signal]
    said: dict[str, object] = {
        "session": stream.session_id,
        "signal": stream.signal,
        "device": stream.device,
        "title": signal.title,
        "unit": signal.unit,
        "rate": stream.rate,
        "channels": stream.channels,
        "start": seconds(start),
        "end": seconds(end),
        "decimated": isinstance(drawn, Envelope),
        "values": None,
        "low": None,
        "high": None,
    }
    if isinstance(drawn, Envelope):
        return {**said, "times": _microseconds(drawn.times), "low": _lists(drawn.low), "high": _lists(drawn.high)}
    shown = waveform.marked(drawn, stream.rate)
    return {**said, "times": _microseconds(shown.times), "values": _lists(shown.samples)}


def _microseconds(times: waveform.Times | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    """Seconds. A microsecond is finer than any clock here and keeps the text short."""
    listed: list[float] = np.round(times / SECOND, 6).tolist()
    return listed


def _lists(samples: Samples) -> Rows:
    """A list per channel, null for NaN."""
    listed: Rows = samples.T.tolist()
    if np.isnan(samples).any():
        return [[None if value != value else value for value in row] for row in listed]
    return listed


def _raw(stream: StreamRow, whole: Whole, rate: float) -> Response:
    rows = waveform.filled(whole, rate)
    said = {
        "Kiosk-Shape": f"{rows.shape[0]},{rows.shape[1]}",
        "Kiosk-Channels": json.dumps(stream.channels),
        "Kiosk-Rate": repr(rate),
        "Kiosk-Unit": SIGNALS[stream.signal].unit,
        "Kiosk-Device": stream.device,
    }
    if len(whole.times):
        said["Kiosk-Start"] = repr(seconds(int(whole.times[0])))
    return Response(rows.astype("<f4", copy=False).tobytes(), media_type="application/octet-stream", headers=said)
