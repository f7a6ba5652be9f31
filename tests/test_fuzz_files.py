"""Whatever bytes a file has, reading and analysing it ends in readings or in BadRecording; noise has no heart rate.

KIOSK_FUZZ_EXAMPLES=20000 pytest --timeout 0 tests/test_fuzz_files.py digs deeper than the suite does.
"""

import gzip
import io
import os
import struct
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from analytics.session import session
from kiosk.errors import BadRecording
from kiosk.recording import Context
from sensors import files
from sensors.drivers.simulated import Body, Person

EXAMPLES = int(os.environ.get("KIOSK_FUZZ_EXAMPLES", "250"))
SECONDS = 12
TIMES = np.arange(SECONDS * 100) / 100
ECG = np.round(Body(Person(seed=4, heart_rate=70)).ecg(TIMES).reshape(-1), 4)
LARGEST = 120_000_000
"""Bytes that a small file may take while it is read: a lie in its header must not reserve more."""


def record(path: Path, wave: np.ndarray) -> None:
    counts = np.rint(wave * 200).astype("<i2")
    path.with_suffix(".dat").write_bytes(counts.tobytes())
    path.write_text(f"{path.stem} 1 100 {len(counts)}\n{path.stem}.dat 16 200/mV 16 0 0 0 0 II\n")


def edf(path: Path, wave: np.ndarray) -> None:
    edfio.Edf([edfio.EdfSignal(wave, 100, label="ECG II", physical_dimension="mV")]).write(path)


def bdf(path: Path, wave: np.ndarray) -> None:
    edfio.Bdf([edfio.BdfSignal(wave, 100, label="ECG II", physical_dimension="mV")]).write(path)


def annotations(path: Path, wave: np.ndarray) -> None:
    record(path.with_suffix(".hea"), wave)
    steps = [(1 << 10) | 80] * 14
    path.write_bytes(struct.pack(f"<{len(steps) + 1}H", *steps, 0))


def lines(head: str, rows: str, wave: np.ndarray) -> str:
    return head + "".join(
        rows.format(
            i=i, s=t, ms=round(1000 * t), x=x, comma=f"{x:.4f}".replace(".", ","), m=int(t) // 60, sec=t % 60,
            r=200 + x, g=round(60 + 9 * x, 3), b=round(20 - x, 3), jitter=t + 0.003 * (i % 3),
        )
        for i, (t, x) in enumerate(zip(TIMES, wave, strict=True))
    )  # fmt: skip


def text(head: str, rows: str) -> Callable[[Path, np.ndarray], object]:
    return lambda path, wave: path.write_text(lines(head, rows, wave), "utf-8")


def intervals(wave: np.ndarray, form: str, between: str) -> str:
    lengths = 800 + 60 * np.sin(np.arange(40)) + 0 * wave[:40]
    return between.join(form.format(length, length / 1000) for length in lengths)


WAVES: Mapping[str, Callable[[Path, np.ndarray], object]] = {
    "record.hea": record,
    "a.edf": edf,
    "a.bdf": bdf,
    "a.mat": lambda path, wave: savemat(path, {"val": wave, "Fs": 100.0, "labels": np.array(["II"], dtype=object)}),
    "packed.mat": lambda path, wave: savemat(path, {"ecg": wave, "time": TIMES}, do_compression=True),
    "a.npz": lambda path, wave: np.savez_compressed(
        path, ecg_adu=np.rint(wave * 200).astype(np.int16), adu_per_mV=200, fs=100
    ),
    "table.csv": text("time_s,ecg_mV\n", "{s:.3f},{x}\n"),
    "semicolon.csv": text('\ufeff"Zeit";"time_ms";"ecg_mV"\r\n', "{i};{ms};{comma}\r\n"),
    "stamps.tsv": text("datetime\tecg_mV\n", "2024-02-03T04:{m:02d}:{sec:06.3f}Z\t{x}\n"),
    "signals.txt": text("# Sampling Rate (Hz):= 100\n# Labels:= ECG\n", "{x}\n"),
    "e4_ecg.csv": text("1600000000.0\n100.0\n", "{x}\n"),
    "packed.csv.gz": lambda path, wave: path.write_bytes(
        gzip.compress(lines("time_s,ecg_mV\n", "{s:.3f},{x}\n", wave).encode())
    ),
}
OTHERS: Mapping[str, Callable[[Path, np.ndarray], object]] = {
    "beats.atr": annotations,
    "a.npy": np.save,
    "camera.csv": text("time,R,G,B\n", "{jitter:.4f},{r},{g},{b}\n"),
    "polar.hrm": lambda path, wave: path.write_text(
        "[Params]\nVersion=106\nInterval=238\n\n[HRData]\n" + intervals(wave, "{0:.0f}", "\n") + "\n"
    ),
    "rr.txt": lambda path, wave: path.write_text(intervals(wave, "{1:.3f}", " ")),
    "a.nn": lambda path, wave: path.write_text(intervals(wave, "{0:.1f}", ",")),
}
SEEDS = {**WAVES, **OTHERS}
LATER_PARTS = {"record.hea": ".dat"}
"""Files beside the first one, which are damaged too."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One damage: what, where (as a share of the file), how much, with what."""

    action: str
    place: float
    length: int
    payload: bytes


