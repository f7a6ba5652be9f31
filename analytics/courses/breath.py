"""How breath went: what each window said of which a source's respiration rate is the mean."""

from collections.abc import Iterable, Iterator

import numpy as np

from analytics.answers import Told
from analytics.courses.course import Course
from analytics.respiration.answer import Answer, Breath


def of_breath(told: Iterable[Told]) -> Iterator[Course]:
    """Of every source that has a respiration rate."""
    for each in told:
        finding = each.finding
        if isinstance(finding, Breath) and finding.value is not None and finding.windows:
            spans = [span for span, _ in finding.windows]
            values = [said.rate if isinstance(said, Answer) else np.nan for _, said in finding.windows]
            middles = np.array([(start + end) / 2 for start, end in spans])
            window = round(spans[0][1] - spans[0][0], 3)
            yield Course("respiration_rate", each.source, finding.method, window, middles, np.array(values))
