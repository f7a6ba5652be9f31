"""Waveforms as they travel."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.routes.words import Name

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
    format: Literal["json", "f32", "drawn"] = Field(
        "json",
        description="f32: the samples as they are, raw, not decimated. drawn: what JSON would say, in binary: see"
        " `Kiosk-Form`.",
    )


_HOLE: JsonDict = {"start": 41.2, "end": 43.0, "reason": "outbox_full"}


class Hole(BaseModel):
    """A time without samples."""

    model_config = ConfigDict(json_schema_extra={"examples": [_HOLE]})

    start: float = Field(description="Where the samples before it end, in seconds since the session's start.")
    end: float = Field(description="Where the next ones begin.")
    reason: str = Field(
        description="silent: the device sent nothing. stopped: between two of its runs. not_delivered: it was sent and"
        " has not come. Else why the kiosk gave it up, in one word.",
        examples=["outbox_full"],
    )


class HoleList(BaseModel):
    """Where one device's samples are missing, in the order of time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_HOLE], "more": False}]})

    items: list[Hole]
    more: bool = Field(description="Whether there are more than are listed.")


class Which(BaseModel):
    """Of which device."""

    model_config = ConfigDict(extra="forbid")

    device: Name | None = Field(None, description="Needed where several devices have the signal.")
    run: Name | None = Field(None, description="Needed where a device changed its rate or channels between runs.")
