"""Whatever is done to a file, reading it ends in a recording or in BadRecording that names it - never otherwise."""

import gzip
import random
import struct
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from kiosk.errors import BadRecording
from kiosk.recording import Recording
from sensors import files

WAVE = np.round(np.random.default_rng(0).normal(0, 0.5, (300, 2)), 4)
TABLE = "time_s,ecg_mV,V5\n" + "".join(f"{i / 250:.3f},{a},{b}\n" for i, (a, b) in enumerate(WAVE))
KINDS = ("auto", "ecg", "ppg", "rr", "eeg", "acceleration")


def edf(path: Path) -> None:
    """Two rates and annotations."""
    signals = [edfio.EdfSignal(WAVE[:, 0], 100, label="ECG"), edfio.EdfSignal(WAVE[:150, 1], 50, label="EEG Cz")]
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(1, 0.5, "mark")]).write(path)


def edf_with_gaps(path: Path) -> None:
    """The same as EDF+D."""
    edf(path)
    content = bytearray(path.read_bytes())
    content[192:197] = b"EDF+D"
    path.write_bytes(content)


def record(path: Path) -> None:
    """A WFDB record with beats; the path is its header."""
    counts = np.rint(WAVE * 200).astype("<i2")
    path.with_suffix(".dat").write_bytes(counts.tobytes())
    stem = path.stem
    path.write_text(f"{stem} 2 360 300\n{stem}.dat 16 200/mV 12 0 0 0 0 MLII\n{stem}.dat 16 200(5)/uV 12 0 0 0 0 V5\n")
    marks = [(1 << 10) | 90, (1 << 10) | 100, (59 << 10), 0, 800, (5 << 10) | 10, (63 << 10) | 3, 0x4142, 0x43, 0]
    path.with_suffix(".atr").write_bytes(struct.pack(f"<{len(marks)}H", *marks))


def matlab(path: Path) -> None:
    """Everything that is looked at."""
    content = {"val": WAVE, "Fs": 250.0, "labels": np.array(["II", "V5"], dtype=object), "s": {"a": 1.0, "b": "text"}}
    savemat(path, content)


def packed_matlab(path: Path) -> None:
    """The same, compressed."""
    savemat(path, {"ecg": WAVE, "time": np.arange(300) / 250}, do_compression=True)


def intervals(path: Path) -> None:
    """One interval a line."""
    path.write_text("# rr\n" + "\n".join(str(800 + 7 * (i % 9)) for i in range(60)) + "\n")


WRITERS: dict[str, Callable[[Path], object]] = {
    "a.edf": edf,
    "d.edf": edf_with_gaps,
    "r.hea": record,
    "m.mat": matlab,
    "p.mat": packed_matlab,
    "n.npy": lambda path: np.save(path, WAVE),
    "t.csv": lambda path: path.write_text(TABLE),
    "z.csv.gz": lambda path: path.write_bytes(gzip.compress(TABLE.encode())),
    "s.txt": lambda path: path.write_text(
        "# Sampling Rate (Hz):= 250\n# Labels:= ECG\tPPG\tEDA\n" + TABLE.split("\n", 1)[1]
    ),
    "i.rr": intervals,
}
OPTIONS: dict[str, float | None] = {"n.npy": 250.0, "s.txt": None}
# cut at any place, these can tell; the others end in text, whose last line may be shorter
TELL = ("a.edf", "d.edf", "m.mat", "p.mat", "n.npy", "z.csv.gz")


def attempt(path: Path, kind: str = "auto", rate: float | None = None) -> Recording | None:
    """The recording, or None where it was refused as it should be."""
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            recording = files.read(path, kind=kind, rate=rate)
        except BadRecording as error:
            refusal: BadRecording | None = error
            recording = None
        else:
            refusal = None
    assert time.perf_counter() - began < 5
    if recording is None:
        assert path.stem.split(".")[0] in str(refusal)
        return None
    for track in recording.tracks:
        assert not np.isinf(track.samples).any()
        assert len(track.times)
    assert recording.tracks or recording.beats
    return recording


