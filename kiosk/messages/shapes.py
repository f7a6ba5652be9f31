"""The shape of every message. Samples are little-endian float32, row per sample."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from kiosk import topics

MAX_PAYLOAD = 256 * 1024
MAX_REFUSED = 1000
MAX_STREAMS = 1000
"""Of one session: a visit has some dozen, and a few more for each time that a device was restarted."""
SECOND = 1_000_000_000
# a visit takes minutes; recordings of days are files, and fit as well
_TIME = Meta(ge=-3600 * SECOND, le=40 * 86_400 * SECOND)
# $ alone would let a line end through
_NAME = Meta(pattern=rf"^{topics.NAME.pattern}(?!\n)$", max_length=64)
_SEQ = Meta(ge=0, le=2**53)

Name = Annotated[str, _NAME]
Channel = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$")]
Time = Annotated[int, _TIME]
Seq = Annotated[int, _SEQ]
Quality = Annotated[float, Meta(ge=0, le=1)]
# PostgreSQL holds no NUL: refused here it costs nothing, in the database a whole transaction
_NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Meta(max_length=500, pattern=_NO_NUL)]
Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$")]
Short = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+(?!\n)$")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2}(?!\n)$")]

# the `signal` of streams that carry no waveform
READINGS, EVENTS, SESSION, ENTRIES = "readings", "events", "session", "entries"


class Stream(Struct, frozen=True, forbid_unknown_fields=True):
    """What numbers its messages together, within one kiosk. A run is one start of a driver."""

    session: Name
    device: Name
    signal: Name
    run: Name


class Chunk(Struct, frozen=True, tag="chunk", tag_field="kind"):
    """Consecutive samples of one stream. NaN is a sample that the device itself lost."""

    stream: Stream
    seq: Seq
    start: Time
    rate: Annotated[float, Meta(gt=0, le=1e5)] | None
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=256)]
    samples: bytes
    offsets: bytes | None = None
    """Little-endian int32 microseconds after `start`, one per sample, where the rate is null."""

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.stream.signal

    @property
    def count(self) -> int:
        """How many samples (rows)."""
        return len(self.samples) // (4 * len(self.channels))

    def values(self) -> NDArray[np.float32]:
        """The samples, (count, channels), as a view on the bytes."""
        return np.frombuffer(self.samples, dtype="<f4").reshape(-1, len(self.channels))

    def times(self) -> NDArray[np.int64]:
        """Nanoseconds since the session's origin, one per sample."""
        if self.offsets is not None:
            after = np.frombuffer(self.offsets, dtype="<i4").astype(np.int64) * 1000
        else:
            assert self.rate is not None
            after = np.rint(np.arange(self.count) * (SECOND / self.rate)).astype(np.int64)
        return np.add(after, self.start, dtype=np.int64)


class Reading(Struct, frozen=True, tag="reading", tag_field="kind"):
    """One number with its doubt, method and window - or its absence, with the reason."""

    stream: Stream
    seq: Seq
    measure: Name
    value: float | None
    source: Name
    scope: Literal["live", "spot"]
    method: Annotated[str, Meta(max_length=80, pattern=_NO_NUL)]
    start: Time
    end: Time
    low: float | None = None
    high: float | None = None
    quality: Quality | None = None
    absent: Name | None = None

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.measure


class Event(Struct, frozen=True, tag="event", tag_field="kind"):
    """A mark in a session: a step began, the visitor moved, a clock was set."""

    stream: Stream
    seq: Seq
    event: Name
    time: Time
    detail: Text = ""

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.event


class Origin(Struct, frozen=True):
    """When a session's time zero was, on the wall clock and on the boot clock of this boot."""

    utc: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    boot: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    boot_id: Name


class Session(Struct, frozen=True, tag="session", tag_field="kind"):
    """The visit in progress; only ids and times, nothing about the person."""

    stream: Stream
    seq: Seq
    state: Literal["open", "ended"]
    origin: Origin
    ended: Time | None = None
    streams: Annotated[tuple[Stream, ...], Meta(max_length=MAX_STREAMS)] = ()
    """When ended: every stream that it has, so that nobody takes a part for the whole."""
    simulated: bool = False

    @property
    def name(self) -> str:
        """The last level of its topic: retained per session, cleared once receipted."""
        return self.stream.session


class End(Struct, frozen=True, tag="end", tag_field="kind"):
    """A run's last seq; -1 where nothing was emitted."""

    stream: Stream
    last: Annotated[int, Meta(ge=-1, le=2**53)]

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.stream.signal


class Lost(Struct, frozen=True, tag="lost", tag_field="kind"):
    """A range that its outbox had to give up, with the reason."""

    stream: Stream
    first: Seq
    last: Seq
    reason: Name

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.stream.signal


class Refusal(NamedTuple):
    """One message that the recorder will never take, so that it is not sent for ever."""

    seq: Seq
    reason: Name


class Chosen(Struct, frozen=True, tag="chosen", tag_field="of", forbid_unknown_fields=True):
    """Which visit this is: its protocol, and the language in which it was held."""

    protocol: Name
    version: Short
    language: Language


class Agreed(Struct, frozen=True, tag="agreed", tag_field="of", forbid_unknown_fields=True):
    """What the visitor agreed to, and by which text. What is not named was not agreed to."""

    purposes: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=16)]
    text_version: Short
    language: Language


