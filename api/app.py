"""The HTTP side: REST, live WebSocket, dashboard and metrics in one app. `create_app` is given all that it needs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware import Middleware

from api import dashboard, errors, openapi
from api.audit import Auditor
from api.commands import Commands
from api.idempotency import Idempotency
from api.live import Hub
from api.login import Desk, Gate
from api.login.linked import provider_of
from api.metrics import Metrics
from api.middleware import Limits, Net
from api.routes import (
    account,
    alerts,
    analyses,
    assistant,
    audit,
    chain,
    comparison,
    consents,
    corrections,
    courses,
    devices,
    dialogues,
    erasure,
    exports,
    fhir,
    health,
    identities,
    keys,
    kiosks,
    live,
    notes,
    oidc,
    patients,
    questionnaires,
    readings,
    research,
    reviews,
    rules,
    sessions,
    trends,
    users,
    usual,
    wall,
    waveforms,
    worklist,
)
from api.store import Database
from api.visits.reception import Reception
from api.witness import Witness
from kiosk.assistant import chosen
from kiosk.bus import Bus
from kiosk.settings import Settings

DESCRIPTION = """\
Reads what a screening kiosk measured, and follows it live.

Every number carries its method, source, window and quality - or is absent, with the reason. Times of day are UTC in
ISO 8601, times within a session are seconds since its start, units are UCUM. Lists answer `items` and `next`, the
cursor of the following page. Every error is a problem (RFC 9457, `application/problem+json`).
"""


def create_app(*, settings: Settings, database: Database, bus: Bus) -> FastAPI:
    """The app on a database and a bus. Both are the caller's, who opens and closes them."""
    metrics, auditor = Metrics(), Auditor(database)
    metrics.watch(auditor)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Hub(bus, metrics) as hub, Commands(bus) as commands, Reception(bus, database, settings):
            app.state.hub, app.state.commands = hub, commands
            try:
                yield
            finally:
                await asyncio.to_thread(auditor.close)

    app = FastAPI(
        title="health-kiosk",
        summary="Sessions, readings and waveforms of a screening kiosk.",
        description=DESCRIPTION,
        version=version("health-kiosk"),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=openapi.TAGS,
        openapi_url="/api/v1/openapi.json",
        # Swagger's and Redoc's pages load their scripts from a CDN: not here
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[
            Middleware(Net, metrics=metrics),
            Middleware(Limits, names=settings.host_names),
            Middleware(Witness, auditor=auditor, metrics=metrics),
            Middleware(Idempotency),
        ],
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings, app.state.database, app.state.bus, app.state.metrics = settings, database, bus, metrics
    app.state.auditor, app.state.assistant = auditor, chosen.of(settings)
    app.state.oidc = provider_of(settings, database.vault)
    app.state.gate, app.state.desk = Gate(database, settings), Desk(database, settings, auditor)
    errors.install(app)
    resources = (
        analyses,
        sessions,
        readings,
        usual,
        courses,
        comparison,
        waveforms,
        corrections,
        exports,
        research,
        questionnaires,
        notes,
        dialogues,
        reviews,
        assistant,
        rules,
        alerts,
        worklist,
        trends,
        live,
        wall,
        identities,
        patients,
        consents,
        erasure,
        kiosks,
        devices,
        account,
        oidc,
        users,
        keys,
        audit,
        chain,
        fhir,
        health,
    )
    openapi.install(app, resources)
    for resource in resources:
        # built once with their module: `include_router` would build each of them anew with the first request
        app.router.routes.extend(resource.router.routes)
    app.include_router(dashboard.router)
    dashboard.mount(app)
    return app
