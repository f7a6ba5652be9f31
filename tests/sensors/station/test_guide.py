"""How to sit: one advice at a time, the most useful first, and not a new one with each picture."""

import numpy as np
import pytest

from kiosk.messages import SECOND
from kiosk.signals import MOTION_CHANNELS
from sensors.face.seen import Numbers
from sensors.station.guide import NEAR_ENOUGH, Guidance, Guide

GOOD = {"x": 0.5, "y": 0.5, "size": 0.45, "motion": 0.02, "light": 0.5, "faces": 1.0}


def row(**changed: float) -> Numbers:
    values = {**GOOD, **changed}
    return np.array([values.get(channel, 0.0) for channel in MOTION_CHANNELS], dtype=np.float32)


def after(rows: list[Numbers]) -> Guidance:
    guide = Guide()
    return [guide.look(number * SECOND // 30, each) for number, each in enumerate(rows)][-1]


@pytest.mark.parametrize(
    ("changed", "advice"),
    [
        ({}, "good"),
        ({"size": 0.1}, "closer"),
        ({"size": 0.1, "light": 0.05, "x": 0.9}, "closer"),
        ({"size": 0.9}, "farther"),
        ({"x": 0.95}, "middle"),
        ({"y": 0.05}, "middle"),
        ({"light": 0.05}, "brighter"),
        ({"light": 0.97}, "darker"),
        ({"motion": 1.5}, "still"),
        ({"motion": float("nan")}, "good"),
        ({"faces": 2.0}, "several"),
        ({"faces": 2.0, "size": 0.1}, "closer"),
        ({"faces": 0.0, "size": float("nan"), "x": float("nan"), "y": float("nan")}, "nobody"),
        ({"size": float("nan")}, "nobody"),
    ],
)
def test_the_advice_is_what_helps_most(changed: dict[str, float], advice: str) -> None:
    assert after([row(**changed)] * 10).advice == advice


def test_the_bar_fills_as_the_visitor_comes_closer() -> None:
    near = [after([row(size=size)] * 5).near for size in (0.0, 0.07, 0.14, NEAR_ENOUGH, 0.6)]
    assert near == pytest.approx([0, 0.25, 0.5, 1, 1], abs=1e-6)


def test_one_picture_changes_no_advice() -> None:
    guide = Guide()
    for number in range(30):
        odd = {"faces": 0.0, "size": float("nan")} if number == 12 else {"motion": 3.0} if number == 20 else {}
        assert guide.look(number * SECOND // 30, row(**odd)).advice == "good"


def test_an_advice_that_was_followed_is_gone_within_a_second() -> None:
    guide = Guide()
    for number in range(30):
        guide.look(number * SECOND // 30, row(size=0.1))
    said = [guide.look((30 + number) * SECOND // 30, row()).advice for number in range(30)]
    assert said[0] == "closer"
    assert said[-1] == "good"
