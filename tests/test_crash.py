"""Sensor, broker, recorder and database are killed with -9 while chunks flow: nothing is lost or doubled unnoticed."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import find
from tests.conftest import require
from tests.crash import Line, settle, storm, verdict
from tests.postgres import cluster
from tests.postgres import find as find_postgres

ROUNDS = 24


@pytest.fixture(params=["sqlite", "postgresql"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    require(find() is not None, "mosquitto")
    if request.param == "sqlite":
        with Line(tmp_path, None, f"sqlite:///{tmp_path / 'kiosk.sqlite'}") as made:
            yield made
    else:
        require(find_postgres() is not None, "postgresql")
        with cluster(tmp_path) as server, Line(tmp_path, server, server.url()) as made:
            yield made


@pytest.mark.timeout(300)
async def test_every_emitted_chunk_is_stored_once_or_listed_as_lost(line: Line) -> None:
    killed = await storm(line, random.Random(20), ROUNDS)
    try:
        await settle(line)
    except TimeoutError:
        pytest.fail(f"not settled: {line.log('sensors')}\n{line.log('recorder')}")
    result = verdict(line)
    assert set(killed) == set(line.victims)
    assert line.waiting() == 0
    assert result.emitted > 500
    assert result.problems == []
