"""Folders of pictures: their times are said by somebody, or there are none and the folder is refused."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk.errors import BadRecording
from sensors.frames.folder import folder, timed
from tests.sensors.station.portrait import number_of, numbered

PLAIN = np.full((24, 32, 3), 90, np.uint8)


def fill(path: Path, names: list[str]) -> Path:
    path.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        Image.fromarray(numbered(PLAIN, number)).save(path / name)
    return path


def milliseconds(path: Path, rate: float | None = None) -> list[float]:
    return [each.at / 1e6 for each in timed(path, rate=rate)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1000000000.png", "1033000000.png", "1070000000.png"], [0, 33, 70]),  # ns
        (["1700000000000000000.png", "1700000000033000000.png"], [0, 33]),  # ns since 1970
        (["1700000000000000.png", "1700000000033000.png"], [0, 33]),  # us since 1970
        (["frame_0.png", "frame_33.png", "frame_70.png"], [0, 33, 70]),  # ms
        (["0000.png", "0033.png", "0900.png", "0933.png"], [0, 33, 900, 933]),  # a gap stays a gap
        (["t0.00.png", "t0.04.png", "t0.09.png"], [0, 40, 90]),  # seconds
        (["single7.png"], [0]),
    ],
)
def test_names_that_are_times_are_times(tmp_path: Path, names: list[str], expected: list[float]) -> None:
    path = fill(tmp_path / "take", names)
    assert milliseconds(path) == expected
    assert [number_of(frame.pixels) for frame in folder(path)] == list(range(len(names)))


def test_names_are_ordered_as_numbers(tmp_path: Path) -> None:
    path = fill(tmp_path / "take", ["f100.png", "f140.png", "f60.png", "f20.png"])
    assert [each.path.name for each in timed(path)] == ["f20.png", "f60.png", "f100.png", "f140.png"]


def test_a_count_needs_the_rate_at_which_it_was_taken(tmp_path: Path) -> None:
    path = fill(tmp_path / "take", ["img_0001.png", "img_0002.png", "img_0004.png"])
    with pytest.raises(BadRecording, match=r"go up by 1\.5, which is no time .* say at which rate"):
        timed(path)
    assert milliseconds(path, rate=25) == [0, 40, 120]
    # every tenth picture of a film is no picture every ten milliseconds
    every_tenth = fill(tmp_path / "tenth", [f"{number:05}.png" for number in range(0, 100, 10)])
    with pytest.raises(BadRecording, match="say at which rate"):
        timed(every_tenth)
    assert milliseconds(every_tenth, rate=30)[:2] == [0, pytest.approx(1000 / 3)]
    for wrong in (0.0, -1.0, float("nan"), 1e9):
        with pytest.raises(BadRecording, match="are no rate"):
            timed(path, rate=wrong)


@pytest.mark.parametrize(("unit", "scale"), [("seconds", 1e-9), ("s", 1e-9), ("ms", 1e-6), ("us", 1e-3), ("ns", 1)])
def test_a_table_says_the_times_whatever_the_names(tmp_path: Path, unit: str, scale: float) -> None:
    path = fill(tmp_path / "take", ["b.png", "a.png", "1.png"])
    times = {"a.png": 40_000_000, "b.png": 0, "1.png": 95_000_000}
    rows = [f"{name},{at * scale:.9f}" for name, at in times.items()]
    (path / "times.csv").write_text(f"File,{unit}\n" + "\n".join(rows) + "\n")
    assert [(each.path.name, each.at) for each in timed(path)] == [
        ("b.png", 0), ("a.png", 40_000_000), ("1.png", 95_000_000),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("", "needs the columns"),
        ("file,when\na.png,0\n", "needs the columns"),
        ("file,ms\na.png,0\n", "no time for b.png"),
        ("file,ms\na.png,0\nb.png,x\n", "line 3 has no time"),
        ("file,ms\na.png,0\nb.png,nan\n", "line 3 has no time"),
        ("file,ms\na.png,0\nb.png,1e400\n", "line 3 has no time"),
        ("file,ms\na.png,0\na.png,40\n", "line 3 names no picture"),
        ("file,ms\na.png,0\n../c.png,40\n", "line 3 names no picture"),
        ("file,ms\na.png,0\nb.png\n", "line 3 names no picture"),
        ("file,ms\na.png,40\nb.png,40\n", "same time in times.csv"),
    ],
)
def test_a_wrong_table_is_refused_in_words(tmp_path: Path, table: str, why: str) -> None:
    path = fill(tmp_path / "take", ["a.png", "b.png"])
    (path / "times.csv").write_text(table)
    with pytest.raises(BadRecording, match=why):
        timed(path)


def photo(path: Path, taken: str | None, fraction: str | None = None) -> None:
    exif = Image.Exif()
    block = exif.get_ifd(0x8769)
    if taken is not None:
        block[0x9003] = taken
    if fraction is not None:
        block[0x9291] = fraction
    Image.fromarray(PLAIN).save(path, exif=exif)


def test_times_of_exif_data_count_with_their_fractions(tmp_path: Path) -> None:
    photo(tmp_path / "one.jpg", "2024:05:06 07:08:09", "250")
    photo(tmp_path / "two.jpg", "2024:05:06 07:08:10", "5")
    photo(tmp_path / "three.jpg", "2024:05:06 07:08:10")
    assert [(each.path.name, each.at) for each in timed(tmp_path)] == [
        ("one.jpg", 0), ("three.jpg", 750_000_000), ("two.jpg", 1_250_000_000),
    ]  # fmt: skip


@pytest.mark.parametrize("taken", ["2024:05:06 07:08:09", None, "0000:00:00 00:00:00", "yesterday"])
def test_a_folder_that_nobody_timed_is_refused(tmp_path: Path, taken: str | None) -> None:
    photo(tmp_path / "one.jpg", taken)
    photo(tmp_path / "two.jpg", taken)
    with pytest.raises(
        BadRecording, match="same time by their EXIF" if taken == "2024:05:06 07:08:09" else "nothing says when"
    ):
        timed(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(BadRecording, match="has no pictures"):
        timed(tmp_path)
    with pytest.raises(BadRecording, match="there is no such folder"):
        timed(tmp_path / "absent")


def test_a_damaged_picture_is_named_when_its_turn_comes(tmp_path: Path) -> None:
    path = fill(tmp_path / "take", ["0.png", "40.png"])
    (path / "40.png").write_bytes((path / "40.png").read_bytes()[:60])
    frames = folder(path)
    next(frames)
    with pytest.raises(BadRecording, match=r"40\.png: is a damaged"):
        next(frames)


def test_times_always_increase(tmp_path: Path) -> None:
    path = fill(tmp_path / "take", [f"{33 * number + number % 5}.png" for number in range(30)])
    assert all(one.at < other.at for one, other in pairwise(timed(path)))
