"""A time that passes when it is told to, for everything about logins."""

import pytest
from fastapi import FastAPI

from api.login.throttle import Throttle
from api.store import clock
from tests.api.login.timing import Clock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, app: FastAPI) -> Clock:
    """The time; failures are told at once."""
    made = Clock()
    monkeypatch.setattr(clock, "utc_now", made.utc)
    app.state.desk.failure_takes = 0
    app.state.desk.throttle = Throttle(clock=made.seconds)
    return made
