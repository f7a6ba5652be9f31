"""What has the right shape and still makes no sense: unknown signals, wrong rates, values that cannot be."""

from collections.abc import Callable

import numpy as np

from kiosk.errors import Refused
from kiosk.measures import MEASURES
from kiosk.messages.shapes import Chunk, Lost, Message, Reading, Results
from kiosk.signals import SIGNALS


def check(message: Message) -> None:
    """Refuse what has the right shape and still makes no sense. The sender asks the same before it stores."""
    checker = _CHECKS.get(type(message))
    if checker is not None:
        checker(message)


def _check_chunk(chunk: Chunk) -> None:
    signal = SIGNALS.get(chunk.stream.signal)
    if signal is None:
        raise Refused("unknown_signal", chunk.stream.signal)
    if not signal.leaves:
        raise Refused("must_not_leave", f"{signal.name} may not leave the sensor process")
    if not signal.accepts_channels(chunk.channels):
        raise Refused("wrong_channels", f"{signal.name} with {len(chunk.channels)} channels of these names")
    if not signal.accepts_rate(chunk.rate):
        raise Refused("wrong_rate", f"{signal.name} at {chunk.rate}")
    size, row = len(chunk.samples), 4 * len(chunk.channels)
    if size == 0 or size % row:
        raise Refused("wrong_length", f"{size} bytes are not whole rows of {row}")
    count = size // row
    if np.isinf(np.frombuffer(chunk.samples, dtype="<f4")).any():
        raise Refused("not_finite", "infinite samples; a lost sample is NaN")
    if chunk.rate is not None:
        if chunk.offsets is not None:
            raise Refused("wrong_length", "a regular stream has no offsets")
        seconds = count / chunk.rate
    else:
        if chunk.offsets is None or len(chunk.offsets) != 4 * count:
            raise Refused("wrong_length", "one offset per sample where the rate is null")
        offsets = np.frombuffer(chunk.offsets, dtype="<i4")
        if offsets[0] != 0 or (np.diff(offsets) <= 0).any():
            raise Refused("out_of_order", "offsets start at 0 and increase")
        # a lone frame says nothing about its rate: it may use what a whole second may
        size, seconds = size + len(chunk.offsets), max(float(offsets[-1]) * 1e-6, 1.0)
    if size > signal.budget * seconds:
        raise Refused("over_budget", f"{size / seconds:.0f} bytes/s of {signal.name}, at most {signal.budget}")


def _check_reading(reading: Reading) -> None:
    measure = MEASURES.get(reading.measure)
    if measure is None:
        raise Refused("unknown_measure", reading.measure)
    if (reading.value is None) == (reading.absent is None):
        raise Refused("value_or_reason", "a reading has a value or the reason of its absence, never both")
    if reading.value is not None and not measure.possible(reading.value):
        raise Refused("impossible_value", f"{reading.measure} outside {measure.low}..{measure.high}")
    if (reading.low is None) != (reading.high is None):
        raise Refused("half_interval", "low and high come together")
    if (
        reading.low is not None
        and reading.high is not None
        and not (reading.value is not None and reading.low <= reading.value <= reading.high)
    ):
        raise Refused("bad_interval", "the interval does not hold the value")
    if reading.end < reading.start:
        raise Refused("out_of_order", "the window ends before it starts")


def _check_lost(lost: Lost) -> None:
    if lost.last < lost.first:
        raise Refused("out_of_order", "the range ends before it starts")


def _check_results(results: Results) -> None:
    for shown in results.values:
        measure = MEASURES.get(shown.measure)
        if measure is None:
            raise Refused("unknown_measure", shown.measure)
        if (shown.value is None) == (shown.absent is None):
            raise Refused("value_or_reason", "a result has a value or the reason of its absence, never both")
        if shown.value is not None and not measure.possible(shown.value):
            raise Refused("impossible_value", f"{shown.measure} outside {measure.low}..{measure.high}")


_CHECKS: dict[type[Message], Callable[..., None]] = {
    Chunk: _check_chunk,
    Reading: _check_reading,
    Lost: _check_lost,
    Results: _check_results,
}
