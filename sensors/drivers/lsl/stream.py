"""What a stream says of itself -> which of its channels is which signal of ours, or why it cannot be read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadSettings, DriverFailed
from kiosk.signals import SIGNALS
from sensors.driver import Port
from sensors.files import naming

MOST_CHANNELS = 512
"""More than any amplifier has: what says that it has more is not asked for their names."""
MARKERS = "markers"
TYPES: Mapping[str, str] = MappingProxyType(
    {
        "eeg": "eeg", "ecg": "ecg", "ekg": "ecg", "ppg": "ppg", "bvp": "ppg", "pleth": "ppg", "pulse": "ppg",
        "gsr": "eda", "eda": "eda", "resp": "respiration", "rsp": "respiration", "respiration": "respiration",
        "rip": "respiration", "acc": "acceleration", "accelerometer": "acceleration", "acceleration": "acceleration",
        "temp": "skin_temperature", "temperature": "skin_temperature", "skt": "skin_temperature", "rr": "rr",
        "ibi": "rr", "rri": "rr", "markers": MARKERS, "marker": MARKERS, "events": MARKERS, "event": MARKERS,
        "stim": MARKERS,
    }
)  # fmt: skip
"""Content types as the XDF meta-data wiki and common senders spell them, in lower case."""
_UNITLESS = ("ppg", "respiration")
_INTERVALS = MappingProxyType({"ms": 1.0, "s": 1e3})
_KEYS = ("type", "name", "source_id", "host")
_SAID = ("unit", "as")


@dataclass(frozen=True, slots=True)
class Channel:
    """As the stream's description has it; empty where it says nothing."""

    label: str = ""
    unit: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A stream on the network."""

    uid: str
    """Of this start of it."""
    name: str
    type: str
    source: str
    """What stays the same when it starts again; empty where the sender gives none."""
    host: str
    count: int
    rate: float
    """0 where every sample has a time of its own."""
    is_text: bool = False
    channels: tuple[Channel, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What it is known by."""
        return self.name, self.type, self.source, self.host

    def __str__(self) -> str:
        return f"{self.name or 'without a name'} ({self.type or 'no type'}, {self.host or 'unknown host'})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream as the operator describes it."""

    conditions: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    """What its values are in, where the stream does not say."""
    signal: str = ""
    """What it is, where its type does not say."""

    def matches(self, found: Found) -> bool:
        """Whether it is this one. A name may have * in it."""
        there = {"name": found.name, "source_id": found.source, "host": found.host}
        for key, value in self.conditions:
            if key == "type":
                same = found.type.casefold() == value.casefold()
                if not same and (kind_of(found.type) is None or kind_of(found.type) != kind_of(value)):
                    return False
            elif not fnmatchcase(there[key], value):
                return False
        return True

    def __str__(self) -> str:
        return ";".join(f"{key}={value}" for key, value in self.conditions) or "any known type"


