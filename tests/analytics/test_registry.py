"""Every registered analyzer exists and keeps the protocol."""

import numpy as np
import pytest

from analytics.registry import ANALYZERS, LIVE_MEASURES, factory
from kiosk.measures import MEASURES
from kiosk.signals import SIGNALS
from tests.analytics.visitors import clock


@pytest.mark.parametrize("signal", ANALYZERS)
def test_every_analyzer_can_be_made_and_fed(signal: str) -> None:
    row = SIGNALS[signal]
    assert row.leaves
    assert row.rates is not None
    for rate in (row.rates[0], 250.0, row.rates[1]):
        analyzer = factory(signal)(rate, ("a",))
        count = round(6 * rate)
        noise = np.random.default_rng(0).standard_normal((count, 1)).astype(np.float32)
        findings = analyzer.feed(clock(count, rate), noise)
        assert findings
        assert {finding.measure for finding in findings} == set(LIVE_MEASURES[signal]) <= MEASURES.keys()
        assert all((finding.value is None) != (finding.absent is None) for finding in findings)
        analyzer.reset()
        assert analyzer.feed(clock(count, rate), noise) == findings


def test_a_signal_that_nobody_analyses_has_no_factory() -> None:
    with pytest.raises(KeyError):
        factory("image")


def test_of_every_analyzer_it_is_known_what_it_answers() -> None:
    assert LIVE_MEASURES.keys() == ANALYZERS.keys()
