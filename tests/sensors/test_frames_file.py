"""Videos and stills: times are the container's, pictures are upright, and what is no picture is refused in words."""

import logging
import os
import wave
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kiosk.errors import BadRecording
from sensors.face.seen import Pixels
from sensors.frames.file import MOST_PIXELS, PACKET, is_still, still, video
from tests.sensors.station.portrait import PORTRAIT, film, number_of, numbered, retimed, turned

MILLISECOND = 1_000_000


def plain(count: int = 12, size: tuple[int, int] = (160, 120)) -> list[Pixels]:
    picture = np.full((size[1], size[0], 3), (200, 120, 60), np.uint8)
    return [numbered(picture, number) for number in range(count)]


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "FFV1"), ("a.avi", "MJPG"), ("a.mkv", "VP80"), ("a.mp4", "mp4v")]
)
def test_pictures_come_in_order_at_their_times_with_red_first(tmp_path: Path, name: str, codec: str) -> None:
    frames = list(video(film(tmp_path / name, plain(), codec, rate=25)))
    assert [frame.at for frame in frames] == [40 * MILLISECOND * number for number in range(12)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(12))
    assert np.abs(frames[5].pixels[60, 80].astype(int) - (200, 120, 60)).max() <= 6
    assert frames[5].pixels.shape == (120, 160, 3)
    assert frames[5].pixels.dtype == np.uint8


def test_what_was_written_without_loss_is_read_without_loss(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (4, 64, 96, 3)).astype(np.uint8)
    read = list(video(film(tmp_path / "noise.mkv", noise)))
    assert np.array_equal([frame.pixels for frame in read], noise)


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 33, 90, 91, 200, 210, 260, 300, 500, 600, 900, 1000]
    path = retimed(film(tmp_path / "phone.mkv", plain(), rate=25), times)
    assert [frame.at for frame in video(path)] == [each * MILLISECOND for each in times]


def test_times_count_from_the_first_picture(tmp_path: Path) -> None:
    path = retimed(film(tmp_path / "late.mkv", plain(), rate=25), [500 + 40 * each for each in range(12)])
    assert [frame.at for frame in video(path)] == [40 * each * MILLISECOND for each in range(12)]


def test_a_picture_whose_time_does_not_go_on_is_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times = [0, 40, 80, 80, 160, 200, 240, 280, 320, 360, 400, 440]
    with caplog.at_level(logging.WARNING):
        frames = list(video(retimed(film(tmp_path / "odd.mkv", plain(), rate=25), times)))
    assert [frame.at // MILLISECOND for frame in frames] == sorted(set(times))
    assert "1 of 12 pictures have no time of their own" in caplog.text


def test_pictures_that_all_have_one_time_are_refused(tmp_path: Path) -> None:
    path = retimed(film(tmp_path / "still.mkv", plain(), rate=25), [0] * 12)
    with pytest.raises(BadRecording, match=r"still\.mkv: has no times"):
        list(video(path))


def test_a_phone_held_upright_is_shown_upright(tmp_path: Path) -> None:
    path = turned(film(tmp_path / "phone.mp4", plain(), "mp4v"))
    picture = next(video(path)).pixels
    assert picture.shape == (160, 120, 3)
    # a quarter clockwise: what was at the left top is at the right top now
    first = next(video(film(tmp_path / "flat.mp4", plain(), "mp4v"))).pixels
    assert np.array_equal(picture, np.rot90(first, -1))


def test_a_video_that_was_cut_off_gives_what_it_still_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (20, 64, 96, 3)).astype(np.uint8)
    path = film(tmp_path / "cut.avi", noise, "FFV1")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with caplog.at_level(logging.WARNING):
        frames = list(video(path))
    assert 8 <= len(frames) <= 13
    assert np.array_equal([frame.pixels for frame in frames], noise[: len(frames)])


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mp4", "mp4v"), ("mov", "mp4v"), ("mkv", "FFV1"), ("webm", "VP80"), ("avi", "MJPG"), ("ts", "mpg2"),
        ("flv", "FLV1"), ("ogv", "VP80"), ("wmv", "WMV2"),
    ],
)  # fmt: skip
def test_a_container_is_known_by_what_it_is_whatever_its_name(tmp_path: Path, suffix: str, codec: str) -> None:
    path = film(tmp_path / f"a.{suffix}", plain(), codec, rate=25).rename(tmp_path / "film")
    frames = list(video(path))
    assert [frame.at for frame in frames] == [40 * MILLISECOND * number for number in range(12)]
    assert [number_of(frame.pixels) for frame in frames] == list(range(12))


