"""Marks as a recording keeps them, whoever wrote them."""

import math

import pytest

from kiosk.messages import SECOND
from kiosk.recording import LONGEST_MARK, MOST_MARKS, Mark, Recording, marks


def test_marks_are_in_order_of_time() -> None:
    found = marks([Mark(5, "b"), Mark(-3, "a", 2.0), Mark(5, "c")])
    assert found == (Mark(-3, "a", 2.0), Mark(5, "b"), Mark(5, "c"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("eyes\x1b[2Jclosed\r\n", "eyes [2Jclosed"),
        ("\x00\x07 a\t b \u2028", "a b"),
        ("mark \ud800\u202e", "mark"),
        ("закрыты", "закрыты"),
        ("x" * 5000, "x" * LONGEST_MARK),
    ],
)
def test_a_mark_is_one_short_printable_line(text: str, kept: str) -> None:
    (found,) = marks([Mark(0, text)])
    assert found.text == kept


@pytest.mark.parametrize("text", ["", " \n", "\x00\x1b"])
def test_a_mark_without_a_word_is_none(text: str) -> None:
    assert marks([Mark(0, text)]) == ()


@pytest.mark.parametrize("duration", [-1.0, math.nan, math.inf, -math.inf])
def test_a_duration_that_is_none_is_a_moment(duration: float) -> None:
    assert marks([Mark(0, "a", duration)]) == (Mark(0, "a", 0.0),)


def test_of_too_many_the_first_are_kept() -> None:
    found = marks(Mark(time, "x") for time in reversed(range(MOST_MARKS + 500)))
    assert len(found) == MOST_MARKS
    assert (found[0].time, found[-1].time) == (0, MOST_MARKS - 1)


def test_marks_do_not_make_a_recording_longer() -> None:
    assert Recording((), marks=(Mark(0, "a"), Mark(90 * SECOND, "b"))).duration == 0.0
    assert Recording(()).marks == ()
