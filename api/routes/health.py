"""For machines that watch this one: load balancers and Prometheus."""

import asyncio
import contextlib
from typing import Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from api import errors
from api.dependencies import TheBus, TheDatabase, TheMetrics
from api.errors import Failed, documented
from api.store import Database, DatabaseDown, StoreError, sessions
from kiosk.bus import Bus

router = APIRouter(tags=["operation"])
PATIENCE = 3.0


class Health(BaseModel):
    """All that is needed answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "database": "ok", "broker": "ok"}]})

    status: Literal["ok"] = "ok"
    database: Literal["ok"] = "ok"
    broker: Literal["ok"] = "ok"


class Life(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


@router.get("/api/v1/health", responses=documented(errors.NOT_READY))
async def get_health(database: TheDatabase, bus: TheBus) -> Health:
    """Whether database (migrated) and broker answer; 503 says which does not."""
    answers = await asyncio.gather(_database_answers(database), _broker_answers(bus))
    missing = [name for name, answer in zip(("database", "broker"), answers, strict=True) if not answer]
    if missing:
        raise Failed(errors.NOT_READY, f"No answer from: {', '.join(missing)}.", missing=missing)
    return Health()


@router.get("/api/v1/health/live", responses=documented())
async def get_life() -> Life:
    """Whether this process answers at all."""
    return Life()


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": "kiosk_live_clients 2.0\n"}},
        },
        **documented(),
    },
)
def get_metrics(metrics: TheMetrics, database: TheDatabase) -> Response:
    """Counts for Prometheus."""
    by_state = None
    with contextlib.suppress(StoreError), database.reading() as db:
        by_state = sessions.count_by_state(db)
    metrics.count_sessions(by_state)
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _database_answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(database.check)
    except (TimeoutError, DatabaseDown, StoreError):
        return False
    return True


async def _broker_answers(bus: Bus) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await bus.wait_connected()
    except TimeoutError:
        return False
    return True
