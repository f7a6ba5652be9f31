"""Every registered analyzer exists and keeps the protocol."""

import numpy as np
import pytest

from analytics.registry import ANALYZERS, LIVE_MEASURES, factory
from kiosk.measures import MEASURES
from kiosk.signals import SIGNALS
from tests.analytics.visitors import clock

REGULAR = [signal for signal in ANALYZERS if SIGNALS[signal].rates and not SIGNALS[signal].channels]
IRREGULAR = [signal for signal in ANALYZERS if SIGNALS[signal].irregular]


@pytest.mark.parametrize("signal", REGULAR)
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


@pytest.mark.parametrize("signal", IRREGULAR)
def test_every_analyzer_of_an_irregular_signal_takes_times_as_they_come(signal: str) -> None:
    row = SIGNALS[signal]
    assert row.leaves
    channels = row.channels or tuple(f"net.{name}" for name in ("neutral", "happiness", "sadness"))
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(20_000_000, 60_000_000, 360))
    samples = np.abs(rng.standard_normal((360, len(channels)))).astype(np.float32)
    for values in (samples, np.full_like(samples, np.nan), np.full_like(samples, 3e38), np.zeros_like(samples)):
        analyzer = factory(signal)(None, channels)
        findings = analyzer.feed(times, values)
        assert {finding.measure for finding in findings} <= set(LIVE_MEASURES[signal]) <= MEASURES.keys()
        assert all((finding.value is None) != (finding.absent is None) for finding in findings)
        assert [finding.end_ns for finding in findings] == sorted(finding.end_ns for finding in findings)
        analyzer.reset()
        again = [each for at in range(0, 360, 23) for each in analyzer.feed(times[at : at + 23], values[at : at + 23])]
        assert again == findings
    assert factory(signal)(None, channels).feed(times[:0], samples[:0]) == []


def test_every_listener_can_be_tested() -> None:
    assert {*REGULAR, *IRREGULAR} == ANALYZERS.keys()


def test_a_signal_that_nobody_analyses_has_no_factory() -> None:
    with pytest.raises(KeyError):
        factory("image")


def test_of_every_analyzer_it_is_known_what_it_answers() -> None:
    assert LIVE_MEASURES.keys() == ANALYZERS.keys()
