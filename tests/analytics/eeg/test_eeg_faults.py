"""What goes wrong with a recording - bad channels, mains, blinks, muscle, jerks, gaps - and what becomes of it."""

from collections.abc import Callable

import numpy as np
import pytest

from analytics import eeg
from analytics.eeg import cleaning
from analytics.eeg.bands import weights
from kiosk.messages import SECOND
from kiosk.recording import Track
from tests.analytics.eeg.brains import (
    EIGHT,
    POWERS,
    RATE,
    Floats,
    background,
    blinks,
    head,
    powers,
    rhythm,
    told,
    track,
    values,
)


def frontal(recording: Track) -> Floats:
    """Band powers of F3, Fz and F4 together."""
    found = eeg.spectrum(recording)
    assert found is not None
    rows = [found.channels.index(name) for name in ("F3", "Fz", "F4")]
    return np.asarray(found.power[rows].mean(axis=0) @ weights(found.frequencies, RATE))


DAMAGES: dict[str, Callable[[Floats], Floats]] = {
    "flat": lambda x: np.zeros(len(x)),
    "constant": lambda x: np.full(len(x), 37.0),
    "saturated": lambda x: np.clip(20 * x, -60, 60),
    "at the rail": lambda x: np.where(np.arange(len(x)) % 50 < 40, 12_000.0, x),
    "white noise": lambda x: 30 * np.random.default_rng(3).standard_normal(len(x)),
    "lost": lambda x: np.full(len(x), np.nan),
    "loud": lambda x: 8 * background(len(x) / RATE, RATE, seed=9)[:, 0],
    "a stranger": lambda x: background(len(x) / RATE, RATE, seed=9)[:, 0],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bad_channel_is_left_out_and_said(damage: str) -> None:
    x = head()
    expected = values(track(np.delete(x, 5, axis=1), RATE, (*EIGHT[:5], *EIGHT[6:])))
    x[:, 5] = DAMAGES[damage](x[:, 5])
    answers = told(track(x, RATE, EIGHT))
    assert "left out: P4 (" in answers["eeg_alpha"].note
    for measure in (*POWERS, "eeg_slowing", "eeg_asymmetry"):
        assert answers[measure].finding.value == pytest.approx(expected[measure], rel=1e-6)
    assert answers["eeg_usable"].finding.value == pytest.approx(87.5, abs=0.1)


def test_a_copy_of_a_channel_counts_once() -> None:
    x = head(channels=3)
    alone = values(track(x, RATE, ("F3", "F4", "O1")))
    answers = told(track(np.hstack((x, x[:, :1])), RATE, ("F3", "F4", "O1", "O2")))
    assert "O2 (a copy)" in answers["eeg_alpha"].note
    assert answers["eeg_alpha"].finding.value == pytest.approx(alone["eeg_alpha"])


def test_a_pair_of_which_one_is_bad_gives_way_to_the_next() -> None:
    x = head(channels=4)
    x[:, 0] = 0.0
    answers = told(track(x, RATE, ("F3", "F4", "F7", "F8")))
    assert answers["eeg_asymmetry"].finding.method.endswith("F8/F7")
    alone = told(track(x[:, :2], RATE, ("F3", "F4")))
    assert alone["eeg_asymmetry"].finding.absent == "flat"


@pytest.mark.parametrize("hum", [50.0, 60.0])
def test_mains_are_found_and_change_no_power(hum: float) -> None:
    x = head()
    expected = powers(track(x, RATE, EIGHT))
    humming = x + rhythm(60, RATE, hum, 5000.0)
    assert cleaning.mains(x, RATE) is None
    assert cleaning.mains(humming, RATE) == hum
    assert powers(track(humming, RATE, EIGHT)) == pytest.approx(expected, rel=0.01)


def test_what_moves_now_and_then_is_left_out_and_the_share_falls() -> None:
    x = head(120.0)
    expected = powers(track(x, RATE, EIGHT))
    moved = x.copy()
    for second in (20, 21, 22, 50, 51, 80):
        moved[round(second * RATE) : round((second + 1) * RATE)] += 400 * rhythm(1, RATE, 3.0, 1.0)
    found = values(track(moved, RATE, EIGHT))
    assert 80.0 < (found["eeg_usable"] or 0.0) < 95.0
    assert [found[measure] for measure in POWERS] == pytest.approx(expected, rel=0.08)


def test_blinks_are_taken_out_of_the_channels_behind_the_forehead() -> None:
    names = ("Fp1", "Fp2", "F3", "Fz", "F4", "Cz", "Pz", "Oz")
    reach = np.array([1.0, 1.0, 0.3, 0.3, 0.3, 0.12, 0.05, 0.02])
    x = head(120.0)
    blinking = x + blinks(120, RATE, 3.0, 150.0) * reach
    expected, found = told(track(x, RATE, names)), told(track(blinking, RATE, names))
    truth = frontal(track(x, RATE, names))
    # what it is without an electrode above the eyes to learn from
    untouched = frontal(track(blinking[:, 2:], RATE, names[2:]))
    assert untouched[0] > 1.2 * truth[0]
    assert frontal(track(blinking, RATE, names))[:3] == pytest.approx(truth[:3], rel=0.08)
    for measure in ("eeg_theta_beta", "eeg_engagement"):
        assert found[measure].finding.value == pytest.approx(expected[measure].finding.value, rel=0.05)
    assert "40 blinks" in found["eeg_alpha"].note
    assert "Fp1 (blinks)" in found["eeg_alpha"].note


def test_gaps_and_lost_samples_cost_their_windows_alone() -> None:
    x = head(120.0)
    whole = powers(track(x, RATE, EIGHT))
    recording = track(x, RATE, EIGHT)
    late = recording.times.copy()
    late[15_000:] += 7 * SECOND
    gone = x.copy()
    gone[5000:6000] = np.nan
    gone[20_000, 3] = np.nan
    gapped = Track("eeg", "cap", EIGHT, RATE, late, gone.astype(np.float32))
    found = values(gapped)
    assert [found[measure] for measure in POWERS] == pytest.approx(whole, rel=0.1)
    assert 85.0 < (found["eeg_usable"] or 0.0) < 99.0


def test_a_burst_of_muscle_costs_its_windows_and_no_power() -> None:
    x = head(120.0)
    expected = powers(track(x, RATE, EIGHT))
    rng = np.random.default_rng(1)
    tense = x.copy()
    for second in (20, 55, 90):
        tense[round(second * RATE) : round((second + 1) * RATE)] += rng.normal(0.0, 40.0, (250, 8))
    found = values(track(tense, RATE, EIGHT))
    assert 85.0 < (found["eeg_usable"] or 0.0) < 97.0
    assert [found[measure] for measure in POWERS] == pytest.approx(expected, rel=0.1)


def test_a_jerk_costs_what_the_filter_smears_it_over() -> None:
    x = head(120.0)
    expected = powers(track(x, RATE, EIGHT))
    jerked = x.copy()
    for second in (20, 55, 90):
        jerked[round(second * RATE) : round((second + 0.5) * RATE)] += 400.0
    found = values(track(jerked, RATE, EIGHT))
    assert (found["eeg_usable"] or 0.0) > 80.0
    assert [found[measure] for measure in POWERS] == pytest.approx(expected, rel=0.1)


def test_a_channel_that_is_there_for_half_of_the_time_is_read_in_that_half() -> None:
    x = head(120.0, 2)
    x[15_000:, 1] = 0.0
    answers = told(track(x, RATE, ("F3", "F4")))
    assert answers["eeg_usable"].finding.value == pytest.approx(75.0, abs=2.0)
    assert answers["eeg_asymmetry"].finding.value is not None