PAYLOADS = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from(
        [b"1e999", b"-1", b"nan", b"inf", b"99999999999999999999", b"\n\n", b"\r", b",", b";", b'"', b"\x00" * 8,
         b"\xff" * 8, b"0", b"1e-320", b"2147483648", b"\xef\xbb\xbf", b"-", b"#", b"=", b"1600000000"]
    ),
)  # fmt: skip
EDITS = st.lists(
    st.builds(
        Edit,
        st.sampled_from(("flip", "replace", "insert", "cut", "repeat", "truncate", "reverse", "splice")),
        st.one_of(st.floats(0, 1), st.floats(0, 0.05)),
        st.integers(1, 400),
        PAYLOADS,
    ),
    min_size=1,
    max_size=5,
)


def edited(content: bytes, edit: Edit) -> bytes:
    at = int(edit.place * max(0, len(content) - 1))
    before, part, after = content[:at], content[at : at + edit.length], content[at + edit.length :]
    match edit.action:
        case "flip":
            return before + bytes(byte ^ 1 << edit.length % 8 for byte in part[:1]) + part[1:] + after
        case "replace":
            return content[:at] + edit.payload + content[at + len(edit.payload) :]
        case "insert":
            return before + edit.payload + part + after
        case "cut":
            return before + after
        case "repeat":
            return before + part * 3 + after
        case "truncate":
            return before
        case "reverse":
            return before + part[::-1] + after
        case _:
            return after + before


def analysed(path: Path, kind: str = "auto", rate: float | None = None) -> list[float]:
    """Values of a file's readings; nothing where it is refused. Anything else that happens fails the test."""
    began = time.process_time()
    refusal = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            recording = files.read(path, kind=kind, rate=rate)
        except BadRecording as error:
            refusal = str(error)
            recording = None
        if recording is None:
            assert path.stem in refusal
            return []
        assert recording.tracks or recording.beats
        assert all(np.isfinite(track.samples).any() and len(track.times) for track in recording.tracks)
        result = session(recording, Context(), vote=False)
    assert time.process_time() - began < 10
    values = [reading.value for reading in result.readings if reading.value is not None]
    assert np.isfinite(values).all()
    assert np.isfinite(result.beats).all()
    assert all(reading.value is not None or reading.absent for reading in result.readings)
    return values


class Seeds:
    """Valid files, each with what belongs beside it. A class, because hypothesis prints what is data."""

    def __init__(self, files: Mapping[str, Mapping[str, bytes]]) -> None:
        self.files = files


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    """Made once: examples damage their bytes."""
    made = {}
    for name, write in SEEDS.items():
        folder = tmp_path_factory.mktemp("seed")
        write(folder / name, ECG)
        made[name] = {path.name: path.read_bytes() for path in folder.iterdir()}
    return Seeds(made)


@pytest.mark.parametrize("name", SEEDS)
def test_the_undamaged_file_is_read(tmp_path: Path, name: str) -> None:
    SEEDS[name](tmp_path / name, ECG)
    recording = files.read(tmp_path / name, kind="ecg" if name == "a.npy" else "auto", rate=_rate(name))
    assert recording.duration > 5


@pytest.mark.parametrize("name", WAVES)
def test_noise_in_any_format_is_no_heart(tmp_path: Path, name: str) -> None:
    noise = np.round(np.random.default_rng(5).normal(0, 0.4, len(TIMES)), 4)
    WAVES[name](tmp_path / name, noise)
    assert files.read(tmp_path / name).tracks[0].signal == "ecg"
    assert analysed(tmp_path / name) == []