@pytest.mark.parametrize("name", ["concat:real.avi|real.avi", "file:real.avi", "s%d.png", "real.avi?%d"])
def test_a_name_that_ffmpeg_would_follow_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    real = film(Path("real.avi"), plain(), "MJPG")
    for number in range(3):
        Image.new("RGB", (160, 120)).save(f"s{number}.png")
    path = Path(name)
    path.write_bytes(real.read_bytes()[:200])
    with pytest.raises(BadRecording, match="no pictures that can be read"):
        list(video(path))
    path.write_bytes(film(Path("short.avi"), plain(5), "MJPG").read_bytes())
    assert len(list(video(path))) == 5


def test_a_file_that_is_exchanged_after_it_was_checked_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = film(tmp_path / "a.avi", plain(5), "MJPG"), film(tmp_path / "b.avi", plain(12), "MJPG")
    opened = cv2.VideoCapture

    def exchanged(name: str, api: int) -> cv2.VideoCapture:
        other.replace(path)
        return opened(name, api)

    monkeypatch.setattr(cv2, "VideoCapture", exchanged)
    assert len(list(video(path))) == 5
    assert not other.exists()


def test_a_gif_is_no_transport_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    greys = [Image.new("L", (32, 32), 20 * number) for number in range(5)]
    greys[0].save(path, format="GIF", save_all=True, append_images=greys[1:], duration=40)
    assert path.read_bytes()[0] == 0x47 != path.read_bytes()[PACKET]
    with pytest.raises(BadRecording, match="is no video"):
        video(path)


def test_a_file_is_read_no_further_than_asked(tmp_path: Path) -> None:
    frames = video(film(tmp_path / "a.mkv", plain(30)))
    assert len(list(islice(frames, 3))) == 3
    assert next(frames).at == 100 * MILLISECOND


def damaged(folder: Path, name: str) -> Path:
    path = folder / name
    good = film(folder / "good.mp4", plain(), "mp4v").read_bytes()
    if name == "empty.mp4":
        path.write_bytes(b"")
    elif name == "text.mp4":
        path.write_text("this is a sentence, not a film\n" * 10)
    elif name == "playlist.mp4":
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    elif name == "head-alone.mp4":
        path.write_bytes(good[:40])
    elif name == "no-index.mp4":
        path.write_bytes(good[: len(good) // 2])
    elif name == "noise.mkv":
        path.write_bytes(b"\x1a\x45\xdf\xa3" + np.random.default_rng(1).bytes(5000))
    elif name == "sound.avi":
        riff = b"RIFF" + (4 + 8).to_bytes(4, "little") + b"AVI " + b"LIST" + (4).to_bytes(4, "little") + b"hdrl"
        path.write_bytes(riff)
    elif name == "sound.wav":
        with wave.open(str(path), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(16000))
    elif name == "folder.mp4":
        path.mkdir()
    elif name == "pipe.mp4":
        os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty.mp4", "is empty"),
        ("text.mp4", "is no video"),
        ("playlist.mp4", "is no video"),
        ("head-alone.mp4", "no pictures that can be read"),
        ("no-index.mp4", "no pictures that can be read"),
        ("noise.mkv", "no pictures that can be read"),
        ("sound.avi", "no pictures that can be read"),
        ("sound.wav", "is no video"),
        ("folder.mp4", "there is no such file"),
        ("pipe.mp4", "there is no such file"),
        ("absent.mp4", "there is no such file"),
    ],
)
def test_what_is_no_video_is_refused_in_words(tmp_path: Path, name: str, why: str) -> None:
    path = damaged(tmp_path, name)
    with pytest.raises(BadRecording, match=why) as caught:
        list(video(path))
    assert str(caught.value).startswith(f"{name}: ")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("place", range(0, 2400, 300))
