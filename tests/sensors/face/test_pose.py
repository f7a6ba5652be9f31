"""Turns, places and motion that were put into landmarks come out again."""

import math

import numpy as np
import pytest

from sensors.face.pose import IRIS_ABOVE, IRIS_RADIUS_OF_TURN, pose
from sensors.face.seen import Points
from sensors.face.travel import Travel, place
from tests.sensors.face.drawn import drawn


def looking(across: float, up: float, *, yaw: float = 0.0, pitch: float = 0.0) -> Points:
    """A drawn face whose eyes look there: degrees from straight ahead of the head, to its left and up."""
    straight = drawn(size=2.0)
    way = IRIS_RADIUS_OF_TURN * np.sin(np.radians([across, up]))
    for iris, corners in ((468, (33, 133)), (473, (362, 263))):
        straight[iris] = straight[list(corners)].mean(axis=0) + 2.0 * np.array([way[0], -way[1] - IRIS_ABOVE, 0])
    # turn the whole about its middle
    cos, sin = (np.cos(np.radians([yaw, pitch])), np.sin(np.radians([yaw, pitch])))
    about_y = np.array([[cos[0], 0, sin[0]], [0, 1, 0], [-sin[0], 0, cos[0]]])
    about_x = np.array([[1, 0, 0], [0, cos[1], sin[1]], [0, -sin[1], cos[1]]])
    flipped = (straight - (320, 240, 0)) * (1, -1, -1)
    return np.asarray((flipped @ (about_y @ about_x).T) * (1, -1, -1) + (320, 240, 0), np.float32)


@pytest.mark.parametrize("yaw", [-40, -10, 0, 25])
@pytest.mark.parametrize("pitch", [-25, 0, 15])
def test_head_turns_come_out_with_their_signs(yaw: float, pitch: float) -> None:
    found = pose(looking(0, 0, yaw=yaw, pitch=pitch))
    assert (found.yaw, found.pitch) == pytest.approx((yaw, pitch), abs=0.5)


def test_left_is_the_persons_own_and_up_is_up() -> None:
    ahead, turned = looking(0, 0), looking(0, 0, yaw=20, pitch=10)
    # the person's left is at the right of the picture
    assert turned[4, 0] > ahead[4, 0] + 5
    assert turned[4, 1] < ahead[4, 1] - 5
    assert pose(turned).yaw > 0
    assert pose(turned).pitch > 0


@pytest.mark.parametrize("degrees", [-30, -5, 0, 12])
def test_roll_is_towards_the_persons_left_shoulder(degrees: float) -> None:
    points = looking(0, 0).astype(np.float64)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points[:, :2] = (points[:, :2] - (320, 240)) @ turn.T + (320, 240)
    top = points[10] - points[152]
    assert np.sign(top[0]) == np.sign(degrees) or degrees == 0
    assert pose(points.astype(np.float32)).roll == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize(("across", "up"), [(0, 0), (15, 0), (-20, 5), (0, 12), (8, -10)])
@pytest.mark.parametrize("yaw", [-20, 0, 30])
def test_gaze_is_that_of_the_eyes_in_the_head(across: float, up: float, yaw: float) -> None:
    found = pose(looking(across, up, yaw=yaw))
    assert (found.gaze_x, found.gaze_y) == pytest.approx((across, up), abs=1.0)


def test_shut_eyes_look_nowhere() -> None:
    points = looking(10, 0)
    for upper, lower in ((159, 145), (386, 374)):
        points[upper] = points[lower]
    found = pose(points)
    assert math.isnan(found.gaze_x)
    assert math.isnan(found.gaze_y)
    assert found.yaw == pytest.approx(0, abs=0.5)


def test_an_open_mouth_does_not_turn_the_head() -> None:
    shut, wide = looking(0, 0, yaw=10), looking(0, 0, yaw=10)
    for lower in (152, 17, 14, 84, 314):
        wide[lower, 1] += 60
    one, other = pose(shut), pose(wide)
    assert (one.pitch, one.yaw, one.roll) == pytest.approx((other.pitch, other.yaw, other.roll), abs=0.6)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 5.0])
def test_what_is_no_face_has_no_pose(value: float) -> None:
    found = pose(np.full((478, 3), value, np.float32))
    assert all(math.isnan(each) for each in (found.pitch, found.yaw, found.roll, found.gaze_x, found.gaze_y))


def test_place_and_size_are_those_of_the_face() -> None:
    near, far = place(drawn(size=2.0, x=100, y=50)), place(drawn(size=1.0))
    assert near.height == pytest.approx(2 * far.height, rel=1e-6)
    moved = place(drawn(size=2.0, x=110.25, y=47))
    assert (moved.x - near.x, moved.y - near.y) == pytest.approx((10.25, -3), abs=0.01)


def test_motion_is_the_way_over_height_and_time() -> None:
    travel = Travel()
    assert math.isnan(travel.motion(drawn(x=100), 0, 200))
    assert travel.motion(drawn(x=104), 50_000_000, 200) == pytest.approx(4 / 200 / 0.05, rel=1e-3)
    assert travel.motion(drawn(x=104), 100_000_000, 200) == 0


def test_motion_over_a_gap_or_no_time_is_none() -> None:
    travel = Travel()
    travel.motion(drawn(x=100), 0, 200)
    assert math.isnan(travel.motion(drawn(x=104), 0, 200))
    assert math.isnan(travel.motion(drawn(x=104), 3_000_000_000, 200))
    travel.reset()
    assert math.isnan(travel.motion(drawn(x=104), 3_050_000_000, 200))
