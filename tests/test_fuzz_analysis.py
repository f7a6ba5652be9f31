"""Whatever a recording holds, its analysis ends in readings that are a number or a reason; garbage has no number.

KIOSK_FUZZ_EXAMPLES=2000 pytest --timeout 0 tests/test_fuzz_analysis.py digs deeper than the suite does.
"""

import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.analyzer import Finding
from analytics.registry import ANALYZERS, LIVE_MEASURES, factory
from analytics.session import FinalReading, Result, session
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context, Recording, Track
from kiosk.signals import SIGNALS
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import heartless

Floats = NDArray[np.float64]

DEEP = "KIOSK_FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("KIOSK_FUZZ_EXAMPLES", "60"))
LONGEST, MOST_SAMPLES = (120.0, 480_000) if DEEP else (45.0, 12_000)
"""Seconds and samples of a track."""
SLOWEST = 60.0
"""CPU seconds that an analysis may take, on a busy machine too."""
SENSORS = ("ecg", "ppg", "respiration", "eda", "skin_temperature", "rr")
HEART = frozenset({"heart_rate", "mean_rr", "sdnn", "rmssd", "pnn50", "lf_power", "dfa_alpha1", "sample_entropy"})
RATES = st.one_of(
    st.sampled_from((1.0, 4.0, 10.0, 32.0, 50.0, 64.0, 100.0, 128.0, 250.0, 256.0, 360.0, 500.0, 1000.0, 4000.0)),
    st.floats(1.0, 4000.0),
)
ODD = st.one_of(st.floats(), st.sampled_from((math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-320, 1e308)))
NUMBERS = st.one_of(st.floats(0.0, 130.0), ODD)


@cache
def body() -> Body:
    """Made once: it lives for five minutes."""
    return Body(Person(seed=11, heart_rate=74))


def _heart(signal: str, times: Floats, rng: np.random.Generator) -> Floats:
    """The same visitor on every sensor, from some moment on."""
    times = rng.uniform(0.0, 100.0) + times
    match signal:
        case "ecg":
            return body().ecg(times)[:, 0]
        case "ppg":
            return body().ppg(times)[:, 0]
        case "rr":
            return 810.0 + 40.0 * np.sin(1.6 * times) + rng.normal(0.0, 8.0, len(times))
        case "skin_temperature":
            return 33.0 + 0.001 * times
        case "eda":
            return 4.0 + 0.2 * np.maximum(0.0, np.sin(0.3 * times)) + 0.001 * times
        case _:
            return np.sin(1.6 * times) + 0.05 * np.sin(0.3 * times)


GARBAGE: Mapping[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "lost": lambda times, _: np.full(len(times), np.nan),
    "infinite": lambda times, _: np.full(len(times), np.inf),
    "infinite both ways": lambda times, rng: np.where(rng.random(len(times)) < 0.5, np.inf, -np.inf),
    "zero": lambda times, _: np.zeros(len(times)),
    "one value": lambda times, rng: np.full(len(times), rng.choice((1.0, -3.7, 1e30, 1e-30, 3e38))),
    "ramp": lambda times, rng: times * rng.choice((1.0, -1e-6, 1e6)),
    "one step": lambda times, rng: np.where(np.arange(len(times)) < rng.integers(0, len(times) + 1), -1.0, 1e6),
    "one spike": lambda times, rng: 5.0 * (np.arange(len(times)) == rng.integers(0, len(times) + 1)),
    "every other": lambda times, _: np.resize((1.0, -1.0), len(times)),
    "huge": lambda times, rng: rng.choice((-3e38, 3e38, 0.0), len(times)),
}
"""What says nothing, by its name: of times and a source of chance."""
NOISE: Mapping[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "white": lambda times, rng: rng.normal(0.0, 0.5, len(times)),
    "heavy": lambda times, rng: rng.standard_cauchy(len(times)),
    "walk": lambda times, rng: np.cumsum(rng.normal(0.0, 0.05, len(times))),
    "bits": lambda times, rng: rng.integers(0, 2, len(times)).astype(np.float64),
    "exponents": lambda times, rng: 10.0 ** rng.uniform(-38.0, 38.0, len(times)) * rng.choice((-1, 1), len(times)),
    "hum": lambda times, rng: np.sin(2 * np.pi * rng.choice((50.0, 60.0)) * times) + rng.normal(0.0, 0.01, len(times)),
    "pulses": lambda times, rng: (np.sin(rng.uniform(0.5, 20.0) * times) > 0.97).astype(np.float64),
    "tone": lambda times, rng: np.sin(rng.uniform(0.5, 30.0) * times),
}
"""What may look like something."""
WAVES = ("heart", *GARBAGE, *NOISE)
DAMAGES = ("lost", "infinite", "clipped", "coarse", "negated", "scaled", "shifted", "spliced", "held", "one huge")


