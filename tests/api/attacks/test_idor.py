"""Nobody reaches what is another's: by its id, by a filter, by a body, by a key that was heard."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.attacks import reaching
from tests.api.attacks.siege import Attack, Target, on_sqlite


@pytest.fixture
def target(tmp_path: Path, sqlite_template: Path) -> Iterator[Target]:
    with on_sqlite(tmp_path, sqlite_template, upload_bytes=200_000) as made:
        yield made


@pytest.mark.parametrize("attack", reaching.ATTACKS, ids=lambda attack: attack.__name__)
def test_nobody_reaches_what_is_anothers(target: Target, attack: Attack) -> None:
    assert not attack(target)
