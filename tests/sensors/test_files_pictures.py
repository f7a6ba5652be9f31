"""Videos and stills as recordings: what the camera would have sent, and a clear word for what is none."""

from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from kiosk.recording import Recording
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS, UNIT_CHANNELS
from sensors import files
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.portrait import Portrait, write
from sensors.drivers.simulated.scene import Scene

PERSON = Person(seed=5, heart_rate=75.0, rgb_amplitude=0.01)
SECONDS = 4


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a face, with frame times that jitter."""
    path = tmp_path_factory.mktemp("film") / "visitor.mkv"
    write(path, Portrait(PERSON, Scene(seed=1, dropped=0.1), width=320, height=240).frames(SECONDS))
    return path


@pytest.fixture(scope="module")
def seen(film: Path) -> Recording:
    """The film, read."""
    return files.read(film)


def portrait() -> Path:
    """A public-domain portrait that matplotlib brings along."""
    return Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def test_a_video_holds_what_the_camera_would_have_sent(seen: Recording) -> None:
    tracks = {track.signal: track for track in seen.tracks}
    assert list(tracks) == ["rgb", "face_motion", "face_units"]
    assert {track.device for track in seen.tracks} == {"camera"}
    assert [track.channels for track in seen.tracks] == [RGB_CHANNELS, MOTION_CHANNELS, UNIT_CHANNELS]
    assert all(track.rate is None for track in seen.tracks)
    assert np.isfinite(tracks["rgb"].channel("whole_g")).mean() > 0.95


def test_times_are_those_of_the_pictures_and_not_of_a_rate(film: Path, seen: Recording) -> None:
    rows = np.loadtxt(film.with_suffix(".times.csv"), delimiter=",", skiprows=1)
    told = seen.tracks[0].times / SECOND
    assert len(told) == len(rows)
    # the container counts milliseconds
    assert np.abs(told - (rows[:, 1] - rows[0, 1])).max() < 0.0011
    assert np.diff(told).max() > 1.5 * np.median(np.diff(told))


def test_the_pulse_that_was_painted_on_the_skin_is_in_the_colours(seen: Recording) -> None:
    rgb = seen.of("rgb")[0]
    green = rgb.channel("forehead_g")
    times = rgb.seconds
    known = np.isfinite(green)
    truth = Portrait(PERSON, Scene(seed=1, dropped=0.1), width=320, height=240)
    pulse = truth.pulse(times[known] + files_start(truth))
    level = green[known] / green[known].mean()
    slow = np.polyval(np.polyfit(times[known], level, 5), times[known])
    # more blood is darker
    assert np.corrcoef(level - slow, pulse - pulse.mean())[0, 1] < -0.5


def files_start(truth: Portrait) -> float:
    """When the first picture was taken: a file counts from there."""
    return next(iter(truth.frames(1))).at / SECOND


def test_a_still_shows_a_face_and_nothing_that_takes_time() -> None:
    seen = files.read(portrait())
    assert [track.signal for track in seen.tracks] == ["face_units"]
    assert np.isfinite(seen.tracks[0].samples).all()
    assert seen.duration == 0.0


def test_a_still_without_a_face_says_so_by_having_none(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((120, 160, 3), 90, np.uint8))
    seen = files.read(path)
    assert [track.signal for track in seen.tracks] == ["face_units"]
    assert np.isnan(seen.tracks[0].samples).all()
    assert files.portrait(path) is None


def test_a_face_is_drawn_with_its_regions_around_it(film: Path) -> None:
    for path in (film, portrait()):
        drawn = files.portrait(path)
        assert drawn is not None
        height, width = drawn.pixels.shape[:2]
        assert [name for name, _ in drawn.regions] == ["whole", "forehead", "left_cheek", "right_cheek", "chin"]
        for _, polygons in drawn.regions:
            corners = np.concatenate(polygons)
            assert (corners >= 0).all()
            assert (corners <= (width, height)).all()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.avi", "photo.jpg", "photo.png"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"time,ecg\n1,2\n", b"\x1aE\xdf\xa3" + b"\xff" * 400])
def test_what_is_no_picture_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadRecording, match=name):
        files.read(path)


def test_a_film_that_breaks_off_is_read_as_far_as_it_goes(film: Path, seen: Recording, tmp_path: Path) -> None:
    path = tmp_path / "half.mkv"
    content = film.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    half = files.read(path)
    assert 0.3 < len(half.tracks[0].times) / len(seen.tracks[0].times) < 0.7


def test_pictures_have_no_rate_and_no_channel_to_choose(film: Path) -> None:
    with pytest.raises(BadRecording, match="leave out --channel and --rate"):
        files.read(film, rate=30.0)
    with pytest.raises(BadRecording, match="leave out --channel and --rate"):
        files.read(film, channel="green")


def test_a_figure_of_ours_in_a_folder_is_nobodys_recording(tmp_path: Path) -> None:
    for name, words in (("figure.png", b"tEXtSoftware\0health-kiosk figure"), ("photo.png", b"tEXtSoftware\0GIMP")):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + words)
    found = files.find([tmp_path])
    assert [path.name for path in found.recordings] == ["photo.png"]
    assert [path.name for path in found.passed_over] == ["figure.png"]


def test_videos_and_stills_are_found_in_folders(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.MOV", "c.jpeg", "notes.docx"):
        (tmp_path / name).write_bytes(b"1")
    assert [path.name for path in files.find([tmp_path]).recordings] == ["a.mp4", "b.MOV", "c.jpeg"]
