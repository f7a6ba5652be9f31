"""FIF and BrainVision: units, types, marks, what is marked bad, and files that lie."""

import gzip
import shutil
import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from sensors import files

RATE, COUNT = 200.0, 4000


def waves(channels: int, seed: int = 0) -> NDArray[np.float64]:
    """Volts of some tens of microvolt."""
    made: NDArray[np.float64] = np.random.default_rng(seed).normal(0, 2e-5, (channels, COUNT))
    return made


def saved(
    path: Path, values: NDArray[np.float64], names: list[str], types: str | list[str] = "eeg", *,
    bads: tuple[str, ...] = (), marks: tuple[tuple[float, float, str], ...] = (), first: int = 0,
    start: datetime | None = None, split: str = "2GB",
) -> Path:  # fmt: skip
    """A file as mne writes it."""
    info = mne.create_info(names, RATE, types, verbose="ERROR")
    info["bads"] = list(bads)
    raw = mne.io.RawArray(values, info, first_samp=first, verbose="ERROR")
    raw.set_meas_date(start)
    if marks:
        onsets, lengths, texts = zip(*marks, strict=True)
        offset = raw.first_time if start is not None else 0.0
        raw.set_annotations(mne.Annotations(np.array(onsets) + offset, lengths, texts, orig_time=start))
    raw.save(path, split_size=split, verbose="ERROR", overwrite=True)
    return path


@pytest.mark.parametrize("name", ["a_raw.fif", "b.fif.gz", "c_eeg.fif", "with space.fif"])
def test_volts_become_microvolts_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    made = saved(tmp_path / ("x_raw.fif.gz" if name.endswith(".gz") else "x_raw.fif"), waves(3), ["Fp1", "Cz", "O2"])
    path = made.rename(tmp_path / name)
    track = files.read(path).tracks[0]
    assert (track.signal, track.rate, track.channels) == ("eeg", RATE, ("Fp1", "Cz", "O2"))
    np.testing.assert_allclose(track.samples.T, waves(3) * 1e6, rtol=1e-5, atol=1e-3)


def test_types_say_what_is_what(tmp_path: Path) -> None:
    names = ["E1", "chest", "belt", "STI 014", "MEG 0111"]
    path = saved(tmp_path / "a_raw.fif", waves(5), names, ["eeg", "ecg", "resp", "stim", "mag"])
    recording = files.read(path)
    assert [(track.signal, track.channels) for track in recording.tracks] == [
        ("eeg", ("E1",)), ("ecg", ("chest",)), ("respiration", ("belt",)),
    ]  # fmt: skip
    np.testing.assert_allclose(recording.of("ecg")[0].samples[:, 0], waves(5)[1] * 1e3, rtol=1e-4, atol=1e-5)
    assert "STI 014 (stim)" in dict(recording.assumed)["not read"]
    assert "MEG 0111 (mag)" in dict(recording.assumed)["not read"]


def test_channels_marked_bad_are_left_out_and_said(tmp_path: Path) -> None:
    recording = files.read(saved(tmp_path / "a_raw.fif", waves(3), ["Fp1", "Cz", "O2"], bads=("Cz",)))
    assert recording.tracks[0].channels == ("Fp1", "O2")
    assert dict(recording.assumed)["not read"] == "Cz (marked bad)"


@pytest.mark.parametrize("start", [None, datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)], ids=["undated", "dated"])
@pytest.mark.parametrize("first", [0, 1000])
def test_spans_marked_bad_are_lost_samples_and_other_marks_are_kept(
    tmp_path: Path, first: int, start: datetime | None
) -> None:
    marks = ((2.0, 3.0, "BAD_movement"), (8.0, 4.0, "eyes closed"), (15.0, 0.0, "stimulus"))
    path = saved(tmp_path / "a_raw.fif", waves(2), ["C3", "C4"], marks=marks, first=first, start=start)
    recording = files.read(path)
    lost = np.isnan(recording.tracks[0].samples).any(axis=1)
    assert np.flatnonzero(lost)[[0, -1]].tolist() == [400, 999]
    assert np.count_nonzero(lost) == 600
    assert "3.0 s that are marked as bad (1 BAD_movement)" in dict(recording.assumed)["not read"]
    found = [(mark.onset, mark.duration, mark.text) for mark in files.annotations(path)]
    assert [(round(onset, 6), length, text) for onset, length, text in found] == [
        (onset, length or None, text) for onset, length, text in marks
    ]


