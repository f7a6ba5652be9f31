"""Visits as data: those that we have can be held, and one that makes no sense is refused."""

import pytest

from kiosk import protocols
from kiosk.protocols import BadProtocol, read, said
from kiosk.signals import SIGNALS

HEAD = """
id = "x"
version = "1"
minutes = 1
title = { en = "X" }
about = { en = "For tests." }
"""
STEPS = {
    "consent": '{ id = "consent", kind = "consent" }',
    "check_in": '{ id = "check_in", kind = "check_in" }',
    "rest": '{ id = "rest", kind = "measure", seconds = 10, mark = "rest" }',
    "results": '{ id = "results", kind = "results" }',
}


def written(*steps: str, head: str = HEAD) -> str:
    return f"{head}\nsteps = [\n{','.join(STEPS.get(each, each) for each in steps)}\n]\n"


def test_a_whole_visit_is_read() -> None:
    found = read(written("consent", "check_in", "rest", "results"))
    assert [step.id for step in found.steps] == ["consent", "check_in", "rest", "results"]
    assert said(found.title, "ru") == "X"


def test_ours_are_there_in_both_languages_and_need_what_can_be_measured() -> None:
    assert list(protocols.listed()) == ["quick", "follow_up", "full"]
    for protocol in protocols.listed().values():
        assert {"en", "ru"} <= protocol.title.keys() & protocol.about.keys()
        for step in protocol.steps:
            if step.kind != "spot":
                assert set(step.needs) <= SIGNALS.keys()
        measured = sum(step.seconds or 0 for step in protocol.steps)
        assert measured <= 60 * protocol.minutes


@pytest.mark.parametrize(
    "steps",
    [
        ("check_in", "rest", "results"),
        ("consent", "rest", "results"),
        ("consent", "rest", "check_in", "results"),
        ("consent", "check_in", "rest"),
        ("consent", "check_in", "results", "rest"),
        ("consent", "check_in", "rest", "rest", "results"),
        ("consent", "check_in", '{ id = "a", kind = "measure" }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "spot", seconds = 3 }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "questionnaire" }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "questionnaire", questionnaire = "none" }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "position", needs = ["aura"] }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "dance" }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "measure", seconds = 0 }', "results"),
        ("consent", "check_in", '{ id = "a", kind = "conversation", say = { ru = "Да" } }', "results"),
    ],
    ids=str,
)
def test_a_visit_that_cannot_be_held_is_refused(steps: tuple[str, ...]) -> None:
    with pytest.raises(BadProtocol):
        read(written(*steps))


@pytest.mark.parametrize("text", ["", "id = ", "[[steps]]", written("consent", "check_in", "results", head="id = 'x'")])
def test_what_is_no_visit_is_refused(text: str) -> None:
    with pytest.raises(BadProtocol):
        read(text)
