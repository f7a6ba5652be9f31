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
    {"name": "courses", "description": "How numbers went during a session, its beats, spectra, and how methods agree."},
    {
        "name": "waveforms",
        "description": (
            "Samples as they were measured, or decimated so that no peak vanishes.\n\n"
            "**Live**: the WebSocket `/api/v1/sessions/{session}/live?signals=ecg,ppg` passes on what the session's "
            "kiosk says - chunk, reading, event, session, status - one JSON message of the wire per text frame. Its "
            "first frame is `hello`; `dropped` says how many messages this client was too slow for. A refusal is one "
            "frame of kind `problem`, then close code 4000 + HTTP status: 4404 for an unknown session.\n\n"
            "**Wall**: the WebSocket `/api/v1/wall/live` says what all kiosks do: `hello`, `roster`, then `now` with "
            'cards and traces at most four times a second; a page says what it shows: `{"view": ["kiosk-1"]}`.'
        ),
    },
    {"name": "corrections", "description": "Beats set by hand, and analyses asked for again. Each makes a revision."},
    {"name": "exports", "description": "A session as EDF+, WFDB, CSV, Parquet, or as a report to print."},
    {"name": "research", "description": "De-identified: who agreed, in groups of at least k. For researchers."},
    {"name": "questionnaires", "description": "Which there are, and answers. Scores diagnose nothing."},
    {"name": "notes", "description": "What staff write on a patient or a session. Encrypted."},
    {"name": "reviews", "description": "That a clinician has looked at a revision, and what came of it."},
    {"name": "assistant", "description": "Explains a session's numbers to who reads them; it diagnoses nothing."},
    {"name": "alerts", "description": "Readings that shall be seen to, and the rules that say so."},
    {"name": "worklist", "description": "What waits for a clinician, the most pressing first, and why it is there."},
    {"name": "trends", "description": "A person over their sessions, beside what is usual for them."},
    {"name": "analyses", "description": "Recordings from elsewhere: upload, follow, read as a session."},
    {"name": "patients", "description": "Pseudonyms; and apart from them, for who may see it, whom they stand for."},
    {"name": "consents", "description": "What people agreed to, by which text, and whether they took it back."},
    {"name": "kiosks", "description": "Devices and what they do, and commands to them."},
    {
        "name": "account",
        "description": (
            "Log in, and look after one's own login. Programs send `Authorization: Bearer` with the access token or an "
            "API key; pages have cookies, and send the CSRF cookie's value as `X-CSRF-Token` with what changes things."
        ),
    },
    {"name": "keys", "description": "What programs come in with, each narrowed to what it needs. For administrators."},
    {"name": "users", "description": "Who may log in, as what, and where. For administrators."},
    {"name": "audit", "description": "Who did what to whose data. Ids alone; chained, so that no row is lost unseen."},
    {
        "name": "fhir",
        "description": "FHIR R4, read-only. Errors are OperationOutcomes: the one exception from problem details.",
    },
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
            unsaid = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
            if unsaid.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
                # FastAPI's own idea, where a route (FHIR's) says another status for it
                del operation["responses"]["422"]
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
