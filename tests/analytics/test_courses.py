"""How numbers go: windows of the readings' own functions, on one grid, and nothing where nobody could tell."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Intervals
from analytics.courses import BEATS, DENSITY, FIGURES, FOUND, PART, Code, Course, known
from analytics.courses.course import HOP, begins, hop
from analytics.hrv import spectrum
from analytics.session import Result, session
from kiosk.messages import SECOND
from kiosk.recording import Context, Recording, Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import ecg, recording, track

CALM = Person(seed=11, heart_rate=66)
SPEEDS = replace(CALM, heart_rate_profile=((0, 62), (80, 62), (90, 95), (180, 95)))
NOBODY = Context()


def course(result: Result, measure: str, source: str = "ecg") -> Course:
    (found,) = [each for each in result.courses if (each.measure, each.source) == (measure, source)]
    return found


def has(result: Result, measure: str) -> bool:
    return any(each.measure == measure for each in result.courses)


def of(person: Person, signal: str, rate: float, seconds: float) -> Track:
    body = Body(person)
    times = np.arange(round(seconds * rate)) / rate
    samples = body.sample(signal, times).astype(np.float32)
    irregular = signal in ("rgb", "face_motion", "face_units")
    at = np.rint(times * SECOND).astype(np.int64)
    return Track(signal, "sim", body.channels(signal), None if irregular else rate, at, samples)


@cache
def speeding() -> Result:
    samples, _ = ecg(SPEEDS, 250.0, 180.0)
    whole = Recording((track(samples, 250.0), of(SPEEDS, "ppg", 100.0, 180.0), of(SPEEDS, "eda", 8.0, 180.0)))
    return session(whole, NOBODY, vote=False)


def test_heart_rate_follows_the_heart() -> None:
    rate = course(speeding(), "heart_rate")
    assert rate.window == 10.0
    assert rate.values[rate.times < 70] == pytest.approx(62, abs=4)
    assert rate.values[rate.times > 110] == pytest.approx(95, abs=4)
    strain = course(speeding(), "stress")
    assert strain.times[0] >= 90.0, "the first minute is what the others are beside"
    assert np.nanmax(strain.values) > 70.0
    assert np.nanmax(course(speeding(), "physiological_arousal").values) > 0.3
    assert 0.0 < np.nanmedian(course(speeding(), "eda_level", "eda").values) < 20.0


def test_a_window_says_what_the_reading_s_own_function_says_of_it() -> None:
    result = speeding()
    intervals = result.intervals
    assert intervals is not None
    rate, variability = course(result, "heart_rate"), course(result, "rmssd")
    for found, function in ((rate, hrv.heart_rate), (variability, hrv.rmssd)):
        for middle, value in zip(found.times.tolist(), found.values.tolist(), strict=True):
            low, high = middle - found.window / 2, middle + found.window / 2
            inside = (intervals.ends > low) & (intervals.ends <= high)
            follows = intervals.follows[inside]
            follows[:1] = False
            alone = Intervals(intervals.ends[inside], intervals.values[inside], follows)
            assert value == pytest.approx(function(alone), abs=1e-9)


def test_windows_of_all_sources_lie_above_each_other() -> None:
    one, other = course(speeding(), "heart_rate"), course(speeding(), "heart_rate", "ppg")
    assert np.allclose(np.mod(one.times, HOP), np.mod(other.times, HOP))
    shared = np.intersect1d(one.times, other.times)
    assert len(shared) >= 30
    assert hop(300.0) == HOP
    assert len(begins(0.0, 86_400.0, 10.0, hop(86_400.0))) <= 1000


def test_beats_and_their_spectrum_are_those_behind_the_readings() -> None:
    samples, _ = ecg(replace(CALM, seed=5, ectopic_rate=1.0), 250.0, 150.0)
    result = session(recording(samples, 250.0), NOBODY, vote=False)
    beats = course(result, BEATS)
    assert tuple(beats.times.tolist()) == result.beats
    changed = np.flatnonzero(beats.values.astype(int) & (Code.MOVED | Code.ADDED))
    assert tuple(changed.tolist()) == result.corrected
    assert len(changed)
    assert (course(result, FOUND).values == 1.0).sum() == len(result.ectopic) > 0
    density = course(result, DENSITY)
    (reading,) = [each for each in result.readings if each.measure == "hf_power" and each.preferred]
    assert spectrum.band(density.times, density.values, spectrum.HF) / 1e6 == pytest.approx(reading.value, rel=1e-9)


def test_what_a_person_set_is_marked() -> None:
    samples, truth = ecg(CALM, 250.0, 120.0)
    found = session(recording(samples, 250.0), NOBODY, vote=False)
    beats = list(found.beats)
    beats[40] += 0.12
    again = session(recording(samples, 250.0), replace(NOBODY, corrected_beats=tuple(beats), by_hand=1), vote=False)
    codes = course(again, BEATS, "manual").values.astype(int)
    assert np.flatnonzero(codes & Code.BY_HAND).tolist() == [40]
    assert len(truth) > 100


def test_no_window_spans_a_gap_and_lost_time_has_no_value() -> None:
    samples, _ = ecg(CALM, 250.0, 120.0)
    whole = track(samples, 250.0)
    keep = np.ones(len(samples), np.bool_)
    keep[40 * 250 : 70 * 250] = False
    holed = Track("ecg", "strap", whole.channels, 250.0, whole.times[keep], whole.samples[keep])
    rate = course(session(Recording((holed,)), NOBODY, vote=False), "heart_rate")
    inside = (rate.times > 44) & (rate.times < 66)
    assert inside.sum() >= 4
    assert np.isnan(rate.values[inside]).all()
    assert np.isfinite(rate.values[(rate.times < 36) | (rate.times > 76)]).all()


def test_an_irregular_heart_has_a_rate_over_time_and_no_variability() -> None:
    rng = np.random.default_rng(3)
    beats = np.cumsum(np.clip(rng.normal(0.75, 0.18, 300), 0.35, 1.4))
    result = session(Recording((), beats=tuple(beats.tolist())), NOBODY, vote=False)
    assert has(result, "heart_rate")
    assert not has(result, "rmssd")
    assert not has(result, DENSITY)
    assert has(result, BEATS)


def test_alpha_rises_while_the_eyes_are_closed() -> None:
    person = Person(seed=2, eeg_channels=("Fz", "Cz", "Pz", "O1", "O2"), eyes_closed=((40.0, 80.0),))
    result = session(Recording((of(person, "eeg", 250.0, 120.0),)), NOBODY, vote=False)
    alpha = course(result, "eeg_alpha_relative", "eeg")
    closed = (alpha.times > 45) & (alpha.times < 75)
    opened = (alpha.times < 35) | (alpha.times > 85)
    assert np.nanmean(alpha.values[closed]) > 1.5 * np.nanmean(alpha.values[opened])
    shares = [
        course(result, f"eeg_{band}_relative", "eeg").values for band in ("delta", "theta", "alpha", "beta", "gamma")
    ]
    assert np.nansum(shares, axis=0) == pytest.approx(1.0)
    assert np.nanmax(course(result, "eeg_usable", "eeg").values) <= 100.0


def test_what_face_and_body_say_together_adds_up() -> None:
    person = replace(SPEEDS, smile_rate=4.0)
    tracks = (of(person, "ecg", 250.0, 130.0), of(person, "face_units", 30.0, 130.0))
    result = session(Recording(tracks), Context(age=40, sex="female"), vote=False)
    shown = [each for each in result.courses if each.measure.startswith("emotion_")]
    assert np.nansum([each.values for each in shown], axis=0) == pytest.approx(1.0)
    parts = [each for each in result.courses if each.measure == f"{PART}stress"]
    (reading,) = [each for each in result.readings if each.measure == "stress"]
    assert reading.value == pytest.approx(100 / (1 + np.exp(-sum(float(each.values[0]) for each in parts))))


def test_every_course_has_a_title_and_possible_values_alone() -> None:
    for each in speeding().courses:
        assert len(each.times) == len(each.values)
        if each.measure in FIGURES or each.measure.startswith(PART):
            continue
        row = known(each.measure)
        assert row is not None, each.measure
        there = each.values[np.isfinite(each.values)]
        assert len(there), each.measure
        assert (row.low <= there).all()
        assert (there <= row.high).all()
        assert (np.diff(each.times) > 0).all()


def flat(value: float, seconds: float) -> NDArray[np.float32]:
    return np.full((round(seconds * 250), 1), value, np.float32)


@pytest.mark.parametrize(
    "samples", [flat(np.nan, 30), flat(0.3, 30), flat(1e30, 30), flat(0.1, 2), np.empty((0, 1), np.float32)],
    ids=["lost", "constant", "huge", "short", "empty"],
)  # fmt: skip
def test_nothing_goes_where_nothing_is(samples: NDArray[np.float32]) -> None:
    result = session(recording(samples, 250.0), NOBODY, vote=False)
    assert not [each for each in result.courses if np.isfinite(each.values).any() and each.measure not in FIGURES]


def test_the_same_recording_goes_the_same_way() -> None:
    samples, _ = ecg(SPEEDS, 250.0, 60.0)
    one, other = (session(recording(samples.copy(), 250.0), NOBODY, vote=False).courses for _ in range(2))
    assert [(each.measure, each.source) for each in one] == [(each.measure, each.source) for each in other]
    assert all(np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(one, other, strict=True))
