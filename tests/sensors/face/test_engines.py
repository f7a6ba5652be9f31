"""Engines find faces near and far, upright and tilted, one and several, and keep quiet about it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.errors import BadModel
from sensors.face.crop import Square, around, cut, overlap
from sensors.face.engines import finder
from sensors.face.following import MOST_FACES, steady
from sensors.face.pose import pose
from sensors.face.seen import Finder, Pixels
from sensors.face.travel import place
from tests.sensors.face.pasted import noisy, pasted, room


@pytest.fixture(scope="module")
def mesh() -> Iterator[Finder]:
    engine = finder("mesh", None)
    yield engine
    engine.close()


def shown(engine: Finder, picture: Pixels) -> list[tuple[float, float, float]]:
    """Middle and height of each face, after the engine has forgotten what it followed."""
    engine.faces(np.zeros((32, 48, 3), np.uint8))
    places = [place(face.points) for face in engine.faces(picture)]
    return sorted((each.x, each.y, each.height) for each in places)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
@pytest.mark.parametrize("share", [0.09, 0.2, 0.45, 0.62])
def test_a_face_is_found_from_two_metres_to_a_hand_away(mesh: Finder, size: tuple[int, int], share: float) -> None:
    width, height = size
    x, y, face = 0.45 * width, 0.46 * height, share * height
    found = shown(mesh, pasted(room(width, height), x=x, y=y, face=face))
    assert len(found) == 1
    assert found[0][:2] == pytest.approx((x, y), abs=0.06 * face)
    assert found[0][2] == pytest.approx(face, rel=0.1)


def test_two_metres_are_reached_with_every_detector(mesh: Finder, networks: Path) -> None:
    # 44 px of 480: a face of 20 cm, two metres before a lens that sees 60 degrees, is larger
    picture = pasted(room(640, 480), x=420, y=200, face=44)
    for engine in ("auto", "tasks"):
        other = finder(engine, networks)
        assert "yunet" in other.name
        assert shown(other, picture)[0] == pytest.approx(shown(mesh, picture)[0], abs=3)
        other.close()


@pytest.mark.parametrize("roll", [-35, -12, 20])
def test_the_roll_that_was_put_in_comes_out(mesh: Finder, roll: float) -> None:
    upright, tilted = (pasted(room(640, 480), x=320, y=220, face=180, roll=each) for each in (0, roll))
    angles = []
    for picture in (upright, tilted):
        mesh.faces(np.zeros((32, 48, 3), np.uint8))
        (face,) = mesh.faces(picture)
        angles.append(pose(face.points))
    assert angles[1].roll - angles[0].roll == pytest.approx(roll, abs=2.5)
    assert abs(angles[1].yaw - angles[0].yaw) < 5
    assert abs(angles[1].pitch - angles[0].pitch) < 5


def test_a_mirrored_face_looks_and_leans_the_other_way(mesh: Finder) -> None:
    poses = []
    for mirrored in (False, True):
        mesh.faces(np.zeros((32, 48, 3), np.uint8))
        picture = pasted(room(640, 480), x=320, y=220, face=180, roll=-15 if mirrored else 15, mirrored=mirrored)
        poses.append(pose(mesh.faces(picture)[0].points))
    assert poses[0].roll == pytest.approx(-poses[1].roll, abs=2)
    assert poses[0].yaw == pytest.approx(-poses[1].yaw, abs=3)
    assert poses[0].pitch == pytest.approx(poses[1].pitch, abs=3)


def test_several_people_are_found_and_followed_up_to_a_limit(mesh: Finder) -> None:
    picture = room(1280, 720)
    wanted = [(200.0, 300.0, 150.0), (560.0, 330.0, 200.0), (900.0, 300.0, 120.0), (1150.0, 300.0, 60.0)]
    for x, y, face in wanted:
        picture = pasted(picture, x=x, y=y, face=face)
    found = shown(mesh, picture)
    assert len(found) == MOST_FACES
    for there, put in zip(found, wanted, strict=False):
        assert there == pytest.approx(put, abs=0.1 * put[2])
    assert len(mesh.faces(picture)) == MOST_FACES


def test_a_newcomer_is_seen_within_half_a_second(mesh: Finder) -> None:
    alone = pasted(room(640, 480), x=180, y=220, face=150)
    both = pasted(alone, x=480, y=220, face=150, mirrored=True)
    assert len(shown(mesh, alone)) == 1
    counts = [len(mesh.faces(both)) for _ in range(16)]
    assert counts[-1] == 2
    assert [len(mesh.faces(alone)) for _ in range(3)][-1] == 1


def test_an_empty_room_has_nobody(mesh: Finder) -> None:
    random = np.random.default_rng(1)
    for picture in (room(640, 480), noisy(room(640, 480), 30, random), np.zeros((480, 640, 3), np.uint8)):
        assert shown(mesh, picture) == []


@pytest.mark.parametrize("size", [(16, 16), (17, 400), (400, 17), (2, 3)])
def test_pictures_of_odd_shapes_are_no_trouble(mesh: Finder, size: tuple[int, int]) -> None:
    assert mesh.faces(np.full((*size, 3), 77, np.uint8)) == []


def test_a_face_cut_by_the_edge_is_followed(mesh: Finder) -> None:
    found = shown(mesh, pasted(room(640, 480), x=60, y=220, face=200))
    assert len(found) == 1
    assert found[0][0] == pytest.approx(60, abs=25)


def test_landmarks_of_a_still_face_tremble_less_than_a_thousandth_of_it(mesh: Finder) -> None:
    random = np.random.default_rng(2)
    still = pasted(room(640, 480), x=320, y=230, face=200)
    mesh.faces(np.zeros((32, 48, 3), np.uint8))
    points = np.array([mesh.faces(noisy(still, 3, random))[0].points[:468, :2] for _ in range(30)])[8:]
    assert points.std(axis=0).mean() < 0.001 * 200


def test_tasks_say_what_the_mesh_says(mesh: Finder, networks: Path) -> None:
    picture = pasted(room(640, 480), x=320, y=220, face=180)
    tasks = finder("tasks", networks)
    (one,), (other,) = (mesh.faces(picture), tasks.faces(picture))
    tasks.close()
    apart = np.linalg.norm(one.points[:, :2] - other.points[:, :2], axis=1)
    assert apart.mean() < 0.02 * 180


def test_tasks_find_faces_without_another_detector(networks: Path, tmp_path: Path) -> None:
    (tmp_path / "face_landmarker.task").write_bytes((networks / "face_landmarker.task").read_bytes())
    tasks = finder("tasks", tmp_path)
    assert tasks.name.endswith("tiles")
    assert len(shown(tasks, pasted(room(1280, 720), x=900, y=330, face=200))) == 1
    assert shown(tasks, room(1280, 720)) == []
    tasks.close()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="no face engine 'magic'"):
        finder("magic", None)
    with pytest.raises(BadModel, match="face_landmarker"):
        finder("tasks", None)
    with pytest.raises(BadModel, match="face_landmarker is not installed"):
        finder("tasks", tmp_path)


def test_a_damaged_detector_falls_back_to_the_one_in_the_wheel(networks: Path, tmp_path: Path) -> None:
    (tmp_path / "yunet_n_dynamic.onnx").write_bytes((networks / "yunet_n_dynamic.onnx").read_bytes()[:-1])
    engine = finder("auto", tmp_path)
    assert engine.name.endswith("blazeface")
    engine.close()


QUIETLY = """
import os, sys
import numpy as np
from sensors.face.engines import finder
from sensors.face.library import quiet_start
from tests.sensors.face.pasted import pasted, room
engine = finder("mesh", None)
face = pasted(room(320, 240), x=160, y=120, face=120)
assert [len(engine.faces(picture)) for picture in (face, face, np.zeros_like(face))] == [1, 1, 0]
with quiet_start():
    os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nours\\n")
    os.write(2, b"E0000 00:00:1.2   7 x.cc:1] broken\\n")
