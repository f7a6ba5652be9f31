"""What is written into a field stays text: in SQL, in headers, in logs, in the audit, in errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.store import Database
from tests.api.attacks import feeding
from tests.api.attacks.siege import Attack, Target, besieged


@pytest.fixture
def target(database: Database, tmp_path: Path) -> Iterator[Target]:
    """On both databases: what harms one may be nothing to the other."""
    with besieged(tmp_path, database) as made:
        yield made


@pytest.mark.parametrize("part", range(feeding.PARTS))
def test_every_field_of_every_operation_stays_text(target: Target, part: int) -> None:
    assert not feeding.fields_of(target, part)


@pytest.mark.parametrize("attack", feeding.ATTACKS, ids=lambda attack: attack.__name__)
def test_text_stays_text(target: Target, attack: Attack) -> None:
    assert not attack(target)