def test_a_video_with_damage_anywhere_gives_pictures_or_a_reason(tmp_path: Path, place: int) -> None:
    path = film(tmp_path / "hit.avi", plain(), "MJPG")
    data = bytearray(path.read_bytes())
    data[place + 12 : place + 60] = np.random.default_rng(place).bytes(48)
    path.write_bytes(data)
    try:
        frames = list(video(path))
    except BadRecording:
        return
    assert all(one.at < other.at for one, other in pairwise(frames))


def test_absurd_sizes_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.y4m"
    path.write_bytes(b"YUV4MPEG2 W9000 H9000 F30:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(BadRecording, match="9000 x 9000 pixels, at most 40 million"):
        list(video(path))
    tiny = film(tmp_path / "tiny.mkv", [np.zeros((8, 8, 3), np.uint8)] * 2)
    with pytest.raises(BadRecording, match="8 x 8 pixels are too few"):
        list(video(tiny))


# --- stills


def test_a_still_is_read_with_red_first(tmp_path: Path) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    frame = still(tmp_path / "a.png")
    assert frame.at == 0
    assert np.array_equal(frame.pixels, picture)


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_still_is_turned_as_its_camera_noted(tmp_path: Path, turn: int) -> None:
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32] = (250, 10, 10)
    upright[:24, 32:] = (10, 250, 10)
    # what the sensor has, so that turning it as noted gives what is upright (Exif 2.3, tag 0x0112)
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright, 1), 7: np.rot90(upright.transpose(1, 0, 2), 2),
        8: np.rot90(upright, -1),
    }[turn]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    found = still(tmp_path / "a.jpg").pixels
    assert found.shape == upright.shape
    assert np.abs(found[8:16, 8:16].astype(int) - (250, 10, 10)).max() < 25
    assert np.abs(found[8:16, 48:56].astype(int) - (10, 250, 10)).max() < 25


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "I;16"])
def test_a_still_of_any_mode_becomes_red_green_blue(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        picture = Image.fromarray(np.full((32, 32), 32_896, np.uint16))
    else:
        picture = Image.fromarray(np.full((32, 32, 3), 128, np.uint8))
        # a palette of greys: the usual one would be dithered
        picture = picture.convert("L").convert("P") if mode == "P" else picture.convert(mode)
    path = tmp_path / ("a.tif" if mode in ("CMYK", "I;16") else "a.png")
    picture.save(path)
    pixels = still(path).pixels
    assert pixels.shape == (32, 32, 3)
    assert mode == "1" or np.abs(pixels.astype(int) - 128).max() <= 3


def test_what_is_no_still_is_refused_in_words(tmp_path: Path) -> None:
    jpeg = PORTRAIT.read_bytes()
    wrong = {
        "cut.jpg": (jpeg[: len(jpeg) // 2], "damaged or cut-off"),
        "head.jpg": (jpeg[:20], "damaged or cut-off"),
        "text.jpg": (b"hello", "is no picture"),
        "empty.jpg": (b"", "is no picture"),
        "vector.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no picture"),
    }
    for name, (data, why) in wrong.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadRecording, match=f"^{name}: .*{why}"):
            still(tmp_path / name)


def test_a_picture_that_would_fill_the_memory_is_refused_by_its_head(tmp_path: Path) -> None:
    side = int(MOST_PIXELS**0.5) + 100
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    with pytest.raises(BadRecording, match=f"{side} x {side} pixels, at most 40 million"):
        still(tmp_path / "bomb.png")
    Image.new("RGB", (8, 300)).save(tmp_path / "thin.png")
    with pytest.raises(BadRecording, match="too few"):
        still(tmp_path / "thin.png")


def test_videos_and_stills_are_told_apart_by_what_they_are(tmp_path: Path) -> None:
    moving = film(tmp_path / "moving.jpg.mkv", plain(2))
    assert len(list(video(moving))) == 2
    assert (is_still(moving), is_still(PORTRAIT)) == (False, True)
    (tmp_path / "notes.csv").write_text("time,ecg\n0,1\n")
    assert not is_still(tmp_path / "notes.csv")
    for each in (PORTRAIT, tmp_path / "notes.csv"):
        with pytest.raises(BadRecording, match="is no video"):
            video(each)


def test_opencv_was_not_told_to_guess() -> None:
    # the reader above depends on it: this build reads videos with FFmpeg
    assert "FFMPEG:                      YES" in cv2.getBuildInformation()