engine.close()
"""


def test_nothing_is_printed_but_what_is_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", QUIETLY],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout == ""
    assert done.stderr == "ours\nE0000 00:00:1.2   7 x.cc:1] broken\n"


def test_points_of_a_crop_find_their_way_back() -> None:
    square = Square(x=300, y=200, side=150, turn=0.3)
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(picture, (340, 180), 3, (255, 255, 255), -1)
    crop = cut(picture, square, 192)
    rows, columns = np.nonzero(crop.pixels[..., 0] > 100)
    seen = np.array([[columns.mean() + 0.5, rows.mean() + 0.5, 0]], np.float32)
    assert crop.in_picture(seen)[0, :2] == pytest.approx((340.5, 180.5), abs=0.2)


@pytest.mark.parametrize("side", [3000.0, 200.0, 30.0])
def test_a_crop_has_the_mean_of_its_square(side: float) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (3200, 3200, 3), dtype=np.uint8)
    crop = cut(picture, Square(1600, 1600, side, 0.0), 192).pixels
    half = round(side / 2)
    assert crop.mean() == pytest.approx(picture[1600 - half : 1600 + half, 1600 - half : 1600 + half].mean(), abs=3)
    if side > 2000:
        # averaged, not picked: noise of a large face does not enter
        assert crop.std() < 30


def test_squares_are_the_same_when_they_are() -> None:
    one = Square(100, 100, 50, 0)
    assert overlap(one, one) == 1
    assert overlap(one, Square(200, 100, 50, 0)) == 0
    assert overlap(one, Square(100, 100, 25, 0)) == 0.5
    assert overlap(one, Square(110, 100, 50, 0)) == overlap(Square(110, 100, 50, 0), one)


def test_a_square_stays_with_noise_and_goes_with_motion() -> None:
    before = Square(100, 100, 50, 3.1)
    trembled = steady(before, Square(100.03, 100, 50, 3.1))
    assert trembled.x - 100 < 0.2 * 0.03
    moved = steady(before, Square(130, 100, 50, -3.1))
    assert moved.x > 128
    assert abs(moved.turn) == pytest.approx(np.pi, abs=0.05)


def test_the_square_around_a_face_is_upright_on_it(mesh: Finder) -> None:
    mesh.faces(np.zeros((32, 48, 3), np.uint8))
    (face,) = mesh.faces(pasted(room(640, 480), x=320, y=220, face=160, roll=20))
    assert np.degrees(around(face.points).turn) == pytest.approx(20, abs=4)
