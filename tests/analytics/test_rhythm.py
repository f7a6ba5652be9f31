"""What is said of a rhythm, and when nothing is."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import io

from analytics import rhythm
from analytics.beats import Beats, Change, Codes, Corrected, Kind
from analytics.ecg import peaks
from analytics.ecg.kinds import kinds
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from tests.analytics.visitors import Floats

UNDECIDED = "insufficient"


def source(times: Floats, codes: Codes | None = None, held: NDArray[np.bool_] | None = None) -> Beats:
    count = len(times)
    return Beats(
        channel="II",
        times=times,
        held=np.ones(max(0, count - 1), np.bool_) if held is None else held,
        kinds=np.zeros(count, np.uint8) if codes is None else codes,
        precision=0.002,
        signal_quality=0.9,
        agreement=None,
        trouble=None,
    )


def uncorrected(beats: Beats) -> Corrected:
    return Corrected(beats.times, beats.held, np.zeros(len(beats.times), np.uint8), np.empty(0))


def said(beats: Beats, corrected: Corrected | None = None, *, seconds: float | None = None) -> dict[str, float | None]:
    end = seconds if seconds is not None else float(beats.times[-1]) if len(beats.times) else 60.0
    found = rhythm.findings(beats, corrected or uncorrected(beats), start_ns=0, end_ns=round(end * SECOND))
    assert [finding.measure for finding in found] == ["ectopic_burden", "pauses", "irregular_rhythm"]
    for finding in found:
        assert (finding.value is None) == (finding.absent == UNDECIDED)
        assert finding.value is None or MEASURES[finding.measure].possible(finding.value)
        assert (finding.low, finding.high) == (None, None)
    return {finding.measure: finding.value for finding in found}


def series(steps: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(steps)))


def breathing(count: int, depth: float = 0.08) -> Floats:
    """Intervals of a sinus rhythm that follows the breath by so many seconds."""
    rng = np.random.default_rng(0)
    return np.asarray(0.9 + depth * np.sin(2 * np.pi * np.arange(count) / 4.3) + 0.01 * rng.standard_normal(count))


def fibrillation(count: int, seed: int = 0) -> Floats:
    return np.asarray(np.clip(0.75 * np.exp(0.24 * np.random.default_rng(seed).standard_normal(count)), 0.33, 2.0))


def test_burden_is_the_share_of_ectopic_beats_among_the_judged() -> None:
    codes = np.zeros(101, np.uint8)
    codes[5:95:9] = Kind.ECTOPIC
    codes[51] = Kind.ARTEFACT
    assert said(source(0.8 * np.arange(101.0), codes))["ectopic_burden"] == pytest.approx(10.0)


def test_beats_in_unreadable_seconds_are_not_judged() -> None:
    codes = np.zeros(101, np.uint8)
    codes[61:] = Kind.ECTOPIC
    held = np.arange(100) < 60
    assert said(source(0.8 * np.arange(101.0), codes, held))["ectopic_burden"] == 0.0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 29])
def test_of_too_few_beats_nothing_is_said(count: int) -> None:
    assert set(said(source(0.8 * np.arange(float(count)))).values()) == {None}


def test_pauses_of_two_seconds_are_counted_where_nothing_hides_them() -> None:
    steps = np.full(80, 0.9)
    steps[[20, 40, 60]] = (2.3, 2.0, 5.0)
    steps[30] = 1.9
    times = series(steps)
    assert said(source(times))["pauses"] == 3
    # a gap in the recording is no pause of the heart
    held = np.ones(80, np.bool_)
    held[60] = False
    assert said(source(times, held=held))["pauses"] == 2


def test_a_click_within_a_pause_does_not_end_it() -> None:
    times = series(np.where(np.arange(80) == 40, 2.4, 0.9))
    clicked = np.insert(times, 41, times[40] + 1.1)
    codes = np.zeros(len(clicked), np.uint8)
    codes[41] = Kind.ARTEFACT
    assert said(source(clicked, codes))["pauses"] == 1


def test_where_a_beat_may_have_been_missed_pauses_are_not_counted() -> None:
    steps = np.full(80, 1.1)
    steps[40] = 2.2
    times = series(steps)
    mended = np.insert(times, 41, times[40] + 1.1)
    changes = np.zeros(len(mended), np.uint8)
    changes[41] = Change.ADDED
    corrected = Corrected(mended, np.ones(len(mended) - 1, np.bool_), changes, np.empty(0))
    assert said(source(times), corrected)["pauses"] is None


def test_pauses_are_not_counted_in_what_was_hardly_seen() -> None:
    assert said(source(0.9 * np.arange(50.0)), seconds=100.0)["pauses"] is None


@pytest.mark.parametrize("depth", [0.0, 0.02, 0.08, 0.15])
def test_sinus_rhythm_is_not_irregular(depth: float) -> None:
    assert said(source(series(breathing(300, depth))))["irregular_rhythm"] == 0


@pytest.mark.parametrize("seed", range(8))
def test_intervals_without_any_order_are_irregular(seed: int) -> None:
    """Synthetic intervals, log-normal and independent: no evidence about patients."""
    assert said(source(series(fibrillation(300, seed))))["irregular_rhythm"] == 1


@pytest.mark.parametrize("period", [2, 3, 4, 7])
@pytest.mark.parametrize("told", [False, True])
def test_ectopic_beats_are_not_taken_for_fibrillation(period: int, told: bool) -> None:
    """Whether or not the shapes told which beats they are."""
    steps = breathing(400, 0.03)
    early = np.arange(period, 398, period)
    coupling = np.random.default_rng(period).uniform(0.25, 0.45, len(early))
    steps[early] -= coupling
    steps[early + 1] += coupling
    codes = np.zeros(401, np.uint8)
    codes[early + 1] = Kind.ECTOPIC
    assert said(source(series(steps), codes if told else None))["irregular_rhythm"] in {0, None}


def test_a_minute_is_not_enough_where_few_intervals_are_normal() -> None:
    assert said(source(series(fibrillation(63))))["irregular_rhythm"] is None
    held = np.random.default_rng(0).random(200) < 0.4
    assert said(source(series(fibrillation(200)), held=held))["irregular_rhythm"] is None


def test_an_episode_within_an_hour_is_noticed_and_a_single_minute_is_not_decided() -> None:
    calm = breathing(1280, 0.03)
    assert said(source(series(np.concatenate((calm, fibrillation(256), calm)))))["irregular_rhythm"] == 1
    short = np.concatenate((calm[:64], fibrillation(64), calm[:64]))
    assert said(source(series(short)))["irregular_rhythm"] is None


def test_entropy_is_that_of_its_definition() -> None:
    steps = np.round(np.random.default_rng(3).normal(0.8, 0.05, 40), 3)
    pairs = [(i, j) for i in range(39) for j in range(i + 1, 39)]
    radius = 0.030
    now = [pair for pair in pairs if abs(steps[pair[0]] - steps[pair[1]]) <= radius]
    both = [pair for pair in now if abs(steps[pair[0] + 1] - steps[pair[1] + 1]) <= radius]
    assert len(both) > rhythm.MATCHES
    expected = -np.log(len(both) / len(now)) + np.log(2 * radius) - np.log(steps.mean())
    assert rhythm.cosen(steps, np.ones(40, np.bool_)) == pytest.approx(expected, abs=1e-12)


def test_the_one_excerpt_of_fibrillation_is_noticed(recordings: Path) -> None:
    x = io.loadmat(recordings / "ecg" / "TestAFdata.mat")["signal"][:, 0].astype(np.float64)
    found = peaks.beats(x, 128.0)
    beats = source(found.at / 128.0, kinds(x, found.at, 128.0))
    assert said(beats)["irregular_rhythm"] == 1


def test_no_real_sinus_rhythm_is_called_irregular(recordings: Path) -> None:
    """Two hours of one person, in five minutes each: nearly all must be decided."""
    table = np.loadtxt(recordings / "rr" / "nsr2db" / "nsr001_rr_fs125.csv", delimiter=",", skiprows=1, usecols=(0, 1))
    ends, steps = table[:, 0], table[:, 1] / 1000.0
    verdicts = []
    for start in np.arange(ends[0], ends[-1] - 300.0, 300.0):
        inside = steps[(ends >= start) & (ends < start + 300.0)]
        if len(inside) > 200:
            verdicts.append(said(source(series(inside)), seconds=300.0)["irregular_rhythm"])
    assert len(verdicts) > 20
    assert 1 not in verdicts
    assert verdicts.count(None) < 0.05 * len(verdicts)
