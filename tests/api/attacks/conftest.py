"""What every attack begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.attacks.siege import Target, on_sqlite


@pytest.fixture
def target(tmp_path: Path, sqlite_template: Path) -> Iterator[Target]:
    """A clinic to attack, on SQLite; what is the database's own matter is attacked on both."""
    with on_sqlite(tmp_path, sqlite_template) as made:
        yield made