def test_the_date_of_a_file_places_it_in_a_session(tmp_path: Path) -> None:
    for name, second, first in (("a", 0, 0), ("b", 30, 2000)):
        start = datetime(2024, 2, 3, 4, 5, second, tzinfo=UTC)
        saved(tmp_path / f"{name}_raw.fif", waves(1), ["ECG" + name], "ecg", start=start, first=first)
    joined = files.read_session([tmp_path / "b_raw.fif", tmp_path / "a_raw.fif"])
    # the second was switched on ten seconds after its measurement began
    assert sorted(track.seconds[0] for track in joined.tracks) == [0, 40]


def test_further_parts_of_a_recording_are_not_followed_and_that_is_said(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(0, 2e-5, (32, 40_000))
    info = mne.create_info([f"EEG {i:03}" for i in range(32)], RATE, "eeg", verbose="ERROR")
    mne.io.RawArray(values, info, verbose="ERROR").save(tmp_path / "s_raw.fif", split_size="3MB", verbose="ERROR")
    assert (tmp_path / "s_raw-1.fif").is_file()
    recording = files.read(tmp_path / "s_raw.fif")
    assert 0 < len(recording.tracks[0].times) < 40_000
    assert "plit" in dict(recording.assumed)["file"]
    assert recording.assumed == files.read(tmp_path / "s_raw.fif").assumed


def test_a_further_part_that_is_named_with_its_path_is_not_followed_either(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(0, 2e-5, (32, 40_000))
    info = mne.create_info([f"EEG {i:03}" for i in range(32)], RATE, "eeg", verbose="ERROR")
    secret = "x" * (30 - len("_raw-1.fif"))
    mne.io.RawArray(values, info, verbose="ERROR").save(
        tmp_path / f"{secret}_raw.fif", split_size="3MB", verbose="ERROR"
    )
    name = f"{secret}_raw-1.fif"
    elsewhere = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))
    target = str(elsewhere / "1.fif")
    (tmp_path / name).rename(target)
    path = tmp_path / f"{secret}_raw.fif"
    content = path.read_bytes()
    assert content.count(name.encode()) == 1
    # a tag keeps its length: slashes fill it up
    path.write_bytes(content.replace(name.encode(), ("/" * (len(name) - len(target)) + target).encode()))
    try:
        with pytest.raises(BadRecording, match="goes on in another file"):
            files.read(path)
    finally:
        shutil.rmtree(elsewhere)


def test_a_file_without_a_signal_that_is_read_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a_raw.fif", waves(2), ["M1", "M2"], "mag")
    with pytest.raises(BadRecording, match=r"no channel of a signal that is read \(its types: mag\)"):
        files.read(path)
    epochs = mne.EpochsArray(waves(2)[None, :, :400], mne.create_info(["C3", "C4"], RATE, "eeg"), verbose="ERROR")
    epochs.save(tmp_path / "e-epo.fif", verbose="ERROR")
    with pytest.raises(BadRecording, match=r"no raw recording|cannot be read as"):
        files.read(tmp_path / "e-epo.fif")


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, share: float) -> None:
    whole = saved(tmp_path / "a_raw.fif", waves(4), ["C3", "C4", "O1", "O2"]).read_bytes()
    path = tmp_path / "cut_raw.fif"
    path.write_bytes(whole[: max(int(len(whole) * share), 1)])
    with pytest.raises(BadRecording, match=r"cut_raw\.fif"):
        files.read(path)


