"""EDF, EDF+ and BDF, held to edfio and to bytes written from the specification."""

from datetime import date, time
from pathlib import Path

import edfio
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from sensors import files


def field(text: object, width: int) -> bytes:
    """A header field."""
    return str(text).ljust(width).encode("ascii")[:width]


def write(
    path: Path,
    signals: dict[str, NDArray[np.int64]],
    *,
    per_record: int = 100,
    width: int = 2,
    onsets: list[str] | None = None,
    records: int | None = None,
    unit: str = "uV",
) -> Path:
    """A file of one-second records with 1 unit per count; with `onsets`, EDF+D."""
    bound = 2 ** (8 * width - 1)
    count = len(next(iter(signals.values()))) // per_record
    labels = [*signals, *(["EDF Annotations"] if onsets else [])]
    sizes = [per_record] * len(signals) + [15] * bool(onsets)
    n = len(labels)
    head = b"\xffBIOSEMI" if width == 3 else field(0, 8)
    head += field("X X X X", 80) + field("Startdate X X X X", 80) + b"03.02.2401.02.03" + field(256 * (n + 1), 8)
    head += (
        field("EDF+D" if onsets else "", 44)
        + field(count if records is None else records, 8)
        + field(1, 8)
        + field(n, 4)
    )
    low, high = [-bound] * n, [bound - 1] * n
    columns = [(labels, 16), ([""] * n, 80), ([unit] * n, 8), (low, 8), (high, 8), (low, 8),
               (high, 8), ([""] * n, 80), (sizes, 8), ([""] * n, 32)]  # fmt: skip
    for fields, size in columns:
        head += b"".join(field(value, size) for value in fields)
    body = b""
    for i in range(count):
        for values in signals.values():
            part = values[i * per_record : (i + 1) * per_record].tolist()
            body += b"".join(value.to_bytes(width, "little", signed=True) for value in part)
        if onsets:
            body += f"{onsets[i]}\x14\x14\0{onsets[i]}\x150.5\x14mark {i}\x14\0".encode().ljust(30, b"\0")
    path.write_bytes(head + body)
    return path


def random_counts(seed: int, count: int, width: int = 2) -> NDArray[np.int64]:
    """Counts over the whole range of a sample."""
    bound = 2 ** (8 * width - 1)
    return np.random.default_rng(seed).integers(-bound, bound, count)


def test_what_edfio_writes_is_read_as_edfio_reads_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = edfio.Edf(
        [
            edfio.EdfSignal(rng.normal(0, 50, 2560), 256, label="EEG Fp1-Ref", physical_dimension="uV"),
            edfio.EdfSignal(rng.normal(0, 1, 5000), 500, label="ECG II", physical_dimension="mV"),
            edfio.EdfSignal(rng.normal(0, 1, 250), 25, label="Resp chest", physical_dimension=""),
        ],
        annotations=[edfio.EdfAnnotation(1.5, 2.0, "blink"), edfio.EdfAnnotation(3, None, "eyes closed")],
    )
    made.write(tmp_path / "made.edf")
    theirs = edfio.read_edf(tmp_path / "made.edf")
    recording = files.read(tmp_path / "made.edf")
    assert [(track.signal, track.rate) for track in recording.tracks] == [
        ("eeg", 256),
        ("ecg", 500),
        ("respiration", 25),
    ]
    for track, signal in zip(recording.tracks, theirs.signals, strict=True):
        np.testing.assert_allclose(track.samples[:, 0], signal.data, rtol=1e-6, atol=1e-6)
    marks = files.annotations(tmp_path / "made.edf")
    assert [(mark.onset, mark.duration, mark.text) for mark in marks] == [
        (1.5, 2.0, "blink"),
        (3.0, None, "eyes closed"),
    ]
    assert recording.assumed == ()


def test_bdf_has_samples_of_three_bytes(tmp_path: Path) -> None:
    values = random_counts(1, 500, 3)
    read = files.read(write(tmp_path / "a.bdf", {"EEG Cz": values}, width=3)).tracks[0]
    np.testing.assert_array_equal(read.samples[:, 0], values.astype(np.float32))
    np.testing.assert_allclose(edfio.read_bdf(tmp_path / "a.bdf").signals[0].data, read.samples[:, 0])


def test_a_biosemi_files_triggers_are_no_signal(tmp_path: Path) -> None:
    signals = {"Fp1": random_counts(2, 300, 3), "EXG1": random_counts(3, 300, 3), "Status": random_counts(4, 300, 3)}
    recording = files.read(write(tmp_path / "a.bdf", signals, width=3))
    assert [track.channels for track in recording.tracks] == [("Fp1",)]
    assert dict(recording.assumed)["not read"] == "EXG1"


