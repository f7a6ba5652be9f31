"""What an analysis found, as it is stored; and what it would have found in what was not delivered."""

import statistics
from collections.abc import Iterable

import numpy as np

from analytics.courses import NOTHING
from analytics.session import MEASURES_OF, FinalReading, Result
from api.store.courses import Kept
from api.store.results import Found
from api.tables import StreamRow
from kiosk.measures import Reason
from kiosk.messages import SECOND


def packed(beats: tuple[float, ...]) -> bytes | None:
    """Beats as they are stored; None where there are none."""
    return np.asarray(beats, "<f8").tobytes() if beats else None


def quality(found: Iterable[Found]) -> float | None:
    """Of a session: the median over its preferred readings of the whole recording that have one."""
    told = [each.quality for each in found if each.preferred and each.scope == "recording" and each.quality is not None]
    return statistics.median(told) if told else None


def row_of(reading: FinalReading, model: str | None) -> Found:
    """A reading as it is stored."""
    return Found(
        measure=reading.measure,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        quality=reading.quality,
        absent=reading.absent,
        source=reading.source,
        scope=reading.scope,
        method=reading.method,
        preferred=reading.preferred,
        start_ns=round(reading.start * SECOND),
        end_ns=round(reading.end * SECOND),
        note=reading.note,
        note_ru=reading.note_ru,
        model=model,
    )


def courses_of(result: Result) -> list[Kept]:
    """How the numbers went, as it is stored; a word of its own where none did: so one knows that it was looked."""
    found = [
        Kept(each.measure, each.source, each.method, each.window, each.times, each.values) for each in result.courses
    ]
    none = np.empty(0)
    return found or [Kept(NOTHING, "none", "none", 0.0, none, none)]


def missing(rows: Iterable[StreamRow], found: Iterable[Found], reason: Reason) -> Iterable[Found]:
    """What streams that were not delivered in full, or not analysed, would have answered and did not."""
    answered = {
        (source.partition(".")[0], reading.measure) for reading in found for source in reading.source.split("+")
    }
    for row in rows:
        delivered = row.last is not None and row.upto >= row.last
        if delivered and reason == "not_delivered":
            continue
        for measure in MEASURES_OF.get(row.signal, ()):
            if (row.signal, measure) not in answered:
                answered.add((row.signal, measure))
                yield Found(measure, None, None, None, None, reason, row.signal, "recording", "none", False, 0, 0)
