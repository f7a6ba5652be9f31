"""Which beats are ectopic: what comes early or has another shape, and not what is unusual for good."""

from pathlib import Path

import numpy as np
import pytest

from analytics.beats import Codes, Kind
from analytics.ecg import peaks
from analytics.ecg.kinds import kinds
from sensors.drivers.simulated import Body, Person
from tests.analytics.test_ecg_recordings import BEATS
from tests.analytics.visitors import SINUS_BEAT, WIDE_BEAT, Floats, bumps, ecg

RATE = 250.0


def judged(seconds: float, normal: Floats, wide: Floats, *, noise: float = 0.02) -> tuple[Codes, Floats]:
    """Kinds of the beats of a line of normal and wide complexes, and when they are."""
    x = bumps(seconds, RATE, normal, SINUS_BEAT) + bumps(seconds, RATE, wide, WIDE_BEAT)
    x += noise * np.random.default_rng(0).standard_normal(len(x))
    at = np.sort(np.concatenate((normal, wide)))
    return kinds(x, at * RATE, RATE), at


def sinus(count: int, interval: float = 0.8) -> Floats:
    return 0.5 + interval * np.arange(count) + 0.01 * np.random.default_rng(1).standard_normal(count)


@pytest.mark.parametrize("rate", [125.0, 250.0, 1000.0])
def test_ventricular_beats_are_found_and_no_other(rate: float) -> None:
    person = Person(seed=1, ectopic_rate=6)
    samples, beats = ecg(person, rate, 240.0)
    truth = np.array(Body(person).truth(0.0, 240.0).kinds) == "V"
    found = kinds(samples[:, 0].astype(np.float64), beats * rate, rate)
    assert truth.sum() > 15
    assert ((found == Kind.ECTOPIC) == truth).all()


@pytest.mark.parametrize("person", [Person(seed=2, heart_rate=55, rsa_ms=70), Person(seed=3, heart_rate=150)])
def test_breath_makes_no_ectopic_beat(person: Person) -> None:
    samples, beats = ecg(person, RATE, 240.0)
    assert not kinds(samples[:, 0].astype(np.float64), beats * RATE, RATE).any()


def test_in_a_bigeminus_the_early_shape_is_the_ectopic_one() -> None:
    normal = 0.5 + 1.6 * np.arange(60.0)
    found, at = judged(98.0, normal, normal + 0.55)
    assert (found == np.where(np.isin(at, normal), Kind.NORMAL, Kind.ECTOPIC)).all()


def test_an_early_beat_of_usual_shape_is_ectopic() -> None:
    beats = sinus(120)
    early = np.arange(10, 110, 10)
    beats[early] -= 0.25
    found, _ = judged(98.0, beats, np.empty(0))
    assert np.flatnonzero(found == Kind.ECTOPIC).tolist() == early.tolist()
    assert not (found == Kind.ARTEFACT).any()


def test_a_couplet_and_a_run_are_ectopic() -> None:
    beats = sinus(100)
    run = np.concatenate((beats[20] + 0.45 + 0.4 * np.arange(2), beats[60] + 0.45 + 0.35 * np.arange(4)))
    kept = np.delete(beats, [21, 61, 62])
    found, at = judged(82.0, kept, run)
    assert (found == np.where(np.isin(at, run), Kind.ECTOPIC, Kind.NORMAL)).all()


def test_wide_beats_in_time_are_a_conduction_disorder_and_no_ectopy() -> None:
    beats = sinus(120)
    for wide in (beats, beats[40:90]):
        found, _ = judged(98.0, np.setdiff1d(beats, wide), wide)
        assert not found.any()


def test_fibrillation_is_not_ectopic_wholesale_yet_its_wide_beats_are() -> None:
    rng = np.random.default_rng(4)
    beats = 0.5 + np.cumsum(rng.uniform(0.45, 1.1, 300))
    places = np.arange(15, 300, 30)
    beats[places] = beats[places - 1] + 0.42
    wide = beats[places]
    found, at = judged(beats[-1] + 1.0, np.delete(beats, places), wide)
    assert (found == np.where(np.isin(at, wide), Kind.ECTOPIC, Kind.NORMAL)).all()


def test_what_was_put_between_two_beats_and_looks_like_none_is_an_artefact() -> None:
    beats = sinus(120)
    x = bumps(98.0, RATE, beats, SINUS_BEAT) + 0.02 * np.random.default_rng(5).standard_normal(round(98 * RATE))
    rng = np.random.default_rng(6)
    extra = beats[10:110:12] + rng.uniform(0.3, 0.5, 9)
    for moment in extra:
        place = round(moment * RATE)
        x[place - 15 : place + 15] += rng.standard_normal(30)
    at = np.sort(np.concatenate((beats, extra)))
    found = kinds(x, at * RATE, RATE)
    assert (found == np.where(np.isin(at, extra), Kind.ARTEFACT, Kind.NORMAL)).all()


def test_a_shape_that_drifts_stays_normal() -> None:
    beats = sinus(600)
    turn = np.linspace(0.0, 1.0, round(482 * RATE))
    x = (1 - turn) * bumps(482.0, RATE, beats, SINUS_BEAT) + turn * bumps(482.0, RATE, beats, WIDE_BEAT)
    assert not kinds(x, beats * RATE, RATE).any()


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 6])
def test_of_a_few_beats_nothing_is_said(count: int) -> None:
    found, _ = judged(8.0, sinus(count), np.empty(0))
    assert found.dtype == np.uint8
    assert found.tolist() == [Kind.NORMAL] * count


@pytest.mark.parametrize("level", [0.0, 5.0, 1e9, 1e-12])
def test_a_constant_wave_is_taken_without_complaint(level: float) -> None:
    assert len(kinds(np.full(5000, level), np.linspace(10, 4990, 25), RATE)) == 25


@pytest.mark.parametrize(
    ("name", "ventricular", "sinus_called"), [("106", 0.97, 0.005), ("119", 0.99, 0.005), ("116", 0.95, 0.005)]
)
def test_ventricular_beats_are_those_of_the_annotators(
    recordings: Path, name: str, ventricular: float, sinus_called: float
) -> None:
    """Of these 106 and 119 were seen when limits were set, 116 was not."""
    with np.load(recordings / "ecg" / "mitbih" / f"{name}.npz") as file:
        x, rate = file["ecg_adu"] / float(file["adu_per_mV"]), float(file["fs"])
        chosen = np.isin(file["symbol"], BEATS)
        at, symbols = file["r"][chosen].astype(np.float64), file["symbol"][chosen]
    found = kinds(x, at, rate) == Kind.ECTOPIC
    assert found[symbols == "V"].mean() > ventricular
    assert found[symbols != "V"].mean() < sinus_called


def test_early_atrial_beats_are_those_of_the_annotators(recordings: Path) -> None:
    """33 of them in record 100, which was seen; no other record here has more than two."""
    with np.load(recordings / "ecg" / "mitbih" / "100.npz") as file:
        x, rate = file["ecg_adu"] / float(file["adu_per_mV"]), float(file["fs"])
        chosen = np.isin(file["symbol"], BEATS)
        at, symbols = file["r"][chosen].astype(np.float64), file["symbol"][chosen]
    found = kinds(x, peaks.beats(x, rate).at, rate) == Kind.ECTOPIC
    assert found.sum() == pytest.approx(34, abs=2)
    assert (kinds(x, at, rate) == Kind.ECTOPIC)[symbols == "A"].sum() >= 31
