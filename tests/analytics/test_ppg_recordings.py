"""Pulses of real recordings: a camera beside a chest strap, an expert's good and bad ones, an ICU beside its ECG."""

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray
from scipy import io

from analytics import hrv, ppg
from analytics.beats import Beats
from analytics.correction import correct
from analytics.ecg import r_peaks
from analytics.ecg.vote import matched
from analytics.resample import regular
from kiosk.recording import Track
from tests.analytics.visitors import clock

Floats = NDArray[np.float64]

SEEN = ("subject_01", "subject_02", "subject_03")
"""Camera recordings that were looked at while the constants were chosen; the others were not."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Ten seconds of a camera's pulse, what an ECG said, and what an expert thought."""

    name: str
    x: Floats
    heart_rate: float
    good: bool


def finger(folder: Path, subject: str) -> tuple[Track, Floats]:
    """A fingertip before a phone's camera, and the RR intervals of a chest strap meanwhile, in seconds."""
    place = folder / "ppg" / "welltory" / subject
    table = np.genfromtxt(place / "PPG.csv", delimiter=",", skip_header=1)
    times = np.rint(table[:, 0] * 1e6).astype(np.int64)
    later = np.concatenate(([True], np.diff(times) > 0))
    track = Track("ppg", "phone", ("red", "green", "blue"), None, times[later], table[later, 1:].astype(np.float32))
    return track, np.array((place / "RR.txt").read_text().split(), dtype=np.float64) / 1000.0


