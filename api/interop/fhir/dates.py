"""Dates in searches: each is a stretch of time, as long as it is imprecise (hl7.org/fhir/R4/search.html#date)."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from api.store.fhir import LEAST, MOST, Prefix, Span
from kiosk.messages import SECOND

PATTERN: Final = (
    r"^(eq|ne|gt|lt|ge|le|sa|eb|ap)?[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)(\.[0-9]{1,9})?)?(Z|[ +-](0[0-9]|1[0-4]):[0-5][0-9])?)?)?)?$"
)
SEVERAL: Final = f"^{PATTERN[1:-1]}(,{PATTERN[1:-1]})*$"
"""Alternatives between commas."""
_SHAPE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"(T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>Z|[ +-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_PREFIXES: dict[str, Prefix] = {each: each for each in get_args(Prefix)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)


class NoDate(ValueError):
    """It cannot be read as a date."""


def span(said: str, now: int) -> Span:
    """What a date parameter asks for. Without a zone it is UTC; `ap` is wider by a tenth of the time until now."""
    found = _SHAPE.fullmatch(said)
    if found is None:
        raise NoDate(said)
    prefix = _PREFIXES[found["prefix"] or "eq"]
    try:
        start, end = _stretch(found.group)
    except (ValueError, OverflowError):
        raise NoDate(said) from None
    if prefix == "ap":
        wider = abs(now - (start + end) // 2) // 10
        start, end = start - wider, end + wider
    return Span(prefix, _within(start), _within(end))


def _stretch(part: Callable[[str], str | None]) -> tuple[int, int]:
    year, month, day = int(part("year") or 0), part("month"), part("day")
    if year == 0:
        raise ValueError("there is no year 0")
    begin = datetime(year, int(month or 1), int(day or 1), tzinfo=UTC)
    hour, minute, second = part("hour"), part("minute"), part("second")
    if hour is None:
        return _ns(begin), _ns(begin) + _length(begin, month, day)
    # a leap second is the one after 59, and so needs no case of its own
    start = _ns(begin.replace(hour=int(hour), minute=int(minute or 0))) + int(second or 0) * SECOND
    start -= _offset(part("zone")) * SECOND
    if second is None:
        return start, start + 60 * SECOND
    fraction = part("fraction")
    if fraction is None:
        return start, start + SECOND
    finest = 10 ** (9 - len(fraction))
    start += int(fraction) * finest
    return start, start + finest


def _length(begin: datetime, month: str | None, day: str | None) -> int:
    if day is not None:
        days = 1
    elif month is not None:
        days = calendar.monthrange(begin.year, begin.month)[1]
    else:
        days = 366 if calendar.isleap(begin.year) else 365
    return days * 86_400 * SECOND


def _offset(zone: str | None) -> int:
    """Seconds east of Greenwich. A plus that nobody escaped arrives as a blank."""
    if zone is None or zone == "Z":
        return 0
    length = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -length if zone[0] == "-" else length


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // _UNIT * 1000


def _within(value: int) -> int:
    return max(LEAST, min(MOST, value))
