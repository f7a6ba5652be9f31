"""WFDB records, held to the wfdb package and to what the bytes were made from."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from sensors import files
from sensors.files.wfdb.header import read_header

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb's own import uses what pandas deprecates
    import wfdb

BITS = {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}


def counts(form: str, rows: int, channels: int, seed: int = 1) -> NDArray[np.int64]:
    """Random counts that a format can hold, without the value that stands for a lost sample."""
    rng = np.random.default_rng(seed)
    if form == "8":  # differences of at most seven bits
        return np.cumsum(rng.integers(-100, 100, (rows, channels)), axis=0)
    most = 2 ** (BITS[form] - 1) - 1
    return rng.integers(-most, most, (rows, channels), endpoint=True)


def packed(form: str, values: NDArray[np.int64]) -> bytes:
    """The bytes of a signal file, written from the specification, value by value."""
    flat = values.reshape(-1).tolist()
    if form == "8":
        return np.diff(values, axis=0, prepend=0).astype(np.int8).tobytes()
    if form == "80":
        return bytes(value + 128 for value in flat)
    if form in ("16", "61", "160", "24", "32"):
        width = 3 if form == "24" else 4 if form == "32" else 2
        offset = 32768 if form == "160" else 0
        order = "big" if form == "61" else "little"
        return b"".join((v + offset).to_bytes(width, order, signed=form != "160") for v in flat)  # type: ignore[arg-type]
    made = bytearray()
    if form == "212":
        for first, second in zip(flat[::2], [*flat[1::2], 0], strict=False):
            a, b = first & 0xFFF, second & 0xFFF
            made += bytes((a & 0xFF, (a >> 8) | (b >> 8) << 4, b & 0xFF))
        return bytes(made)
    flat += [0] * (-len(flat) % 3)
    for first, second, third in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        a, b, c = first & 0x3FF, second & 0x3FF, third & 0x3FF
        if form == "310":
            made += ((a << 1) | (c & 31) << 11).to_bytes(2, "little") + ((b << 1) | (c >> 5) << 11).to_bytes(
                2, "little"
            )
        else:
            made += (a | b << 10 | c << 20).to_bytes(4, "little")
    return bytes(made)


def write(folder: Path, form: str, values: NDArray[np.int64], *, name: str = "rec", offset: int = 0) -> Path:
    """A record of two ECG leads."""
    start = f"+{offset}" if offset else ""
    lines = [
        f"{name}.dat {form}{start} 200(3)/mV 12 0 {0 if form == '8' else int(values[0, i])} 0 0 {lead}"
        for i, lead in enumerate(("MLII", "V5"))
    ]
    header = folder / f"{name}.hea"
    header.write_text(f"{name} 2 360 {len(values)}\n" + "\n".join(lines) + "\n# a remark\n")
    (folder / f"{name}.dat").write_bytes(b"\0" * offset + packed(form, values))
    return header


@pytest.mark.parametrize("form", BITS)
def test_every_format_reads_back_what_was_written(tmp_path: Path, form: str) -> None:
    values = counts(form, 999, 2)
    track = files.read(write(tmp_path, form, values)).tracks[0]
    np.testing.assert_array_equal(track.samples, ((values - 3) / 200).astype(np.float32))
    assert (track.signal, track.channels, track.rate) == ("ecg", ("MLII", "V5"), 360)


@pytest.mark.parametrize("form", ["16", "24", "32", "61", "80", "160", "212", "310", "311"])
def test_every_format_reads_as_the_wfdb_package_reads_it(tmp_path: Path, form: str) -> None:
    header = write(tmp_path, form, counts(form, 600, 2))
    theirs = wfdb.rdrecord(str(header.with_suffix(""))).p_signal
    np.testing.assert_array_equal(files.read(header).tracks[0].samples, theirs.astype(np.float32))


@pytest.mark.parametrize("name", ["rec.hea", "rec.dat", "rec"])
def test_a_record_may_be_named_by_any_of_its_files(tmp_path: Path, name: str) -> None:
    write(tmp_path, "16", counts("16", 100, 2))
    assert files.read(tmp_path / name).tracks[0].samples.shape == (100, 2)


def test_signal_files_may_begin_with_bytes_of_their_own(tmp_path: Path) -> None:
    values = counts("16", 100, 2)
    track = files.read(write(tmp_path, "16", values, offset=512)).tracks[0]
    np.testing.assert_array_equal(track.samples, ((values - 3) / 200).astype(np.float32))


def test_signals_of_different_rates_become_tracks_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    ecg, resp = rng.integers(-900, 900, (50, 4)), rng.integers(-900, 900, (50, 1))
    (tmp_path / "m.dat").write_bytes(np.hstack((ecg, resp)).astype("<i2").tobytes())
    (tmp_path / "m.hea").write_text("m 2 125 50\nm.dat 16x4 1000/mV 12 0 0 0 0 II\nm.dat 16 100/Ohm 12 0 0 0 0 RESP\n")
    first, second = files.read(tmp_path / "m.hea").tracks
    assert (first.signal, first.rate, second.signal, second.rate) == ("ecg", 500, "respiration", 125)
    np.testing.assert_array_equal(first.samples[:, 0], (ecg.reshape(-1) / 1000).astype(np.float32))
    np.testing.assert_array_equal(second.samples, (resp / 100).astype(np.float32))


def test_microvolts_become_millivolts_and_the_lowest_count_is_a_lost_sample(tmp_path: Path) -> None:
    values = np.array([[100], [-32768], [300]])
    (tmp_path / "u.dat").write_bytes(values.astype("<i2").tobytes())
    (tmp_path / "u.hea").write_text("u 1 250 3\nu.dat 16 1/uV 16 0 100 0 0 ECG\n")
    np.testing.assert_allclose(files.read(tmp_path / "u.hea").tracks[0].samples[:, 0], [0.1, np.nan, 0.3])


def test_segments_are_joined_with_their_gap(tmp_path: Path) -> None:
    first, second = counts("16", 300, 2, 3), counts("16", 200, 2, 4)
    write(tmp_path, "16", first, name="s_0001")
    write(tmp_path, "16", second, name="s_0002")
    (tmp_path / "s.hea").write_text("s/3 2 360 860\ns_0001 300\n~ 360\ns_0002 200\n")
    track = files.read(tmp_path / "s.hea").tracks[0]
    assert [len(part.times) for part in track.segments()] == [300, 200]
    assert track.seconds[300] == pytest.approx(660 / 360)
    np.testing.assert_array_equal(track.samples[300:], ((second - 3) / 200).astype(np.float32))


def test_annotated_beats_are_read_only_when_asked_for(tmp_path: Path) -> None:
    header = write(tmp_path, "16", counts("16", 5000, 2))
    beats = np.array([90, 400, 720, 1900, 4900])
    symbols = ["N", "V", "+", "N", "A"]
    wfdb.wrann("rec", "atr", beats, symbols, fs=360, write_dir=str(tmp_path))
    assert files.read(header).beats is None
    for path in (header, tmp_path / "rec.atr"):
        recording = files.read(path, kind="rr")
        np.testing.assert_allclose(np.array(recording.beats), beats[[0, 1, 3, 4]] / 360)
        np.testing.assert_allclose(recording.tracks[0].samples[:, 0], np.diff(beats[[0, 1, 3, 4]]) / 0.36, rtol=1e-6)


def test_beats_far_apart_are_read_with_the_skip_between_them(tmp_path: Path) -> None:
    write(tmp_path, "16", counts("16", 500, 2))
    beats = np.array([10, 5000, 400_000, 400_300])
    wfdb.wrann("rec", "qrs", beats, ["N"] * 4, write_dir=str(tmp_path))
    np.testing.assert_allclose(np.array(files.read(tmp_path / "rec.qrs").beats), beats / 360)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("rec.dat 16 200/mV 12 0 0 0 0 II\n../rec.dat 16 200/mV 12 0 0 0 0 V5", "not a signal"),
        ("s3://bucket/rec.dat 16 200/mV 12 0 0 0 0 II\nrec.dat 16 200/mV 12 0 0 0 0 V5", "not a signal"),
        ("rec.dat 16 200/mV 12 0 0 0 0 II", "truncated"),
        ("rec.dat 77 200/mV 12 0 0 0 0 II\nrec.dat 77 200/mV 12 0 0 0 0 V5", "format 77"),
        ("other.dat 16 200/mV 12 0 0 0 0 II\nother.dat 16 200/mV 12 0 0 0 0 V5", "no such file"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, line: str, cause: str) -> None:
    header = write(tmp_path, "16", counts("16", 100, 2))
    header.write_text(f"rec 2 360 100\n{line}\n")
    with pytest.raises(BadRecording, match=cause) as caught:
        files.read(header)
    assert str(tmp_path) in str(caught.value)


def test_a_header_that_claims_a_terabyte_takes_no_memory(tmp_path: Path) -> None:
    header = write(tmp_path, "16", counts("16", 100, 2))
    header.write_text(header.read_text().replace("rec 2 360 100", "rec 2 360 500000000000"))
    with pytest.raises(BadRecording, match="values"):
        files.read(header)


def test_a_wrong_rate_is_refused_and_a_missing_signal_file_named(tmp_path: Path) -> None:
    header = write(tmp_path, "16", counts("16", 100, 2))
    with pytest.raises(BadRecording, match="sampled at 360 Hz, not 250 Hz"):
        files.read(header, rate=250)
    (tmp_path / "rec.dat").unlink()
    with pytest.raises(BadRecording, match=r"rec\.dat: there is no such file"):
        files.read(header)


def test_real_records_read_as_the_wfdb_package_reads_them(recordings: Path) -> None:
    found = sorted((recordings / "ecg/wfdb").glob("*.hea"))
    assert found
    for header in found:
        theirs = wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False)
        by_name = dict(zip(theirs.sig_name, theirs.e_p_signal, strict=True))
        read = {name: track for track in files.read(header).tracks for name in track.channels}
        assert read
        for name, track in read.items():
            # wfdb computes in another order: half a count of 16 bits would be 1e-5
            np.testing.assert_allclose(track.channel(name), by_name[name], rtol=1e-6, atol=1e-7, equal_nan=True)
            lines = read_header(header).signals
            assert track.rate == next(theirs.fs * line.per_frame for line in lines if line.name == name)


def test_mitbih_100_is_its_published_counts_and_beats(recordings: Path) -> None:
    truth = np.load(recordings / "ecg/mitbih/100.npz")
    track = files.read(recordings / "ecg/wfdb/100.hea").tracks[0]
    np.testing.assert_array_equal(track.samples[:, 0], (truth["ecg_adu"] / 200).astype(np.float32))
    beats = files.read(recordings / "ecg/wfdb/100.hea", kind="rr").beats
    assert beats is not None
    np.testing.assert_array_equal(np.rint(np.array(beats) * 360), truth["r"])
