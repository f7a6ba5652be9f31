"""CSV and its relatives, NumPy and MATLAB arrays, against the numbers that they were written from."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from kiosk.errors import BadRecording
from sensors import files
from sensors.files import matlab

RATES = (50.0, 100.0, 125.0, 250.0, 256.0, 360.0, 500.0, 1000.0)
TIMES = ("none", "time", "t_s", "time [ms]", "timestamp_us", "iso")


def waves(seed: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Smooth random channels, rounded as they will be written."""
    rng = np.random.default_rng(seed)
    return np.round(np.cumsum(rng.normal(0, 0.1, (rows, columns)), axis=0) * [1, -1, 1][:columns], 6)


def stamps(style: str, rate: float, rows: int) -> list[str]:
    """Times of a regular recording as text."""
    seconds = [i / rate for i in range(rows)]
    if style in ("time", "t_s"):
        return [f"{second:.6f}" for second in seconds]
    if style == "time [ms]":
        return [f"{second * 1e3:.3f}" for second in seconds]
    if style == "timestamp_us":
        return [f"{second * 1e6:.0f}" for second in seconds]
    origin = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    return [(origin + timedelta(seconds=second)).isoformat(sep=" ") for second in seconds]


@given(
    delimiter=st.sampled_from([",", ";", "\t", "|", " "]),
    header=st.booleans(),
    style=st.sampled_from(TIMES),
    comma=st.booleans(),
    rate=st.sampled_from(RATES),
    columns=st.integers(1, 3),
    rows=st.integers(30, 400),
    seed=st.integers(0, 2**32 - 1),
    packed=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_reads_back_what_was_written(
    tmp_path: Path, delimiter: str, header: bool, style: str, comma: bool, rate: float, columns: int, rows: int,
    seed: int, packed: bool, end: str,
) -> None:  # fmt: skip
    if delimiter == " " and style in ("iso", "time [ms]"):
        delimiter = "\t"  # a blank cannot separate what has blanks in it
    if style == "time [ms]" and rate == 1000:
        header = True  # 0, 1, 2 without a name are row numbers for all that anybody can tell
    values = waves(seed, rows, columns)
    cells = [[f"{value:.6f}" for value in row] for row in values]
    times = stamps(style, rate, rows) if style != "none" else None
    if times:
        cells = [[time, *row] for time, row in zip(times, cells, strict=True)]
    if comma and delimiter != ",":
        cells = [[cell if cell[4:5] == "-" else cell.replace(".", ",") for cell in row] for row in cells]
    lines = [delimiter.join(row) for row in cells]
    names = [f"PPG{i}" for i in range(columns)]
    if header:
        lines.insert(0, delimiter.join([*([style if style != "iso" else "datetime"] if times else []), *names]))
    text = (end.join(lines) + end).encode()
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(text) if packed else text)

    track = files.read(path, kind="ppg", rate=None if times else rate).tracks[0]
    np.testing.assert_array_equal(track.samples, values.astype(np.float32))
    assert track.rate == pytest.approx(rate, rel=1e-4)
    np.testing.assert_allclose(track.seconds, np.arange(rows) / rate, atol=1e-4 / rate + 1.1e-6)
    if header:
        assert track.channels == tuple(names)


def test_minus_zero_before_a_comma_makes_it_a_decimal_one(tmp_path: Path) -> None:
    path = put(tmp_path / "one.csv", "".join(f"-0,{value}\n" for value in range(150_000, 150_060)))
    track = files.read(path, kind="ppg", rate=100).tracks[0]
    assert track.samples.shape == (60, 1)
    assert track.samples[0, 0] == np.float32(-0.15)


def put(path: Path, text: str) -> Path:
    """A file with this text."""
    path.write_text(text)
    return path


def rows(values: NDArray[np.floating], *, before: str = "", sep: str = ",") -> str:
    """A table as text."""
    return before + "".join(sep.join(f"{v:.9g}" for v in np.atleast_1d(row)) + "\n" for row in values)


def test_irregular_times_are_honoured(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.integers(25, 45, 300)).astype(np.int64)
    table = np.column_stack((times.astype(np.float64), waves(1, 300, 3)))
    track = files.read(put(tmp_path / "camera.csv", rows(table, before="time,R,G,B\n"))).tracks[0]
    assert (track.signal, track.channels, track.rate) == ("ppg", ("R", "G", "B"), None)
    np.testing.assert_array_equal(track.times, times * 1_000_000)
    np.testing.assert_array_equal(track.samples, table[:, 1:].astype(np.float32))


