"""For machines that watch this one: load balancers and Prometheus."""

import asyncio
import contextlib
from typing import Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import TheBus, TheDatabase, TheMetrics
from api.errors import Failed, documented
from api.store import Database, DatabaseDown, StoreError, sessions
from api.store.database import NotMigrated
from kiosk.bus import Bus
from kiosk.errors import KioskError

router = APIRouter(tags=["operation"])
PATIENCE = 3.0
HEALTHY: JsonDict = {"status": "ok", "database": "ok", "migration": "ok", "keys": "ok", "broker": "ok"}


class Health(BaseModel):
    """All that is needed answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [HEALTHY]})

    status: Literal["ok"] = "ok"
    database: Literal["ok"] = "ok"
    migration: Literal["ok"] = "ok"
    keys: Literal["ok"] = "ok"
    broker: Literal["ok"] = "ok"


class Life(BaseModel):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


@router.get("/health/ready", responses=documented(errors.NOT_READY, public=True))
@router.get("/api/v1/health/ready", responses=documented(errors.NOT_READY, public=True))
@router.get("/api/v1/health", responses=documented(errors.NOT_READY, public=True))
async def get_health(database: TheDatabase, bus: TheBus) -> Health:
    """Whether database (migrated), key store and broker answer; 503 says which does not."""
    answers = await asyncio.gather(_database_lacks(database), _keys_lack(database), _broker_lacks(bus))
    missing = [name for name in answers if name]
    if missing:
        raise Failed(errors.NOT_READY, f"No answer from: {', '.join(missing)}.", missing=missing)
    return Health()


@router.get("/health/live", responses=documented(public=True))
@router.get("/api/v1/health/live", responses=documented(public=True))
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
        **documented(public=True),
    },
)
def get_metrics(metrics: TheMetrics, database: TheDatabase) -> Response:
    """Counts for Prometheus."""
    by_state = None
    with contextlib.suppress(StoreError), database.reading() as db:
        by_state = sessions.count_by_state(db)
    metrics.count_sessions(by_state)
    return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _database_lacks(database: Database) -> str:
    """What is missing there, or nothing."""
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(database.check)
    except NotMigrated:
        return "migration"
    except (TimeoutError, DatabaseDown, StoreError):
        return "database"
    return ""


async def _keys_lack(database: Database) -> str:
    """Without its key store nothing can be decrypted, nor noted."""
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.to_thread(lambda: database.vault.keys.mark("health"))
    except (TimeoutError, KioskError, OSError):
        return "keys"
    return ""


async def _broker_lacks(bus: Bus) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await bus.wait_connected()
    except TimeoutError:
        return "broker"
    return ""