@pytest.mark.parametrize("name", WRITERS)
def test_the_undamaged_file_is_read(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert attempt(tmp_path / name, "ecg" if name == "n.npy" else "auto", OPTIONS.get(name)) is not None


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_cut_off_anywhere_is_refused_or_shorter(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    places = {*range(min(len(content), 1100)), *range(0, len(content), 41), *range(len(content) - 40, len(content))}
    for place in sorted(places):
        (tmp_path / name).write_bytes(content[:place])
        found = attempt(tmp_path / name, rate=OPTIONS.get(name))
        if name in TELL:
            assert found is None, place


@pytest.mark.parametrize("suffix", [".dat", ".atr"])
def test_a_record_s_other_files_cut_off_anywhere_are_refused(tmp_path: Path, suffix: str) -> None:
    record(tmp_path / "r.hea")
    part = tmp_path / f"r{suffix}"
    content = part.read_bytes()
    for place in range(len(content)):
        part.write_bytes(content[:place])
        assert attempt(part if suffix == ".atr" else tmp_path / "r.hea") is None, place


def mutated(content: bytes, seed: int) -> bytes:
    """A few bits flipped, bytes replaced, stretches removed, repeated or filled."""
    dice = random.Random(seed)
    made = bytearray(content)
    for _ in range(dice.randint(1, 6)):
        if not made:
            break
        # half of the damage where the structure is
        at = dice.randrange(min(len(made), 1200) if dice.random() < 0.5 else len(made))
        length = dice.randint(1, 16)
        action = dice.randrange(6)
        if action == 0:
            made[at] ^= 1 << dice.randrange(8)
        elif action == 1:
            made[at : at + length] = dice.randbytes(length)
        elif action == 2:
            del made[at : at + length]
        elif action == 3:
            made[at:at] = made[at : at + length]
        elif action == 4:
            made[at : at + length] = bytes([dice.choice(b"\x00\xff09-., \n#eE")]) * length
        else:
            made[at:at] = dice.choice([b"1e999", b"nan", b"-1", b"99999999", b"\n\n", b",", b'"', b"\x00" * 4])
    return bytes(made)


@pytest.mark.parametrize("name", [*WRITERS, "r.dat", "r.atr"])
def test_a_damaged_file_is_refused_or_read(tmp_path: Path, name: str) -> None:
    if name.startswith("r."):
        record(tmp_path / "r.hea")
    else:
        WRITERS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    for seed in range(400):
        (tmp_path / name).write_bytes(mutated(content, seed))
        attempt(tmp_path / name, KINDS[seed % len(KINDS)], OPTIONS.get(name) if seed % 3 else None)


NAMES = ("x.csv", "x.txt", "x.tsv", "x.edf", "x.bdf", "x.hea", "x.atr", "x.npy", "x.mat", "x.rr", "x.csv.gz", "x")
HEADS = (b"", b"0       ", b"\xffBIOSEMI", b"\x93NUMPY\x01\x00", b"time,ecg\n", b"\x1f\x8b\x08\x00", b"MATLAB 5.0")


@given(
    content=st.one_of(
        st.binary(max_size=3000),
        st.text(alphabet="0123456789.,;-+eE \t\n\r\"'#nanN:T[](){}|", max_size=800).map(str.encode),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")),
    ),
    name=st.sampled_from(NAMES),
    head=st.sampled_from(HEADS),
    kind=st.sampled_from(KINDS),
    rate=st.sampled_from([None, 0.01, 250.0]),
)  # fmt: skip
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused_or_read(
    tmp_path: Path, content: bytes, name: str, head: bytes, kind: str, rate: float | None
) -> None:
    (tmp_path / name).write_bytes(head + content)
    attempt(tmp_path / name, kind, rate)


@pytest.mark.parametrize(
    "cell", ["1" * 300_000, "a" * 300_000, '"' * 99_999, "1," * 150_000, "[" * 200_000, "-" * 200_000]
)
def test_endless_cells_take_no_endless_time(tmp_path: Path, cell: str) -> None:
    for before in ("", "time,ecg\n0,1\n1,2\n", "# "):
        (tmp_path / "x.csv").write_text(f"{before}{cell}\n1,{cell}\n")
        attempt(tmp_path / "x.csv", rate=250)


def test_what_is_absent_empty_or_a_folder_is_refused(tmp_path: Path) -> None:
    for name in WRITERS:
        with pytest.raises(BadRecording, match="there is no such file"):
            files.read(tmp_path / name)
        (tmp_path / name).touch()
        with pytest.raises(BadRecording, match="empty"):
            files.read(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadRecording, match="no file"):
        files.read(tmp_path / "folder.csv")


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.files.source.MOST_BYTES", 100_000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 100_000))
    with pytest.raises(BadRecording, match="when unpacked"):
        files.read(tmp_path / "bomb.csv.gz")
    (tmp_path / "big.csv").write_bytes(b"1,2\n" * 100_000)
    with pytest.raises(BadRecording, match="bytes, at most"):
        files.read(tmp_path / "big.csv")
