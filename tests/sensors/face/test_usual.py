"""Pitch and gaze leave against the person's own, and nothing else of them changes."""

import math

import numpy as np
import pytest

from sensors.face.pose import Pose
from sensors.face.usual import LEARNS, MOST, STEP, Usual

STEP_OF_TIME = 33_333_333
AHEAD = Pose(pitch=0.0, yaw=3.0, roll=-2.0, gaze_x=1.5, gaze_y=0.0)


def looking(pitch: float, gaze: float) -> Pose:
    return Pose(pitch, AHEAD.yaw, AHEAD.roll, AHEAD.gaze_x, gaze)


def watched(poses: list[Pose], usual: Usual | None = None, start: int = 0) -> list[Pose]:
    usual = usual or Usual()
    return [usual.against(pose, start + index * STEP_OF_TIME) for index, pose in enumerate(poses)]


@pytest.mark.parametrize(("pitch", "gaze"), [(-6.0, 4.0), (0.0, 0.0), (4.5, -3.0)])
def test_two_builds_with_one_behaviour_leave_the_same(pitch: float, gaze: float) -> None:
    chance = np.random.default_rng(1)
    nods, looks = chance.uniform(-3, 3, 90), chance.uniform(-5, 5, 90)
    one = watched([looking(nod, look) for nod, look in zip(nods, looks, strict=True)])
    other = watched([looking(nod + pitch, look + gaze) for nod, look in zip(nods, looks, strict=True)])
    assert [each.pitch for each in other] == pytest.approx([each.pitch for each in one], abs=1e-9)
    assert [each.gaze_y for each in other] == pytest.approx([each.gaze_y for each in one], abs=1e-9)


def test_what_is_no_build_passes_as_it_is() -> None:
    assert {(each.yaw, each.roll, each.gaze_x) for each in watched([looking(7, 5)] * 40)} == {(3.0, -2.0, 1.5)}


def test_after_the_first_second_every_change_leaves_as_large_as_it_was() -> None:
    count = LEARNS // STEP_OF_TIME + 1
    breath = np.sin(np.arange(900) * 2 * math.pi * 0.25 / 30)
    left = watched([looking(5 + each, 2) for each in breath])[count:]
    moved = np.array([each.pitch for each in left])
    assert np.ptp(moved - breath[count:]) == pytest.approx(0, abs=1e-9)


def test_a_head_that_comes_in_bowed_stays_bowed() -> None:
    assert watched([looking(-30, 0)] * 60)[-1].pitch == pytest.approx(-30 + MOST)


def test_the_next_visitor_has_an_own_usual() -> None:
    usual = Usual()
    watched([looking(6, 3)] * 60, usual)
    usual.reset()
    last = watched([looking(-6, -3)] * 60, usual, start=10**11)[-1]
    assert (last.pitch, last.gaze_y) == pytest.approx((0, 0))


def test_shut_eyes_have_no_gaze_and_no_usual_until_they_open() -> None:
    poses = watched([looking(2, math.nan)] * 10 + [looking(2, 4)] * 50)
    assert all(math.isnan(each.gaze_y) for each in poses[:10])
    assert poses[-1].gaze_y == pytest.approx(0)
    assert poses[-1].pitch == pytest.approx(0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_pose_that_is_none_spoils_no_other(wrong: float) -> None:
    poses = watched([looking(wrong, wrong)] * 5 + [looking(3, 1)] * 40)
    assert not math.isfinite(poses[0].pitch)
    assert (poses[-1].pitch, poses[-1].gaze_y) == pytest.approx((0, 0))


def test_times_that_stand_still_or_go_back_do_no_harm() -> None:
    usual = Usual()
    for at in (0, 0, 10**12, 5, -(10**12)):
        assert math.isfinite(usual.against(looking(4, 2), at).pitch)


def test_a_still_is_told_in_coarse_steps() -> None:
    told = Usual(still=True).against(looking(-9, 4), 0)
    assert (told.pitch, told.gaze_y, told.yaw) == (-STEP, 0, 3.0)
    assert math.isnan(Usual(still=True).against(looking(math.nan, 0), 0).pitch)