def test_a_gap_in_steady_times_stays_a_gap(tmp_path: Path) -> None:
    times = np.concatenate((np.arange(500), np.arange(800, 1200))) / 250
    table = np.column_stack((times, waves(2, 900, 1)))
    track = files.read(put(tmp_path / "gap.csv", rows(table, before="time_s,ecg_mV\n"))).tracks[0]
    assert track.rate == 250
    assert [len(part.times) for part in track.segments()] == [500, 400]
    np.testing.assert_array_equal(track.times, np.rint(times * 1e9).astype(np.int64))


def test_one_lost_sample_is_a_gap_even_where_times_are_rounded_to_milliseconds(tmp_path: Path) -> None:
    index = np.delete(np.arange(3000), 1234)
    table = np.column_stack((np.rint(index / 0.36), waves(3, 2999, 1)))
    track = files.read(put(tmp_path / "one.csv", rows(table, before="time_ms,ecg_mV\n"))).tracks[0]
    assert track.rate == pytest.approx(360, rel=1e-5)
    assert [len(part.times) for part in track.segments()] == [1234, 1765]
    np.testing.assert_allclose(track.seconds, index / 360, atol=0.6e-3)


def test_stamps_of_a_slow_clock_give_evenly_spaced_samples(tmp_path: Path) -> None:
    times = np.floor(np.arange(2000) / 125 / 0.0156) * 0.0156
    table = np.column_stack((times, waves(4, 2000, 1)))
    recording = files.read(put(tmp_path / "ticks.csv", rows(table, before="time_s,ppg\n")))
    assert recording.tracks[0].rate == pytest.approx(125, rel=2e-3)
    assert "stamps repeat" in dict(recording.assumed)["time"]


@pytest.mark.parametrize(
    ("times", "cause"),
    [
        ([0, 0.1, 0.2, 0.15, 0.3], "go back at row 4"),
        ([1, 1, 1, 1, 1], "stands still"),
        ([0, 1e9, 2e9, 3e9, 4e9], "lasts"),
    ],
)
def test_times_that_make_no_sense_are_refused(tmp_path: Path, times: list[float], cause: str) -> None:
    table = np.column_stack((times, np.arange(5.0) ** 2))
    with pytest.raises(BadRecording, match=cause):
        files.read(put(tmp_path / "no.csv", rows(table, before="time_s,ppg\n")))


def test_a_table_without_time_says_what_to_pass(tmp_path: Path) -> None:
    path = put(tmp_path / "bare.csv", rows(waves(5, 100, 1), before="ecg_mV\n"))
    with pytest.raises(BadRecording, match=r"bare\.csv: has no time column .* pass --rate HZ"):
        files.read(path)
    assert files.read(path, rate=200).tracks[0].rate == 200


def test_a_rate_that_contradicts_the_times_is_refused(tmp_path: Path) -> None:
    table = np.column_stack((np.arange(300) / 250, waves(6, 300, 1)))
    path = put(tmp_path / "rate.csv", rows(table, before="time_s,ppg\n"))
    assert files.read(path, rate=250).tracks[0].rate == 250
    with pytest.raises(BadRecording, match=r"sampled at 250 Hz .* not 500 Hz"):
        files.read(path, rate=500)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0;1,5\n1;2,25\n2;-3,125\n", [1.5, 2.25, -3.125]),
        ("0,05\n1,25\n0,75\n", [0.05, 1.25, 0.75]),
        ("value\n1,5\n2,5\n3,5\n", [1.5, 2.5, 3.5]),
        ("1\t1,5\n2\t2,5\n3\t3,5\n", [1.5, 2.5, 3.5]),
        ("x,y\n1,5\n2,7\n3,9\n", [5, 7, 9]),
    ],
)
def test_decimal_commas_are_understood_where_they_are_plain(tmp_path: Path, text: str, expected: list[float]) -> None:
    track = files.read(put(tmp_path / "comma.csv", text), kind="ppg", rate=100).tracks[0]
    np.testing.assert_array_equal(track.samples[:, -1], np.array(expected, np.float32))


def test_commas_that_may_be_either_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="commas may be decimal or between columns"):
        files.read(put(tmp_path / "both.csv", "0,05,1,25\n1,10,1,75\n2,15,0,25\n"), kind="ppg", rate=100)


