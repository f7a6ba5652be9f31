"""Uploads: recordings of any kind that the command line reads, analysed apart, with progress."""

import asyncio
import shutil
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors, idempotency
from api.dependencies import Reader, TheDatabase, TheSettings, Writer, may
from api.errors import Failed, documented
from api.routes.words import (
    BY_TIME,
    PATTERN,
    Cursor,
    Limit,
    Name,
    Next,
    cursor_after,
    moment,
    moment_or_none,
    place_of,
)
from api.security import Action, Identity
from api.store import Database, Transaction, analyses, patients, utc_now, vault_of
from api.store import idempotency as answered
from api.store.idempotency import Answer
from api.tables import MAIN, AnalysisRow
from api.uploads import places
from api.uploads.receiving import FILES, MOST_FILES, Receiver
from api.uploads.spoken import Manifest
from kiosk.settings import Settings

router = APIRouter(prefix="/api/v1/analyses", tags=["analyses"])
State = Literal["queued", "reading", "analysing", "done", "failed"]
Kind = Literal[
    "auto", "rr", "ecg", "ppg", "eeg", "respiration", "eda", "skin_temperature", "acceleration", "video", "image",
    "voice",
]  # fmt: skip

_QUEUED: JsonDict = {
    "id": "x-2f61c09be4a7d385",
    "state": "queued",
    "progress": 0.0,
    "patient_id": "p-3f9a61c04d7be258",
    "session_id": None,
    "size": 5242880,
    "error": None,
    "created": "2025-01-02T09:10:00Z",
    "finished": None,
}
_DONE: JsonDict = {
    **_QUEUED,
    "state": "done",
    "progress": 1.0,
    "session_id": "s-2f61c09be4a7d385",
    "finished": "2025-01-02T09:10:06.500000Z",
}


class AnalysisShape(BaseModel):
    """An upload, and how far its analysis is."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DONE]})

    id: str
    state: State = Field(description="What is being done; done and failed are final.")
    progress: float = Field(description="0 to 1; while it is analysed, an estimate by the recording's length.")
    patient_id: str | None
    session_id: str | None = Field(description="The session that it has become, once done.")
    size: int = Field(description="Bytes of its files.")
    error: str | None = Field(description="Why it failed, for people.")
    created: datetime
    finished: datetime | None


class AnalysisPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_DONE, _QUEUED], "next": None}]})

    items: list[AnalysisShape]
    next: Next


class Said(BaseModel):
    """What is said beside the files. All of it may be left out."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Name | None = Field(None, description="Whose recording it is; age, sex and baseline are then known.")
    kind: Kind = Field("auto", description="What it holds, where the file does not tell.")
    channel: str | None = Field(None, min_length=1, max_length=100, description="Which channel alone, by name.")
    rate: float | None = Field(None, ge=0.01, le=100_000, description="Hertz, where the file does not tell.")
    age: float | None = Field(None, ge=0, le=130, description="Years, where the patient is not known here.")
    sex: Literal["female", "male", "other"] | None = Field(None, description="Likewise.")
    started: datetime | None = Field(None, description="When the recording began; UTC if it names no zone.")


class WantedAnalyses(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(None, description="Only these.")
    patient: Name | None = Field(None, description="Only of this patient, by id.")
    limit: Limit = 50
    cursor: Cursor = None


AnalysisId = Annotated[
    str, Path(description="The upload's id.", pattern=PATTERN, max_length=64, examples=["x-2f61c09be4a7d385"])
]
Key = Annotated[
    str | None,
    Header(
        alias=idempotency.HEADER,
        pattern=idempotency.PATTERN,
        description="Makes sending it again harmless: within a day it is answered as the first time.",
    ),
]


def _body() -> dict[str, Any]:
    """The request in OpenAPI. FastAPI would keep files on the disk in clear, so that it is not asked to parse them."""
    said = Said.model_json_schema()
    fields = {name: _plain(shape) for name, shape in said["properties"].items()}
    files = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": MOST_FILES,
        "description": "One recording: WFDB (.hea, .dat, .atr), EDF, BDF, FIF, BrainVision, CSV, text, .npy, .mat, "
        "sound or video; or a zip of it.",
    }
    schema = {
        "type": "object",
        "properties": {FILES: files, **fields},
        "required": [FILES],
        "additionalProperties": False,
    }
    example = {FILES: ["(the bytes of record.edf)"], "kind": "auto", "patient_id": "p-3f9a61c04d7be258"}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema, "example": example}}}


def _plain(shape: dict[str, Any]) -> dict[str, Any]:
    """A field of a form is there or not: it is never null."""
    shape = {name: value for name, value in shape.items() if name not in ("default", "title")}
    options = [option for option in shape.pop("anyOf", []) if option.get("type") != "null"]
    return {**shape, **(options[0] if options else {})}


@router.post(
    "",
    status_code=202,
    openapi_extra={"requestBody": _body()},
    responses=documented(
        errors.NOBODY, errors.MERGED, errors.KEY_BUSY, errors.KEY_USED, errors.TOO_LARGE, errors.UNPARSABLE,
        errors.INVALID, errors.NO_DATABASE,
    ),
)  # fmt: skip
async def upload(
    who: Annotated[Identity, may(Action.UPLOAD)],
    request: Request,
    response: Response,
    database: TheDatabase,
    settings: TheSettings,
    idempotency_key: Key = None,
) -> AnalysisShape:
    """Upload a recording. It is read and analysed in a process of its own; `Location` says how far that is.

    Its files are encrypted as they arrive, under a key that is destroyed after the analysis. What came of it is a
    session of the kiosk `upload`.
    """
    analysis = places.new_id()
    received = _Received(database, settings, analysis)
    kept = False
    try:
        await asyncio.to_thread(received.open, request.headers.get("content-type", ""))
        async for piece in request.stream():
            if piece:
                await asyncio.to_thread(received.receiver.feed, piece)
        answer = await asyncio.to_thread(received.keep, who, idempotency_key)
        if isinstance(answer, Answer):
            return idempotency.replayed(answer)  # type: ignore[return-value] # a response goes out as it is
        kept = True
    finally:
        if not kept:
            await asyncio.shield(asyncio.to_thread(received.discard))
    response.headers["Location"] = _location(answer.id)
    return answer


