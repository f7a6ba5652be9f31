"""Windows of waveforms: for browsers as JSON, decimated where long; for researchers as raw float32."""

import json
from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api import drawing, errors, waveform
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.waveforms.shapes import Hole, HoleList, Rows, Waveform, Which, Window
from api.routes.words import PATTERN, TheSession, seconds
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

MOST_HOLES = 2000
"""In one answer: more are no list for people."""
SignalName = Annotated[
    str, Path(description="The signal's name.", pattern=PATTERN, max_length=64, examples=["ecg", "ppg"])
]

_HEADERS = {
    "Kiosk-Shape": "rows,channels",
    "Kiosk-Channels": "JSON list of the channels' names",
    "Kiosk-Rate": "hertz",
    "Kiosk-Start": "the first row's time, in seconds since the session's start",
    "Kiosk-Unit": "UCUM",
    "Kiosk-Device": "the device",
    "Kiosk-Form": "of drawn: buckets (all least values, then all greatest, as many buckets as were asked for); samples "
    "(a regular grid of rows, NaN where one is missing); or timed (float64 seconds of each row, then the rows)",
}


@router.get(
    "/{signal}",
    response_model=Waveform,
    responses={
        200: {
            "description": "The window: JSON, or with format=f32 the samples row by row in little-endian float32.",
            "headers": {
                name: {"description": f"With f32 and drawn: {text}.", "schema": {"type": "string"}}
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
    signal: SignalName,
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
    if window.format == "drawn":
        return _binary(first, drawing.spread(drawn, rate, start, end, window.points), start)
    return Response(msgspec.json.encode(_described(first, drawn, start, end)), media_type="application/json")


def _choose(streams_of_signal: list[StreamRow], window: Window | Which) -> list[StreamRow]:
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
    said = _headers(stream, rows)
    if len(whole.times):
        said["Kiosk-Start"] = repr(seconds(int(whole.times[0])))
    return Response(_floats(rows), media_type="application/octet-stream", headers=said)


def _binary(stream: StreamRow, drawn: Whole | Envelope, start: int) -> Response:
    """A window as a canvas takes it: no text to write and to read, a seventh of the bytes of JSON."""
    if isinstance(drawn, Envelope):
        said = {**_headers(stream, drawn.low), "Kiosk-Form": "buckets", "Kiosk-Start": repr(seconds(start))}
        return Response(_floats(drawn.low) + _floats(drawn.high), media_type="application/octet-stream", headers=said)
    if stream.rate is None:
        times = (drawn.times / SECOND).astype("<f8").tobytes()
        said = {**_headers(stream, drawn.samples), "Kiosk-Form": "timed"}
        return Response(times + _floats(drawn.samples), media_type="application/octet-stream", headers=said)
    answer = _raw(stream, drawn, stream.rate)
    answer.headers["Kiosk-Form"] = "samples"
    return answer


def _headers(stream: StreamRow, rows: Samples) -> dict[str, str]:
    said = {
        "Kiosk-Shape": f"{rows.shape[0]},{rows.shape[1]}",
        "Kiosk-Channels": json.dumps(stream.channels),
        "Kiosk-Unit": SIGNALS[stream.signal].unit,
        "Kiosk-Device": stream.device,
    }
    return said if stream.rate is None else {**said, "Kiosk-Rate": repr(stream.rate)}


def _floats(rows: Samples) -> bytes:
    return rows.astype("<f4", copy=False).tobytes()


@router.get(
    "/{signal}/holes",
    responses=documented(errors.NO_SESSION, errors.NO_WAVEFORM, errors.SEVERAL, errors.INVALID, errors.NO_DATABASE),
)
def list_holes(
    who: Annotated[Identity, may(Action.READ_WAVEFORMS)],
    session: TheSession,
    signal: SignalName,
    which: Annotated[Which, Query()],
    db: Reader,
) -> HoleList:
    """Where a waveform has no samples, and why.

    Samples that the device itself marked as lost inside of what it sent are not listed: they are NaN in the waveform.
    """
    chosen = _choose(waveforms.streams_of(db, session.id, signal), which)
    found = waveforms.holes(db, chosen, most=MOST_HOLES + 1)
    return HoleList(
        items=[
            Hole(start=seconds(each.start), end=seconds(each.end), reason=each.reason) for each in found[:MOST_HOLES]
        ],
        more=len(found) > MOST_HOLES,
    )
