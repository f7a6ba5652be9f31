"""WFDB: the wfdb package and our own reader find what is stored, beats too."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from api.interop.wfdb import annotations, scale_of
from api.store import Database
from kiosk.messages import SECOND, Chunk, Stream
from sensors import files
from tests.api.conftest import opened, record
from tests.api.interop.exporting import analysed, mixed, stored, taken, unzipped, wave


def written(database: Database, session: str, folder: Path) -> dict[str, Path]:
    return unzipped(taken(database, session, "wfdb"), folder)


def test_every_sample_comes_back_within_half_a_step(database: Database, tmp_path: Path) -> None:
    known = mixed(database)
    found = written(database, "s-mixed", tmp_path)
    names = found["RECORDS"].read_text().split()
    assert names == ["r01_ecg_d", "r02_ppg_d", "r03_respiration_d", "r04_eeg_cap"]
    for name, (signal, (samples, rate)) in zip(names, known.items(), strict=True):
        theirs = wfdb.rdrecord(str(tmp_path / name))
        assert theirs.fs == rate
        expected = samples.copy()
        if signal == "ecg":
            expected[1000:1500] = np.nan
        assert theirs.p_signal.shape == expected.shape
        assert np.array_equal(np.isnan(theirs.p_signal), np.isnan(expected))
        for place, gain in enumerate(theirs.adc_gain):
            assert np.nanmax(np.abs(theirs.p_signal[:, place] - expected[:, place])) <= 0.5001 / gain + 1e-9
        ours = files.read(tmp_path / f"{name}.hea", kind=signal)
        # nothing assumed: no checksum differs
        assert not ours.assumed
        assert ours.tracks[0].samples.shape[1] == samples.shape[1]
    # the late one says when it began
    assert wfdb.rdheader(str(tmp_path / names[1])).base_datetime.isoformat() == "2025-01-02T09:00:00.700000"


def test_beats_are_annotated_at_their_samples(database: Database, tmp_path: Path) -> None:
    mixed(database)
    found = written(database, "s-mixed", tmp_path)
    assert [name for name in found if name.endswith(".atr")] == ["r01_ecg_d.atr"]
    theirs = wfdb.rdann(str(tmp_path / "r01_ecg_d"), "atr")
    assert theirs.symbol == ["N"] * 5
    assert theirs.sample.tolist() == [125, 325, 526, 750, 1812]
    ours = files.read(tmp_path / "r01_ecg_d.atr", kind="rr")
    assert ours.beats is not None
    assert np.abs(np.array(ours.beats) - [0.5, 1.3, 2.104, 3.0, 7.25][-len(ours.beats) :]).max() <= 0.002


def test_what_has_times_of_its_own_is_named_in_the_readme(database: Database, tmp_path: Path) -> None:
    mixed(database)
    assert "camera: ppg" in written(database, "s-mixed", tmp_path)["README.txt"].read_text()


def test_a_clock_that_runs_fast_is_in_the_rate_so_that_times_hold(database: Database, tmp_path: Path) -> None:
    """A device of 250.05 Hz by our clock: after ten minutes its nominal grid would be 30 samples off."""
    record(database, opened("s"))
    stream, samples, rate = Stream("s", "d", "ecg", "r1"), wave(150_000, 1, 1), 250.05
    record(
        database,
        *(
            Chunk(stream, k, round(k * 250 * SECOND / rate), 250.0, ("I",), samples[k * 250 : k * 250 + 250].tobytes())
            for k in range(600)
        ),
    )
    analysed(database, "s", [100.0, 599.0], None)
    written(database, "s", tmp_path)
    theirs = wfdb.rdrecord(str(tmp_path / "r01_ecg_d"))
    assert theirs.fs == pytest.approx(rate, rel=1e-6)
    assert len(theirs.p_signal) == 150_000
    assert wfdb.rdann(str(tmp_path / "r01_ecg_d"), "atr").sample.tolist() == [round(100 * rate), round(599 * rate)]


def test_one_artefact_does_not_drown_a_small_wave(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    samples = wave(20_000, 1, 1, 0.001)
    samples[77] = 19.0
    stored(database, "s", "ecg", samples, 250.0, ["I"])
    written(database, "s", tmp_path)
    theirs = wfdb.rdrecord(str(tmp_path / "r01_ecg_d"))
    assert theirs.fmt == ["32"]
    assert np.abs(theirs.p_signal - samples).max() < 1e-7


def test_an_empty_session_is_a_zip_without_records(database: Database, tmp_path: Path) -> None:
    record(database, opened("s"))
    assert set(written(database, "s", tmp_path)) == {"RECORDS", "README.txt"}


numbers = st.floats(-1e9, 1e9, allow_nan=False, width=32)


@given(st.lists(numbers, min_size=1, max_size=50), st.sampled_from([16, 32]))
@settings(deadline=None, max_examples=500)
def test_no_number_is_further_away_than_half_a_step(values: list[float], bits: int) -> None:
    known = np.array(values, np.float32)
    scale = scale_of(float(known.min()), float(known.max()), bits)
    assert abs(scale.baseline) < 2**31
    digital = scale.digital(known)
    assert np.abs(digital).max() < 2 ** (bits - 1)
    assert np.abs((digital - scale.baseline) / scale.gain - known).max() <= 0.5001 / scale.gain


@given(st.lists(st.floats(0, 90_000), max_size=40).map(sorted))
@settings(deadline=None, max_examples=100)
def test_annotations_are_read_back_by_wfdb(tmp_path_factory: pytest.TempPathFactory, beats: list[float]) -> None:
    folder = tmp_path_factory.mktemp("atr")
    (folder / "a.hea").write_text("a 0 250 100\n")
    (folder / "a.atr").write_bytes(annotations(np.array(beats), 0, 250.0))
    expected = sorted({round(beat * 250) for beat in beats})
    if expected:
        assert wfdb.rdann(str(folder / "a"), "atr").sample.tolist() == expected
