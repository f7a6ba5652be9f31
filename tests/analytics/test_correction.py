"""Injected faults are mended, and what a heart does by itself is left alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics import hrv
from analytics.beats import Beats, Change, Flags, Kind
from analytics.correction import as_measured, correct
from sensors.drivers.simulated import Body, Person

Floats = NDArray[np.float64]

ATHLETE = Person(seed=3, heart_rate=52, rsa_ms=120, mayer_ms=50, vlf_ms=40, respiration_rate=6)
USUAL = Person(seed=4, heart_rate=66)
EVEN = Person(seed=5, heart_rate=88).with_hrv(sdnn=14, rmssd=9)
FAULTS = ("missed", "extra", "early", "late")


def beats(times: Floats, *, held: Flags | None = None, kinds: NDArray[np.uint8] | None = None) -> Beats:
    return Beats(
        channel="II",
        times=times,
        held=np.ones(max(0, len(times) - 1), np.bool_) if held is None else held,
        kinds=np.zeros(len(times), np.uint8) if kinds is None else kinds,
        precision=0.001,
        signal_quality=1.0,
        agreement=None,
        trouble=None,
    )


def simulated(person: Person, seconds: float = 300) -> Floats:
    return np.asarray(Body(person).truth(0.0, seconds).beats)


def faulty(times: Floats, fault: str, place: int) -> Floats:
    """With one beat missed, one too many, or one a quarter of an interval early or late."""
    if fault == "missed":
        return np.delete(times, place)
    if fault == "extra":
        return np.insert(times, place + 1, times[place] + 0.4 * (times[place + 1] - times[place]))
    moved = times.copy()
    moved[place] += (0.25 if fault == "late" else -0.25) * (times[place] - times[place - 1])
    return moved


def rmssd(times: Floats) -> float:
    return float(np.sqrt(np.mean(np.diff(times, 2) ** 2))) * 1000


def rmssd_of(given: Beats) -> float:
    found = hrv.rmssd(correct(given).intervals)
    assert found is not None
    return found


@pytest.mark.parametrize("person", [ATHLETE, USUAL, EVEN], ids=["athlete", "usual", "even"])
def test_a_faultless_heart_is_left_alone(person: Person) -> None:
    for seed in range(4):
        times = simulated(Person(**{**{name: getattr(person, name) for name in person.__slots__}, "seed": seed}))
        found = correct(beats(times))
        assert found.count == 0
        assert found.held.all()
        assert found.times == pytest.approx(times, abs=0)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("person", [USUAL, EVEN], ids=["usual", "even"])
def test_one_fault_anywhere_changes_rmssd_by_less_than_five_percent(person: Person, fault: str) -> None:
    times = simulated(person)
    truth = rmssd(times)
    for place in range(2, len(times) - 2, 3):
        assert rmssd_of(beats(faulty(times, fault, place))) == pytest.approx(truth, rel=0.05), place


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_in_a_heart_that_breathes_from_40_to_70_changes_rmssd_seldom(fault: str) -> None:
    times = simulated(ATHLETE)
    places = range(2, len(times) - 2)
    effects = [abs(rmssd_of(beats(faulty(times, fault, place))) / rmssd(times) - 1) for place in places]
    assert np.mean(np.array(effects) <= 0.05) > 0.93


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_done_to_a_fault_is_told(fault: str) -> None:
    times = simulated(USUAL)
    found = correct(beats(faulty(times, fault, 100)))
    assert found.count == 1
    if fault == "extra":
        assert found.removed == pytest.approx([times[100] + 0.4 * (times[101] - times[100])])
        assert found.times == pytest.approx(times)
    else:
        change = Change.ADDED if fault == "missed" else Change.MOVED
        assert np.flatnonzero(found.changes).tolist() == [100]
        assert found.changes[100] == change
        assert len(found.removed) == 0
        assert found.times[100] == pytest.approx(times[100], abs=0.06)


def test_two_ectopic_beats_in_a_row_are_both_moved() -> None:
    times = np.arange(1.0, 200.0)
    couplet = times.copy()
    couplet[[80, 81]] = (80.6, 81.2)
    found = correct(beats(couplet))
    assert np.flatnonzero(found.changes == Change.MOVED).tolist() == [80, 81]
    assert found.times == pytest.approx(times, abs=0.02)


def test_three_beats_missed_in_a_row_are_added() -> None:
    times = simulated(USUAL)
    found = correct(beats(np.delete(times, [50, 51, 52])))
    assert np.flatnonzero(found.changes == Change.ADDED).tolist() == [50, 51, 52]
    assert found.times == pytest.approx(times, abs=0.15)


def test_nothing_is_added_across_a_gap() -> None:
    times = simulated(USUAL)
    cut = np.concatenate((times[:60], times[120:]))
    held = np.ones(len(cut) - 1, np.bool_)
    held[59] = False
    found = correct(beats(cut, held=held))
    assert found.count == 0
    assert np.flatnonzero(~found.held).tolist() == [59]


def test_an_early_beat_without_compensation_loses_its_intervals_and_no_other() -> None:
    times = simulated(EVEN)
    early = times.copy()
    early[90:] -= 0.3 * (times[90] - times[89])
    found = correct(beats(early))
    assert found.count == 1
    assert np.flatnonzero(~found.held).tolist() == [89, 90]
    assert hrv.rmssd(found.intervals) == pytest.approx(rmssd(times), rel=0.05)


def test_an_ectopic_shape_is_distrusted_even_on_time() -> None:
    times = simulated(USUAL)
    kinds = np.zeros(len(times), np.uint8)
    kinds[[30, 77]] = Kind.ECTOPIC
    found = correct(beats(times, kinds=kinds))
    assert np.flatnonzero(found.changes == Change.MOVED).tolist() == [30, 77]


def test_what_the_shape_calls_an_artefact_is_taken_out() -> None:
    times = simulated(USUAL)
    more = np.insert(times, 41, times[40] + 0.5 * (times[41] - times[40]))
    kinds = np.zeros(len(more), np.uint8)
    kinds[41] = Kind.ARTEFACT
    found = correct(beats(more, kinds=kinds))
    assert found.removed == pytest.approx([more[41]])
    assert found.times == pytest.approx(times)


def test_a_heart_that_stops_for_a_breath_has_no_beat_missed() -> None:
    rr = np.concatenate((np.full(100, 0.56), [0.91, 0.80, 0.73, 0.66, 0.62, 0.59], np.full(100, 0.56)))
    rr += 0.008 * np.random.default_rng(6).standard_normal(len(rr))
    found = correct(beats(np.cumsum(rr)))
    assert found.count == 0


@pytest.mark.parametrize("seed", range(5))
def test_fibrillation_and_bigeminy_are_refused_and_not_made_a_sinus_rhythm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fibrillation = np.clip(0.7 + 0.16 * rng.standard_normal(420), 0.33, 1.5)
    bigeminy = np.tile((0.55, 1.05), 180) + 0.02 * rng.standard_normal(360)
    for rr in (fibrillation, bigeminy):
        found = correct(beats(np.cumsum(rr)))
        assert found.share > 0.05
        by_name = {
            each.measure: each
            for each in hrv.findings(found, start_ns=0, end_ns=int(rr.sum() * 1e9), quality=None)
        }  # fmt: skip
        assert by_name["rmssd"].absent == "too_many_corrected"
        assert by_name["sdnn"].value is None


@pytest.mark.parametrize("count", range(6))
def test_a_handful_of_beats_is_as_it_was(count: int) -> None:
    times = np.linspace(1, 1 + 0.8 * count, count, endpoint=False)
    found = correct(beats(times))
    assert found.times == pytest.approx(times)
    assert found.count == 0


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), max_size=30),
    st.data(),
)
def test_no_times_however_absurd_raise(values: list[float], data: st.DataObject) -> None:
    times = np.array(values, dtype=np.float64)
    flags = st.lists(st.booleans(), min_size=max(0, len(times) - 1), max_size=max(0, len(times) - 1))
    kinds = data.draw(st.lists(st.sampled_from(Kind), min_size=len(times), max_size=len(times)))
    given_ = beats(times, held=np.array(data.draw(flags), np.bool_), kinds=np.array(kinds, np.uint8))
    for found in (correct(given_), as_measured(given_)):
        assert np.isfinite(found.times).all()
        hrv.findings(found, start_ns=0, end_ns=300 * 10**9, quality=None)


@given(st.lists(st.floats(0.2, 2.5), min_size=1, max_size=60), st.randoms())
def test_every_beat_is_accounted_for(rr: list[float], random: object) -> None:
    times = np.concatenate(([1.0], 1.0 + np.cumsum(rr)))
    kinds = np.random.default_rng(len(rr)).choice(3, len(times), p=(0.8, 0.1, 0.1)).astype(np.uint8)
    found = correct(beats(times, kinds=kinds))
    assert len(found.held) == len(found.times) - 1 == len(found.changes) - 1
    assert (np.diff(found.times) > 0).all()
    measured = found.times[found.changes == Change.MEASURED]
    assert np.isin(measured, times).all()
    assert np.isin(found.removed, times).all()
    moved = int(np.count_nonzero(found.changes == Change.MOVED))
    assert len(measured) + moved + len(found.removed) == len(times)


def series(recordings: Path) -> list[Floats]:
    """The beat times of 50 five-minute NN series of healthy people."""
    files = sorted((recordings / "rr" / "pyhrv_samples").glob("series_*.txt"))
    texts = (path.read_text().splitlines() for path in files)
    lengths = (np.array([float(line) for line in text if line[:1].isdigit()]) for text in texts)
    return [np.concatenate(([0.0], np.cumsum(each))) for each in lengths]


def test_real_sinus_rhythm_is_hardly_touched(recordings: Path) -> None:
    changes = [correct(beats(times)).share for times in series(recordings)]
    effects = [abs(rmssd_of(beats(times)) / rmssd(times) - 1) for times in series(recordings)]
    assert np.mean(changes) < 0.001
    assert np.max(effects) < 0.05


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_in_a_real_series_changes_rmssd_by_less_than_five_percent(recordings: Path, fault: str) -> None:
    effects = np.array([
        abs(rmssd_of(beats(faulty(times, fault, place))) / rmssd(times) - 1)
        for times in series(recordings)
        for place in range(3, len(times) - 3, 47)
    ])  # fmt: skip
    assert np.mean(effects <= 0.05) > 0.98
    assert np.median(effects) < 0.01
