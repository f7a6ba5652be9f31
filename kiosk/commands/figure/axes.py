"""The axis of time: seconds, minutes or hours, whatever reads best over so long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """A unit of time for an axis."""

    unit: str
    seconds: float


def clock(span: float) -> Clock:
    """The unit for an axis of so many seconds."""
    if span < 180:
        return Clock("s", 1.0)
    return Clock("min", 60.0) if span < 3 * 3600 else Clock("h", 3600.0)


def moment(seconds: float) -> str:
    """A time of a recording as `1:02:03.4`."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(abs(tenths), 600)
    sign = "-" if tenths < 0 else ""
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{head}:{rest // 10:02d}.{rest % 10}"