@given(name=st.sampled_from(sorted(SEEDS)), edits=EDITS, beside=st.booleans(), kind=st.sampled_from(files.KINDS))
@settings(
    max_examples=EXAMPLES, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_damaged_files_are_refused_or_analysed(
    tmp_path: Path, seeds: Seeds, name: str, edits: list[Edit], beside: bool, kind: str
) -> None:
    folder = tmp_path / "case"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    broken = Path(name).with_suffix(LATER_PARTS[name]).name if beside and name in LATER_PARTS else name
    for each, content in seeds.files[name].items():
        damaged = content
        for edit in edits if each == broken else ():
            damaged = edited(damaged, edit)
        (folder / each).write_bytes(damaged)
    analysed(folder / name, "auto" if len(edits) % 2 else kind, _rate(name))


@given(
    name=st.sampled_from(["x.csv", "x.txt", "x_rr.txt", "x.npz", "x.hrm", "x.bdf", "x.mat", "x.hea", "x"]),
    cells=st.lists(
        st.lists(
            st.one_of(
                st.floats().map(repr), st.integers().map(str),
                st.sampled_from(["", "time", "ecg", "nan", "12:00:01.5", "2020-01-01T00:00:00", "1,5", '"', "R", "ms"]),
            ),
            min_size=1, max_size=4,
        ),
        max_size=60,
    ),
    delimiter=st.sampled_from([",", ";", "\t", " ", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)  # fmt: skip
@example(name="x.csv", cells=[["8.98846567431158e+307"]] * 6, delimiter=",", encoding="utf-8")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tables_of_anything_are_refused_or_analysed(
    tmp_path: Path, name: str, cells: list[list[str]], delimiter: str, encoding: str
) -> None:
    content = "\n".join(delimiter.join(row) for row in cells)
    (tmp_path / name).write_bytes(content.encode(encoding))
    analysed(tmp_path / name)


def _lying_zip() -> bytes:
    """A directory that says one byte of a member that unpacks to many."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("ecg.npy", b"\x93NUMPY" + b"\0" * 150_000_000)
    content = packed.getvalue()
    return content.replace(struct.pack("<I", 150_000_006), struct.pack("<I", 64))


def _npy(head: str) -> bytes:
    text = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + b"\0" * 100


def _edf(records: str, count: str) -> bytes:
    fields = ["0".ljust(8), "p".ljust(80), "r".ljust(80), "01.01.0001.01.01", "512".ljust(8), "".ljust(44)]
    fields += [records.ljust(8), "1".ljust(8), "1".ljust(4), "ECG".ljust(16), "".ljust(80), "mV".ljust(8)]
    fields += ["-5".ljust(8), "5".ljust(8), "-32768".ljust(8), "32767".ljust(8), "".ljust(80), count.ljust(8)]
    return ("".join(fields) + "".ljust(32)).encode() + b"\0" * 200


LIES: Mapping[str, Callable[[], bytes]] = {
    "billions.npy": lambda: _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
    "wide.npy": lambda: _npy("{'descr': '<U99999999', 'fortran_order': False, 'shape': (99,), }"),
    "negative.npy": lambda: _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-5, -5), }"),
    "nested.npy": lambda: _npy("{'descr': " + "[" * 50 + "}"),
    "zip.npz": _lying_zip,
    "records.edf": lambda: _edf("99999999", "1"),
    "samples.edf": lambda: _edf("1", "99999999"),
    "endless.edf": lambda: _edf("-1", "99999999"),
    "frames.hea": lambda: b"frames 1 100 999999999999999\nframes.dat 16 200 16 0 0 0 0 II\n",
    "segments.hea": lambda: b"segments/999999 1 100 999999999\n" + b"~ 999999999999999\n" * 20,
    "signals.hea": lambda: b"signals 9999 100 10\n" + b"signals.dat 16 200 16 0 0 0 0 II\n" * 9999,
    "skew.hea": lambda: b"skew 1 100 10\nskew.dat 16x999999:999999999+999999999999 200 16 0 0 0 0 II\n",
    "columns.csv": lambda: b"1," * 200_000 + b"\n" + b"1," * 200_000,
    "unpacks.csv.gz": lambda: gzip.compress(b"0.1\n" * 10_000_000, 9)[:20_000],
    "far.csv": lambda: b"time_s,ecg\n0,1\n" + b"".join(b"%d,1\n" % 10**i for i in range(1, 19)),
    "close.csv": lambda: b"time_s,ecg\n" + b"".join(b"%.12f,1\n" % (i * 1e-12) for i in range(99)),
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_reserves_no_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(LIES[name]())
    path.with_suffix(".dat").write_bytes(b"\1\0" * 200)
    tracemalloc.start()
    try:
        with pytest.raises(BadRecording):
            files.read(path, kind="ecg", rate=100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGEST


def _rate(name: str) -> float | None:
    """What the file does not say."""
    return 100.0 if name == "a.npy" else None
