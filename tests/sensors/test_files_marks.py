"""The marks that files carry come with their recordings: EDF+, BDF+, FIF, BrainVision, and files that lie."""

from datetime import UTC, datetime, time
from pathlib import Path

import edfio
import mne
import numpy as np
import pytest

from analytics import visitor
from analytics.session import session
from kiosk.messages import SECOND
from kiosk.recording import LONGEST_MARK, MOST_MARKS, Context, Mark, Recording, Track
from sensors import files
from sensors.files.content import Start

RATE = 200
NOTED = ((1.5, 2.0, "eyes closed"), (6.0, None, "eyes open"))
KEPT = (Mark(1_500_000_000, "eyes closed", 2.0), Mark(6 * SECOND, "eyes open"))
Noted = tuple[tuple[float, float | None, str], ...]


def edf(path: Path, noted: Noted = NOTED, *, start: time | None = None, label: str = "EEG Cz") -> Path:
    wave = np.random.default_rng(0).normal(0, 20, 10 * RATE)
    edfio.Edf(
        [edfio.EdfSignal(wave, RATE, label=label, physical_dimension="uV")],
        starttime=start,
        annotations=[edfio.EdfAnnotation(*each) for each in noted],
    ).write(path)
    return path


def bdf(path: Path) -> Path:
    wave = np.random.default_rng(0).normal(0, 20, 10 * RATE)
    annotations = [edfio.EdfAnnotation(*each) for each in NOTED]
    edfio.Bdf([edfio.BdfSignal(wave, RATE, label="EEG Cz", physical_dimension="uV")], annotations=annotations).write(
        path
    )
    return path


def fif(path: Path) -> Path:
    info = mne.create_info(["Cz"], RATE, "eeg", verbose="ERROR")
    values = np.random.default_rng(0).normal(0, 2e-5, (1, 10 * RATE))
    raw = mne.io.RawArray(values, info, first_samp=300, verbose="ERROR")
    raw.set_meas_date(datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC))
    onsets = np.array([each[0] for each in NOTED]) + raw.first_time
    raw.set_annotations(
        mne.Annotations(onsets, [each[1] or 0.0 for each in NOTED], [each[2] for each in NOTED], raw.info["meas_date"])
    )
    raw.save(path, verbose="ERROR")
    return path


def vision(path: Path) -> Path:
    path.with_suffix(".eeg").write_bytes(
        np.random.default_rng(0).integers(-300, 300, 10 * RATE).astype("<i2").tobytes()
    )
    path.with_suffix(".vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\n\n[Marker Infos]\nMk1=Comment,eyes closed,301,400,0\n"
        "Mk2=Comment,eyes open,1201,1,0\n",
        "utf-8",
    )
    path.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        "NumberOfChannels=1\nSamplingInterval=5000\n\n[Binary Infos]\nBinaryFormat=INT_16\n\n"
        "[Channel Infos]\nCh1=Cz,,0.1,µV\n",
        "utf-8",
    )
    return path


