"""What is usual for people of the age and sex that an analysis knew, for those measures that somebody has measured."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from analytics import norms
from analytics.norms import Norm
from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.words import TheSession
from api.security import Action, Identity
from api.store import revisions

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["readings"])
_RANGE: JsonDict = {
    "measure": "heart_rate",
    "low": 54.8,
    "middle": 68.0,
    "high": 81.2,
    "sex": "female",
    "ages": [35, 74],
    "people": 2874,
    "window": "5 min ECG at rest",
    "source": "Dantas et al. 2018, ELSA-Brasil, Psychophysiology 55:e13052",
    "doi": "10.1111/psyp.13052",
}


class UsualRange(BaseModel):
    """Between which values nine of ten such people lie at rest, if they are spread as the source's shape says."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RANGE]})

    measure: str
    low: float
    middle: float = Field(description="Half of them lie below.")
    high: float
    sex: str = Field(description="female, male, or any: both together.")
    ages: tuple[int, int] = Field(description="Completed years, both included.")
    people: int = Field(description="Behind the source's numbers.")
    window: str = Field(description="How it was measured.")
    source: str
    doi: str


class UsualRanges(BaseModel):
    """What is usual for the person of a session, and of which norms."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": "norms-1", "age": 44.0, "sex": "female", "items": [_RANGE]}]}
    )

    version: str = Field(description="Of the norms.")
    age: float | None = Field(description="As the analysis knew it; without it nothing is usual.")
    sex: str | None
    items: list[UsualRange]


class WantedRanges(BaseModel):
    """Of which analysis."""

    model_config = ConfigDict(extra="forbid")

    revision: int | None = Field(None, ge=1, le=2**31 - 1, description="Exactly this one; absent: the newest.")


@router.get("/usual", responses=documented(errors.NO_SESSION, errors.NO_REVISION, errors.INVALID, errors.NO_DATABASE))
def list_usual(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: TheSession,
    wanted: Annotated[WantedRanges, Query()],
    db: Reader,
) -> UsualRanges:
    """What is usual at rest for people of this age and sex, with its sources. Not what is healthy."""
    if wanted.revision is not None and wanted.revision > session.revision:
        raise Failed(errors.NO_REVISION, f"The session's newest revision is {session.revision}.")
    number = wanted.revision or session.revision
    context = next((row.context for row in revisions.of_session(db, session.id) if row.number == number), {})
    age, sex = context.get("age"), context.get("sex")
    measures = dict.fromkeys(row.measure for row in norms.listed())
    found = [norms.norm(measure, age=age, sex=sex) for measure in measures]
    return UsualRanges(version=norms.VERSION, age=age, sex=sex, items=[_range(row) for row in found if row is not None])


def _range(row: Norm) -> UsualRange:
    low, high = row.usual()
    return UsualRange(
        measure=row.measure,
        low=low,
        middle=row.middle(),
        high=high,
        sex=row.sex,
        ages=row.ages,
        people=row.people,
        window=row.window,
        source=row.source,
        doi=row.doi,
    )
