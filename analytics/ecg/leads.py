"""Which of several leads is read: the most readable one, and lead II among equals."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from analytics import quality
from analytics.quality import Floats
from kiosk.measures import Reason

REMEMBERED = 8
RECENT = 3
_LEAD_II = ("II", "MLII", "ECG II", "LEAD II")


def usual(channels: tuple[str, ...]) -> int:
    """Lead II where there is one, else the first: R stands highest along the heart's axis."""
    names = [channel.upper() for channel in channels]
    return next((names.index(name) for name in _LEAD_II if name in names), 0)


@dataclass(slots=True)
class Lead:
    """How readable one lead was in its last seconds, newest last."""

    values: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    reasons: deque[Reason | None] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def judge(self, x: Floats, rate: float) -> None:
        """Add the newest second of these one or two."""
        judged = quality.ecg(x, rate)
        self.values.append(float(judged.value[-1]))
        self.reasons.append(judged.reason[-1])

    @property
    def recent(self) -> float:
        """Mean quality of the last three seconds."""
        values = list(self.values)[-RECENT:]
        return float(np.mean(values)) if values else 0.0

    @property
    def unreadable(self) -> bool:
        """Whether the last three seconds were all useless."""
        values = list(self.values)[-RECENT:]
        return len(values) == RECENT and max(values) < quality.READABLE
