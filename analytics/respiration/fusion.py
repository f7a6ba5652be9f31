"""One respiration rate of several sources, where they agree."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from analytics.analyzer import Finding
from analytics.respiration.voices import SAME
from kiosk.measures import Reason

METHOD = "breath-fusion-1"
MAJORITY = 0.75
"""Share of all quality that must agree: a good belt outvotes a poor PPG, and two equals that differ say nothing."""
_LEAST = 0.01  # weight of a source that has no quality to speak of


def fused(findings: Sequence[Finding]) -> Finding:
    """The mean of those that agree, by quality; its quality is theirs times the share of all that agrees."""
    told = [finding for finding in findings if finding.value is not None]
    value: float | None = None
    quality: float | None = None
    absent: Reason | None = None
    if told:
        rates = np.array([finding.value for finding in told], dtype=np.float64)
        weights = np.array([max(_LEAST, finding.quality or 0.0) for finding in told])
        near = np.abs(rates[:, None] - rates) <= np.maximum(SAME[0], SAME[1] * rates)
        best = near[:, int(np.argmax(weights @ near))]
        share = float(weights[best].sum() / weights.sum())
        if share >= MAJORITY:
            value = float(np.average(rates[best], weights=weights[best]))
            quality = share * float(np.average(weights[best], weights=weights[best]))
        else:
            absent = "noisy"
    else:
        reasons = Counter(finding.absent for finding in findings if finding.absent is not None)
        absent = reasons.most_common(1)[0][0] if reasons else "not_delivered"
    return Finding(
        measure="respiration_rate",
        value=value,
        method=METHOD,
        start_ns=min((finding.start_ns for finding in told or findings), default=0),
        end_ns=max((finding.end_ns for finding in told or findings), default=0),
        quality=quality,
        absent=absent,
    )