def strips(folder: Path) -> list[Strip]:
    """All of the expert's."""
    csv.field_size_limit(10**7)
    with (folder / "ppg" / "but" / "but_ppg.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return [Strip(row[0].strip(), np.array(json.loads(row[4])), float(row[3]), int(row[2]) == 1) for row in rows]


def intensive(folder: Path) -> tuple[Floats, Floats, float]:
    """Pleth and ECG lead II of five minutes in an ICU, and their rate."""
    table = io.loadmat(folder / "icu" / "TestICUdata.mat")["signal"]
    return table[:, 4].astype(np.float64), table[:, 0].astype(np.float64), 125.0


def arterial(folder: Path) -> tuple[Floats, Floats, float]:
    """Arterial pressure, which is a pulse too, and ECG (MCL1) of ten minutes in an ICU, and their rate."""
    record = wfdb.rdrecord(str(folder / "ecg" / "wfdb" / "03700181"))
    columns = dict(zip(record.sig_name, record.p_signal.T, strict=True))
    return columns["ABP"], columns["MCL1"], float(record.fs)


def finger_clip(folder: Path) -> tuple[Floats, float]:
    """Twenty seconds of a finger clip."""
    with gzip.open(folder / "misc" / "biosppy" / "ppg.txt.gz", "rt") as file:
        return np.loadtxt(file), 1000.0


def column(place: Path, name: str) -> list[str]:
    """Lines of one of a wrist device's files, packed or not: when it began, its rate, and what it measured."""
    packed = place / f"{name}.csv.gz"
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else (place / f"{name}.csv").read_text()
    return text.split()


def wrist(folder: Path, subject: str) -> tuple[Track, Floats]:
    """An hour at the wrist, and the intervals (end, length) that the device itself gave out, in seconds."""
    place = folder / "stress" / "stress-predict" / "raw" / subject
    samples = np.array(column(place, "BVP")[2:], dtype=np.float32)[:, None]
    pairs = [row.split(",") for row in column(place, "IBI")[2:]]
    given = np.array([pair for pair in pairs if len(pair) == 2], dtype=np.float64)
    return Track("ppg", "wrist", ("wrist",), 64.0, clock(len(samples), 64.0), samples), given


def rates(folder: Path, subject: str) -> Floats:
    """The heart rate that the wrist's device itself gave out, each second since its wave began; NaN at first."""
    place = folder / "stress" / "stress-predict" / "raw" / subject
    told, wave = column(place, "HR"), column(place, "BVP")
    late = round(float(told[0].strip(",")) - float(wave[0].strip(",")))
    return np.concatenate((np.full(late, np.nan), np.array(told[2:], dtype=np.float64)))


def track(x: Floats, rate: float) -> Track:
    return Track("ppg", "probe", ("pleth",), rate, clock(len(x), rate), x.astype(np.float32)[:, None])


def told(found: Beats) -> bool:
    """Whether there is enough of it for a number."""
    quality = found.signal_quality * (1.0 if found.agreement is None else found.agreement)
    return quality >= 0.5 and float(np.diff(found.times)[found.held].sum()) >= 10.0


def numbers(found: Beats) -> tuple[float, float, float]:
    """Heart rate, SDNN and RMSSD after correction."""
    values = correct(found).intervals
    rate, sdnn, rmssd = hrv.heart_rate(values), hrv.sdnn(values), hrv.rmssd(values)
    assert rate is not None
    assert sdnn is not None
    assert rmssd is not None
    return rate, sdnn, rmssd


def shifted(truth: Floats, ours: Floats, shifts: Floats) -> Floats:
    """The truth by another clock: moved to where it meets most of our beats."""
    scores = []
    for shift in shifts:
        moved = truth + shift
        right = np.clip(np.searchsorted(moved, ours), 1, len(moved) - 1)
        off = np.minimum(np.abs(ours - moved[right - 1]), np.abs(ours - moved[right]))
        scores.append(float(np.exp(-((off / 0.05) ** 2)).sum()))
    return np.asarray(truth + shifts[int(np.argmax(scores))])


@pytest.mark.parametrize("subject", [f"subject_0{number}" for number in range(1, 8)])
def test_a_finger_before_a_camera_agrees_with_a_chest_strap_or_is_absent(recordings: Path, subject: str) -> None:
    camera, rr = finger(recordings, subject)
    found = ppg.beats(camera)
    if subject != "subject_01":
        assert told(found)
    if told(found):
        rate, sdnn, rmssd = numbers(found)
        assert rate == pytest.approx(60.0 / rr.mean(), abs=1.5)
        assert sdnn == pytest.approx(1000.0 * np.std(rr, ddof=1), abs=10.0)
        assert rmssd == pytest.approx(1000.0 * np.sqrt(np.mean(np.diff(rr) ** 2)), abs=10.0)


def test_every_pulse_of_an_icu_follows_its_r_peak(recordings: Path) -> None:
    pleth, ecg, rate = intensive(recordings)
    found = ppg.beats(track(pleth, rate), vote=False)
    beats = r_peaks(ecg, rate)
    delay = float(np.median(found.times - beats[np.searchsorted(beats, found.times) - 1]))
    assert 0.1 < delay < 0.8
    assert matched(found.times - delay, beats, tolerance=0.05) >= len(beats) - 2
    assert numbers(found)[0] == pytest.approx(75.0, abs=0.7)
    assert found.held.mean() > 0.98


def test_strips_that_are_told_have_the_rate_of_the_ecg(recordings: Path) -> None:
    shown = []
    for strip in strips(recordings):
        found = ppg.beats(track(strip.x, 30.0), vote=False)
        if strip.good and found.held.sum() >= 5:
            shown.append(strip.name)
            assert 60.0 / np.diff(found.times)[found.held].mean() == pytest.approx(strip.heart_rate, abs=5.0)
    assert {"101001", "101002", "101003"} <= set(shown)


def test_a_noisy_finger_clip_is_read_beat_by_beat(recordings: Path) -> None:
    x, rate = finger_clip(recordings)
    found = ppg.beats(track(x, rate), vote=False)
    assert len(found.times) == 31
    assert found.held.mean() > 0.9


@pytest.mark.parametrize("subject", ["S03", "S07", "S10"])
def test_a_wrist_that_moves_is_not_read_upside_down(recordings: Path, subject: str) -> None:
    samples = wrist(recordings, subject)[0].channel("wrist")
    assert not ppg.pulses(samples, 64.0).wave.inverted
    assert ppg.pulses(-samples, 64.0).wave.inverted


def test_the_red_of_a_camera_falls_with_every_beat(recordings: Path) -> None:
    for subject in ("subject_02", "subject_03", "subject_04", "subject_05", "subject_06", "subject_07"):
        red = regular(finger(recordings, subject)[0], 100.0).channel("red")
        assert ppg.pulses(red, 100.0).wave.inverted