class _Received:
    """One upload while it arrives."""

    def __init__(self, database: Database, settings: Settings, analysis: str) -> None:
        self._database, self._settings, self._analysis = database, settings, analysis
        self._folder = places.sealed(settings.data, analysis)
        self.receiver: Receiver

    def open(self, content_type: str) -> None:
        """Make room."""
        box = self._database.vault.purpose(places.purpose(self._analysis))
        self._folder.mkdir(mode=0o700, parents=True)
        self.receiver = Receiver(content_type, self._folder, box, self._analysis, self._settings.upload_bytes)

    def keep(self, who: Identity, key: str | None) -> AnalysisShape | Answer:
        """Take it on; or what was answered to the same upload before."""
        receiver = self.receiver
        receiver.finish()
        said = _said(receiver.fields)
        manifest = Manifest(
            tuple(receiver.files), said.kind, said.channel, said.rate, said.age, said.sex, _nanoseconds(said.started)
        )
        box = self._database.vault.purpose(places.purpose(self._analysis))
        places.write_manifest(self._folder, box, self._analysis, manifest)
        now = utc_now()
        with self._database.transaction() as db:
            if key is not None:
                known = answered.begin(db, who.id, key, receiver.digest, now)
                if isinstance(known, Answer):
                    return known
                if known is not None:
                    raise Failed(idempotency.REFUSED[known])
            row = AnalysisRow(
                id=self._analysis,
                clinic_id=_clinic(db, who, said.patient_id),
                requested_by=who.id,
                patient_id=said.patient_id,
                size=receiver.size,
                created_ns=now,
            )
            analyses.add(db, row)
            shape = _shape(db, row)
            if key is not None:
                headers = (("content-type", "application/json"), ("location", _location(row.id)))
                answered.finish(db, who.id, key, Answer(202, headers, shape.model_dump_json().encode()))
        return shape

    def discard(self) -> None:
        """Leave nothing of it."""
        if hasattr(self, "receiver"):
            self.receiver.close()
        places.forget(self._database.vault, self._settings.data, self._analysis)
        shutil.rmtree(self._folder, ignore_errors=True)


def _said(fields: dict[str, str]) -> Said:
    try:
        return Said.model_validate(fields)
    except ValidationError as error:
        faults = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False)]
        raise Failed(errors.INVALID, errors=errors.faults(faults)) from None


def _clinic(db: Transaction, who: Identity, patient: str | None) -> str:
    """The clinic whose upload it is: the patient's, who must be of the sender's."""
    if patient is None:
        return who.clinic or MAIN
    row = patients.get(db, patient)
    if row is None or not who.sees(row.clinic_id):
        raise Failed(errors.NOBODY)
    if row.merged_into is not None:
        raise Failed(errors.MERGED, patient=row.merged_into)
    return row.clinic_id


def _nanoseconds(time: datetime | None) -> int | None:
    if time is None:
        return None
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    # a column of 64 bits ends in 2262
    return min(max(0, round(aware.timestamp() * 1e6) * 1000), 2**63 - 1)


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_analyses(
    who: Annotated[Identity, may(Action.UPLOAD)], wanted: Annotated[WantedAnalyses, Query()], db: Reader
) -> AnalysisPage:
    """Uploads of the clinic, newest first, a page at a time."""
    rows = analyses.newest(
        db,
        limit=wanted.limit + 1,
        clinic=who.clinic,
        before=place_of(wanted.cursor, BY_TIME),
        state=wanted.state,
        patient=wanted.patient,
    )
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return AnalysisPage(items=[_shape(db, row) for row in shown], next=following)


@router.get("/{analysis}", responses=documented(errors.NO_ANALYSIS, errors.INVALID, errors.NO_DATABASE))
def get_analysis(analysis: AnalysisId, who: Annotated[Identity, may(Action.UPLOAD)], db: Reader) -> AnalysisShape:
    """How far an upload is."""
    return _shape(db, _found(db, who, analysis))


@router.delete(
    "/{analysis}", status_code=204, responses=documented(errors.NO_ANALYSIS, errors.INVALID, errors.NO_DATABASE)
)
def cancel_analysis(
    analysis: AnalysisId, who: Annotated[Identity, may(Action.UPLOAD)], db: Writer, settings: TheSettings
) -> None:
    """Cancel an upload, or forget one that is over. A session that it has become stays."""
    row = _found(db, who, analysis)
    analyses.remove(db, row.id)
    places.forget(vault_of(db), settings.data, row.id)


def _found(db: Transaction, who: Identity, analysis: str) -> AnalysisRow:
    row = analyses.get(db, analysis)
    if row is None or not who.sees(row.clinic_id):
        raise Failed(errors.NO_ANALYSIS)
    return row


def _location(analysis: str) -> str:
    return f"{router.prefix}/{analysis}"


def _shape(db: Transaction, row: AnalysisRow) -> AnalysisShape:
    return AnalysisShape.model_validate(
        {
            "id": row.id,
            "state": row.state,
            "progress": round(row.progress, 4),
            "patient_id": row.patient_id,
            "session_id": row.session_id,
            "size": row.size,
            "error": analyses.error_of(db, row),
            "created": moment(row.created_ns),
            "finished": moment_or_none(row.finished_ns),
        }
    )
