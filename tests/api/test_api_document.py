"""docs/api.md is true: its table of roles is the one that the code goes by, and its words are the API's."""

import re
from pathlib import Path

import pytest

from api import errors
from api.security import ALLOWED, Action, Role

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
KINDS = {kind.slug: kind.status for kind in vars(errors).values() if isinstance(kind, errors.Kind)}


def cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip().strip("|").split("|")]


def rows(first: str) -> list[list[str]]:
    """The rows of the table whose head begins with a word."""
    found = re.search(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert found is not None
    # the last cell of a row may be empty
    return [[each.strip() for each in line[1:-1].split("|")] for line in found[1].splitlines()]


def test_the_table_of_roles_is_the_one_of_the_code() -> None:
    head = re.search(r"^\| action \|.*$", TEXT, re.MULTILINE)
    assert head is not None
    roles = cells(head[0])[1:]
    assert roles == [role.value for role in Role]
    told = {
        row[0].strip("`"): {role for role, may in zip(roles, row[1:], strict=True) if may} for row in rows("action")
    }
    assert told == {action.value: {role.value for role in ALLOWED[action]} for action in Action}


def test_problems_are_those_of_the_api() -> None:
    told = [(int(row[0]), word) for row in rows("status") for word in re.findall(r"`([a-z-]+)`", row[1])]
    assert len(told) > 10
    assert [(KINDS.get(word), word) for _, word in told] == told


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT))))
def test_what_it_links_to_exists(target: str) -> None:
    assert (Path(__file__).parents[2] / "docs" / target).exists()
