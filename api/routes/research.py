"""For researchers: people who agreed, without anything that says who they are."""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import date as Day  # noqa: N812 - a field is called date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response, StreamingResponse

from api import errors
from api.dependencies import Reader, TheDatabase, TheSettings, may
from api.errors import Failed, Kind, documented
from api.interop import deidentified, study
from api.interop.deidentified import StudyVisit, Suppressed
from api.interop.flows import Pipe
from api.interop.tables import Form
from api.routes.words import Cursor, Limit, Next, cursor_after, place_of
from api.security import Action, Identity
from api.store import Database

router = APIRouter(prefix="/api/v1/research", tags=["research"])
NO_WAVEFORMS = Kind("waveforms-stay", 403, "Waveforms stay in this clinic", "It exports readings alone.")
_PLACE: msgspec.json.Decoder[tuple[str]] = msgspec.json.Decoder(tuple[str])

_VISIT: JsonDict = {
    "study_id": "P0b6f1c2e9a7d4835f21c",
    "visit": "V93ad50e17c2b4f68a1d0",
    "age": "40-44",
    "sex": "female",
    "date": "2024-08-15",
    "protocol": "quick",
    "seconds": 180,
    "quality": 0.93,
    "measures": {"heart_rate": 72.0},
}
_SUPPRESSED: JsonDict = {"k": 5, "people": 3, "sessions": 4}


class StudyVisitShape(BaseModel):
    """A session of somebody who is not named."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VISIT]})

    study_id: str = Field(description="A keyed hash of the person: the same in all of their visits.")
    visit: str = Field(description="A keyed hash of the session.")
    age: str = Field(description="Five years, at the first visit; 90+; unknown.", examples=["40-44"])
    sex: str = Field(description="female, male, or other or unknown.")
    date: Day = Field(description="Moved by a number of whole weeks that is the person's own, and secret.")
    protocol: str | None = Field(description="Null also where fewer than k people share it.")
    seconds: int | None = Field(description="How long it took, to ten seconds.")
    quality: float | None
    measures: dict[str, float] = Field(description="Over the whole recording, of the preferred source.")


class SuppressedShape(BaseModel):
    """What is not shown, because fewer than k people have this age band and sex."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SUPPRESSED]})

    k: int
    people: int
    sessions: int


class StudyPage(BaseModel):
    """A part of the list, in an order that says nothing."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [_VISIT], "next": None, "suppressed": _SUPPRESSED}]}
    )

    items: list[StudyVisitShape]
    next: Next
    suppressed: SuppressedShape


class WantedVisits(BaseModel):
    """Which part."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: Cursor = None


class WantedStudy(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")

    format: Form = Field("parquet", description="Of the tables in the zip.")
    waveforms: bool = Field(
        False, description="With samples, where the clinic lets them out: they identify people as fingerprints do."
    )


@router.get("/sessions", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_study(
    who: Annotated[Identity, may(Action.EXPORT_DEIDENTIFIED)],
    wanted: Annotated[WantedVisits, Query()],
    settings: TheSettings,
    db: Reader,
) -> StudyPage:
    """Visits of people who agreed to research and have not taken it back, of groups of at least k."""
    visits, hidden = deidentified.cohort(db, who.clinic, settings.research_k)
    place = place_of(wanted.cursor, _PLACE)
    left = [each for each in visits if place is None or each.visit > place[0]]
    shown = left[: wanted.limit]
    measures: dict[str, dict[str, float]] = {}
    for reading in deidentified.readings_of(db, shown):
        if reading.value is not None and reading.preferred and reading.scope == "recording":
            measures.setdefault(reading.visit, {})[reading.measure] = reading.value
    return StudyPage(
        items=[_shape(each, measures.get(each.visit, {})) for each in shown],
        next=cursor_after(shown[-1].visit) if len(left) > len(shown) else None,
        suppressed=SuppressedShape(k=hidden.k, people=hidden.people, sessions=hidden.sessions),
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A zip of tables.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}, "example": "(bytes)"}},
        },
        **documented(NO_WAVEFORMS, errors.INVALID, errors.NO_DATABASE),
    },
)
def export_study(
    who: Annotated[Identity, may(Action.EXPORT_DEIDENTIFIED)],
    wanted: Annotated[WantedStudy, Query()],
    settings: TheSettings,
    database: TheDatabase,
) -> Response:
    """The same visits with all their readings, and with waveforms where KIOSK_RESEARCH_WAVEFORMS lets them out."""
    if wanted.waveforms and not settings.research_waveforms:
        raise Failed(NO_WAVEFORMS)
    pieces = _exported(database, who.clinic, settings.research_k, wanted)
    first = next(pieces, b"")
    named = f'attachment; filename="study-{wanted.format}.zip"'
    return StreamingResponse(_all(first, pieces), media_type="application/zip", headers={"Content-Disposition": named})


def _exported(database: Database, clinic: str | None, k: int, wanted: WantedStudy) -> Generator[bytes]:
    pipe = Pipe()
    with database.reading() as db:
        visits: list[StudyVisit]
        hidden: Suppressed
        visits, hidden = deidentified.cohort(db, clinic, k)
        for _ in study.write(db, visits, hidden, pipe, wanted.format, waveforms=wanted.waveforms):
            if piece := pipe.drain():
                yield piece
    if piece := pipe.drain():
        yield piece


def _all(first: bytes, rest: Generator[bytes]) -> Iterator[bytes]:
    with closing(rest):
        yield first
        yield from rest


def _shape(visit: StudyVisit, measures: dict[str, float]) -> StudyVisitShape:
    return StudyVisitShape(
        study_id=visit.person.study,
        visit=visit.visit,
        age=visit.person.age,
        sex=visit.person.sex,
        date=visit.day,
        protocol=visit.protocol,
        seconds=visit.seconds,
        quality=visit.quality,
        measures=measures,
    )
