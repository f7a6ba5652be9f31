"""Real recordings: rest and arithmetic, eyes open and closed, 64 channels."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mne.time_frequency import psd_array_welch

from analytics import eeg
from analytics.eeg.bands import LIMITS
from analytics.eeg.whole import Analysed, analysed
from analytics.session import session
from kiosk.recording import Context, Track
from sensors.files import read
from tests.analytics.eeg.brains import told, values


@cache
def of(path: Path) -> Track:
    (found,) = read(path).of("eeg")
    return found


def test_alpha_falls_under_arithmetic_in_at_least_eleven_of_twelve(recordings: Path) -> None:
    fallen = 0
    for person in range(12):
        rest, task = (
            values(of(recordings / "eeg/eegmat" / f"Subject{person:02}_{part}.edf"))["eeg_alpha"] for part in (1, 2)
        )
        assert rest is not None
        assert task is not None
        fallen += task < rest
    assert fallen >= 11


@pytest.mark.parametrize("name", ["Subject02_1", "Subject07_2"])
def test_powers_are_those_of_mne_over_the_same_windows_to_one_percent(recordings: Path, name: str) -> None:
    recording = of(recordings / "eeg/eegmat" / f"{name}.edf")
    x, rate = recording.samples.astype(np.float64).T, recording.rate or 0.0
    size = 2 * round(rate)
    density, found = psd_array_welch(
        x, rate, n_fft=size, n_per_seg=size, n_overlap=size // 2, window="hann", average=None, verbose="ERROR"
    )
    windows = analysed(recording)
    assert isinstance(windows, Analysed)
    used = np.isfinite(windows.tally.bands[:, :, 0]).T
    assert used.shape == (density.shape[0], density.shape[2])
    mean = np.array([each[:, fine].mean(axis=1) for each, fine in zip(density, used, strict=True)]).mean(axis=0)
    answers = values(recording)
    for band, (low, high) in LIMITS.items():
        inside = (found >= low) & (found <= high)
        assert answers[f"eeg_{band}"] == pytest.approx(np.trapezoid(mean[inside], found[inside]), rel=0.01), band


def test_alpha_is_more_with_eyes_closed(recordings: Path) -> None:
    closed, opened = (of(recordings / "eeg/biosppy" / f"eeg_{name}.txt.gz") for name in ("ec", "eo"))
    contrast = eeg.eyes_contrast(closed, opened)
    assert contrast is not None
    assert 1.3 < contrast < 4.0
    # its file says counts and no unit
    assert told(closed)["eeg_alpha"].finding.absent == "impossible"
    assert told(closed)["eeg_asymmetry"].finding.absent == "missing_channels"


def test_sixty_four_channels_with_blinks_are_read(recordings: Path) -> None:
    answers = told(of(recordings / "eeg/eegmmidb/S001R03.edf"))
    assert "blinks" in answers["eeg_alpha"].note
    assert "against the average of the scalp" in answers["eeg_alpha"].note
    assert (answers["eeg_usable"].finding.value or 0.0) > 80.0
    assert {each.finding.absent for each in answers.values()} == {None, "no_reference"}


def test_a_session_has_the_readings(recordings: Path) -> None:
    recording = read(recordings / "eeg/eegmat/Subject00_2.edf")
    readings = session(recording, Context()).readings
    assert {each.measure for each in readings} == set(eeg.MEASURED)
    alpha = next(each for each in readings if each.measure == "eeg_alpha")
    assert alpha.value == values(of(recordings / "eeg/eegmat/Subject00_2.edf"))["eeg_alpha"]
    assert (alpha.unit, alpha.source) == ("uV2", "eeg")
    assert alpha.preferred
    assert alpha.note.startswith("mean of F3")
