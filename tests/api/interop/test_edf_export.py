"""EDF+: what is stored is what is in the file, within half a step and half a sample's time."""

import re
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from api.interop.edf import LOST, NotInEdf, plain, record_length, scale_of
from api.store import Database
from kiosk.messages import SECOND, Event, Stream
from sensors import files
from tests.api.conftest import opened, record
from tests.api.interop.exporting import analysed, mixed, stored, taken, wave


def written(database: Database, session: str, folder: Path) -> tuple[edfio.Edf, Path]:
    path = folder / "session.edf"
    path.write_bytes(taken(database, session, "edf"))
    return edfio.read_edf(path), path


def test_every_sample_comes_back_within_half_a_step_at_its_own_time(database: Database, tmp_path: Path) -> None:
    known = mixed(database)
    edf, path = written(database, "s-mixed", tmp_path)
    starts = {"ecg": 0.0, "ppg": 0.7, "respiration": 0.0, "eeg": 0.0}
    found = {name: [each for each in edf.signals if f": {name} " in each.transducer_type] for name in known}
    for name, (samples, rate) in known.items():
        assert [each.sampling_frequency for each in found[name]] == [rate] * samples.shape[1]
        for place, signal in enumerate(found[name]):
            low, high = signal.physical_range
            half = (high - low) / 65_535 / 2
            begin = round(starts[name] * rate)
            values = signal.data[begin : begin + len(samples)]
            lost = signal.digital[begin : begin + len(samples)] == LOST
            gap: NDArray[np.bool_] = np.zeros(len(samples), np.bool_)
            gap[1000:1500] = name == "ecg"
            expected = gap | np.isnan(samples[:, place])
            assert np.array_equal(lost, expected)
            away = np.abs(values - samples[:, place])[~expected].max()
            # the sum itself is rounded where the wave is a float32
            assert away <= half * 1.0001 + 1e-9
    # our own reader finds the same waves
    again = files.read(path, kind="ecg")
    assert again.tracks[0].rate == 250.0
    kept = np.array([not np.isnan(row).any() for row in known["ecg"][0]])
    kept[1000:1500] = False
    ours = again.tracks[0].samples[:2500][kept]
    assert np.abs(ours - known["ecg"][0][kept]).max() < 3e-5


def test_the_header_says_pseudonym_sex_and_when_and_no_name(database: Database, tmp_path: Path) -> None:
    mixed(database)
    edf, _ = written(database, "s-mixed", tmp_path)
    assert (edf.patient.code, edf.patient.sex, edf.patient.name) == ("K7QF-p-1", "F", "X")
    assert edf.startdatetime.isoformat() == "2025-01-02T09:00:00"
    assert edf.recording.hospital_administration_code == "s-mixed"


def test_beats_and_events_are_annotations_at_their_times(database: Database, tmp_path: Path) -> None:
    mixed(database)
    edf, path = written(database, "s-mixed", tmp_path)
    said = [(each.onset, each.text) for each in edf.annotations]
    assert [onset for onset, text in said if text == "Beat"] == [0.5, 1.3, 2.104, 3.0, 7.25]
    assert (2.0, "step_began: =HYPERLINK(1)") in said
    assert (9.0, "step_ended") in said
    gaps = [(each.onset, each.duration) for each in edf.annotations if each.text.startswith("No samples: ECG")]
    assert gaps == [(4.0, 2.0)]
    assert len(files.annotations(path)) == len(said)


def test_what_has_times_of_its_own_is_named_and_left_out(database: Database, tmp_path: Path) -> None:
    mixed(database)
    edf, _ = written(database, "s-mixed", tmp_path)
    assert not any(each.transducer_type.startswith("camera") for each in edf.signals)
    assert any("times of their own: ppg" in each.text for each in edf.annotations)


def test_labels_are_ascii_and_differ_whatever_the_channels_are_called(database: Database, tmp_path: Path) -> None:
    record(database, opened("s-odd"))
    names = ["\u042d\u041a\u0413", "a" * 32, "a" * 31 + "b", "=1+1", "\U0001f600", "I"]
    stored(database, "s-odd", "eeg", wave(500, 6, 1), 250.0, names)
    edf, path = written(database, "s-odd", tmp_path)
    assert len(set(edf.labels)) == len(names)
    assert re.fullmatch(rb"[ -~]+", path.read_bytes()[: 256 * 8])
    assert files.read(path, kind="eeg").tracks[0].samples.shape[1] == 6