@pytest.mark.parametrize("seed", range(12))
def test_damage_is_an_error_in_words_or_leaves_a_recording(tmp_path: Path, seed: int) -> None:
    content = bytearray(saved(tmp_path / "a_raw.fif", waves(2), ["C3", "C4"]).read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(16, 6000, 40):
        content[place] = rng.integers(256)
    path = tmp_path / "damaged_raw.fif"
    path.write_bytes(content)
    try:
        assert files.read(path).tracks
    except BadRecording as error:
        assert "damaged_raw.fif" in str(error)  # noqa: PT017


def test_tags_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    tag = struct.Struct(">iIii")
    path = tmp_path / "round_raw.fif"
    path.write_bytes(tag.pack(100, 31, 20, 0) + bytes(20) + tag.pack(300, 4, 4, 36) + bytes(4))
    with pytest.raises(BadRecording, match="round in a circle"):
        files.read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"hello, this is text\n" * 9, "begins otherwise"), (bytes(100), "begins otherwise"),
     (struct.pack(">iIii", 100, 31, 2_000_000_000, 0), "longer than what is left")],
)  # fmt: skip
def test_what_is_no_fif_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "no.fif"
    path.write_bytes(content)
    with pytest.raises(BadRecording, match=words):
        files.read(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sensors.files import source

    monkeypatch.setattr(source, "MOST_BYTES", 100_000)
    path = tmp_path / "bomb.fif.gz"
    path.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(BadRecording, match="more than 100000 bytes when unpacked"):
        files.read(path)


def test_a_rate_that_contradicts_the_file_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a_raw.fif", waves(1), ["Cz"])
    assert files.read(path, rate=200).tracks
    with pytest.raises(BadRecording, match="sampled at 200 Hz, not 250 Hz"):
        files.read(path, rate=250)


def vision(
    folder: Path, *, data: str = "a.eeg", marker: str = "a.vmrk", unit: str = "µV", names: str = "Fz,ECG,EOG"
) -> Path:
    """A BrainVision recording of 16 bit counts of 0.1 unit, and the counts."""
    channels = names.split(",")
    counts = np.random.default_rng(2).integers(-3000, 3000, (COUNT, len(channels)))
    (folder / "a.eeg").write_bytes(counts.astype("<i2").tobytes())
    (folder / "a.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\nDataFile=a.eeg\n\n"
        "[Marker Infos]\nMk1=New Segment,,1,1,0,20240203040506000000\nMk2=Comment,eyes closed,401,800,0\n", "utf-8",
    )  # fmt: skip
    lines = "".join(f"Ch{i + 1}={name},,0.1,{unit}\n" for i, name in enumerate(channels))
    path = folder / "a.vhdr"
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={data}\nMarkerFile={marker}\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={len(channels)}\nSamplingInterval=5000\n\n[Binary Infos]\nBinaryFormat=INT_16\n\n"
        f"[Channel Infos]\n{lines}",
        "utf-8",
    )
    return path


def test_brainvision_comes_in_its_units_with_its_marks(tmp_path: Path) -> None:
    path = vision(tmp_path)
    recording = files.read(path)
    counts = np.frombuffer((tmp_path / "a.eeg").read_bytes(), "<i2").reshape(-1, 3)
    assert {track.signal: (track.channels, track.rate) for track in recording.tracks} == {
        "eeg": (("Fz",), 200.0), "ecg": (("ECG",), 200.0),
    }  # fmt: skip
    np.testing.assert_allclose(recording.of("eeg")[0].samples[:, 0], counts[:, 0] * 0.1, rtol=1e-5)
    np.testing.assert_allclose(recording.of("ecg")[0].samples[:, 0], counts[:, 1] * 1e-4, rtol=1e-5)
    assert "EOG" in dict(recording.assumed)["not read"]
    marks = [(mark.onset, mark.duration, mark.text) for mark in files.annotations(path)]
    assert (2.0, 4.0, "Comment/eyes closed") in marks


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"data": "../../etc/passwd"}, "not beside it"), ({"data": "/etc/passwd"}, "not beside it"),
     ({"data": "b.eeg"}, "needs b.eeg beside it"), ({"data": "..\\\\x.eeg"}, "not beside it|needs"),
     ({"marker": "none.vmrk"}, "needs none.vmrk")],
)  # fmt: skip
def test_names_in_a_header_lead_nowhere_else(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadRecording, match=words):
        files.read(vision(tmp_path, **changes))


