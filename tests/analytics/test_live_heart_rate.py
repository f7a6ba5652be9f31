"""The live heart rate: the truth, soon, from any chunking - and silence where there is nothing to say."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics import ecg as cardiogram
from analytics.analyzer import Finding
from analytics.ecg import recent_beats
from analytics.ecg.live import MEMORY
from analytics.ecg.vote import matched
from kiosk.messages import SECOND
from sensors.drivers.simulated import Person
from tests.analytics.test_ecg_recordings import stream
from tests.analytics.visitors import SINUS_BEAT, WIDE_BEAT, Floats, bumps, clock, cuts, ecg

CALM = Person(seed=21, heart_rate=72)
TROUBLED = Person(seed=22, heart_rate=84, ectopic_rate=6, motion_rate=6, dropout_rate=10, leads=("II", "V1"))


def findings(
    samples: NDArray[np.float32], rate: float, channels: tuple[str, ...] = ("II",), sizes: list[int] | None = None
) -> list[Finding]:
    analyzer = cardiogram.LiveHeartRate(rate, channels)
    times = clock(len(samples), rate)
    pieces = cuts(len(samples), sizes or [round(rate / 10)])
    return [finding for cut in pieces for finding in analyzer.feed(times[cut], samples[cut])]


def with_noise(x: Floats, size: float = 0.01) -> NDArray[np.float32]:
    """A line as one lead, with a little white noise on it."""
    noisy = x + size * np.random.default_rng(0).standard_normal(len(x))
    return noisy.astype(np.float32)[:, None]


def offsets(found: Floats, beats: Floats) -> Floats:
    """Of each beat, how far the nearest one found is."""
    return np.array([found[np.argmin(np.abs(found - beat))] - beat for beat in beats])


def rates(found: list[Finding]) -> dict[int, float]:
    """Values by the second at which they were found."""
    return {round(finding.end_ns / SECOND): finding.value for finding in found if finding.value is not None}


@cache
def at_once(person: Person, rate: float) -> tuple[Finding, ...]:
    return tuple(findings(ecg(person, rate, 24.0)[0], rate, person.leads, [10**6]))


@pytest.mark.parametrize(("person", "rate"), [(CALM, 250.0), (TROUBLED, 128.0)])
@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=7).filter(any))
def test_any_chunking_gives_the_same_findings(person: Person, rate: float, sizes: list[int]) -> None:
    assert tuple(findings(ecg(person, rate, 24.0)[0], rate, person.leads, sizes)) == at_once(person, rate)


@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 512.0, 1000.0])
@pytest.mark.parametrize("inverted", [False, True])
def test_72_per_minute_read_72(rate: float, inverted: bool) -> None:
    steady = Person(seed=1, heart_rate=72, rsa_ms=0, mayer_ms=0, vlf_ms=0, inverted=inverted)
    found = findings(ecg(steady, rate, 30.0)[0], rate)
    assert len(found) in {29, 30}  # a second that ends within a block of 0.2 s is told at its end
    assert [finding.absent for finding in found[:4]] == ["too_short"] * 4
    for finding in found[5:]:
        assert finding.value == pytest.approx(72.0, abs=1.0)
        assert finding.quality is not None
        assert finding.quality > 0.8
        assert (finding.low, finding.high, finding.absent) == (None, None, None)


def test_a_value_comes_each_second_of_signal_from_the_fifth_on() -> None:
    found = findings(ecg(CALM, 250.0, 20.0)[0], 250.0)
    assert sorted(rates(found)) == list(range(5, 21))
    assert all(finding.end_ns - finding.start_ns <= 8 * SECOND for finding in found)


@pytest.mark.parametrize("rate", [100.0, 250.0, 1000.0])
def test_at_any_moment_all_beats_but_those_of_the_last_fifth_of_a_second_are_known(rate: float) -> None:
    samples, truth = ecg(CALM, rate, 40.0)
    x = samples[:, 0].astype(np.float64)
    for moment in np.arange(MEMORY, 40.0, 0.83):
        begin = round((moment - MEMORY) * rate)
        beats = moment - MEMORY + recent_beats(x[begin : round(moment * rate)], rate).at / rate
        inner = truth[(truth > moment - MEMORY + 0.2) & (truth < moment - 0.22)]
        assert matched(beats, inner, tolerance=0.02) == len(inner)


def test_live_beats_stand_where_those_of_the_whole_record_do() -> None:
    samples, _ = ecg(replace(CALM, ectopic_rate=4), 250.0, 60.0)
    x = samples[:, 0].astype(np.float64)
    live, whole = stream(x, 250.0, every=2.0), cardiogram.beats(x, 250.0).at / 250.0
    # the whole record may think better of a beat or two; the others are the same to the last digit
    inner = whole[whole < 59.0]
    assert np.mean(np.abs(offsets(live, inner)) < 1e-6) > 0.97
    assert np.mean(np.abs(offsets(whole, live)) < 1e-6) > 0.97


@pytest.mark.parametrize(("before", "after"), [(80, 120), (120, 80)])
def test_a_step_shows_within_eight_seconds(before: int, after: int) -> None:
    profile = ((0.0, before), (20.0, before), (20.001, after))
    person = Person(seed=4, heart_rate=before, heart_rate_profile=profile, rsa_ms=5, mayer_ms=0, vlf_ms=0)
    shown = rates(findings(ecg(person, 250.0, 36.0)[0], 250.0))
    assert shown[19] == pytest.approx(before, abs=2)
    assert shown[28] == pytest.approx(after, abs=3)


def test_a_bigeminus_counts_each_of_its_beats() -> None:
    samples, _ = ecg(replace(CALM, heart_rate=60), 250.0, 4.0)
    beat = np.roll(samples[:, 0], 0)[:150]
    line = np.zeros(250 * 30)
    for place in np.arange(100, len(line) - 200, 400):
        line[place : place + 150] += beat - beat[0]
        line[place + 150 : place + 300] += 1.0 * (beat - beat[0])
    found = rates(findings(line.astype(np.float32)[:, None], 250.0))
    # two beats in 1.6 s, 0.6 and 1.0 s apart
    assert all(value == pytest.approx(75, abs=2) for second, value in found.items() if second > 8)


def test_a_lost_contact_is_absent_and_over_seconds_later() -> None:
    samples = ecg(CALM, 250.0, 60.0)[0].copy()
    samples[20 * 250 : 30 * 250] = np.nan
    found = findings(samples, 250.0)
    shown = rates(found)
    assert all(finding.quality is None or 0 <= finding.quality <= 1 for finding in found)
    assert {finding.absent for finding in found[25:30]} == {"not_delivered"}
    assert not set(range(26, 31)) & set(shown)
    assert all(shown[second] == pytest.approx(72, abs=5) for second in range(37, 61))


@pytest.mark.parametrize("level", [5.0, -5.0, 0.0])
def test_it_recovers_from_saturation_and_a_fallen_electrode(level: float) -> None:
    samples = ecg(CALM, 250.0, 60.0)[0].copy()
    samples[20 * 250 : 30 * 250] = level
    found = findings(samples, 250.0)
    assert {finding.absent for finding in found[25:30]} <= {"flat", "saturated"}
    shown = rates(found)
    assert all(shown[second] == pytest.approx(72, abs=5) for second in range(38, 61))


@pytest.mark.parametrize("factor", [5.0, 0.2])
def test_it_follows_a_change_of_amplitude(factor: float) -> None:
    samples = ecg(replace(CALM, ecg_white=0.001, ecg_muscle=0.001), 250.0, 60.0)[0].copy()
    samples[30 * 250 :] *= factor
    shown = rates(findings(samples, 250.0))
    # a fifth of the height is missed at first: right again seven seconds later, and never too fast
    wrong = {second for second, value in shown.items() if abs(value - 72) > 6}
    assert wrong <= (set(range(31, 38)) if factor < 1 else set())
    assert max(shown.values()) < 80
    assert set(range(38, 61)) <= set(shown)


def test_a_tall_t_wave_does_not_double_the_rate() -> None:
    shown = rates(findings(ecg(replace(CALM, ecg_amplitude=1.0, t_height=1.2), 250.0, 30.0)[0], 250.0))
    assert len(shown) > 20
    assert all(value == pytest.approx(72, abs=5) for value in shown.values())


def test_the_readable_lead_is_read() -> None:
    good = ecg(CALM, 250.0, 40.0)[0][:, 0]
    noise = np.random.default_rng(0).standard_normal(len(good)).astype(np.float32)
    shown = rates(findings(np.column_stack((noise, good)), 250.0, ("II", "V5")))
    assert sorted(shown) == list(range(5, 41))
    # and the other one when the first falls off half-way
    first, second = good.copy(), good.copy()
    first[20 * 250 :] = 0.0
    shown = rates(findings(np.column_stack((first, second)), 250.0, ("II", "V5")))
    assert set(range(5, 20)) | set(range(25, 41)) <= set(shown)
    assert all(value == pytest.approx(72, abs=5) for value in shown.values())


def test_a_reset_analyzer_is_a_new_one() -> None:
    samples = ecg(CALM, 250.0, 20.0)[0]
    analyzer = cardiogram.LiveHeartRate(250.0, ("II",))
    times = clock(len(samples), 250.0)
    first = analyzer.feed(times, samples)
    analyzer.reset()
    assert analyzer.feed(times, samples) == first


@pytest.mark.parametrize("ratio", [0.5, 1.0])
def test_alternating_intervals_and_heights_count_each_beat(ratio: float) -> None:
    beats = 0.5 + np.cumsum(np.tile([0.65, 0.95], 25))
    x = bumps(42.0, 250.0, beats[::2], SINUS_BEAT) + ratio * bumps(42.0, 250.0, beats[1::2], SINUS_BEAT)
    shown = rates(findings(with_noise(x), 250.0))
    assert set(range(8, 41)) <= set(shown)
    assert all(value == pytest.approx(75, abs=2) for value in shown.values())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("normal", "wide", "rate"), [(1.6, 0.55, 75.0), (1.6, 0.45, 75.0), (2.0, 0.5, 60.0)])
def test_smooth_wide_beats_in_turn_count(normal: float, wide: float, rate: float, sign: int) -> None:
    """A bigeminus."""
    beats = 0.5 + normal * np.arange(40.0 // normal)
    x = bumps(41.0, 250.0, beats, SINUS_BEAT) + sign * bumps(41.0, 250.0, beats + wide, WIDE_BEAT)
    shown = rates(findings(with_noise(x), 250.0))
    assert set(range(9, 40)) <= set(shown)
    assert all(value == pytest.approx(rate, abs=2) for second, value in shown.items() if second > 8)


@pytest.mark.parametrize("height", [0.35, 0.5, 1.0])
def test_a_t_wave_of_1_2_mv_after_a_small_r_does_not_double_the_rate(height: float) -> None:
    small = tuple((height / 1.1 * size, after, width) for size, after, width in SINUS_BEAT[:4])
    x = bumps(41.0, 250.0, 0.5 + 0.8 * np.arange(50.0), (*small, (1.2, 0.28, 0.05)))
    shown = rates(findings(with_noise(x), 250.0))
    assert all(value == pytest.approx(75, abs=2) for value in shown.values())
    assert len(shown) > 30


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.02])
def test_p_waves_alone_are_no_rate(noise: float) -> None:
    """The chambers stand still after 20 s."""
    beats = 0.5 + 0.8 * np.arange(75.0)
    x = bumps(60.0, 250.0, beats[beats < 20], SINUS_BEAT)
    x += bumps(60.0, 250.0, beats[beats >= 20] - 0.16, ((0.12, 0.0, 0.025),))
    assert max(rates(findings(with_noise(x, noise), 250.0))) < 25


@pytest.mark.parametrize("baseline", ["quiet", "wandering", "noisy"])
def test_of_a_heart_that_stands_still_there_is_no_rate(baseline: str) -> None:
    x = bumps(60.0, 250.0, 0.5 + 0.83 * np.arange(36.0), SINUS_BEAT)
    times = np.arange(len(x)) / 250.0
    if baseline == "wandering":
        x += 0.5 * np.sin(2 * np.pi * 0.3 * times) + 0.2 * np.sin(2 * np.pi * 0.11 * times)
    found = findings(with_noise(x, 0.02 if baseline == "noisy" else 0.005), 250.0)
    # the last beat is at 29.55 s; 3 s of silence and 1 s for the detector
    assert max(rates(found)) < 34
    assert {finding.absent for finding in found if finding.end_ns > 34 * SECOND} <= {"flat", "noisy"}


def test_a_fall_of_the_amplitude_to_a_fifth_never_halves_the_rate() -> None:
    beats = 0.5 + 0.83 * np.arange(70.0)
    x = bumps(60.0, 250.0, beats[beats < 30], SINUS_BEAT) + 0.2 * bumps(60.0, 250.0, beats[beats >= 30], SINUS_BEAT)
    shown = rates(findings(with_noise(x), 250.0))
    assert all(value == pytest.approx(72.3, abs=5) for value in shown.values())
    assert set(range(39, 60)) <= set(shown)


def test_clicks_do_not_pass_as_beats() -> None:
    beats = 0.5 + 0.83 * np.arange(70.0)
    x = bumps(60.0, 250.0, beats, SINUS_BEAT)
    x[np.random.default_rng(7).integers(0, len(x), 60)] += 3.0
    shown = rates(findings(with_noise(x), 250.0))
    assert all(value == pytest.approx(72.3, abs=5) for value in shown.values())
    alone = np.zeros(len(x))
    alone[500::200] = 2.0
    assert not rates(findings(with_noise(alone), 250.0))


def test_a_gap_is_followed_by_a_new_beginning() -> None:
    samples = ecg(CALM, 250.0, 60.0)[0]
    analyzer = cardiogram.LiveHeartRate(250.0, ("II",))
    times = clock(len(samples), 250.0)
    analyzer.feed(times[:5000], samples[:5000])
    analyzer.reset()
    after = analyzer.feed(times[10000:], samples[10000:])
    assert [finding.absent for finding in after[:4]] == ["too_short"] * 4
    assert all(finding.value == pytest.approx(72, abs=6) for finding in after[4:])
    assert min(finding.start_ns for finding in after) == times[10000]


@pytest.mark.parametrize("level", ["24", "12"])
def test_no_rate_that_is_shown_in_real_motion_is_far_off(recordings: Path, level: str) -> None:
    """Record 118 with electrode motion, which was seen when limits were set; beats by annotators."""
    x = np.loadtxt(recordings / "ecg" / "noise" / f"118e{level}.csv")
    truth = np.loadtxt(recordings / "ecg" / "noise" / f"118e{level}_ann.csv") / 360.0
    found = findings(x.astype(np.float32)[:, None], 360.0)
    shown = [finding for finding in found if finding.value is not None]
    assert len(shown) > 0.4 * len(found)
    for finding in shown:
        inside = truth[(truth >= finding.start_ns / SECOND) & (truth <= finding.end_ns / SECOND)]
        assert finding.value == pytest.approx(60.0 / np.diff(inside).mean(), abs=10.0)
