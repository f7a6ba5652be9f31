"""Folders, kinds, and several files as one session."""

from pathlib import Path

import numpy as np
import pytest

from kiosk.errors import BadRecording
from kiosk.recording import Recording
from sensors import files
from sensors.files.content import Start
from sensors.files.session import join

RR = "800 810 795 820 805 790 815"


def table(path: Path, name: str = "ecg_mV") -> Path:
    """Four seconds of a wave."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"time_s,{name}\n" + "".join(f"{i / 250:.3f},{np.sin(i / 40):.4f}\n" for i in range(1000)))
    return path


def test_a_folder_yields_each_recording_once_and_says_what_it_left(tmp_path: Path) -> None:
    table(tmp_path / "b" / "one.csv")
    table(tmp_path / "a" / ".hidden" / "two.csv")
    table(tmp_path / ".three.csv")
    (tmp_path / "a" / "100.hea").write_text("100 1 360\n100.dat 16\n")
    for name in ("100.dat", "100.atr", "other.dat", "photo.raw", "README.md"):
        (tmp_path / "a" / name).write_bytes(b"\1\2\3\4")
    (tmp_path / "notes.txt").write_text("Patient was calm.\nNothing else.\n")
    (tmp_path / "beats.txt").write_text(RR)
    (tmp_path / "c.EDF").write_bytes(b"0")
    found = files.find([tmp_path])
    assert [str(path.relative_to(tmp_path)) for path in found.recordings] == [
        "a/100.hea", "b/one.csv", "beats.txt", "c.EDF",
    ]  # fmt: skip
    assert {path.name for path in found.passed_over} == {"other.dat", "photo.raw", "README.md", "notes.txt"}


def test_files_that_are_named_are_taken_in_their_order_and_once(tmp_path: Path) -> None:
    one, two = table(tmp_path / "one.csv"), tmp_path / "two.bin"
    two.write_bytes(b"?")
    assert files.find([two, one, tmp_path]).recordings == (two, one)
    with pytest.raises(BadRecording, match="no such file or folder"):
        files.find([tmp_path / "gone"])


def test_segments_of_a_long_record_are_not_records(tmp_path: Path) -> None:
    for name in ("s", "s_0001", "s_layout", "t_0001"):
        (tmp_path / f"{name}.hea").write_text(f"{name} 1\n{name}.dat 16\n")
    assert [path.name for path in files.find([tmp_path]).recordings] == ["s.hea", "t_0001.hea"]


def test_sound_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"1234")
    for asked in ("auto", "voice"):
        with pytest.raises(BadRecording, match="is no sound that can be read"):
            files.read(tmp_path / "a.flac", kind=asked)


def test_unknown_kinds_and_rates_are_refused_with_what_there_is(tmp_path: Path) -> None:
    path = table(tmp_path / "one.csv")
    with pytest.raises(BadRecording, match="no kind 'ekg'; there are auto, rr, ecg"):
        files.read(path, kind="ekg")
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(BadRecording, match="makes no sense"):
            files.read(path, rate=rate)


def test_the_kind_picks_among_the_channels_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    path.write_text(
        "time_s,ecg_mV,ppg,mystery\n" + "".join(f"{i / 250},{i % 50 / 50},{i % 99},{i % 7}\n" for i in range(999))
    )
    both = files.read(path)
    assert [track.signal for track in both.tracks] == ["ecg", "ppg"]
    assert dict(both.assumed)["not read"] == "mystery"
    assert [track.signal for track in files.read(path, kind="ppg").tracks] == ["ppg"]
    eeg = files.read(path, kind="eeg")
    assert (eeg.tracks[0].channels, dict(eeg.assumed)["channel"]) == (("mystery",), "mystery")
    assert files.read(path, kind="ppg", channel="ecg").tracks[0].signal == "ppg"


def test_a_session_joins_files_at_the_times_when_they_began(tmp_path: Path) -> None:
    for name, minute in (("ecg.csv", 10), ("ppg.csv", 12)):
        lines = [f"2024-02-03T04:{minute}:{i / 100:06.3f}Z,{np.sin(i / 9):.4f}" for i in range(1000)]
        (tmp_path / name).write_text(f"datetime,{name[:3]}\n" + "\n".join(lines))
    joined = files.read_session([tmp_path / "ppg.csv", tmp_path / "ecg.csv"], name="visit")
    assert {track.signal: track.seconds[0] for track in joined.tracks} == {"ecg": 0, "ppg": 120}
    assert joined.name == "visit"
    assert joined.duration == pytest.approx(130)


def test_files_without_a_date_begin_together_and_it_is_said(tmp_path: Path) -> None:
    joined = files.read_session([table(tmp_path / "x" / "a.csv"), table(tmp_path / "y" / "a.csv")])
    assert [(track.device, track.seconds[0]) for track in joined.tracks] == [("a", 0), ("a-2", 0)]
    assert "taken to begin together" in dict(joined.assumed)["session"]


def test_a_session_has_one_list_of_beats(tmp_path: Path) -> None:
    for name in ("a_rr.txt", "b_rr.txt"):
        (tmp_path / name).write_text(RR)
    one = files.read(tmp_path / "a_rr.txt")
    moved = join([one, Recording((), "other")], [Start(7 * 10**9, True), Start(0, True)])
    assert moved.beats is not None
    assert moved.beats[:2] == pytest.approx((7, 7.8))
    assert moved.tracks[0].seconds[0] == pytest.approx(7.8)
    with pytest.raises(BadRecording, match="one list of beats"):
        files.read_session([tmp_path / "a_rr.txt", tmp_path / "b_rr.txt"])
    with pytest.raises(BadRecording, match="no recordings"):
        join([])


def test_every_real_file_is_read_or_refused(recordings: Path) -> None:
    found = files.find([recordings / name for name in ("ecg", "ppg", "rr", "icu", "misc")])
    refused = {}
    for path in found.recordings:
        try:
            files.read(path)
        except BadRecording as error:
            refused[path] = str(error)
    assert all(str(path) in text for path, text in refused.items())
    assert len(found.recordings) - len(refused) > 75
