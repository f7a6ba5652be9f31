"""Which face is measured: the nearest, and the same one until somebody else is it for good."""

import numpy as np
import pytest

from sensors.face.seen import Face
from sensors.face.visitor import (
    FACE_FOUND,
    FACE_LOST,
    SECOND_FACE,
    SECOND_FACE_GONE,
    TAKES_OVER,
    VISITOR_CHANGED,
    WAITS,
    Choice,
    Visitor,
)
from tests.sensors.face.drawn import drawn

STEP = 1 / 30


def face(x: float = 300, size: float = 1.0, y: float = 240) -> Face:
    return Face(drawn(x=x, y=y, size=size))


def chosen(visitor: Visitor, faces: list[Face], start: float, seconds: float) -> list[Choice]:
    """What is chosen from the same faces for so long."""
    return [visitor.choose(faces, round((start + each * STEP) * 1e9)) for each in range(round(seconds / STEP))]


def said(choices: list[Choice]) -> list[str]:
    return [event for choice in choices for event, _ in choice.marks]


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


def test_the_nearest_of_the_first_ones_is_the_visitor(visitor: Visitor) -> None:
    near, far = face(x=500, size=1.2), face(x=100, size=0.8)
    choice = visitor.choose([far, near], 0)
    assert choice.face is near
    assert choice.changed


def test_the_visitor_is_kept_while_others_come_a_little_nearer(visitor: Visitor) -> None:
    first = face()
    chosen(visitor, [first], 0, 1)
    choices = chosen(visitor, [face(x=600, size=1.25), first], 1, 5)
    assert all(choice.face is first and not choice.changed for choice in choices)
    assert said(choices) == [SECOND_FACE]


def test_somebody_much_nearer_takes_over_after_a_while_and_once(visitor: Visitor) -> None:
    first, second = face(), face(x=600, size=1.5)
    chosen(visitor, [first], 0, 1)
    choices = chosen(visitor, [first, second], 1, 5)
    assert said(choices).count(VISITOR_CHANGED) == 1
    turn = next(index for index, choice in enumerate(choices) if choice.changed)
    assert turn * STEP == pytest.approx(TAKES_OVER, abs=2 * STEP)
    assert all(choice.face is second for choice in choices[turn:])
    assert ("visitor_changed", "nearer") in choices[turn].marks


def test_one_who_walks_by_close_to_the_camera_takes_nothing_over(visitor: Visitor) -> None:
    first = face()
    chosen(visitor, [first], 0, 1)
    choices = []
    for index in range(45):
        by = face(x=100 + 10 * index, size=1.8, y=600)
        choices.append(visitor.choose([first, by], round((1 + index * STEP) * 1e9)))
    assert all(choice.face is first for choice in choices)


def test_two_of_the_same_size_never_flap(visitor: Visitor) -> None:
    random = np.random.default_rng(4)
    choices = []
    for index in range(300):
        pair = [face(x=x, size=float(random.normal(1.0, 0.1))) for x in (200, 600)]
        random.shuffle(pair)
        choices.append(visitor.choose(pair, round(index * STEP * 1e9)))
    places = {round(float(choice.face.points[4, 0]), -2) for choice in choices if choice.face}
    assert len(places) == 1
    assert said(choices) == [FACE_FOUND, SECOND_FACE]


def test_coming_and_going_is_said_once_it_lasts(visitor: Visitor) -> None:
    someone = face()
    choices = chosen(visitor, [], 0, 1) + chosen(visitor, [someone], 1, 2)
    choices += chosen(visitor, [], 3, 0.3) + chosen(visitor, [someone], 3.3, 1)
    assert said(choices) == [FACE_FOUND]
    choices = chosen(visitor, [], 4.3, 3)
    assert said(choices) == [FACE_LOST]
    assert all(choice.face is None for choice in choices)


def test_who_looks_away_for_a_moment_is_still_the_visitor(visitor: Visitor) -> None:
    chosen(visitor, [face()], 0, 1)
    chosen(visitor, [], 1, WAITS - 0.5)
    choices = chosen(visitor, [face(x=310)], 1 + WAITS - 0.5, 1)
    assert not any(choice.changed for choice in choices)
    assert choices[0].face is not None


def test_who_sits_down_after_the_visitor_left_is_somebody_else(visitor: Visitor) -> None:
    chosen(visitor, [face()], 0, 1)
    chosen(visitor, [], 1, WAITS + 0.5)
    choice = visitor.choose([face(x=310)], round((2 + WAITS) * 1e9))
    assert choice.changed
    assert (VISITOR_CHANGED, "left") in choice.marks


def test_another_elsewhere_waits_until_the_visitor_is_surely_gone(visitor: Visitor) -> None:
    chosen(visitor, [face(), face(x=900, size=0.7)], 0, 1)
    choices = chosen(visitor, [face(x=900, size=0.7)], 1, WAITS + 1)
    assert choices[0].face is None
    assert choices[-1].face is not None
    assert said(choices).count(VISITOR_CHANGED) == 1


def test_the_second_face_is_said_to_be_gone(visitor: Visitor) -> None:
    both = chosen(visitor, [face(), face(x=600)], 0, 1)
    alone = chosen(visitor, [face(), face(x=600, size=0.3)], 1, 1)
    assert said(both + alone) == [FACE_FOUND, SECOND_FACE, SECOND_FACE_GONE]


def test_a_moving_visitor_is_followed(visitor: Visitor) -> None:
    choices = [visitor.choose([face(x=100 + 12 * index)], round(index * STEP * 1e9)) for index in range(60)]
    assert [choice.changed for choice in choices].count(True) == 1
    assert all(choice.face for choice in choices)


def test_in_a_still_the_nearest_is_there_at_once() -> None:
    choice = Visitor(still=True).choose([face(x=100, size=0.9), face(x=600)], 0)
    assert choice.face is not None
    assert [event for event, _ in choice.marks] == [FACE_FOUND, SECOND_FACE]
