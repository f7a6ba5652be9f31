"""The lab streaming layer's library, imported where it is used."""

import contextlib
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadSettings, DriverFailed
from sensors.drivers.lsl.stream import MOST_CHANNELS, Channel, Found

TIMEOUT = 3.0
"""Seconds that a stream has to say what it is, and to open."""
BUFFER = 60
"""Seconds that the library keeps while nobody reads, as while a disk is full."""
AT_ONCE = 4096
"""Samples in a read, at most."""


class Inlet(Protocol):
    """A stream that is being received."""

    def open(self) -> None:
        """Connect; DriverFailed if that takes too long."""
        ...

    def pull(self) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        """(samples, channels) that have come, and their stamps on the sender's clock, in seconds; waits for nothing."""
        ...

    def correction(self) -> float | None:
        """What to add to the sender's clock to have `now`; None where it is not known yet."""
        ...

    def now(self) -> float:
        """The library's clock on this machine, seconds."""
        ...

    def was_reset(self) -> bool:
        """Whether the stream was found again, perhaps on another machine, since the last time that this was asked."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


class Network(Protocol):
    """What can be heard of."""

    def found(self) -> list[tuple[Found, object]]:
        """Streams without their channels, and a handle of each; at once."""
        ...

    def described(self, handle: object) -> Found:
        """A stream with its channels; takes a moment."""
        ...

    def inlet(self, handle: object) -> Inlet:
        """A way to receive it, not open yet."""
        ...


@cache
def _pylsl() -> ModuleType:
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise BadSettings(f"the lab streaming layer is not usable here: {str(error).splitlines()[0]}") from None
    found: ModuleType = pylsl
    return found


def version() -> str:
    """The library's version; BadSettings where it is missing."""
    number = int(_pylsl().library_version())
    return f"{number // 100}.{number % 100}"


class Heard:
    """The network as liblsl hears it. Its own settings (lsl_api.cfg, LSLAPICFG) say where it listens."""

    def __init__(self) -> None:
        self._resolver = _pylsl().ContinuousResolver(forget_after=3.0)

    def found(self) -> list[tuple[Found, object]]:
        """Streams without their channels."""
        streams: list[tuple[Found, object]] = []
        for info in self._resolver.results():
            # somebody's name that is no text must not hide the other streams
            with contextlib.suppress(UnicodeDecodeError):
                streams.append((_short(info), info))
        return streams

    def described(self, handle: object) -> Found:
        """Asks the stream itself."""
        pylsl = _pylsl()
        inlet = pylsl.StreamInlet(handle, max_buflen=1, recover=False)
        try:
            full = inlet.info(TIMEOUT)
        except (pylsl.util.LostError, pylsl.util.TimeoutError):
            raise DriverFailed("an LSL stream does not say what it is") from None
        short = _short(full)
        return Found(
            short.uid, short.name, short.type, short.source, short.host, short.count, short.rate, short.is_text,
            tuple(_channels(full, short.count)),
        )  # fmt: skip

    def inlet(self, handle: object) -> Inlet:
        """To receive it."""
        return _Inlet(handle)


class _Inlet:
    def __init__(self, handle: object) -> None:
        pylsl = _pylsl()
        self._gone, self._late = pylsl.util.LostError, pylsl.util.TimeoutError
        self._inlet = pylsl.StreamInlet(handle, max_buflen=BUFFER, recover=True, as_numpy=True)
        self._clock = pylsl.local_clock
        self._known: float | None = None

    def open(self) -> None:
        try:
            self._inlet.open_stream(TIMEOUT)
            self._known = self._inlet.time_correction(TIMEOUT)
        except self._gone:
            raise DriverFailed("the LSL stream is gone") from None
        except self._late:
            raise DriverFailed("the LSL stream does not answer") from None

    def pull(self) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        try:
            samples, stamps = self._inlet.pull_chunk(0.0, max_samples=AT_ONCE)
        except self._gone:
            raise DriverFailed("the LSL stream is gone") from None
        return np.asarray(samples), np.asarray(stamps, dtype=np.float64)

    def correction(self) -> float | None:
        try:
            # at once, except while a stream is being found again
            self._known = self._inlet.time_correction(0.05)
        except self._late:
            return None
        except self._gone:
            raise DriverFailed("the LSL stream is gone") from None
        return self._known

    def now(self) -> float:
        return float(self._clock())

    def was_reset(self) -> bool:
        return bool(self._inlet.was_clock_reset())

    def close(self) -> None:
        self._inlet.close_stream()
        # the library disconnects where the object ends
        del self._inlet


def _short(info: object) -> Found:
    count, rate, kind = info.channel_count(), info.nominal_srate(), info.channel_format()  # type: ignore[attr-defined]
    return Found(
        info.uid(),  # type: ignore[attr-defined]
        _plain(info.name()),  # type: ignore[attr-defined]
        _plain(info.type()),  # type: ignore[attr-defined]
        _plain(info.source_id()),  # type: ignore[attr-defined]
        _plain(info.hostname()),  # type: ignore[attr-defined]
        int(count),
        float(rate),
        kind == _pylsl().cf_string,
    )


def _channels(info: object, count: int) -> Iterator[Channel]:
    """What the stream's description says of each channel; as many as there are, whatever it says."""
    child = info.desc().child("channels").child("channel")  # type: ignore[attr-defined]
    for _ in range(min(count, MOST_CHANNELS)):
        if child.empty():
            return
        yield Channel(*(_plain(child.child_value(name)) for name in ("label", "unit", "type")))
        child = child.next_sibling("channel")


def _plain(text: str) -> str:
    """A stranger's text, to be shown and compared."""
    return "".join(c for c in (text or "")[:200] if c.isprintable()).strip()