@dataclass(frozen=True, slots=True)
class Feed:
    """A signal and the columns that it comes from."""

    port: Port
    columns: tuple[int, ...]
    factors: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a stream."""

    feeds: tuple[Feed, ...]
    """None for a stream of marks."""
    words: str

    @property
    def ports(self) -> tuple[Port, ...]:
        """The signals."""
        return tuple(feed.port for feed in self.feeds)


def kind_of(type_: str) -> str | None:
    """The signal, or MARKERS, that a content type names."""
    return TYPES.get(type_.strip().casefold())


def wanted(text: str) -> tuple[Wanted, ...]:
    """`type=EEG;name=Muse*, type=ECG;unit=mV`: streams with commas, and their conditions with semicolons, between."""
    found = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        given: dict[str, str] = {}
        for pair in filter(None, (each.strip() for each in part.split(";"))):
            key, _, value = (each.strip() for each in pair.partition("="))
            if key not in (*_KEYS, *_SAID) or not value or key in given:
                raise BadSettings(f"LSL stream {pair!r}: KEY=VALUE is meant, with {', '.join((*_KEYS, *_SAID))}")
            given[key] = value
        signal = given.get("as", "")
        if signal and signal not in TYPES.values():
            raise BadSettings(f"LSL stream: no signal {signal!r}; there are {', '.join(sorted(set(TYPES.values())))}")
        conditions = tuple((key, given[key]) for key in _KEYS if key in given)
        if not conditions:
            raise BadSettings(f"LSL stream {part!r}: one of {', '.join(_KEYS)} is needed")
        found.append(Wanted(conditions, given.get("unit", ""), signal))
    return tuple(found)


def reading(found: Found, want: Wanted) -> Reading:
    """What is read of a stream; DriverFailed, in words, where it makes no sense."""
    kind = want.signal or kind_of(found.type)
    if kind is None:
        raise _no(found, f"its type {found.type!r} is none that we know: say what it is with as=SIGNAL")
    if kind == MARKERS:
        if found.count > MOST_CHANNELS:
            raise _no(found, f"{found.count} channels of marks")
        return Reading((), f"{found}: marks")
    if found.is_text:
        raise _no(found, f"it has texts, not numbers, for {kind}")
    if not 1 <= found.count <= MOST_CHANNELS:
        raise _no(found, f"{found.count} channels, at most {MOST_CHANNELS} are read")
    if not np.isfinite(found.rate) or found.rate < 0:
        raise _no(found, f"its rate is {found.rate}")
    channels = found.channels if len(found.channels) == found.count else (Channel(),) * found.count
    groups, left = _groups(kind, channels, forced=bool(want.signal))
    feeds: list[Feed] = []
    assumed: list[str] = []
    for signal, columns in groups.items():
        feed, guess = _feed(found, signal, [(c, channels[c]) for c in columns], want.unit)
        feeds.append(feed)
        assumed += [guess] if guess else []
    pace = f"at {found.rate:g} Hz" if found.rate else "irregular"
    words = f"{found}: " + ", ".join(f"{feed.port.signal} {len(feed.columns)} {pace}" for feed in feeds)
    words += f"; assumed: {', '.join(assumed)}" if assumed else ""
    words += f"; left out: {', '.join(left)}" if left else ""
    return Reading(tuple(feeds), words[:500])


def _groups(kind: str, channels: Sequence[Channel], *, forced: bool) -> tuple[dict[str, list[int]], list[str]]:
    """Columns by signal: by each channel's own type where it says one that we know, else by the stream's."""
    groups: dict[str, list[int]] = {}
    left: list[str] = []
    own = [kind_of(channel.type) for channel in channels]
    known = any(each not in (None, MARKERS) for each in own) and not forced
    for column, (channel, each) in enumerate(zip(channels, own, strict=True)):
        if known and channel.type and (each is None or each == MARKERS):
            left.append(f"{channel.label or column + 1} ({channel.type})")
            continue
        signal = each if known and each is not None else kind
        groups.setdefault(signal, []).append(column)
    return groups, left


def _feed(found: Found, signal: str, columns: list[tuple[int, Channel]], said: str) -> tuple[Feed, str]:
    """The signal from its columns, and what had to be assumed."""
    rate = found.rate or None
    row = SIGNALS[signal]
    if not row.accepts_rate(rate):
        raise _no(found, f"{signal} {f'at {rate:g} Hz' if rate else 'at irregular times'} is not read")
    names = _names(found, signal, [channel for _, channel in columns])
    if signal == "acceleration":
        columns, names = _axes(found, columns)
    elif not row.accepts_channels(names):
        raise _no(found, f"{signal} with {len(names)} channels, at most {row.most_channels} are read")
    if rate and 4 * len(names) * rate > row.budget:
        raise _no(found, f"{len(names)} channels of {signal} at {rate:g} Hz are more than may be sent")
    factors, guess = [], ""
    for _, channel in columns:
        unit = channel.unit or said
        factor = _factor(signal, unit)
        if factor is None and not unit and signal == "eeg":
            # what the XDF specification has where nothing is said
            factor, guess = 1.0, "eeg is in microvolt"
        if factor is None:
            what = f"unit {unit!r} is none of {signal}" if unit else f"nothing says the unit of its {signal}"
            raise _no(found, f"{what}: say it with unit={'mV' if signal == 'ecg' else row.unit}")
        factors.append(factor)
    port = Port(signal, names, rate)
    return Feed(port, tuple(column for column, _ in columns), np.array(factors)), guess


def _factor(signal: str, unit: str) -> float | None:
    if signal == "rr":
        return _INTERVALS.get(naming.unit(unit))
    if signal in _UNITLESS:
        return 1.0
    if signal == "eda" and unit == "S":
        unit = "siemens"  # no seconds
    return naming.factor(signal, unit)


def _names(found: Found, signal: str, channels: Sequence[Channel]) -> tuple[str, ...]:
    """Each channel's label as screens know it, or its number; no two the same."""
    if signal == "rr":
        return ("rr",) if len(channels) == 1 else tuple(str(i) for i in range(len(channels)))
    names = tuple(
        naming.label(channel.label, signal) if channel.label else f"ch{number + 1}"
        for number, channel in enumerate(channels)
    )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and signal != "acceleration":
        raise _no(found, f"several channels are called {', '.join(twice[:5])}")
    return names


def _axes(found: Found, columns: list[tuple[int, Channel]]) -> tuple[list[tuple[int, Channel]], tuple[str, ...]]:
    if len(columns) != 3:
        raise _no(found, f"acceleration has three axes, not {len(columns)}")
    letters = [channel.label.casefold()[-1:] for _, channel in columns]
    if sorted(letters) == ["x", "y", "z"]:
        columns = [columns[letters.index(axis)] for axis in "xyz"]
    return columns, ("x", "y", "z")


def _no(found: Found, cause: str) -> DriverFailed:
    return DriverFailed(f"LSL stream {found}: {cause}"[:400])


def device_name(found: Found) -> str:
    """The stream's name as that of a device."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", found.name or found.type).strip("_.-")
    return f"lsl-{plain[:50] or 'stream'}"


def exactly(found: Found, like: Wanted) -> Wanted:
    """The description of this stream alone, whichever start of it."""
    name, source, host = (re.sub(r"([*?\[])", r"[\1]", each) for each in (found.name, found.source, found.host))
    pairs = (("type", found.type), ("name", name), ("source_id", source), ("host", host))
    return replace(like, conditions=tuple((key, value) for key, value in pairs if value))