@pytest.mark.parametrize("rate", [125.0, 250.0, 300.0, 500.0, 1000.0, 31.25, 0.5])
@pytest.mark.parametrize("channels", [1, 64])
def test_rates_and_numbers_of_channels(database: Database, tmp_path: Path, rate: float, channels: int) -> None:
    if database.dialect != "sqlite":
        pytest.skip("the format is the same")
    record(database, opened("s"))
    signal = "eeg" if rate > 100 else "respiration" if rate > 1 else "skin_temperature"
    channels = channels if signal == "eeg" else min(channels, 4)
    samples = wave(int(4 * rate) + 3, channels, 3, 30.0 if signal != "skin_temperature" else 1.0)
    stored(database, "s", signal, samples, rate, [f"c{k}" for k in range(channels)])
    edf, _ = written(database, "s", tmp_path)
    assert len(edf.signals) == channels
    for place, each in enumerate(edf.signals):
        assert each.sampling_frequency == pytest.approx(rate)
        assert (
            np.abs(each.data[: len(samples)] - samples[:, place]).max() < 1.0001 * np.ptp(each.physical_range) / 131_070
        )
        assert (each.digital[len(samples) :] == LOST).all()


def test_a_pause_of_everything_makes_it_edf_d(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    samples = wave(1000, 1, 3)
    stored(database, "s", "ecg", samples[:500], 250.0, ["I"])
    stored(database, "s", "ecg", samples[500:], 250.0, ["I"], start=3600 * SECOND, run="r2")
    edf, path = written(database, "s", tmp_path)
    assert edf.reserved == "EDF+D"
    assert path.stat().st_size < 20_000
    found = files.read(path).tracks[0]
    assert len(found.samples) == 1000
    assert found.times[500] == 3600 * SECOND
    assert np.abs(found.samples[:, 0] - samples[:, 0]).max() < 3e-5


def test_a_session_that_begins_between_two_seconds_keeps_its_times(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    stored(database, "s", "ecg", wave(500, 1, 3), 250.0, ["I"], start=SECOND // 4 + 2 * SECOND)
    analysed(database, "s", [2.5], None)
    edf, _ = written(database, "s", tmp_path)
    assert edf.startdatetime.isoformat() == "2025-01-02T09:00:02"
    assert [each.onset for each in edf.annotations if each.text == "Beat"] == [0.5]
    assert (edf.signals[0].digital[:62] == LOST).all()
    assert edf.signals[0].digital[63] != LOST


def test_an_empty_session_is_a_file_of_annotations(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"), Event(Stream("s", "station", "events", "r1"), 0, "step_began", SECOND))
    edf, _ = written(database, "s", tmp_path)
    assert len(edf.signals) == 0
    assert [each.text for each in edf.annotations] == ["Session begins", "step_began"]


def test_channels_without_a_number_or_a_change_are_kept(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    samples = np.full((500, 3), np.nan, np.float32)
    samples[:, 1], samples[:, 2] = 0.0, -7.25
    stored(database, "s", "ecg", samples, 250.0, ["I", "II", "III"])
    edf, _ = written(database, "s", tmp_path)
    assert (edf.signals[0].digital == LOST).all()
    assert np.abs(edf.signals[1].data).max() < 1e-6
    assert np.abs(edf.signals[2].data + 7.25).max() < 1e-5


def test_a_stamp_years_away_is_refused_and_makes_no_file_of_nothing(database: Database) -> None:
    record(database, opened("s"))
    stored(database, "s", "ecg", wave(50, 1, 3), 250.0, ["I"])
    stored(database, "s", "ecg", wave(50, 1, 3), 250.0, ["I"], start=2_000_000 * SECOND, run="r2")
    with pytest.raises(NotInEdf):
        taken(database, "s", "edf")


def test_no_common_record_is_said() -> None:
    assert record_length([250.0, 125.0], 2) == 1
    with pytest.raises(NotInEdf):
        record_length([250.0, 100 / 997], 2)


numbers = st.floats(-1e9, 1e9, allow_nan=False, width=32)


@given(st.lists(numbers, min_size=1, max_size=50))
@settings(deadline=None, max_examples=500)
def test_no_number_is_further_away_than_half_a_step(values: list[float]) -> None:
    given_ = np.array(values, np.float32)
    low, high = float(given_.min()), float(given_.max())
    scale = scale_of(low, high)
    assert len(scale.low_text) <= 8
    assert len(scale.high_text) <= 8
    digital = scale.digital(given_).astype(np.float64)
    assert (digital > LOST).all()
    back = (digital - LOST) * scale.quantum + scale.low
    assert np.abs(back - given_).max() <= scale.quantum * 0.5001
    # and the steps are no coarser than the range and eight characters make them
    assert scale.quantum <= 1.2 * (high - low) / 65_000 + 3e-6 * max(abs(low), abs(high), 1e-20) + 1e-29


@given(st.text(max_size=40))
def test_header_text_is_printable_ascii(text: str) -> None:
    assert re.fullmatch("[ -~]*", plain(text))
