"""Many items in processes of their own."""

import pytest

from kiosk.commands.workers import Done, results
from tests.kiosk.crew import work


def done(items: list[str], workers: int = 2, patience: float = 60) -> list[Done[str]]:
    return list(results(work, items, workers=workers, patience=patience))


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_come_in_the_order_of_the_items(workers: int) -> None:
    found = done(list("abcd"), workers)
    assert [(each.index, each.value) for each in found] == list(enumerate("ABCD"))
    assert found[-1].finished == 4


def test_a_crash_costs_its_item_alone() -> None:
    found = done(["a", "crash", "b", "leave", "fail", "c"])
    assert [each.value for each in found] == ["A", None, "B", None, None, "C"]
    assert "signal 11" in found[1].failed
    assert "exit code 3" in found[3].failed
    assert "ValueError: a bug" in found[4].failed


def test_what_hangs_is_given_up() -> None:
    found = done(["hang", "a", "b"], patience=4)
    assert [each.value for each in found] == [None, "A", "B"]
    assert "4 s" in found[0].failed


def test_nothing_is_left_running_when_nobody_waits_any_more() -> None:
    stream = results(work, ["a", "hang"], workers=2, patience=600)
    assert next(stream).value == "A"
    stream.close()  # joins its processes: it would not return while one of them slept