class Person(Struct, frozen=True, tag="person", tag_field="of", forbid_unknown_fields=True):
    """Who the visitor says to be. A code is that of an earlier visit; all else may be left out."""

    code: Short | None = None
    given: Line | None = None
    family: Line | None = None
    birth_year: Annotated[int, Meta(ge=1880, le=2200)] | None = None
    sex: Literal["female", "male"] | None = None


class Answered(Struct, frozen=True, tag="answered", tag_field="of", forbid_unknown_fields=True):
    """What the visitor answered to a questionnaire."""

    questionnaire: Name
    version: Short
    language: Language
    answers: Annotated[dict[Name, Annotated[int, Meta(ge=-1000, le=1000)]], Meta(max_length=200)]


class Said(Struct, frozen=True, tag="said", tag_field="of", forbid_unknown_fields=True):
    """A line of the talk between the visitor and the assistant."""

    who: Literal["visitor", "assistant"]
    language: Language
    text: Annotated[str, Meta(min_length=1, max_length=4000, pattern=_NO_NUL)]


Content = Chosen | Agreed | Person | Answered | Said


class Entry(Struct, frozen=True, tag="entry", tag_field="kind"):
    """What a visitor chose, agreed to or told at the kiosk. It goes into the record, and on no screen."""

    stream: Stream
    seq: Seq
    time: Time
    content: Content

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return type(self.content).__struct_config__.tag  # type: ignore[return-value]


class Ask(Struct, frozen=True, tag="ask", tag_field="kind"):
    """A kiosk asks for the results of a session of its own, again and again until they are there."""

    session: Name

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.session


class Shown(Struct, frozen=True):
    """A result as the visitor is shown it: a number, or the reason of its absence; and what is usual for them."""

    measure: Name
    value: float | None
    low: float | None = None
    high: float | None = None
    quality: Quality | None = None
    absent: Name | None = None
    source: Annotated[str, Meta(max_length=128)] = ""
    usual: tuple[float, float] | None = None
    """Within which nine of ten people of this age and sex are at rest."""
    usual_source: Text = ""


class Results(Struct, frozen=True, tag="results", tag_field="kind"):
    """The answer to `ask`. Never retained, and given for a short time after the visit only."""

    session: Name
    state: Literal["waiting", "ready", "refused"]
    """waiting: not analysed yet; refused: nothing is told (another kiosk's, too late, no consent to store)."""
    code: Short | None = None
    """The visitor's, to bring along next time."""
    link: Annotated[str, Meta(max_length=400)] | None = None
    """Where the results can be read for a while, where the clinic has an address for visitors."""
    link_until: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    """UTC, nanoseconds."""
    values: Annotated[tuple[Shown, ...], Meta(max_length=200)] = ()

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.session


class ConsentText(Struct, frozen=True):
    """What visitors are asked to agree to, in one language."""

    version: Short
    language: Language
    text: Annotated[str, Meta(max_length=20_000, pattern=_NO_NUL)]


class Setup(Struct, frozen=True, tag="setup", tag_field="kind"):
    """What a clinic tells its kiosk. Retained, so that a kiosk that starts knows it; the kiosk keeps it for when it
    is offline."""

    clinic: Text
    consents: Annotated[tuple[ConsentText, ...], Meta(max_length=16)] = ()
    """The newest text of each language."""
    protocols: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()
    """Which visits are offered, in this order; all where empty."""
    about: Literal["clinic"] = "clinic"

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.about


class Receipt(Struct, frozen=True, tag="receipt", tag_field="kind"):
    """The recorder's word for a stream: everything up to `upto` is committed, refused or known to be lost."""

    stream: Stream
    upto: Annotated[int, Meta(ge=-1, le=2**53)]
    ended: bool = False
    """The run's End is committed too."""
    refused: Annotated[tuple[Refusal, ...], Meta(max_length=MAX_REFUSED)] = ()

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.stream.signal


class Status(Struct, frozen=True, tag="status", tag_field="kind"):
    """What a device is doing. The service itself speaks as device `sensors`; a will covers its sudden death."""

    device: Name
    state: Literal["starting", "running", "failed", "stopped", "gone"]
    simulated: bool = False
    detail: Text = ""
    session: Name | None = None
    drift_ppm: float | None = None
    lost: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Messages that the outbox had to give up since it was made."""
    waiting: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """Messages in the outbox that are not receipted yet."""
    command: Name | None = None
    """The last command that was obeyed."""
    version: Short | None = None
    """Of the kiosk's software; the service alone says it."""

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.device


class Command(Struct, frozen=True, tag="command", tag_field="kind"):
    """An order to a kiosk, repeated by its sender until a Status names its id."""

    id: Name
    action: Literal["start", "stop", "cancel", "calibrate"]
    device: Name = "sensors"

    @property
    def name(self) -> str:
        """The last level of its topic."""
        return self.device


Message = Chunk | Reading | Event | Entry | Session | End | Lost | Receipt | Status | Command | Ask | Results | Setup
Numbered = Chunk | Reading | Event | Entry | Session
"""Messages with a place in a stream: they go through the outbox and are receipted."""
