"""A session as files that other programs read, and as a page for people."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from api import errors
from api.audit import Auditor, Entry
from api.dependencies import TheDatabase, may
from api.errors import Failed, Kind, documented
from api.interop.edf import NotInEdf
from api.interop.files import FORMATS, Format, exported
from api.interop.flows import plain_name
from api.reports import NoResults, results_pdf
from api.routes.words import TheSession
from api.security import Action, Identity, Role
from api.store import Database, consents
from api.tables import SessionRow

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["exports"])

NOT_IN_FORMAT = Kind("not-in-format", 409, "The session does not fit into this format", "Ask for Parquet or CSV.")


class WantedExport(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field(
        "edf",
        description="edf: EDF+, regular waveforms with beats and events. wfdb: a zip of PhysioNet records. csv and"
        " parquet: a zip of tables, everything, unrounded.",
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file.",
            "content": {
                media: {"schema": {"type": "string", "format": "binary"}, "example": "(bytes)"}
                for media in sorted({media for media, _ in FORMATS.values()})
            },
        },
        **documented(errors.NO_SESSION, NOT_IN_FORMAT, errors.ERASED, errors.INVALID, errors.NO_DATABASE),
    },
)
def export_session(
    who: Annotated[Identity, may(Action.EXPORT)],
    session: TheSession,
    wanted: Annotated[WantedExport, Query()],
    database: TheDatabase,
) -> Response:
    """A session's waveforms, readings, beats and events as a file.

    It says the pseudonym and never a name. It is made while it is sent, so its length is not known before.
    """
    pieces = exported(database, session.id, wanted.format)
    try:
        # what is wrong is said before anything is sent
        first = next(pieces, b"")
    except NotInEdf as error:
        raise Failed(NOT_IN_FORMAT, f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    media, ending = FORMATS[wanted.format]
    named = f'attachment; filename="{plain_name(session.id)}{ending}"'
    return StreamingResponse(_all(first, pieces), media_type=media, headers={"Content-Disposition": named})


def _all(first: bytes, rest: Generator[bytes]) -> Iterator[bytes]:
    with closing(rest):
        yield first
        yield from rest


class WantedReport(BaseModel):
    """How it is to be."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["en", "ru"] = Field("en", description="Of the report.")
    name: bool = Field(
        False,
        description="Say the name: for who may read identities; to integrators, where sharing is agreed to.",
    )


@router.get(
    "/report.pdf",
    response_class=Response,
    responses={
        200: {
            "description": "The report, PDF/A.",
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "(bytes)"}},
        },
        **documented(errors.NO_SESSION, errors.NOT_ANALYSED, errors.ERASED, errors.INVALID, errors.NO_DATABASE),
    },
)
def report_session(
    request: Request,
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedReport, Query()],
    database: TheDatabase,
) -> Response:
    """The results of the newest analysis, on a page or two, to print or to hand over."""
    named = wanted.name and _may_name(request, who, session, database)
    try:
        made = results_pdf(database, session.id, language=wanted.language, named=named)
    except NoResults:
        raise Failed(errors.NOT_ANALYSED) from None
    shown = f'inline; filename="{plain_name(session.id)}-{wanted.language}.pdf"'
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": shown})


def _may_name(request: Request, who: Identity, session: SessionRow, database: Database) -> bool:
    """Whether the name is said; that it is, is noted beside the access to the results."""
    if not who.may(Action.READ_IDENTITIES):
        raise Failed(errors.FORBIDDEN)
    if session.patient_id is None:
        return False
    with database.reading() as db:
        if who.role is Role.INTEGRATOR and not consents.allows(db, session.patient_id, "share"):
            return False
    auditor: Auditor = request.app.state.auditor
    entry = Entry(who.id, str(who.role), str(Action.READ_IDENTITIES), "patient", session.patient_id, "done", who.clinic)
    auditor.note_now(entry)
    return True