def damaged(x: Floats, damage: str, rng: np.random.Generator) -> Floats:
    """One thing that goes wrong on the way from the body."""
    if not len(x):
        return x
    begin = int(rng.integers(0, len(x)))
    part = slice(begin, begin + int(rng.integers(1, len(x) + 1)))
    x = x.copy()
    with np.errstate(all="ignore"):
        match damage:
            case "lost":
                x[part if rng.random() < 0.5 else rng.random(len(x)) < rng.random()] = np.nan
            case "infinite":
                x[rng.integers(0, len(x), 3)] = rng.choice((np.inf, -np.inf), 3)
            case "clipped":
                x = np.clip(x, *np.sort(rng.choice(x, 2)))
            case "coarse":
                x = np.round(x * rng.choice((1.0, 4.0, 100.0)))
            case "negated":
                x = -x
            case "scaled":
                x *= rng.choice((1e-30, 1e-6, 1e-3, 1e3, 1e9, 1e30))
            case "shifted":
                x += rng.choice((-1e9, 1e3, 1e30))
            case "spliced":
                x = np.roll(x, begin)
            case "held":
                x[part] = x[begin]
            case _:
                x[begin] = 3e38
    return x


def clock(count: int, rate: float, shape: str, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rising times: even, uneven, with gaps, or of a device that has lost its mind."""
    if shape == "random":
        steps = rng.exponential(SECOND / rate, count)
    else:
        steps = np.full(count, SECOND / rate)
        if shape == "uneven":
            steps *= rng.uniform(0.7, 1.3, count)
        elif shape == "gaps":
            steps[rng.random(count) < 0.002] *= rng.choice((2.0, 50.0, 1e4))
        elif shape == "years" and count:
            steps[rng.integers(0, count)] = 3e7 * SECOND
    start = int(rng.choice((0, -5 * SECOND, 3600 * SECOND, 10**18)))
    return start + np.cumsum(np.maximum(1, np.rint(steps))).astype(np.int64)


@st.composite
def tracks(draw: st.DrawFn, signal: str, device: str, rates: st.SearchStrategy[float] = RATES) -> Track:
    """One signal of one device."""
    rate, seconds = draw(rates), draw(st.one_of(st.floats(0.0, LONGEST), st.integers(0, int(LONGEST))))
    if signal == "rr":
        rate = 1.2
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = min(round(rate * seconds), MOST_SAMPLES)
    regular = signal != "rr" and draw(st.booleans() if signal in ("ecg", "ppg") else st.just(True))
    times = clock(count, rate, draw(st.sampled_from(("even", "even", "gaps", "uneven", "random", "years"))), rng)
    grid = np.arange(count) / rate
    columns = []
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        kind = draw(st.sampled_from(WAVES)) if draw(st.booleans()) else "heart"
        with np.errstate(all="ignore"):
            x = _heart(signal, grid, rng) if kind == "heart" else {**GARBAGE, **NOISE}[kind](grid, rng)
        for damage in draw(st.lists(st.sampled_from(DAMAGES), max_size=3)):
            x = damaged(x, damage, rng)
        columns.append(x)
    with np.errstate(all="ignore"):
        samples = np.column_stack(columns).astype(np.float32)
    names = draw(st.sampled_from((("II", "V1", "finger"), ("green", "red", "infrared"), ("", "0", "\N{SNOWMAN}"))))
    return Track(signal, device, names[: len(columns)], rate if regular else None, times, samples)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Up to four tracks, now and then with beats beside them."""
    signals = draw(st.lists(st.sampled_from(SENSORS), max_size=4))
    made = tuple(draw(tracks(signal, f"device-{place}")) for place, signal in enumerate(signals))
    return Recording(made, beats=draw(st.one_of(st.none(), BEATS)))


BEATS = st.one_of(
    st.lists(st.one_of(st.floats(-10.0, 200.0), ODD), max_size=80).map(tuple),
    st.builds(
        lambda steps, start, again: tuple((start + np.cumsum(steps * (1 + again))).tolist()),
        st.lists(st.one_of(st.floats(0.3, 1.5), st.sampled_from((0.0, 0.8, 0.81, -0.5, 30.0))), min_size=1),
        st.sampled_from((0.0, -3.0, 1e9, 1e16)),
        st.sampled_from((0, 3)),
    ),
)
"""By hand: unsorted, twice the same, no numbers, or nearly a heart's."""
CONTEXTS = st.builds(
    Context,
    age=st.one_of(st.none(), NUMBERS),
    sex=st.sampled_from((None, "male", "female", "", "x")),
    baselines=st.lists(
        st.builds(
            Baseline,
            st.sampled_from(("heart_rate", "rmssd", "sdnn", "stress_index", "eda_slope", "respiration_rate", "none")),
            st.one_of(st.floats(1.0, 100.0), ODD),
            st.one_of(st.floats(0.0, 50.0), ODD),
            st.integers(-2, 20),
        ),
        max_size=4,
    ).map(tuple),
    norms_version=st.sampled_from((None, "", "1900-1")),
    corrected_beats=st.one_of(st.just(()), BEATS),
)


def analysed(recording: Recording, context: Context, *, correction: bool = True) -> Result:
    """The result, and what holds of every result."""
    began = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = session(recording, context, correction=correction, vote=False)
    assert time.process_time() - began < SLOWEST
    for reading in result.readings:
        assert_sound(reading)
    measures = [reading.measure for reading in result.readings]
    preferred = [reading.measure for reading in result.readings if reading.preferred]
    assert sorted(preferred) == sorted(set(measures))
    assert (np.diff(result.beats) > 0).all()
    assert all(0 <= place < len(result.beats) for place in result.corrected)
    for event in (*result.beats, *result.removed, *result.ectopic, *(mark.time for mark in result.events)):
        assert math.isfinite(event)
    assert {track.signal for track in recording.tracks if len(track.times)} <= {
        name.partition(".")[0] for reading in result.readings for name in reading.source.split("+")
    } | {"manual", "fused"}
    return result


def assert_sound(reading: FinalReading | Finding) -> None:
    """A number with its doubt, or a reason: what every reading is, live or final."""
    measure = MEASURES[reading.measure]
    assert (reading.value is None) != (reading.absent is None)
    assert (reading.low is None) == (reading.high is None)
    assert reading.quality is None or 0.0 <= reading.quality <= 1.0
    assert reading.method
    if reading.value is None:
        assert reading.low is None
    else:
        assert measure.possible(reading.value)
        if reading.low is not None and reading.high is not None:
            assert measure.low <= reading.low <= reading.value <= reading.high <= measure.high
    if isinstance(reading, FinalReading):
        assert -math.inf < reading.start <= reading.end < math.inf
    else:
        assert isinstance(reading.start_ns, int)
        assert reading.start_ns <= reading.end_ns
    json.dumps(asdict(reading), allow_nan=False)


def values(readings: Iterable[FinalReading | Finding], among: Iterable[str] = MEASURES) -> list[tuple[str, float]]:
    """What has a number."""
    return [(each.measure, each.value) for each in readings if each.measure in among and each.value is not None]


DEEPER = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@given(recording=recordings(), context=CONTEXTS, correction=st.booleans())
@example(recording=Recording(()), context=Context(), correction=True)
@example(recording=Recording(()), context=Context(corrected_beats=(3.0, math.nan, 1.0, 1.0, 1e300)), correction=True)
@example(recording=Recording((), beats=(2.0, 1.0, math.inf, 3.0)), context=Context(), correction=True)
@example(
    recording=Recording((Track("ppg", "d", ("green",), None, np.zeros(1, np.int64), np.ones((1, 1), np.float32)),)),
    context=Context(),
    correction=True,
)
@DEEPER
def test_any_recording_has_numbers_or_reasons(recording: Recording, context: Context, correction: bool) -> None:
    analysed(recording, context, correction=correction)


@pytest.mark.parametrize("wave", GARBAGE)
@pytest.mark.parametrize("rate", [25.0, 250.0])
def test_garbage_on_every_sensor_has_no_number(wave: str, rate: float) -> None:
    rng = np.random.default_rng(3)
    count = round(40 * rate)
    times = clock(count, rate, "even", rng)
    found = [GARBAGE[wave](np.arange(count) / rate, rng) for _ in SENSORS]
    with np.errstate(all="ignore"):
        recording = Recording(
            tuple(
                Track(signal, "d", ("II",), None if signal == "rr" else rate, times, x.astype(np.float32)[:, None])
                for signal, x in zip(SENSORS, found, strict=True)
            )
        )
    # a constant that can be skin has no drift, and a ramp has
    skin = ("eda_slope", "eda_peaks", "skin_temperature_slope")
    assert values(analysed(recording, Context(age=40.0, sex="male")).readings, MEASURES.keys() - set(skin)) == []


@given(
    signal=st.sampled_from(sorted({*SENSORS} & ANALYZERS.keys())),
    data=st.data(),
    sizes=st.lists(st.one_of(st.integers(0, 40), st.integers(0, 9000)), min_size=1, max_size=6).filter(any),
    resets=st.sets(st.integers(1, 20), max_size=2),
)
@DEEPER
def test_any_stream_has_numbers_or_reasons_however_it_is_cut(
    signal: str, data: st.DataObject, sizes: list[int], resets: set[int]
) -> None:
    slowest, fastest = SIGNALS[signal].rates or (0.0, 0.0)
    rates = RATES.filter(lambda rate: slowest <= rate <= fastest)
    drawn = data.draw(tracks(signal, "strap", rates).filter(lambda track: SIGNALS[signal].accepts_rate(track.rate)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = factory(signal)(drawn.rate, drawn.channels).feed(drawn.times, drawn.samples)
        analyzer = factory(signal)(drawn.rate, drawn.channels)
        begin, turn, cut = 0, 0, list[Finding]()
        while begin < len(drawn.times):
            end = begin + sizes[turn % len(sizes)]
            cut += analyzer.feed(drawn.times[begin:end], drawn.samples[begin:end])
            begin, turn = end, turn + 1
            if turn in resets:
                analyzer.reset()
    for finding in (*whole, *cut):
        assert finding.measure in LIVE_MEASURES[signal]
        assert_sound(finding)
    assert cut == whole or turn >= min(resets, default=turn + 1)


@pytest.mark.parametrize(("signal", "rate"), [("ecg", 250.0), ("ppg", 100.0)])
def test_no_heart_is_told_of_a_recording_that_has_none(signal: str, rate: float) -> None:
    found, answers = list[tuple[str, str, float]](), 0
    for seed in range(1 + EXAMPLES // 50):
        for name, x in heartless(rate, 24.0, 900 + seed):
            times = clock(len(x), rate, "even", np.random.default_rng(seed))
            track = Track(signal, "d", ("II",), rate, times, x.astype(np.float32)[:, None])
            readings = analysed(Recording((track,)), Context()).readings
            answers += len(readings)
            found += [(name, *each) for each in values(readings, HEART)]
    assert answers > 400
    assert len(found) <= 0.001 * answers, found
