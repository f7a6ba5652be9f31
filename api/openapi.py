"""The OpenAPI document: FastAPI's, with the one error shape and an example wherever a body is."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.errors import Problem

Json = dict[str, Any]
TAGS = [
    {"name": "sessions", "description": "A visit to a kiosk: what was measured, delivered and lost."},
    {"name": "readings", "description": "Numbers with their doubt, or the reason why there is none; events."},
    {
        "name": "waveforms",
        "description": (
            "Samples as they were measured, or decimated so that no peak vanishes.\n\n"
            "**Live**: the WebSocket `/api/v1/sessions/{session}/live?signals=ecg,ppg` passes on what the session's "
            "kiosk says - chunk, reading, event, session, status - one JSON message of the wire per text frame. Its "
            "first frame is `hello`; `dropped` says how many messages this client was too slow for. A refusal is one "
            "frame of kind `problem`, then close code 4000 + HTTP status: 4404 for an unknown session."
        ),
    },
    {"name": "patients", "description": "Pseudonyms. Who is behind them, only the clinic's own files know."},
    {"name": "kiosks", "description": "Devices and what they do, and commands to them."},
    {"name": "operation", "description": "For load balancers and Prometheus."},
]


def install(app: FastAPI, resources: Iterable[ModuleType]) -> None:
    """Let the app describe itself; `resources` are the modules of its routes."""

    def document() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    summary=app.summary,
                    description=app.description,
                    tags=app.openapi_tags,
                    routes=app.routes,
                    license_info=app.license_info,
                ),
                _examples(resources),
            )
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's own way to replace it


def _complete(document: Json, examples: dict[str, list[Json]]) -> Json:
    schemas: Json = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    # FastAPI's own error shapes: no route of ours has them
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for name, given in examples.items():
        if name in schemas:
            schemas[name]["examples"] = given
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in answer.get("content", {}).values():
                    _exemplify(content, schemas)
    return document


def _examples(resources: Iterable[ModuleType]) -> dict[str, list[Json]]:
    """The examples of every body, from their source: FastAPI leaves out what is null in them."""
    found: dict[str, list[Json]] = {}
    for resource in resources:
        for name, thing in vars(resource).items():
            if isinstance(thing, type) and issubclass(thing, BaseModel):
                extra = thing.model_config.get("json_schema_extra")
                if isinstance(extra, dict) and isinstance(extra.get("examples"), list):
                    found[name] = extra["examples"]  # type: ignore[assignment]
    return found


def _exemplify(content: Json, schemas: Json) -> None:
    """Say a schema's first example where the body is, for tools that look no further."""
    if "example" in content or "examples" in content:
        return
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    examples = schemas.get(name, {}).get("examples")
    if examples:
        content["example"] = examples[0]
