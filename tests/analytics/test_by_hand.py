"""Beats corrected by hand: what nobody touched is trusted as it was found, gaps stay gaps, and the count is told."""

from dataclasses import replace

import numpy as np
import pytest

from analytics import by_hand
from analytics.beats import Beats, Change, Corrected
from analytics.session import FinalReading, Result, session
from kiosk.recording import Context, Recording, Track
from sensors.drivers.simulated import Person
from tests.analytics.visitors import ecg, recording, track

CALM = Person(seed=41, heart_rate=66)


def reading(result: Result, measure: str) -> FinalReading:
    (found,) = [row for row in result.readings if row.measure == measure and row.preferred]
    return found


def found(times: list[float], held: list[bool] | None = None, changes: list[int] | None = None) -> Corrected:
    return Corrected(
        np.array(times),
        np.array(held if held is not None else [True] * (len(times) - 1)),
        np.array(changes if changes is not None else [0] * len(times), np.uint8),
        np.empty(0),
    )


def test_a_gap_between_untouched_beats_stays_a_gap() -> None:
    before = found([0.0, 1.0, 2.0, 5.0, 6.0], [True, True, False, True])
    assert by_hand.held(before.times, before).tolist() == [True, True, False, True]


def test_a_beat_taken_away_joins_two_intervals_that_were_used() -> None:
    before = found([0.0, 1.0, 1.5, 2.0, 3.0])
    assert by_hand.held(np.array([0.0, 1.0, 2.0, 3.0]), before).all()


def test_a_beat_added_in_a_hole_vouches_only_for_intervals_that_miss_none() -> None:
    before = found([0.0, 1.0, 2.0, 4.0, 5.0, 6.0], [True, True, False, True, True])
    assert by_hand.held(np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), before).all()
    wide = found([0.0, 1.0, 2.0, 6.0, 7.0], [True, True, False, True])
    held = by_hand.held(np.array([0.0, 1.0, 2.0, 3.0, 6.0, 7.0]), wide)
    assert held.tolist() == [True, True, True, False, True]


def test_what_automatic_correction_did_to_untouched_beats_still_counts() -> None:
    before = found([0.0, 1.0, 2.0, 3.0], changes=[0, int(Change.ADDED), int(Change.MOVED), 0])
    times = np.array([0.0, 1.0, 2.1, 3.0])
    beats = Beats("manual", times, np.ones(3, np.bool_), np.zeros(4, np.uint8), 0.0, 1.0, None, None)
    assert by_hand.corrected(beats, before).changes.tolist() == [0, int(Change.ADDED), 0, 0]


def test_the_numbers_of_untouched_beats_are_those_of_the_found_ones() -> None:
    samples, _ = ecg(CALM, 250.0, 120.0)
    whole = track(samples, 250.0)
    keep = np.ones(len(samples), dtype=np.bool_)
    keep[40 * 250 : 43 * 250] = False
    holed = Recording((Track("ecg", "strap", ("II",), 250.0, whole.times[keep], whole.samples[keep]),))
    automatic = session(holed, Context(), vote=False)
    same = session(holed, Context(corrected_beats=automatic.beats), vote=False)
    for measure in ("heart_rate", "rmssd", "sdnn"):
        assert reading(same, measure).source == "manual"
        assert reading(same, measure).value == pytest.approx(reading(automatic, measure).value, rel=1e-6)
        assert reading(same, measure).quality == pytest.approx(reading(automatic, measure).quality, abs=0.06)


def test_a_corrected_beat_changes_the_variability_and_is_counted() -> None:
    samples, _ = ecg(CALM, 250.0, 120.0)
    automatic = session(recording(samples, 250.0), Context(), vote=False)
    moved = list(automatic.beats)
    moved[20] += 0.15
    result = session(recording(samples, 250.0), Context(corrected_beats=tuple(moved), by_hand=1), vote=False)
    before, after = reading(automatic, "rmssd"), reading(result, "rmssd")
    assert before.value is not None
    assert after.value is not None
    assert after.value > before.value + 5
    assert (after.note, after.note_ru) == ("corrected by hand: 1", "исправлено вручную: 1")
    assert after.method.startswith("beats-by-hand-1")
    assert reading(result, "beats_corrected").value == pytest.approx(100 / len(moved))
    assert session(recording(samples, 250.0), Context(), vote=False) == automatic


def test_a_poor_recording_does_not_turn_good_by_one_beat() -> None:
    samples, _ = ecg(replace(CALM, motion_rate=25), 250.0, 120.0)
    automatic = session(recording(samples, 250.0), Context(), vote=False)
    if not automatic.beats:
        pytest.skip("nothing was found in it")
    beats = (*automatic.beats[:-1], automatic.beats[-1] + 0.02)
    result = session(recording(samples, 250.0), Context(corrected_beats=beats, by_hand=1), vote=False)
    quality = {row.source: row.quality for row in result.readings if row.measure == "heart_rate"}
    assert quality["manual"] == pytest.approx(quality["ecg"], abs=0.15)
