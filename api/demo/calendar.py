"""When the invented people come: weekly, monthly, or now and then; what they miss; and what kind of visit it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.demo.course import FIBRILLATION
from api.demo.people import Member

PERIOD = {"weekly": 7.0, "fortnightly": 14.0, "monthly": 30.4, "irregular": 75.0}
"""Days between visits; of those who come irregularly the mean."""
MISSED = 0.12
"""Share of visits that did not take place."""
HOLIDAY = 20
"""Days away, once a year."""
SUNDAY = 6
OPEN, SHUT = 7.0, 19.0
"""Hours."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One of them."""

    day: int
    """Since the first day of the months."""
    hour: float
    began: datetime
    protocol: str
    department: int

    def share(self, days: int) -> float:
        """Of the months that have passed."""
        return self.day / days


def visits(member: Member, days: int, until: datetime) -> list[Visit]:
    """All visits of somebody, in order of time; none in the hour before the end or later."""
    rng = member.chance("calendar")
    first = until - timedelta(days=days)
    midnight = datetime(first.year, first.month, first.day, tzinfo=UTC)
    usual, period = float(rng.uniform(OPEN + 0.5, SHUT - 1.5)), PERIOD[member.rhythm]
    joined = 0.0 if rng.random() < 0.6 else float(rng.uniform(0.0, 0.3)) * days
    away = float(rng.uniform(0.0, 365.0))
    at = joined + float(rng.uniform(0.0, period))
    found: list[Visit] = []
    known: set[int] = set()
    while at < days + 1:
        day = int(at)
        step = rng.exponential(period) if member.rhythm == "irregular" else period + rng.normal(0.0, 0.07 * period)
        at += max(2.0, float(step))
        hour = min(max(usual + 0.8 * float(rng.standard_normal()), OPEN), SHUT)
        missed, other, kind = float(rng.random()), float(rng.random()), float(rng.random())
        if (midnight + timedelta(days=day)).weekday() == SUNDAY:
            day += 1
        began = midnight + timedelta(days=day, seconds=round(hour * 3600.0))
        # who is at their lowest is seen there, and who has what nobody else has
        kept = day > {"crisis": 0.8, "fibrillation": FIBRILLATION}.get(member.course, 1.0) * days
        if day in known or (not kept and (missed < MISSED or 0.0 <= (day - away) % 365.0 < HOLIDAY)):
            continue
        if began > until - timedelta(hours=1):
            continue
        known.add(day)
        protocol = "full" if not found or kind < 0.12 else "quick" if kind < 0.5 else "follow_up"
        department = member.department if other < 0.85 else int(other * 1e6) % 4
        found.append(Visit(day, hour, began, protocol, department))
    return found
