"""From a picture to what may leave of it: numbers with the right names, whatever the pictures are like."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.errors import DriverFailed
from kiosk.signals import MOTION_CHANNELS, REGIONS, RGB_CHANNELS, SIGNALS, UNIT_CHANNELS
from sensors.face import Frame, Sight
from sensors.face.engines import finder
from sensors.face.seen import Face, Pixels
from sensors.face.units import READY
from sensors.face.visitor import FACE_FOUND, SECOND_FACE, VISITOR_CHANGED
from sensors.observer import Observer
from tests.sensors.face.drawn import drawn
from tests.sensors.face.pasted import noisy, pasted, room

STEP = 33_333_333


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    return pasted(room(640, 480), x=300, y=210, face=180, roll=10)


@pytest.fixture
def observer() -> Iterator[Observer]:
    with Observer() as made:
        yield made


class Scripted:
    """A finder that says what a test wrote down: for what no portrait can play."""

    name = "scripted"

    def __init__(self, *script: list[Face]) -> None:
        self._script = list(script)
        self.closed = False

    def faces(self, pixels: Pixels) -> list[Face]:
        """The next line of the script; the last one for ever."""
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]

    def close(self) -> None:
        """Noted."""
        self.closed = True


def watched(observer: Observer, picture: Pixels, count: int, *, start: int = 0, noise: float = 2) -> list[Sight]:
    random = np.random.default_rng(start + 1)
    return [observer.see(Frame((start + index) * STEP, noisy(picture, noise, random))) for index in range(count)]


def value(sight: Sight, channel: str) -> float:
    return float(sight.motion[MOTION_CHANNELS.index(channel)])


def test_a_face_becomes_numbers_with_names(observer: Observer, portrait: Pixels) -> None:
    sights = watched(observer, portrait, 20)
    last = sights[-1]
    assert last.at == 19 * STEP
    assert last.rgb.shape == (len(RGB_CHANNELS),)
    assert np.isfinite(last.rgb).all()
    assert (value(last, "x"), value(last, "y")) == pytest.approx((300 / 640, 210 / 480), abs=0.02)
    assert value(last, "size") == pytest.approx(180 / 480, rel=0.1)
    assert value(last, "roll") == pytest.approx(10, abs=4)
    assert value(last, "faces") == 1
    assert 0.4 < value(last, "light") < 0.8
    assert value(last, "motion") < 0.05
    assert abs(value(last, "chest")) < 0.002
    assert math.isnan(value(sights[0], "motion"))
    assert last.scores is None
    assert observer.score_channels == ()
    assert [mark for sight in sights for mark, _ in sight.marks] == [FACE_FOUND]


def test_units_come_once_a_face_is_known(portrait: Pixels) -> None:
    with Observer(look=Scripted([Face(drawn(size=1.2))])) as observer:
        sights = [observer.see(Frame(index * STEP, portrait)) for index in range(round(2 * READY * 30))]
    assert sights[0].units is None
    assert sights[-1].units is not None
    assert sights[-1].units.shape == (len(UNIT_CHANNELS),)


def test_nobody_is_nan_with_no_pixels(observer: Observer) -> None:
    (sight,) = watched(observer, room(640, 480), 1)
    table = sight.rgb.reshape(len(REGIONS), 4)
    assert np.isnan(table[:, :3]).all()
    assert (table[:, 3] == 0).all()
    assert value(sight, "faces") == 0
    assert np.isnan(np.delete(sight.motion, MOTION_CHANNELS.index("faces"))).all()
    assert sight.units is None
    assert sight.scores is None
    assert observer.regions == ()


def test_everything_that_leaves_is_within_its_signal(observer: Observer, portrait: Pixels) -> None:
    for sight in watched(observer, portrait, 10):
        for signal, row in (("rgb", sight.rgb), ("face_motion", sight.motion), ("face_units", sight.units)):
            if row is not None:
                there = row[np.isfinite(row)]
                assert ((there >= SIGNALS[signal].low) & (there <= SIGNALS[signal].high)).all(), signal
                assert row.dtype == np.float32


def test_a_breathing_chest_is_read_below_a_resting_head(observer: Observer) -> None:
    picture = pasted(room(640, 480), x=320, y=170, face=150)
    chest = []
    for index in range(45):
        up = 1.2 * (1 - math.cos(2 * math.pi * 0.5 * index / 30)) / 2
        moved = picture.copy()
        matrix = np.array([[1.0, 0, 0], [0, 1, -up]])
        moved[260:] = cv2.warpAffine(picture, matrix, (640, 480), flags=cv2.INTER_CUBIC)[260:]
        frame = noisy(moved, 2, np.random.default_rng(index))
        chest.append(value(observer.see(Frame(index * STEP, frame)), "chest"))
    truth = 1.2 / 150 * (1 - np.cos(2 * np.pi * 0.5 * np.arange(45) / 30)) / 2
    assert np.corrcoef(chest, truth)[0, 1] > 0.95
    assert np.ptp(chest) == pytest.approx(1.2 / 150, rel=0.3)


def test_motion_is_seen(observer: Observer) -> None:
    still = watched(observer, pasted(room(640, 480), x=250, y=220, face=160), 6)
    moving = [
        observer.see(Frame((6 + index) * STEP, pasted(room(640, 480), x=250 + 4 * index, y=220, face=160)))
        for index in range(8)
    ]
    assert value(still[-1], "motion") < 0.05
    assert value(moving[-1], "motion") == pytest.approx(4 / 160 * 30, rel=0.2)


def test_a_picture_of_another_size_is_no_trouble(observer: Observer, portrait: Pixels) -> None:
    large = pasted(room(1280, 720), x=640, y=330, face=240)
    upright = pasted(room(480, 640), x=240, y=300, face=180)
    for index, picture in enumerate((portrait, large, upright, portrait)):
        sights = watched(observer, picture, 3, start=3 * index)
        assert value(sights[-1], "faces") == 1
    # who was elsewhere a picture ago is waited for, and then measured again
    later = watched(observer, portrait, 3, start=600)
    assert np.isfinite(later[-1].rgb).all()


@pytest.mark.parametrize("times", [[0, 0, 0], [100, 50, 60], [0, 10**6, 5], [10**18, 0, STEP, 2 * STEP]])
def test_times_that_do_not_increase_do_no_harm(observer: Observer, portrait: Pixels, times: list[int]) -> None:
    sights = [observer.see(Frame(at, portrait)) for at in times]
    assert [sight.at for sight in sights] == times
    assert all(np.isfinite(sight.rgb).all() for sight in sights)
    assert all(not value(sight, "motion") > 1 for sight in sights)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((480, 640), np.uint8), "three channels"),
        (np.zeros((480, 640, 4), np.uint8), "three channels"),
        (np.zeros((480, 640, 1), np.uint8), "three channels"),
        (np.zeros((480, 640, 3), np.uint16), "uint16"),
        (np.zeros((480, 640, 3), np.float32), "float32"),
        (np.zeros((0, 0, 3), np.uint8), "too small"),
        (np.zeros((8, 640, 3), np.uint8), "too small"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000, 3)), "too big"),
        ("a picture", "str"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(pixels: Pixels, words: str) -> None:
    with Observer(look=Scripted([])) as observer, pytest.raises(DriverFailed, match=words):
        observer.see(Frame(0, pixels))


@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (200, 17)])
def test_small_and_narrow_pictures_have_nobody(observer: Observer, size: tuple[int, int]) -> None:
    assert value(observer.see(Frame(0, np.full((*size, 3), 90, np.uint8))), "faces") == 0


def test_a_huge_picture_is_looked_at_in_parts() -> None:
    with Observer() as observer:
        sights = watched(observer, pasted(room(3840, 2160), x=1700, y=900, face=700), 2)
    table = sights[-1].rgb.reshape(-1, 4)
    assert table[0, 3] > 100_000
    assert np.isfinite(table).all()


def test_two_people_are_said_and_one_is_measured(observer: Observer, portrait: Pixels) -> None:
    both = pasted(portrait, x=540, y=200, face=150, mirrored=True)
    sights = watched(observer, both, 25)
    assert value(sights[-1], "faces") == 2
    assert value(sights[-1], "x") == pytest.approx(300 / 640, abs=0.02)
    assert SECOND_FACE in [mark for sight in sights for mark, _ in sight.marks]


def test_another_visitor_starts_with_nothing_of_the_one_before(portrait: Pixels) -> None:
    one, other = Face(drawn(x=200, y=240, size=1.0)), Face(drawn(x=460, y=240, size=1.5))
    with Observer(look=Scripted(*[[one]] * 10, [one, other])) as observer:
        sights = [observer.see(Frame(index * STEP, portrait)) for index in range(90)]
    change = next(index for index, sight in enumerate(sights) if VISITOR_CHANGED in dict(sight.marks))
    assert math.isnan(value(sights[change], "motion"))
    assert value(sights[change], "x") > value(sights[change - 1], "x") + 0.3
    assert sum(VISITOR_CHANGED in dict(sight.marks) for sight in sights) == 1


def test_landmarks_that_are_no_face_break_nothing(portrait: Pixels) -> None:
    random = np.random.default_rng(8)
    odd = [
        np.zeros((478, 3), np.float32),
        np.full((478, 3), 1e5, np.float32),
        np.full((478, 3), -1e5, np.float32),
        (random.standard_normal((478, 3)) * 300).astype(np.float32),
    ]
    with Observer(look=Scripted(*[[Face(points)] for points in odd for _ in range(3)], [])) as observer:
        for index in range(14):
            observer.see(Frame(index * 40 * STEP, portrait))


def test_networks_are_asked_a_few_times_a_second(portrait: Pixels, networks: Path) -> None:
    with Observer(models=networks, scores_per_second=5) as observer:
        assert observer.score_channels
        sights = watched(observer, portrait, 60)
        assert "yunet" in observer.name
    asked = [sight for sight in sights if sight.scores is not None]
    assert len(asked) == 10
    assert all(0.15 < (later.at - sooner.at) / 1e9 < 0.25 for sooner, later in pairwise(asked))
    assert asked[-1].scores is not None
    assert asked[-1].scores.shape == (len(observer.score_channels),)
    assert np.isfinite(asked[-1].scores).all()


def test_a_still_is_answered_at_once(portrait: Pixels, networks: Path) -> None:
    with Observer(models=networks, still=True) as observer:
        sight = observer.see(Frame(0, portrait))
    assert sight.units is not None
    assert sight.scores is not None
    assert FACE_FOUND in dict(sight.marks)


def test_the_same_pictures_give_the_same_numbers(portrait: Pixels) -> None:
    runs = []
    for _ in range(2):
        with Observer() as observer:
            runs.append(watched(observer, portrait, 20))
    for one, other in zip(*runs, strict=True):
        assert np.array_equal(one.rgb, other.rgb, equal_nan=True)
        assert np.array_equal(one.motion, other.motion, equal_nan=True)


def test_outlines_can_be_drawn(observer: Observer, portrait: Pixels) -> None:
    watched(observer, portrait, 2)
    assert [name for name, _ in observer.regions] == list(REGIONS)
    for _, polygons in observer.regions:
        assert all(polygon.ndim == 2 and polygon.shape[1] == 2 for polygon in polygons)


def test_closing_closes_the_engine(portrait: Pixels) -> None:
    engine = Scripted([])
    with Observer(look=engine) as observer:
        observer.see(Frame(0, portrait))
    assert engine.closed


def test_an_engine_can_be_chosen(portrait: Pixels, networks: Path) -> None:
    with Observer(models=networks, engine="tasks") as observer:
        assert "tasks" in observer.name
        assert value(watched(observer, portrait, 2)[-1], "faces") == 1


def test_the_real_clip_is_followed_from_end_to_end(recordings: Path) -> None:
    film = cv2.VideoCapture(str(recordings / "video" / "remotephysiology" / "video.mp4"))
    sights = []
    with Observer(look=finder("mesh", None)) as observer:
        for index in range(60):
            there, picture = film.read()
            assert there
            sights.append(observer.see(Frame(index * STEP, np.asarray(picture[..., ::-1], np.uint8))))
    film.release()
    colours = np.array([sight.rgb.reshape(-1, 4)[:, 1] for sight in sights], np.float64)
    assert np.isfinite(colours).all()
    assert (np.diff(colours, axis=0).std(axis=0) / colours.mean(axis=0)).max() < 0.01
    assert {value(sight, "faces") for sight in sights} == {1.0}