def test_missing_cells_are_lost_samples(tmp_path: Path) -> None:
    text = "time_s,ecg [mV]\n0,0.5\n0.004,\n0.008,NaN\n0.012,NA\n0.016,inf\n0.02,1\n"
    track = files.read(put(tmp_path / "missing.csv", text)).tracks[0]
    np.testing.assert_array_equal(track.samples[:, 0], np.array([0.5, np.nan, np.nan, np.nan, np.nan, 1], np.float32))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            "time_s,ppg\n" + "".join(f"{i / 100},{i % 7}\n" for i in range(100)) + "1.0",
            "line 102 has 1 of 2 columns: is the",
        ),
        (
            "time_s,ppg\n" + "".join(f"{i / 100},{'abc' if i == 60 else i % 7}\n" for i in range(100)),
            "row 61, column 2",
        ),
        ("time_s,ppg\n" + "".join(f"{i / 100},nan\n" for i in range(100)), "no sample is a number|column of numbers"),
        ("hello world, this is a letter\nand not a table\n", "no table of numbers"),
        ("a,b\n", "no table of numbers"),
        ("   \n\n", "no table of numbers"),
    ],
)
def test_damaged_tables_are_refused_with_the_place(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(BadRecording, match=cause):
        files.read(put(tmp_path / "damaged.csv", text), kind="ppg")


def test_units_and_leads_come_from_the_header(tmp_path: Path) -> None:
    table = np.column_stack((np.arange(500) / 500, waves(7, 500, 3) * 1000))
    text = rows(table, before="'Elapsed time','MLII','V5','ABP'\n'seconds','uV','uV','mmHg'\n")
    recording = files.read(put(tmp_path / "physionet.csv", text))
    assert recording.tracks[0].channels == ("MLII", "V5")
    np.testing.assert_allclose(recording.tracks[0].samples, table[:, 1:3] / 1000, rtol=1e-6)
    assert dict(recording.assumed)["not read"] == "ABP"


def test_an_ecg_without_a_unit_is_scaled_by_its_size_and_says_so(tmp_path: Path) -> None:
    one = np.exp(-0.5 * (np.linspace(-1, 1, 250) / 0.03) ** 2)
    wave = np.tile(one, 20)
    for factor, unit in ((1.0, "mV"), (1e-3, "V"), (1e3, "uV")):
        path = put(tmp_path / "unit.csv", rows(wave * factor, before="ECG\n"))
        recording = files.read(path, rate=250)
        assert dict(recording.assumed)["unit"].startswith(unit)
        np.testing.assert_allclose(recording.tracks[0].samples[:, 0], wave, atol=1e-6)


def test_a_wave_without_a_name_is_recognised_by_its_shape_or_refused(tmp_path: Path) -> None:
    time = np.arange(0, 40, 1 / 100)
    phase = 2 * np.pi * 1.1 * time
    pulse = np.sin(phase) + 0.4 * np.sin(2 * phase + 0.7)
    spikes = np.exp(-0.5 * (((time * 1.1) % 1 - 0.5) / 0.012) ** 2)
    noise = np.random.default_rng(0).normal(size=len(time))
    for wave, kind in ((pulse, "ppg"), (spikes, "ecg")):
        recording = files.read(put(tmp_path / "wave.csv", rows(wave)), rate=100)
        assert recording.tracks[0].signal == kind
        assert "from the shape" in dict(recording.assumed)["kind"]
    for nothing in (noise, np.cumsum(noise), np.zeros(4000), np.sin(2 * np.pi * 0.25 * time)):
        with pytest.raises(BadRecording, match="pass --kind"):
            files.read(put(tmp_path / "noise.csv", rows(nothing)), rate=100)


def test_a_file_name_tells_the_kind_where_nothing_else_does(tmp_path: Path) -> None:
    recording = files.read(put(tmp_path / "left_eeg-1.tsv", rows(waves(8, 500, 2), sep="\t")), rate=128)
    assert (recording.tracks[0].signal, dict(recording.assumed)["kind"]) == ("eeg", "eeg, from the file's name")


def test_arrays_are_read_along_their_longer_axis(tmp_path: Path) -> None:
    values = waves(9, 1000, 2)
    for array in (values, values.T, values.astype(np.float32)):
        np.save(tmp_path / "ecg.npy", array)
        track = files.read(tmp_path / "ecg.npy", rate=250, kind="ppg").tracks[0]
        np.testing.assert_array_equal(track.samples, values.astype(np.float32))
    with pytest.raises(BadRecording, match="pass --rate HZ"):
        files.read(tmp_path / "ecg.npy")


def test_arrays_of_python_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BadRecording, match="Python objects"):
        files.read(tmp_path / "evil.npy", rate=250)