def appended(path: Path, size: int) -> tuple[Path, bytearray, int]:
    """A file of one data record with so many bytes of annotations: its path, its content, where they begin."""
    head = b"0       " + b"X".ljust(80) + b"X".ljust(80) + b"03.02.2401.02.03" + b"768".ljust(8) + b"EDF+C".ljust(44)
    head += b"1".ljust(8) + b"1".ljust(8) + b"2".ljust(4)
    for width, pair in (
        (16, ("ECG", "EDF Annotations")), (80, ("", "")), (8, ("mV", "")), (8, ("-1", "-1")), (8, ("1", "1")),
        (8, ("-32768", "-32768")), (8, ("32767", "32767")), (80, ("", "")), (8, ("100", str(size // 2))),
        (32, ("", "")),
    ):  # fmt: skip
        head += b"".join(text.encode().ljust(width) for text in pair)
    wave = (np.sin(np.arange(100)) * 9000).astype("<i2").tobytes()
    return path, bytearray(head + wave + bytes(size)), len(head) + len(wave)


def lying(path: Path, noted: bytes) -> Recording:
    path, content, at = appended(path, len(noted) + len(noted) % 2)
    content[at : at + len(noted)] = noted
    path.write_bytes(content)
    return files.read(path)


@pytest.mark.parametrize(("make", "name"), [(edf, "a.edf"), (bdf, "a.bdf"), (fif, "a_raw.fif")])
def test_a_recording_has_its_files_marks(tmp_path: Path, make: object, name: str) -> None:
    assert files.read(make(tmp_path / name)).marks == KEPT  # type: ignore[operator]


def test_what_lasts_one_sample_in_brainvision_is_a_moment(tmp_path: Path) -> None:
    marks = [mark for mark in files.read(vision(tmp_path / "a.vhdr")).marks if "New Segment" not in mark.text]
    assert marks == [
        Mark(1_500_000_000, "Comment/eyes closed", 2.0), Mark(6 * SECOND, "Comment/eyes open"),
    ]  # fmt: skip


def test_a_file_without_marks_gives_none(tmp_path: Path) -> None:
    assert files.read(edf(tmp_path / "a.edf", ())).marks == ()


def test_marks_count_from_the_first_sample_where_a_file_begins_within_a_second(tmp_path: Path) -> None:
    path = edf(tmp_path / "a.edf", start=time(10, 0, 0, 250_000))
    assert files.read(path).marks == KEPT
    theirs = edfio.read_edf(path).annotations
    assert [mark.onset for mark in files.annotations(path)] == pytest.approx([each.onset for each in theirs])


def test_a_gap_moves_no_mark(tmp_path: Path) -> None:
    path = edf(tmp_path / "a.edf", ((7.0, None, "late"),))
    # the last of the ten records begins five seconds later
    path.write_bytes(path.read_bytes().replace(b"EDF+C", b"EDF+D").replace(b"+9\x14\x14", b"+14\x14"))
    recording = files.read(path)
    assert [part.seconds[0] for part in recording.tracks[0].segments()] == [0.0, 14.0]
    assert [mark.time for mark in recording.marks] == [7 * SECOND]


def test_marks_survive_a_join_and_move_with_their_file(tmp_path: Path) -> None:
    head = edf(tmp_path / "head.edf", start=time(10, 0, 20))
    heart = edf(tmp_path / "heart.edf", ((3.0, None, "cough"),), start=time(10, 0, 0), label="ECG II")
    joined = files.read_session([head, heart])
    assert joined.marks == (
        Mark(3 * SECOND, "cough"), Mark(21_500_000_000, "eyes closed", 2.0), Mark(26 * SECOND, "eyes open"),
    )  # fmt: skip
    assert files.read_session([head]).marks == KEPT


def test_joined_marks_are_no_more_than_one_recordings() -> None:
    many = tuple(Mark(at * SECOND, "x") for at in range(MOST_MARKS))
    joined = files.join([Recording((), "a", marks=many), Recording((), "b", marks=many)],
                        [Start(0, True), Start(SECOND // 2, True)])  # fmt: skip
    assert len(joined.marks) == MOST_MARKS
    assert joined.marks[1].time == SECOND // 2


def test_marks_stay_where_another_visitor_is_left_out() -> None:
    samples = np.array([[1.0], [1.0], [2.0]], np.float32)
    motion = Track("face_motion", "camera", ("visitor",), None, np.arange(3, dtype=np.int64), samples)
    alone, changes = visitor.alone(Recording((motion,), marks=KEPT))
    assert len(changes) == 1
    assert alone.marks == KEPT


def test_the_result_lists_them(tmp_path: Path) -> None:
    events = session(files.read(edf(tmp_path / "a.edf")), Context()).events
    assert [(each.event, each.time, each.detail) for each in events] == [
        ("annotation", 1.5, "eyes closed"), ("annotation", 6.0, "eyes open"),
    ]  # fmt: skip


def test_of_a_huge_list_the_first_are_kept_and_that_is_said(tmp_path: Path) -> None:
    noted = b"+0\x14\x14\0" + b"".join(b"+%d\x14mark %d\x14\0" % (i, i) for i in range(2 * MOST_MARKS))
    recording = lying(tmp_path / "many.edf", noted)
    assert len(recording.marks) == MOST_MARKS
    assert recording.marks[-1] == Mark((MOST_MARKS - 1) * SECOND, f"mark {MOST_MARKS - 1}")
    assert f"marks after the first {MOST_MARKS}" in dict(recording.assumed)["not read"]


def test_a_huge_text_is_cut(tmp_path: Path) -> None:
    recording = lying(tmp_path / "long.edf", b"+0\x14\x14\0+1\x14" + b"x" * 3_000_000 + b"\x14\0+2\x14after\x14\0")
    assert [(mark.time, len(mark.text)) for mark in recording.marks] == [(SECOND, LONGEST_MARK), (2 * SECOND, 5)]


@pytest.mark.parametrize(
    ("noted", "kept"),
    [
        (b"+1\x14eyes \x1b]0;\x07closed\r\x14\0", ((1.0, "eyes ]0; closed"),)),
        (b"+1\x14\xff\xfe\x14\0", ((1.0, "\ufffd\ufffd"),)),
        (b"+999999999999\x14far\x14\0+1\x14near\x14\0", ((1.0, "near"),)),
        (b"+1\x15-5\x14a\x14\0+2\x15nan\x14b\x14\0", ((1.0, "a"), (2.0, "b"))),
        (b"1\x14no sign\x14\0++1\x14two\x14\0+1e5\x14e\x14\0", ()),
        (b"+3\x14c\x14d\x14\0-1\x14before\x14\0", ((-1.0, "before"), (3.0, "c"), (3.0, "d"))),
        (b"+1\x14its end is forgotten", ((1.0, "its end is forgotten"),)),
        (b"\x14" * 200_000, ()),
        (b"+1\x14" * 50_000, ()),
        (b"\x01\x02" * 100_000, ()),
    ],
    ids=["control", "undecodable", "far", "duration", "onset", "order", "open", "ends", "onsets", "garbage"],
)
def test_a_damaged_list_gives_what_can_be_read(
    tmp_path: Path, noted: bytes, kept: tuple[tuple[float, str], ...]
) -> None:
    recording = lying(tmp_path / "damaged.edf", noted)
    if noted.startswith(b"+1\x14+1"):
        # each of them is a text of the one before it
        assert {mark.text for mark in recording.marks} == {"+1"}
        assert len(recording.marks) <= MOST_MARKS
        return
    assert tuple((mark.time / SECOND, mark.text) for mark in recording.marks) == kept
    assert len(recording.tracks[0].times) == 100


def test_marks_that_mne_cannot_place_are_left_out(tmp_path: Path) -> None:
    from sensors.files.content import Annotation
    from sensors.files.marks import marks

    nowhere = [Annotation(onset, None, "x") for onset in (float("nan"), float("inf"), -1e300)]
    assert marks([*nowhere, Annotation(2.0, float("nan"), "y")]) == (Mark(2 * SECOND, "y"),)
