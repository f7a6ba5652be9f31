"""A microphone by PortAudio (the sounddevice package).

PortAudio says of each block when its first sample was converted, on its own clock, and what that clock says now; the
difference is how old the block is, whatever held it up on the way. Where a sound system has no such times, a block
began so long before it came as it lasts, and the source says so.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import Clock
from sensors.drivers.microphone.waiting import Piece, Timeline, Waiting
from sensors.sound.rates import LEAST_RATE, MOST_RATE

log = logging.getLogger(__name__)

T = TypeVar("T")

SILENT = 3.0
"""Seconds without a block after which a microphone counts as gone."""
OPEN_WITHIN, STOP_WITHIN = 10.0, 3.0
OLDEST = 2.0
"""Seconds that a block may be old for its time to be believed."""
MOST_CHANNELS = 2
"""That are asked for: the microphone of a headset has one, a pair or an array hands out the first two."""
NO_LIBRARY = "PortAudio is not installed: apt-get install libportaudio2"


class Times(Protocol):
    """What PortAudio says with a block."""

    inputBufferAdcTime: float  # noqa: N815
    currentTime: float  # noqa: N815


class Flags(Protocol):
    """What happened before a block."""

    input_overflow: bool


class Stream(Protocol):
    """What is used of sounddevice's InputStream."""

    samplerate: float

    def start(self) -> None:
        """Begin to call back."""
        ...

    def abort(self) -> None:
        """Stop at once."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


def problem() -> str:
    """Why no microphone can be had on this machine, in words; empty where one can."""
    try:
        import sounddevice

        if any(each["max_input_channels"] > 0 for each in sounddevice.query_devices()):
            return ""
    except (OSError, ImportError):
        return NO_LIBRARY
    except Exception as error:
        return f"PortAudio: {error}"
    return "there is no microphone"


class Soundcard:
    """A microphone at this machine, by index or by a part of its name; None is the system's own choice."""

    simulated = False

    def __init__(self, where: int | str | None, clock: Clock) -> None:
        self._where, self._clock = where, clock
        self._stream: Stream | None = None
        self._into: Waiting | None = None
        self._timeline = Timeline()
        self._gone = asyncio.Event()
        self._heard = 0
        self._left = False
        """Nobody waits for it to open any more."""
        self._adc_times: bool | None = None

    @property
    def trouble(self) -> str:
        """What an operator should know."""
        return "this microphone does not say when sound was taken; times are those of its arrival" * (
            self._adc_times is False
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            self._stream = await _apart(self._open, OPEN_WITHIN)
        except BaseException as error:
            self._left = True
            if isinstance(error, TimeoutError):
                raise DriverFailed(f"{self._named} does not open") from None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._into = None
        if self._stream is not None:
            # a device that hangs must not hold up the end
            with contextlib.suppress(TimeoutError, Exception):
                await _apart(lambda: _close(self._stream), STOP_WITHIN)

    async def feed(self, into: Waiting) -> None:
        """Put in blocks until the microphone is gone."""
        assert self._stream is not None
        self._into, self._heard = into, self._clock.now()
        await _apart(self._stream.start, OPEN_WITHIN)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), SILENT / 6)
            if self._gone.is_set():
                raise DriverFailed(f"{self._named} went away")
            if self._clock.now() - self._heard > SILENT * SECOND:
                raise DriverFailed(f"{self._named} has sent no sound for {SILENT:g} s")

    @property
    def _named(self) -> str:
        return "the microphone" if self._where is None else f"microphone {self._where}"

    def _open(self) -> Stream:
        try:
            import sounddevice
        except OSError:
            raise DriverFailed(NO_LIBRARY) from None
        try:
            # PortAudio lists the devices once; one that was plugged in since is there only after another look
            sounddevice._terminate()
            sounddevice._initialize()
            device = sounddevice.query_devices(self._where, "input")
            rate = float(device["default_samplerate"])
            if not LEAST_RATE <= rate <= MOST_RATE:
                raise DriverFailed(
                    f"{self._named} has {rate:g} samples a second; {LEAST_RATE} to {MOST_RATE} can be used"
                )
            stream: Stream = sounddevice.InputStream(
                device=self._where, samplerate=rate, channels=min(MOST_CHANNELS, int(device["max_input_channels"])),
                dtype="float32", latency="high", callback=self._take, finished_callback=self._end,
            )  # fmt: skip
        except (sounddevice.PortAudioError, ValueError) as error:
            raise DriverFailed(f"{self._named} is not there, or is in use: {_first_line(error)}") from None
        if self._left:
            stream.close()
        log.info("%s: %s at %g samples a second", self._named, device["name"], stream.samplerate)
        return stream

    def _take(self, samples: NDArray[np.float32], count: int, times: Times, flags: Flags) -> None:
        """PortAudio's thread hands over a block: copy it, and be gone."""
        into, stream = self._into, self._stream
        if into is None or stream is None:
            return
        now = self._heard = self._clock.now()
        seconds = count / stream.samplerate
        age = times.currentTime - times.inputBufferAdcTime
        believable = times.inputBufferAdcTime > 0 and 0 <= age < OLDEST
        self._adc_times = believable if self._adc_times is None else self._adc_times and believable
        began = now - round((age if believable else seconds) * SECOND)
        start = self._timeline.place(began, seconds, broken=bool(flags.input_overflow))
        into.put(Piece(np.array(samples, np.float32), start, stream.samplerate))

    def _end(self) -> None:
        # a loop that is closed waits for nothing
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._gone.set)


def _close(stream: Stream | None) -> None:
    if stream is not None:
        stream.abort()
        stream.close()


async def _apart(work: Callable[[], T], within: float) -> T:
    """What `work` gives in a thread of its own: sound systems hang, and the loop's pool must not hang with them."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if not done.done():
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]

    def live() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, result, failure)

    threading.Thread(target=live, name="soundcard", daemon=True).start()
    return await asyncio.wait_for(done, within)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
