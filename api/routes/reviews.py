"""Reviews: that a clinician has looked at a revision, and what came of it."""

import secrets
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.routes.notes import PLAIN
from api.routes.words import SessionId, moment, session_seen_by
from api.security import Action, Identity
from api.store import Transaction, reviews, utc_now
from api.tables import ReviewRow, SessionRow

router = APIRouter(prefix="/api/v1/sessions/{session}/reviews", tags=["reviews"])
Verdict = Literal["accepted", "repeat", "unusable"]
_REVIEW: JsonDict = {
    "id": "v-6a0d3e9b84c1f275",
    "revision": 1,
    "reviewer_id": "u-48b1d9e70f36a2c5",
    "verdict": "accepted",
    "comment": None,
    "created": "2026-01-02T10:20:00Z",
}


class NewReview(BaseModel):
    """What somebody makes of a revision."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"revision": 1, "verdict": "repeat", "comment": "Electrode was loose."}]},
    )

    revision: int = Field(ge=1, le=2**31 - 1, description="The one that was looked at; it must be the newest.")
    verdict: Verdict
    comment: Annotated[str, StringConstraints(max_length=4000, pattern=PLAIN)] | None = Field(
        None, description="Plain text, kept encrypted."
    )


class ReviewShape(BaseModel):
    """A review of one revision."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REVIEW]})

    id: str
    revision: int
    reviewer_id: str
    verdict: Verdict
    comment: str | None
    created: datetime


class ReviewList(BaseModel):
    """All reviews of a session, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reviewed": True, "items": [_REVIEW]}]})

    reviewed: bool = Field(description="Whether somebody has reviewed the newest revision.")
    items: list[ReviewShape]


@router.get("", responses=documented(errors.NO_SESSION, errors.ERASED, errors.INVALID, errors.NO_DATABASE))
def list_reviews(who: Annotated[Identity, may(Action.READ_NOTES)], session: SessionId, db: Reader) -> ReviewList:
    """What people made of a session's revisions."""
    row = session_seen_by(who, session, db)
    found = reviews.of_session(db, session)
    return ReviewList(
        reviewed=any(each.revision == row.revision for each in found),
        items=[_shape(db, each) for each in found],
    )


@router.post(
    "",
    status_code=201,
    responses=documented(
        errors.NO_SESSION,
        errors.NOT_ANALYSED,
        errors.OLD_REVISION,
        errors.ERASED,
        errors.TOO_LARGE,
        errors.UNPARSABLE,
        errors.INVALID,
        errors.NO_DATABASE,
    ),
)
def add_review(
    who: Annotated[Identity, may(Action.WRITE_NOTES)], session: SessionId, new: NewReview, db: Writer
) -> ReviewShape:
    """Say what one makes of the newest revision. A newer one makes the session unreviewed again."""
    # held: a revision that is made meanwhile is not the one that was looked at
    row: SessionRow = session_seen_by(who, session, db, held=True)
    if row.revision == 0:
        raise Failed(errors.NOT_ANALYSED)
    if new.revision != row.revision:
        raise Failed(errors.OLD_REVISION, f"The session's newest revision is {row.revision}.")
    review = ReviewRow(
        id=f"v-{secrets.token_hex(8)}",
        session_id=session,
        revision=new.revision,
        reviewer_id=who.id,
        verdict=new.verdict,
        created_ns=utc_now(),
    )
    reviews.add(db, review, new.comment or None)
    return _shape(db, review)


def _shape(db: Transaction, row: ReviewRow) -> ReviewShape:
    return ReviewShape.model_validate(
        {
            "id": row.id,
            "revision": row.revision,
            "reviewer_id": row.reviewer_id,
            "verdict": row.verdict,
            "comment": reviews.comment(db, row),
            "created": moment(row.created_ns),
        }
    )
