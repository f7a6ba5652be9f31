"""Corrections of beats: what a list of them makes, and which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.correcting import Correction, Impossible, applied, check
from kiosk.messages import SECOND

END = 60 * SECOND
BEATS = (1.0, 2.0, 3.0, 4.0)


def at(seconds: float) -> int:
    return round(seconds * SECOND)


def test_each_kind_does_what_it_says() -> None:
    made = applied(
        BEATS,
        [
            Correction("add", at(4.9)),
            Correction("remove", at(2.01)),
            Correction("move", at(2.98), at(3.1)),
        ],
    )
    assert made.beats == (1.0, 3.1, 4.0, 4.9)
    assert (made.count, made.missed) == (3, ())


def test_a_correction_that_finds_no_beat_changes_nothing_and_is_told() -> None:
    made = applied(BEATS, [Correction("remove", at(2.5)), Correction("move", at(9.0), at(9.1))])
    assert (made.beats, made.count, made.missed) == (BEATS, 0, (0, 1))


def test_later_corrections_speak_of_what_earlier_ones_left() -> None:
    made = applied(BEATS, [Correction("move", at(2.0), at(2.3)), Correction("remove", at(2.3))])
    assert made.beats == (1.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("new", "place", "why"),
    [
        ([Correction("add", at(61))], 0, "outside"),
        ([Correction("add", -1)], 0, "outside"),
        ([Correction("add", at(5)), Correction("move", at(1), at(60.5))], 1, "outside"),
        ([Correction("remove", at(1.5))], 0, "no beat"),
        ([Correction("add", at(5)), Correction("add", at(5.15))], 0, "less than 0.2 s"),
        ([Correction("add", at(1.19))], 0, "less than 0.2 s"),
        ([Correction("move", at(1), at(1.9))], 0, "less than 0.2 s"),
        ([Correction("add", at(1.0))], 0, "less than 0.2 s"),
        ([Correction("remove", at(each)) for each in (1, 2, 3)], 2, "fewer than two"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(new: list[Correction], place: int, why: str) -> None:
    with pytest.raises(Impossible, match=why) as raised:
        check(BEATS, (), new, END)
    assert raised.value.place == place


def test_what_can_be_passes_even_where_nothing_was_found() -> None:
    check(BEATS, (), [Correction("add", at(1.2)), Correction("remove", at(1.2)), Correction("add", at(5))], END)
    check((), (), [Correction("add", at(1)), Correction("add", at(1.2))], END)


times = st.integers(0, 60_000).map(lambda each: each * SECOND // 1000)
corrections = st.lists(
    st.builds(Correction, st.sampled_from(["add", "remove"]), times)
    | st.builds(Correction, st.just("move"), times, times),
    max_size=30,
)


@given(st.lists(st.floats(0, 60), max_size=80), corrections)
def test_beats_rise_and_their_number_is_what_was_done(found: list[float], made: list[Correction]) -> None:
    result = applied(found, made)
    assert list(result.beats) == sorted(result.beats)
    done = [each for place, each in enumerate(made) if place not in result.missed]
    change = sum({"add": 1, "remove": -1, "move": 0}[each.kind] for each in done)
    assert len(result.beats) == len(found) + change
    assert result.count == len(done)
