"""Whole recordings: numbers that hold, reasons where none does, the same bits each time."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics import answers, fusion
from analytics.ecg import vote as voting
from analytics.session import MEASURES_OF, FinalReading, Result, session
from kiosk.measures import MEASURES
from kiosk.messages import SECOND
from kiosk.recording import Baseline, Context, Recording, Track
from sensors.drivers.simulated import Body, Person
from tests.analytics.visitors import clock, ecg, heartless, recording, track

CALM = Person(seed=41, heart_rate=66)
NOBODY = Context()
INDICES = ("stress", *fusion.OF_BODY)
"""Of several measures: they have reasons of their own."""


def reading(result: Result, measure: str = "heart_rate") -> FinalReading:
    (found,) = [row for row in result.readings if row.measure == measure and row.preferred]
    return found


def test_heart_rate_and_mean_interval_are_those_of_the_true_beats() -> None:
    samples, truth = ecg(CALM, 250.0, 120.0)
    result = session(recording(samples, 250.0), NOBODY)
    mean = float(np.diff(truth).mean())
    assert reading(result).value == pytest.approx(60 / mean, abs=0.2)
    assert reading(result, "mean_rr").value == pytest.approx(1000 * mean, abs=2)
    for row in result.readings:
        assert row.unit == MEASURES[row.measure].unit
        assert (row.scope, row.source, row.start) == ("recording", "ecg", 0.0)
        assert row.end == pytest.approx(120.0, abs=0.005)
        assert (row.value is None) == (row.absent is not None)
        assert (row.low is None) == (row.high is None)
    heart = reading(result)
    assert heart.quality is not None
    assert 0.9 < heart.quality <= 1.0
    assert np.allclose(result.beats, [beat for beat in truth if beat > 0.1][: len(result.beats)], atol=0.02)
    assert (result.corrected, result.events) == ((), ())


def test_the_same_recording_gives_the_same_result() -> None:
    samples, _ = ecg(replace(CALM, ectopic_rate=5, motion_rate=4), 250.0, 60.0)
    assert session(recording(samples, 250.0), NOBODY) == session(recording(samples.copy(), 250.0), NOBODY)


def test_a_gap_is_told_and_no_interval_spans_it() -> None:
    samples, truth = ecg(CALM, 250.0, 120.0)
    whole = track(samples, 250.0)
    keep = np.ones(len(samples), dtype=np.bool_)
    keep[40 * 250 : 70 * 250] = False
    holed = Track("ecg", "strap", ("II",), 250.0, whole.times[keep], whole.samples[keep])
    result = session(Recording((holed,)), NOBODY, vote=False)
    assert reading(result).value == pytest.approx(60 / np.diff(truth).mean(), abs=1.0)
    assert [(mark.event, round(mark.time)) for mark in result.events] == [("gap", 40)]
    assert not [beat for beat in result.beats if 40 < beat < 70]


@pytest.mark.parametrize("damage", ["noise", "flat", "lost", "spikes"])
def test_artefacts_cost_quality_and_not_the_truth(damage: str) -> None:
    samples, truth = ecg(CALM, 250.0, 120.0)
    samples = samples.copy()
    rng = np.random.default_rng(5)
    part = samples[30 * 250 : 60 * 250]
    if damage == "noise":
        part += rng.standard_normal(part.shape).astype(np.float32)
    elif damage == "flat":
        part[:] = 0.0
    elif damage == "lost":
        part[:] = np.nan
    else:
        part[rng.integers(0, len(part), 40)] += 5.0
    result = session(recording(samples, 250.0), NOBODY, vote=False)
    clean = [gap for gap, at in zip(np.diff(truth), truth, strict=False) if not 29 < at < 61]
    row = reading(result)
    # of 40 clicks in 30 s some are taken for beats
    assert row.value == pytest.approx(60 / np.mean(clean), abs=2.5 if damage == "spikes" else 0.7)
    assert row.quality is not None
    assert row.quality < 0.9


def test_nothing_is_said_of_what_has_no_heart() -> None:
    for seed in range(3):
        for name, x in heartless(250.0, 60.0, seed):
            result = session(recording(x.astype(np.float32)[:, None], 250.0), NOBODY, vote=False)
            assert {row.value for row in result.readings} == {None}, name
            why = {row.absent for row in result.readings if row.measure not in INDICES}
            assert why <= {"noisy", "flat", "saturated", "not_delivered"}, name
            assert all(row.preferred for row in result.readings)


@pytest.mark.parametrize("seconds", [0.004, 0.5, 3.0, 8.0])
def test_short_recordings_are_too_short(seconds: float) -> None:
    samples, _ = ecg(CALM, 250.0, 10.0)
    result = session(recording(samples[: round(seconds * 250)], 250.0), NOBODY)
    assert {row.absent for row in result.readings if row.measure not in INDICES} == {"too_short"}
    assert reading(result, "stress").absent == "insufficient"


def test_a_recording_of_nothing_says_nothing() -> None:
    assert session(Recording(()), NOBODY) == Result(())
    empty = Track("ecg", "strap", ("II",), 250.0, np.empty(0, np.int64), np.empty((0, 1), np.float32))
    other = Track("acceleration", "cap", ("x", "y", "z"), 250.0, clock(500, 250.0), np.zeros((500, 3), np.float32))
    assert session(Recording((empty, other)), NOBODY) == Result(())


def test_beats_without_a_wave_are_enough() -> None:
    beats = tuple(np.cumsum(np.full(100, 0.75)).tolist())
    result = session(Recording((), beats=beats), NOBODY)
    assert reading(result).value == pytest.approx(80.0, abs=1e-9)
    assert reading(result).source == "rr"
    assert result.beats == beats
    # one missed beat is left out, unless the intervals are to be taken as they are
    holed = beats[:50] + beats[51:]
    assert reading(session(Recording((), beats=holed), NOBODY)).value == pytest.approx(80.0, abs=1e-9)
    plain = reading(session(Recording((), beats=holed), NOBODY, correction=False), "mean_rr")
    assert plain.value == pytest.approx(1000 * (beats[-1] - beats[0]) / 98)


def test_a_bigeminus_is_no_artefact() -> None:
    beats = np.cumsum(np.tile([0.5, 1.1], 60))
    result = session(Recording((), beats=tuple(beats.tolist())), NOBODY)
    assert reading(result).value == pytest.approx(75, abs=0.3)
    assert reading(result, "rmssd").absent == "too_many_corrected"


def test_one_source_of_a_measure_is_preferred() -> None:
    samples, truth = ecg(CALM, 250.0, 60.0)
    both = replace(recording(samples, 250.0), beats=tuple(truth.tolist()))
    result = session(both, NOBODY, vote=False)
    rates = [(row.measure, row.source, row.preferred) for row in result.readings if row.measure in answers.RATES]
    assert rates == [
        ("heart_rate", "ecg", True),
        ("heart_rate", "rr", False),
        ("mean_rr", "ecg", True),
        ("mean_rr", "rr", False),
    ]
    chosen = [row.measure for row in result.readings if row.preferred]
    assert chosen == sorted(set(chosen), key=list(MEASURES).index)
    assert {row.measure for row in result.readings} == {*MEASURES_OF["ecg"], *MEASURES_OF["rr"]}
    silent = replace(recording(np.zeros_like(samples), 250.0), beats=tuple(truth.tolist()))
    assert reading(session(silent, NOBODY, vote=False)).source == "rr"


def test_beats_set_by_hand_go_before_all_others() -> None:
    samples, truth = ecg(CALM, 250.0, 60.0)
    by_hand = [*truth[1:-1].tolist()]
    by_hand[10] += 0.2
    result = session(recording(samples, 250.0), Context(corrected_beats=tuple(by_hand)), vote=False)
    assert result.beats == tuple(by_hand)
    assert result.corrected == (10,)
    assert reading(result).source == "manual"


def test_the_clearly_better_lead_is_read() -> None:
    good = ecg(CALM, 250.0, 60.0)[0][:, 0]
    noise = np.random.default_rng(0).standard_normal(len(good)).astype(np.float32)
    two = Track("ecg", "strap", ("II", "V5"), 250.0, clock(len(good), 250.0), np.column_stack((noise, good)))
    assert reading(session(Recording((two,)), NOBODY, vote=False)).value == pytest.approx(66, abs=3)


def test_a_rate_without_qrs_is_refused_in_words() -> None:
    samples, _ = ecg(CALM, 250.0, 60.0)
    slow = Track("ecg", "strap", ("II",), 25.0, clock(1500, 25.0), samples[:1500])
    chaos = np.cumsum(np.random.default_rng(1).exponential(1 / 250.0, 15_000) * SECOND).astype(np.int64)
    irregular = Track("ecg", "strap", ("II",), None, chaos, samples)
    for each in (slow, irregular):
        assert reading(session(Recording((each,)), NOBODY)).absent == "unsuitable_rate"


def test_an_ecg_whose_samples_have_times_of_their_own_is_brought_onto_their_grid() -> None:
    samples, truth = ecg(CALM, 250.0, 60.0)
    times = clock(len(samples), 250.0) + np.random.default_rng(2).integers(-200_000, 200_000, len(samples))
    jittered = Track("ecg", "strap", ("II",), None, times, samples)
    result = session(Recording((jittered,)), NOBODY, vote=False)
    assert reading(result).value == pytest.approx(60 / np.diff(truth).mean(), abs=0.3)


def test_an_irregular_rhythm_has_the_rate_of_all_its_beats_and_no_variability() -> None:
    steps = np.random.default_rng(3).gamma(14.0, 0.05, 400).clip(0.35, 1.6)
    beats = np.cumsum(steps)
    result = session(Recording((), beats=tuple(beats.tolist())), Context(age=50, sex="male"))
    assert reading(result, "irregular_rhythm").value == 1.0
    assert reading(result).value == pytest.approx(60 / np.diff(beats).mean(), abs=0.5)
    assert reading(result, "rmssd").absent == "irregular"
    assert result.corrected == result.removed == ()


def test_a_devices_own_intervals_are_a_source() -> None:
    steps = 0.8 + 0.03 * np.sin(np.arange(200) / 5)
    told = np.rint((np.cumsum(steps) + np.random.default_rng(4).uniform(0, 0.5, 200)) * SECOND).astype(np.int64)
    # two minutes without a word
    told[100:] += 120 * SECOND
    strap = Track("rr", "strap", ("rr",), None, np.sort(told), (1000 * steps).astype(np.float32)[:, None])
    result = session(Recording((strap,)), NOBODY)
    assert reading(result).source == "rr"
    assert reading(result, "mean_rr").value == pytest.approx(1000 * steps.mean(), abs=1.0)
    assert reading(result, "rmssd").value == pytest.approx(
        1000 * np.sqrt(np.mean(np.delete(np.diff(steps), 99) ** 2)), abs=0.2
    )


def test_sweat_and_the_warmth_of_a_finger_count_and_that_of_a_wrist_does_not() -> None:
    samples, _ = ecg(CALM, 250.0, 120.0)
    times = clock(480, 4.0)
    sweat = Track("eda", "ring", ("eda",), 4.0, times, np.linspace(4, 6, 480, dtype=np.float32)[:, None])
    own = tuple(Baseline(name, mean, sd, 5) for name, mean, sd in
                (("heart_rate", 66.0, 3.0), ("eda_slope", 0.0, 5.0), ("skin_temperature_slope", 0.0, 0.1)))  # fmt: skip
    values = {}
    for place in ("finger", "wrist"):
        cooling = np.linspace(33, 30, 480, dtype=np.float32)[:, None]
        warmth = Track("skin_temperature", "ring", (place,), 4.0, times, cooling)
        whole = Recording((track(samples, 250.0), sweat, warmth))
        result = session(whole, Context(baselines=own), vote=False)
        assert reading(result, "eda_slope").value == pytest.approx(20.0, abs=2.0)
        assert reading(result, "skin_temperature_slope").value == pytest.approx(-1.5, abs=0.05)
        found = reading(result, "stress")
        assert "earlier sessions" in found.note
        values[place] = found.value
    assert values["finger"] is not None
    assert values["wrist"] is not None
    assert values["finger"] > values["wrist"] > 50


def test_what_ecg_and_belt_say_of_breath_is_told_and_the_belt_goes_first() -> None:
    body = Body(Person(seed=43, respiration_rate=15, rsa_ms=40))
    at, slow = np.arange(round(120 * 250.0)) / 250.0, np.arange(120 * 25) / 25.0
    wave = body.ecg(at).astype(np.float32)
    belt = Track("respiration", "belt", ("chest",), 25.0, clock(len(slow), 25.0),
                 body.respiration(slow).astype(np.float32))  # fmt: skip
    result = session(Recording((track(wave, 250.0), belt)), NOBODY, vote=False)
    rates = [row for row in result.readings if row.measure == "respiration_rate"]
    assert [row.source for row in rates] == ["respiration", "ecg"]
    for row in rates:
        assert row.value == pytest.approx(body.truth(0, 120).respiration_rate, abs=1.0)


def test_agreement_of_two_detectors_is_part_of_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, truth = ecg(CALM, 250.0, 60.0)
    alone = reading(session(recording(samples, 250.0), NOBODY, vote=False)).quality
    assert alone is not None
    half: NDArray[np.float64] = truth[::2]
    monkeypatch.setattr("analytics.ecg.record.voices", lambda x, rate: [half])
    doubted = reading(session(recording(samples, 250.0), NOBODY)).quality
    # half of the beats confirmed: F1 = 2/3
    assert doubted == pytest.approx(alone * 2 / 3, abs=0.02)


def test_a_voter_that_fails_is_missed_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    samples, _ = ecg(CALM, 250.0, 60.0)

    class Failing:
        def __getattr__(self, name: str) -> object:
            raise ValueError("no peaks")

    for name in ("neurokit2", "heartpy"):
        monkeypatch.setitem(sys.modules, name, Failing())
    assert voting.voices(samples[:, 0].astype(np.float64), 250.0) == []
    with_failures = session(recording(samples, 250.0), NOBODY)
    assert with_failures == session(recording(samples, 250.0), NOBODY, vote=False)


def test_a_voter_that_lost_the_heart_has_no_voice() -> None:
    steady = np.arange(0.5, 60, 0.8)
    assert voting.speaks(steady, 60.0)
    assert voting.speaks(np.delete(steady, [10, 30, 31]), 60.0)
    assert not voting.speaks(steady[::30], 60.0)
    assert not voting.speaks(steady[:20], 60.0)
    assert not voting.speaks(np.empty(0), 60.0)


def test_matching_counts_each_beat_once() -> None:
    assert voting.matched(np.array([1.0, 2.0, 3.0]), np.array([1.05, 1.08, 2.2, 3.0])) == 2
    assert voting.matched(np.empty(0), np.array([1.0])) == 0


def given_beats(steps: list[float] | NDArray[np.float64]) -> Recording:
    return Recording((), beats=tuple(np.concatenate(([0.0], np.cumsum(steps))).tolist()))


def test_intervals_that_strictly_alternate_are_numbers_all_the_same() -> None:
    result = session(given_beats(np.where(np.arange(104) % 2, 0.75, 0.78125)), NOBODY)
    assert reading(result, "sd2").low is None
    assert reading(result, "rmssd").value == pytest.approx(31.25)


def test_beats_set_by_hand_have_no_interval_that_nobody_validated() -> None:
    samples, truth = ecg(CALM, 250.0, 120.0)
    result = session(recording(samples, 250.0), Context(corrected_beats=tuple(truth[1:-1].tolist())), vote=False)
    by_hand = reading(result, "rmssd")
    assert by_hand.source == "manual"
    assert (by_hand.low, by_hand.high) == (None, None)
    assert "lipponen" not in by_hand.method


def test_an_irregular_rhythm_is_that_whoever_set_its_beats() -> None:
    beats = np.cumsum(np.random.default_rng(3).gamma(14.0, 0.05, 400).clip(0.35, 1.6))
    result = session(Recording((), beats=(0.0, 1.0)), Context(corrected_beats=tuple(beats.tolist())))
    assert (reading(result, "rmssd").source, reading(result, "rmssd").absent) == ("manual", "irregular")


def test_a_devices_intervals_go_before_a_pulse() -> None:
    body = Body(CALM)
    at = np.arange(100 * 90) / 100.0
    pulse = Track("ppg", "clip", ("ir",), 100.0, clock(len(at), 100.0), body.ppg(at).astype(np.float32))
    flat = Track("ecg", "strap", ("II",), 250.0, clock(250 * 90, 250.0), np.zeros((250 * 90, 1), np.float32))
    beats = tuple(body.truth(0, 90).beats.tolist())
    result = session(Recording((flat, pulse), beats=beats), NOBODY, vote=False)
    assert {reading(result, measure).source for measure in ("heart_rate", "rmssd")} == {"rr"}


def test_the_pulse_has_no_variability_where_the_ecg_shows_an_irregular_rhythm(monkeypatch: pytest.MonkeyPatch) -> None:
    body = Body(CALM)
    at, slow = np.arange(250 * 90) / 250.0, np.arange(100 * 90) / 100.0
    heart = track(body.ecg(at).astype(np.float32), 250.0)
    pulse = Track("ppg", "clip", ("ir",), 100.0, clock(len(slow), 100.0), body.ppg(slow).astype(np.float32))
    monkeypatch.setattr("analytics.rhythm.is_no_sinus", lambda beats: True)
    result = session(Recording((heart, pulse)), NOBODY, vote=False)
    for row in result.readings:
        if row.measure == "rmssd":
            assert (row.value, row.absent) == (None, "irregular")
        if row.measure == "heart_rate":
            assert row.value is not None


def test_what_a_device_lost_makes_no_difference_between_its_neighbours() -> None:
    steps = np.array([800.0] * 30 + [850.0, np.nan, 950.0] + [800.0] * 30, dtype=np.float32)
    told = np.rint(np.cumsum(np.nan_to_num(steps, nan=900.0)) * 1e6).astype(np.int64)
    strap = Track("rr", "strap", ("rr",), None, told, steps[:, None])
    result = session(Recording((strap,)), NOBODY, correction=False)
    # 50 ms up, then (900 lost) 150 ms down: not 100 ms across the hole
    assert reading(result, "rmssd").value == pytest.approx(1000 * np.sqrt((0.05**2 + 0.15**2) / 60), rel=0.02)


def test_half_a_minute_does_not_speak_for_an_hour() -> None:
    steps = [0.8] * 20 + [3600.0] + [0.8] * 20
    assert reading(session(given_beats(steps), NOBODY)).absent == "noisy"


def test_a_hole_is_no_pause_of_the_heart() -> None:
    steady = (0.8 + 0.01 * np.sin(np.arange(100))).tolist()
    result = session(given_beats([*steady, 60.0, *steady]), NOBODY)
    assert reading(result, "pauses").value == 0.0
    assert reading(session(given_beats([*steady, 2.6, *steady]), NOBODY, correction=False), "pauses").value == 1.0


def test_the_better_of_two_sensors_of_the_skin_is_preferred_and_only_fingers_tell_of_stress() -> None:
    times = clock(480, 4.0)

    def skin(signal: str, device: str, channel: str, values: NDArray[np.float64]) -> Track:
        return Track(signal, device, (channel,), 4.0, times, values.astype(np.float32)[:, None])

    torn = np.linspace(5, 6, 480)
    torn[100:260] = np.nan
    whole = Recording(
        (
            skin("eda", "torn", "eda", torn),
            skin("eda", "good", "eda", np.linspace(5, 5.5, 480)),
            skin("skin_temperature", "band", "wrist", np.linspace(34, 31, 480)),
            skin("skin_temperature", "clip", "finger", np.full(480, 33.0)),
        )
    )
    own = (Baseline("eda_slope", 4.8, 5.0, 5), Baseline("skin_temperature_slope", 0.0, 0.1, 5))
    result = session(whole, Context(baselines=own))
    assert reading(result, "eda_slope").source == "eda.good"
    assert reading(result, "stress").value == pytest.approx(50.0, abs=3.0)