def test_gaps_between_records_are_jumps_in_time(tmp_path: Path) -> None:
    values = random_counts(2, 500)
    path = write(tmp_path / "gaps.edf", {"ECG": values}, onsets=["+0", "+1", "+5.5", "+6.5", "+100"], unit="mV")
    track = files.read(path).tracks[0]
    assert [(part.seconds[0], len(part.times)) for part in track.segments()] == [(0, 200), (5.5, 200), (100, 100)]
    np.testing.assert_array_equal(track.samples[:, 0], values.astype(np.float32))
    assert [mark.text for mark in files.annotations(path)] == [f"mark {i}" for i in range(5)]


@pytest.mark.parametrize("onsets", [["+0", "+0.5"], ["+2", "+1"], ["nil", "+1"]])
def test_records_that_overlap_or_have_no_time_are_refused(tmp_path: Path, onsets: list[str]) -> None:
    path = write(tmp_path / "wrong.edf", {"ECG": random_counts(3, 200)}, onsets=onsets)
    with pytest.raises(BadRecording, match=r"overlap in time|does not say when"):
        files.read(path)


def test_a_file_still_being_written_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "open.edf", {"ECG": random_counts(4, 300)}, records=-1)
    assert len(files.read(path).tracks[0].times) == 300


@pytest.mark.parametrize(
    ("at", "text", "cause"),
    [
        (236, "99", "truncated: the header says 99 data records, the file has 3"),
        (236, "2", "the header says 2 data records, the file has 3"),
        (244, "0", "lasts no time"),
        (244, "x", "length of a data record"),
        (252, "-3", "number of signals"),
        (252, "2", "with 2 signals it has not|truncated"),
        (184, "1024", "size of the header|it has 1024 bytes"),
        (256 + 104, "-32768", None),
        (256 + 112, "-32768", "no scale"),
        (256 + 112, "9e99", "reaches from"),
        (256 + 120, "40000", "digital minimum"),
        (256 + 216, "0", "has no samples|empty"),
        (256 + 216, "99999999", "samples in a data record"),
    ],
)
def test_a_header_field_that_lies_is_refused_by_name(tmp_path: Path, at: int, text: str, cause: str | None) -> None:
    path = write(tmp_path / "field.edf", {"ECG": random_counts(5, 300)})
    content = bytearray(path.read_bytes())
    width = 4 if at == 252 else 8
    content[at : at + width] = field(text, width)
    path.write_bytes(content)
    if cause is None:  # the field as it was
        assert files.read(path).tracks
        return
    with pytest.raises(BadRecording, match=cause) as caught:
        files.read(path)
    assert "field.edf" in str(caught.value)


def test_a_channel_is_chosen_by_its_name_or_number(tmp_path: Path) -> None:
    path = write(tmp_path / "two.edf", {"EEG F3": random_counts(6, 300), "EEG F4": random_counts(7, 300)})
    assert files.read(path).tracks[0].channels == ("F3", "F4")
    for channel in ("EEG F4", "f4", "2"):
        assert files.read(path, channel=channel).tracks[0].channels == ("F4",)
    with pytest.raises(BadRecording, match=r"no channel 'Pz'; there are EEG F3, EEG F4"):
        files.read(path, channel="Pz")


def test_the_date_of_the_file_places_it_in_a_session(tmp_path: Path) -> None:
    for name, start in (("a", time(10, 0, 0)), ("b", time(10, 1, 30))):
        made = edfio.Edf(
            [edfio.EdfSignal(np.sin(np.arange(1000)), 100, label="ECG" if name == "a" else "PPG")],
            recording=edfio.Recording(startdate=date(2024, 2, 3)),
            starttime=start,
        )
        made.write(tmp_path / f"{name}.edf")
    joined = files.read_session([tmp_path / "b.edf", tmp_path / "a.edf"])
    assert {track.signal: track.seconds[0] for track in joined.tracks} == {"ecg": 0, "ppg": 90}


def test_real_eeg_reads_as_edfio_reads_it(recordings: Path) -> None:
    found = sorted((recordings / "eeg").rglob("*.edf"))[::6]
    assert found
    for path in found:
        theirs = edfio.read_edf(path)
        track = files.read(path).tracks[0]
        assert track.signal == "eeg"
        assert len(track.channels) == len(theirs.signals)
        for i, signal in enumerate(theirs.signals):
            np.testing.assert_allclose(track.samples[:, i], signal.data, rtol=1e-6, atol=1e-5)
            assert track.rate == signal.sampling_frequency
        marks = [(mark.onset, mark.duration, mark.text) for mark in files.annotations(path)]
        assert marks == [(mark.onset, mark.duration, mark.text) for mark in theirs.annotations]
