"""The live breath: every two seconds of the last half minute, however the stream was cut."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.respiration import LiveBreath, from_belt
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import clock, cuts

CALM = Person(seed=8, respiration_rate=15)


@cache
def belt(person: Person, rate: float, seconds: float) -> NDArray[np.float32]:
    return Body(person).respiration(np.arange(round(seconds * rate)) / rate).astype(np.float32)


def findings(samples: NDArray[np.float32], rate: float, sizes: list[int] | None = None) -> list[Finding]:
    analyzer = LiveBreath(rate, tuple("ab"[: samples.shape[1]]))
    times = clock(len(samples), rate)
    return [finding for cut in cuts(len(samples), sizes or [7]) for finding in analyzer.feed(times[cut], samples[cut])]


@cache
def at_once(rate: float) -> tuple[Finding, ...]:
    return tuple(findings(belt(CALM, rate, 44.0), rate, [10**6]))


@pytest.mark.parametrize("rate", [25.0, 62.4725])
@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=7).filter(any))
def test_any_chunking_gives_the_same_findings(rate: float, sizes: list[int]) -> None:
    assert tuple(findings(belt(CALM, rate, 44.0), rate, sizes)) == at_once(rate)


@pytest.mark.parametrize("rate", [5.0, 25.0, 100.0, 1000.0])
def test_it_answers_every_two_seconds_from_half_a_minute_on(rate: float) -> None:
    found = findings(belt(CALM, rate, 60.0), rate, [round(rate)])
    assert len(found) in {29, 30}
    ends = np.array([finding.end_ns for finding in found]) / SECOND
    assert np.diff(ends) == pytest.approx(np.full(len(ends) - 1, 2.0), abs=0.2)
    for end, finding in zip(ends, found, strict=True):
        assert finding.end_ns - finding.start_ns <= 30.1 * SECOND
        if end < 29.7:
            assert finding.absent == "too_short"
        elif end > 30.3:
            assert finding.value == pytest.approx(15.0, abs=1.2)
            assert finding.quality is not None
            assert finding.quality > 0.8


@pytest.mark.parametrize("breath", [6, 12, 24, 40])
def test_live_and_final_tell_the_same(breath: float) -> None:
    samples = belt(Person(seed=9, respiration_rate=breath, respiration_variation=0.02), 25.0, 64.0)
    live = [finding.value for finding in findings(samples, 25.0) if finding.value is not None]
    track = Track("respiration", "belt", ("a",), 25.0, clock(len(samples), 25.0), samples)
    assert len(live) > 8
    assert np.median(live) == pytest.approx(from_belt(track)[0].value, rel=0.04)


def test_a_breath_that_stops_is_absent_and_comes_back() -> None:
    x = belt(CALM, 25.0, 150.0)[:, 0].copy()
    x[60 * 25 : 90 * 25] = x[60 * 25] + 0.01 * np.random.default_rng(0).standard_normal(30 * 25)
    by_second = {round(finding.end_ns / SECOND): finding for finding in findings(x[:, None], 25.0)}
    assert by_second[60].value is not None
    assert all(by_second[second].value is None for second in range(78, 104, 2))
    assert all(by_second[second].value == pytest.approx(15.0, abs=1.5) for second in range(122, 150, 2))


def test_lost_samples_are_told_and_the_other_channel_is_read() -> None:
    x = belt(CALM, 25.0, 60.0)[:, 0]
    lost = np.full_like(x, np.nan)
    assert findings(lost[:, None], 25.0)[-1].absent == "not_delivered"
    both = findings(np.column_stack((lost, x)), 25.0)[-1]
    assert both == findings(x[:, None], 25.0)[-1]
    assert findings(np.zeros_like(x)[:, None], 25.0)[-1].absent == "flat"


def test_a_stream_too_slow_to_draw_breath_says_so() -> None:
    assert {finding.absent for finding in findings(np.zeros((120, 1), dtype=np.float32), 2.0)} == {"unsuitable_rate"}


def test_a_reset_analyzer_is_a_new_one() -> None:
    samples = belt(CALM, 25.0, 40.0)
    analyzer = LiveBreath(25.0, ("a",))
    times = clock(len(samples), 25.0)
    first = analyzer.feed(times, samples)
    analyzer.reset()
    assert analyzer.feed(times, samples) == first
