"""The live pulse rate: the truth, soon, from any chunking - and silence where there is nothing to say (synthetic)."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from analytics.analyzer import Finding
from analytics.ppg import LivePulse
from kiosk.messages import SECOND
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import clock, cuts

Floats = NDArray[np.float64]

CALM = Person(seed=41, heart_rate=72)
TROUBLED = Person(seed=42, heart_rate=84, motion_rate=6, dropout_rate=10, ppg_channels=("red", "infrared"))


@cache
def pulse(person: Person, rate: float, seconds: float) -> NDArray[np.float32]:
    return Body(person).sample("ppg", np.arange(round(seconds * rate)) / rate).astype(np.float32)


def findings(
    samples: NDArray[np.float32], rate: float, channels: tuple[str, ...] = ("green",), sizes: list[int] | None = None
) -> list[Finding]:
    analyzer = LivePulse(rate, channels)
    times = clock(len(samples), rate)
    pieces = cuts(len(samples), sizes or [max(1, round(rate / 10))])
    return [finding for cut in pieces for finding in analyzer.feed(times[cut], samples[cut])]


def rates(found: list[Finding]) -> dict[int, float]:
    """Values by the second at which they were found."""
    return {round(finding.end_ns / SECOND): finding.value for finding in found if finding.value is not None}


def pulseless(rate: float, seconds: float, seed: int) -> Iterator[tuple[str, Floats]]:
    """Signals that no heart made, each with the name of its generator."""
    rng = np.random.default_rng(seed)
    count = round(rate * seconds)
    times = np.arange(count) / rate
    white = rng.standard_normal(count)
    spectrum, hertz = np.fft.rfft(white), np.fft.rfftfreq(count, 1 / rate)
    hertz[0] = hertz[1]
    longer = rng.standard_normal(count + round(10 * rate))

    def band(low: float, high: float) -> Floats:
        sections = signal.butter(2, [low, min(high, 0.45 * rate)], "band", fs=rate, output="sos")
        return np.asarray(signal.sosfilt(sections, longer))[-count:]

    moments = (np.cumsum(rng.exponential(1.0, round(2 * seconds + 5))) * rate).astype(np.intp)
    jumps = np.zeros(count)
    jumps[moments[moments < count]] = rng.standard_normal(np.count_nonzero(moments < count))
    loudness = np.abs(band(2.0, 8.0))
    yield "white noise", white
    yield "pink noise", np.fft.irfft(spectrum / np.sqrt(hertz), count)
    yield "brown noise", np.fft.irfft(spectrum / hertz, count)
    yield "noise of the pulse's band", band(0.5, 5.0)
    yield "motion", band(1.0, 10.0)
    yield "steps", np.cumsum(jumps)
    yield "clicks", 3 * jumps + 0.02 * white
    yield "walk of digits", np.cumsum(rng.integers(-1, 2, count)).astype(np.float64)
    yield "speech", loudness * white
    yield "loudness of speech", loudness
    yield "hum", np.sin(2 * np.pi * 50.03 * times) + rng.uniform(0.01, 0.03) * white
    yield "hum that clips", np.clip(2 * np.sin(2 * np.pi * 59.97 * times), -1.0, 1.0) + 0.001 * white
    yield "saturation", np.full(count, 255.0)
    yield "flat line", 3.0 + 1e-9 * white
    yield "nothing at all", np.full(count, np.nan)


@cache
def at_once(person: Person, rate: float) -> tuple[Finding, ...]:
    return tuple(findings(pulse(person, rate, 24.0), rate, person.ppg_channels, [10**6]))


@pytest.mark.parametrize(("person", "rate"), [(CALM, 100.0), (TROUBLED, 62.5)])
@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=7).filter(any))
def test_any_chunking_gives_the_same_findings(person: Person, rate: float, sizes: list[int]) -> None:
    assert tuple(findings(pulse(person, rate, 24.0), rate, person.ppg_channels, sizes)) == at_once(person, rate)


@pytest.mark.parametrize("rate", [30.0, 64.0, 100.0, 1000.0])
@pytest.mark.parametrize("inverted", [False, True])
def test_72_per_minute_read_72(rate: float, inverted: bool) -> None:
    steady = Person(seed=1, heart_rate=72, rsa_ms=0, mayer_ms=0, vlf_ms=0)
    x = pulse(steady, rate, 30.0)
    found = findings(-x if inverted else x, rate)
    assert len(found) == 30
    assert [finding.absent for finding in found[:5]] == ["too_short"] * 5
    for finding in found[6:]:
        assert finding.value == pytest.approx(72.0, abs=1.0)
        assert finding.quality is not None
        assert finding.quality > 0.8
        assert (finding.low, finding.high, finding.absent) == (None, None, None)
        assert finding.end_ns - finding.start_ns <= 10 * SECOND


@pytest.mark.parametrize(("before", "after"), [(80, 120), (120, 80)])
@pytest.mark.parametrize("rate", [30.0, 100.0])
def test_a_step_shows_within_ten_seconds(before: int, after: int, rate: float) -> None:
    profile = ((0.0, before), (20.0, before), (20.001, after))
    person = Person(seed=4, heart_rate=before, heart_rate_profile=profile, rsa_ms=5, mayer_ms=0, vlf_ms=0)
    shown = rates(findings(pulse(person, rate, 40.0), rate))
    assert shown[19] == pytest.approx(before, abs=2)
    assert all(shown[second] == pytest.approx(after, abs=3) for second in range(30, 41))


@pytest.mark.parametrize("rate", [45.0, 180.0])
def test_slow_and_fast_hearts_are_not_halved_or_doubled(rate: float) -> None:
    person = Person(seed=6, heart_rate=rate, rsa_ms=5, mayer_ms=5, vlf_ms=0)
    shown = rates(findings(pulse(person, 64.0, 40.0), 64.0))
    assert len(shown) > 25
    assert all(value == pytest.approx(rate, rel=0.06) for value in shown.values())


@pytest.mark.parametrize(
    ("intervals", "heights"),
    [((0.6, 1.0), (0.7, 1.1)), ((0.8, 0.8), (1.0, 0.5)), ((0.8, 0.55, 1.05), (1.0, 0.6, 1.2))],
    ids=["bigeminus", "alternans", "trigeminus"],
)
def test_each_beat_of_an_alternating_pulse_counts(intervals: tuple[float, ...], heights: tuple[float, ...]) -> None:
    beats, strength = np.cumsum(np.resize(intervals, 50)), np.resize(heights, 50)
    after = np.arange(3500)[:, None] / 100.0 - beats
    x = (
        strength * (np.exp(-0.5 * ((after - 0.2) / 0.07) ** 2) + 0.3 * np.exp(-0.5 * ((after - 0.45) / 0.1) ** 2))
    ).sum(1)
    shown = rates(findings(x.astype(np.float32)[:, None], 100.0))
    right = [value == pytest.approx(60.0 / np.mean(intervals), abs=4) for value in shown.values()]
    assert len(shown) > 25
    assert np.mean(right) > 0.9


def test_a_lost_contact_is_absent_and_over_seconds_later() -> None:
    x = pulse(CALM, 100.0, 60.0).copy()
    x[2000:3000] = np.nan
    found = findings(x, 100.0)
    shown = rates(found)
    assert {finding.absent for finding in found[27:30]} == {"not_delivered"}
    assert all(shown[second] == pytest.approx(72, abs=6) for second in range(40, 61))


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_it_recovers_from_a_finger_that_was_away(level: float) -> None:
    x = pulse(CALM, 100.0, 60.0).copy()
    x[2000:3000] = level
    found = findings(x, 100.0)
    assert {finding.absent for finding in found[27:30]} <= {"flat", "saturated", "noisy"}
    shown = rates(found)
    assert all(shown[second] == pytest.approx(72, abs=6) for second in range(42, 61))


def test_the_channel_with_a_pulse_is_read() -> None:
    good = pulse(CALM, 64.0, 40.0)[:, 0]
    noise = np.random.default_rng(0).standard_normal(len(good)).astype(np.float32)
    shown = rates(findings(np.column_stack((noise, good)), 64.0, ("red", "green")))
    assert sorted(shown) == list(range(6, 41))
    # and the other one when the first has gone
    first, second = good.copy(), good.copy()
    first[20 * 64 :] = 0.0
    shown = rates(findings(np.column_stack((first, second)), 64.0, ("red", "green")))
    assert set(range(6, 22)) | set(range(27, 41)) <= set(shown)
    assert all(value == pytest.approx(72, abs=6) for value in shown.values())


def test_a_reset_analyzer_is_a_new_one() -> None:
    x = pulse(CALM, 100.0, 20.0)
    analyzer = LivePulse(100.0, ("green",))
    times = clock(len(x), 100.0)
    first = analyzer.feed(times, x)
    analyzer.reset()
    assert analyzer.feed(times, x) == first


def test_a_rate_without_room_for_a_pulse_is_refused() -> None:
    found = findings(np.zeros((120, 1), dtype=np.float32), 10.0)
    assert {finding.absent for finding in found} == {"unsuitable_rate"}


def test_no_pulse_rate_comes_from_what_has_no_heart() -> None:
    """The window of 10 s of 15 generators x 3 rates x 5 seeds: 225 synthetic windows."""
    wrong: Counter[str] = Counter()
    reasons: set[str | None] = set()
    for rate in (30.0, 64.0, 125.0):
        for seed in range(5):
            for name, x in pulseless(rate, 10.0, seed):
                last = findings(x.astype(np.float32)[:, None], rate, sizes=[10**6])[-1]
                reasons.add(last.absent)
                wrong[name] += last.value is not None
    assert not +wrong
    assert reasons >= {"noisy", "flat", "not_delivered"}
