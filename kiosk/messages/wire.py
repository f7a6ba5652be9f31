"""Bytes <-> message, and how each kind travels. JSON on the wire.

`decode` is the one gate: whatever it returns is well formed, of a known signal, within its budget and addressed to the
topic it came on; everything else is Refused.
"""

import re
from typing import NamedTuple
from zlib import crc32

import msgspec
from msgspec import Struct

from kiosk import topics
from kiosk.errors import Refused
from kiosk.messages.sense import check
from kiosk.messages.shapes import (
    MAX_PAYLOAD,
    Ask,
    Chunk,
    Command,
    End,
    Entry,
    Event,
    Lost,
    Message,
    Reading,
    Receipt,
    Results,
    Seq,
    Session,
    Setup,
    Status,
    Stream,
)
from kiosk.topics import Topic


class Wire(NamedTuple):
    """How a kind travels. It belongs to the kind: no caller chooses."""

    qos: int
    retain: bool
    shape: type[Message]


KINDS: dict[str, Wire] = {
    "chunk": Wire(0, False, Chunk),
    "reading": Wire(1, False, Reading),
    "event": Wire(1, False, Event),
    "entry": Wire(1, False, Entry),
    "end": Wire(1, False, End),
    "lost": Wire(1, False, Lost),
    "receipt": Wire(1, False, Receipt),
    "session": Wire(1, True, Session),
    "status": Wire(1, True, Status),
    "command": Wire(1, False, Command),
    "ask": Wire(1, False, Ask),
    "results": Wire(1, False, Results),
    "setup": Wire(1, True, Setup),
}

_KIND_OF: dict[type[Message], str] = {wire.shape: kind for kind, wire in KINDS.items()}
_encode = msgspec.json.Encoder().encode
_decoders = {kind: msgspec.json.Decoder(wire.shape) for kind, wire in KINDS.items()}


_SEAL = b',"crc":"'
_SEAL_LENGTH = len(_SEAL) + 8 + len(b'"}')


def encode(message: Message) -> bytes:
    """The message as it stands on the wire: JSON with a last member `crc`, the CRC-32 of the JSON without it.

    TCP guards one hop. The seal goes from end to end: past disks, brokers, and whoever copies messages.
    """
    payload = _encode(message)
    return b'%s%s%08x"}' % (payload[:-1], _SEAL, crc32(payload))


def _is_whole(payload: bytes) -> bool:
    """Whether the seal fits. Who sends none is believed: it is our own senders' promise, not everybody's duty."""
    if not payload[-_SEAL_LENGTH:].startswith(_SEAL):
        return True
    return payload[-10:-2] == b"%08x" % crc32(b"}", crc32(memoryview(payload)[:-_SEAL_LENGTH]))


def address(kiosk: str, message: Message) -> str:
    """The topic that a message goes to."""
    return f"{topics.ROOT}/{kiosk}/{_KIND_OF[type(message)]}/{message.name}"


def decode(topic: str, payload: bytes) -> tuple[Topic, Message]:
    """The message of a topic and its payload, or Refused with one word for what is wrong."""
    where = topics.parse(topic)
    decoder = _decoders.get(where.kind)
    if decoder is None:
        raise Refused("unknown_kind", where.kind)
    if len(payload) > MAX_PAYLOAD:
        raise Refused("oversized", f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    try:
        message = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise Refused(_reason(str(error)), _short(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("malformed", _short(error)) from None
    check(message)
    if message.name != where.name:
        raise Refused("misaddressed", f"{message.name!r} on a topic for {where.name!r}")
    # last, because every other reason says more
    if not _is_whole(payload):
        raise Refused("damaged", "the checksum does not fit")
    return where, message


def _reason(text: str) -> str:
    """One word for a validation error; a negative seq has its own, since it is a driver's classic."""
    return "bad_seq" if "`$.seq`" in text else "malformed"


def _short(error: Exception) -> str:
    """The error without what was sent: payloads hold measurements and stay out of logs."""
    return re.sub(r"'.*'|(?<=unknown field `).*(?=`)", "...", str(error), flags=re.DOTALL)[:200]


class Header(Struct, frozen=True):
    """Where a message belongs, read even from one that is otherwise refused."""

    stream: Stream
    seq: Seq


_header = msgspec.json.Decoder(Header)
_TEXT = rb'"((?:%s))"' % topics.NAME.pattern.encode()
_PREFIX = re.compile(
    rb'^\{"kind":"[a-z]+","stream":\{"session":%s,"device":%s,"signal":%s,"run":%s\},"seq":(\d{1,15})[,}]'
    % (_TEXT, _TEXT, _TEXT, _TEXT)
)


def header(payload: bytes) -> Header | None:
    """The stream and seq of a payload that `decode` refused, where they can still be made out."""
    try:
        return _header.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _PREFIX.match(payload)
        if found is None:
            return None
        session, device, signal, run, seq = (group.decode() for group in found.groups())
        return Header(Stream(session, device, signal, run), int(seq))