def test_a_second_name_in_a_header_leads_nowhere_else_either(tmp_path: Path) -> None:
    path = vision(tmp_path, data="/etc/passwd")
    path.write_text(path.read_text("utf-8") + "\n[Comment]\nDataFile=a.eeg\n", "utf-8")
    with pytest.raises(BadRecording, match="not beside it"):
        files.read(path)


@pytest.mark.parametrize("hidden", ["DataFile: {}", "datafile :{}", "+AEQ-ataFile={}"], ids=["colon", "space", "utf-7"])
def test_a_name_that_is_written_otherwise_leads_nowhere_else_either(tmp_path: Path, hidden: str) -> None:
    (tmp_path / "in").mkdir()
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(6_000))
    path = vision(tmp_path / "in")
    text = path.read_text("utf-8").replace("DataFile=a.eeg", hidden.format(secret))
    if hidden.startswith("+"):
        text = text.replace("Codepage=UTF-8", "Codepage=utf-7")
    path.write_text(f"{text}\n[Comment]\nDataFile=a.eeg\n", "utf-8")
    with pytest.raises(BadRecording, match=r"not beside it|code page 'utf-7'"):
        files.read(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = vision(tmp_path / "in")
    (tmp_path / "in" / "a.eeg").rename(tmp_path / "a.eeg")
    (tmp_path / "in" / "a.eeg").symlink_to(tmp_path / "a.eeg")
    with pytest.raises(BadRecording, match="leads out of its folder"):
        files.read(path)


@pytest.mark.parametrize("text", ["", "hello", "Brain Vision Data Exchange Header File Version 1.0\nDataFile=a.eeg\n"])
def test_what_is_no_header_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = vision(tmp_path)
    path.write_text(text)
    with pytest.raises(BadRecording, match=r"a\.vhdr"):
        files.read(path)


def test_eeg_files_are_found_in_a_folder_and_their_parts_are_not(tmp_path: Path) -> None:
    vision(tmp_path)
    saved(tmp_path / "b_raw.fif", waves(1), ["Cz"])
    found = files.find([tmp_path])
    assert [path.name for path in found.recordings] == ["a.vhdr", "b_raw.fif"]
    assert found.passed_over == ()


def test_eeglab_files_are_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.set").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(BadRecording, match="save it as EDF, BDF or FIF"):
        files.read(tmp_path / "a.set")


@pytest.mark.parametrize(
    "name", ["Fc5.", "EEG F3-Ref", "Fp1-A2", "EEG Cz", "POz", "F7-T3", "Iz..", "EEG F3-REF/LE", "T8-P8", "AF3", "o1"]
)
def test_names_of_electrodes_are_eeg_in_every_format(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f"time,{name}\n" + "".join(f"{i / 250:.3f},{i % 7}\n" for i in range(500)))
    track = files.read(tmp_path / "a.csv").tracks[0]
    assert (track.signal, track.rate) == ("eeg", 250.0)


def test_columns_named_for_electrodes_keep_their_names_without_the_signals(tmp_path: Path) -> None:
    rows = "".join(f"{i / 128:.5f},{4200 + i % 7},{4100 + i % 5},{i % 3}\n" for i in range(500))
    (tmp_path / "a.csv").write_text("Timestamp,EEG.AF3,EEG O1-Ref,ECG\n" + rows)
    recording = files.read(tmp_path / "a.csv")
    assert recording.of("eeg")[0].channels == ("AF3", "O1-Ref")
    assert recording.of("eeg")[0].rate == pytest.approx(128)
    assert recording.of("ecg")[0].channels == ("ECG",)