def test_matlab_files_tell_rate_time_and_names_by_their_variables(tmp_path: Path) -> None:
    values = waves(10, 2000, 2)
    time = (np.arange(2000) / 200).reshape(-1, 1)
    names = np.array(["MLII", "V1"], dtype=object)
    for content in (
        {"val": values, "Fs": 200.0, "labels": names},
        {"signal": values, "time": time, "header": names},
        {"data": {"ecg": values, "fs": 200, "labels": names}},
    ):
        for packed in (False, True):
            savemat(tmp_path / "m.mat", content, do_compression=packed)
            track = files.read(tmp_path / "m.mat").tracks[0]
            assert (track.signal, track.channels, track.rate) == ("ecg", ("MLII", "V1"), 200)
            np.testing.assert_array_equal(track.samples, values.astype(np.float32))


def holds_what_scipy_loads(path: Path) -> None:
    """Every variable of a MATLAB file, compared."""
    held = matlab.read(path)
    theirs = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    assert theirs
    for name, value in theirs.items():
        if value.dtype.kind in "iuf" and value.size:
            np.testing.assert_array_equal(held.numbers[name], value)
        elif value.dtype.kind == "U":
            assert held.words[name] == [str(word).strip() for word in value.flat]
        elif value.dtype == object:
            assert held.words[name] == ["".join(item.flat) for item in value.flat]


@pytest.mark.parametrize("packed", [False, True])
def test_matlab_variables_are_those_that_scipy_loads(tmp_path: Path, packed: bool) -> None:
    kinds = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64]
    arrays = {f"a{i}": (waves(i, 40, 3) * 9).astype(kind) for i, kind in enumerate(kinds)}
    words = {"empty": np.empty((0, 0)), "word": "µV, long", "rows": np.array(["II", "V5"])}
    savemat(tmp_path / "made.mat", {**arrays, **words}, do_compression=packed)
    holds_what_scipy_loads(tmp_path / "made.mat")


def test_real_matlab_files_hold_what_scipy_loads(recordings: Path) -> None:
    for path in sorted(recordings.rglob("*.mat")):
        holds_what_scipy_loads(path)


def test_matlab_7_3_says_how_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "h.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(600))
    with pytest.raises(BadRecording, match="save it with -v7"):
        files.read(tmp_path / "h.mat")


def test_real_arrays_and_tables_hold_the_numbers_that_numpy_reads(recordings: Path) -> None:
    camera = recordings / "ppg/welltory/subject_03/PPG.csv"
    raw = np.loadtxt(camera, delimiter=",", skiprows=1)
    track = files.read(camera).tracks[0]
    assert track.rate is None
    np.testing.assert_array_equal(track.times, np.rint(raw[:, 0] * 1e6).astype(np.int64))
    np.testing.assert_array_equal(track.samples, raw[:, 1:].astype(np.float32))

    logged = files.read(recordings / "ppg/heartpy/data2.csv").tracks[0]
    again = files.read(recordings / "ppg/heartpy/data2.mat").tracks[0]
    np.testing.assert_array_equal(logged.samples, again.samples)
    assert logged.rate == pytest.approx(again.rate)

    noisy = files.read(recordings / "ecg/noise/118e24.csv", rate=360)
    assert noisy.tracks[0].signal == "ecg"
    np.testing.assert_array_equal(noisy.tracks[0].samples[:, 0],
                                  np.loadtxt(recordings / "ecg/noise/118e24.csv").astype(np.float32))  # fmt: skip


def test_a_wristband_s_folder_becomes_one_session(recordings: Path) -> None:
    folder = recordings / "stress/stress-predict/raw/S02"
    names = ("ACC.csv.gz", "BVP.csv.gz", "EDA.csv.gz", "IBI.csv", "TEMP.csv.gz")
    joined = files.read_session([folder / name for name in names])
    rates = {track.signal: track.rate for track in joined.tracks}
    assert rates == {"acceleration": 32, "ppg": 64, "eda": 4, "rr": None, "skin_temperature": 4}
    assert joined.beats is not None
    assert joined.beats[0] == pytest.approx(603.3125)


def test_a_slow_signal_may_be_sampled_fast(tmp_path: Path) -> None:
    times = np.arange(1250) / 125
    path = tmp_path / "belt.csv"
    table = np.column_stack((times, np.sin(2 * np.pi * 0.3 * times)))
    np.savetxt(path, table, header="time,resp", comments="", delimiter=",", fmt="%.6f")
    (track,) = files.read(path, kind="respiration").tracks
    assert (track.signal, track.rate) == ("respiration", 125.0)
