"""What the process that reads an upload is told, and what it says. Nothing of it is unpickled on our side."""

from typing import Annotated, Literal, Self

import msgspec
import numpy as np
from msgspec import Meta, Struct

from analytics.session import FinalReading, Result
from kiosk.messages import Chunk, Time
from kiosk.recording import Context

UPLOADED = "upload"
"""The kiosk of sessions that were uploaded."""
MOST_SAID = 8 * 1024 * 1024
"""Bytes of one message: a chunk, or all readings of a session."""
Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(max_length=1000)]


class FileSaid(Struct, frozen=True):
    """A file of an upload."""

    name: Annotated[str, Meta(max_length=300)]
    """As its sender called it; never a path of ours."""
    size: int


class Manifest(Struct, frozen=True):
    """What was uploaded, with what the files do not say. Encrypted like them."""

    files: tuple[FileSaid, ...]
    kind: str = "auto"
    channel: str | None = None
    rate: float | None = None
    age: float | None = None
    sex: str | None = None
    started: int | None = None
    """When the recording began, in nanoseconds since 1970, where the sender knows."""


class Progress(Struct, frozen=True, tag="progress"):
    """How far reading is."""

    share: Share


class Signals(Struct, frozen=True, tag="signals"):
    """The recording is read; what of it will be stored."""

    end: Time
    """Nanoseconds from the origin to the end of the last sample."""
    samples: int
    seconds: float


class Samples(Struct, frozen=True, tag="samples"):
    """A part of it."""

    chunk: Chunk


class Noted(Struct, frozen=True, tag="noted"):
    """A mark of the recording."""

    time: Time
    text: Annotated[str, Meta(max_length=500)]


class Analysing(Struct, frozen=True, tag="analysing"):
    """Everything is said; the analysis begins."""


class Finished(Struct, frozen=True, tag="finished"):
    """What the analysis found."""

    readings: tuple[FinalReading, ...]
    source: str
    beats: tuple[float, ...]
    corrected: tuple[int, ...]
    removed: tuple[float, ...]
    ectopic: tuple[float, ...]

    @classmethod
    def of(cls, result: Result) -> Self:
        """What is stored of a result."""
        return cls(*(getattr(result, name) for name in cls.__struct_fields__))

    @property
    def result(self) -> Result:
        """The result again."""
        return Result(**{name: getattr(self, name) for name in self.__struct_fields__})


class Unusable(Struct, frozen=True, tag="unusable"):
    """It cannot be read, or not within the limits; in words."""

    cause: Text
    kind: Literal["recording", "limit", "failure"] = "recording"


Said = Progress | Signals | Samples | Noted | Analysing | Finished | Unusable


def _number(value: object) -> object:
    """A number of numpy's, which some readings are, as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError


_encoder = msgspec.msgpack.Encoder(enc_hook=_number)
_decoder: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)


def encoded(said: Said) -> bytes:
    """As it travels."""
    return _encoder.encode(said)


def decoded(payload: bytes) -> Said:
    """As it was said; every number within its bounds, or a ValidationError."""
    return _decoder.decode(payload)


_contexts = msgspec.msgpack.Decoder(Context)


def context_out(context: Context) -> bytes:
    """A context as it travels."""
    return _encoder.encode(context)


def context_in(payload: bytes) -> Context:
    """A context as it was said."""
    return _contexts.decode(payload)
