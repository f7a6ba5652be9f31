"""The assistant's answer to a clinician's question about a session. Nothing of the talk is kept."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import StreamingResponse

from api import errors
from api.dependencies import Reader, may
from api.errors import documented
from api.routes.notes import PLAIN
from api.routes.words import SessionId, session_seen_by
from api.security import Action, Identity
from api.store import Transaction, revisions
from api.tables import SessionRow
from api.visits.results import values_of
from kiosk.assistant import Assistant, Facts, Spoken
from kiosk.recording import Context

router = APIRouter(prefix="/api/v1/sessions/{session}/assistant", tags=["assistant"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "Heart rate 68 a minute."}}}
}


class SpokenLine(BaseModel):
    """A line of the talk so far."""

    model_config = ConfigDict(extra="forbid")

    who: Literal["you", "assistant"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=PLAIN)]


class Question(BaseModel):
    """What is asked: the last line is the question, the lines before it are what it refers to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"talk": [{"who": "you", "text": "What is missing?"}], "language": "en"}]},
    )

    talk: Annotated[list[SpokenLine], Field(max_length=40)] = []
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"


@router.post(
    "",
    response_class=StreamingResponse,
    responses={
        **documented(errors.NO_SESSION, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
        **_TEXT,
    },
)
def ask_assistant(
    who: Annotated[Identity, may(Action.READ_RESULTS)],
    session: SessionId,
    question: Question,
    db: Reader,
    request: Request,
) -> StreamingResponse:
    """Explain a session's numbers in plain text, as it comes. It knows readings, age and sex, and diagnoses nothing."""
    assistant: Assistant = request.app.state.assistant
    facts = _facts(db, session_seen_by(who, session, db))
    talk = [Spoken("visitor" if line.who == "you" else "assistant", line.text) for line in question.talk]
    told = assistant.reply(talk, facts, question.language, "clinician")
    return StreamingResponse(told, media_type="text/plain; charset=utf-8")


def _facts(db: Transaction, row: SessionRow) -> Facts:
    newest = revisions.newest(db, row.id)
    context = Context() if newest is None else msgspec.convert(newest.context, Context)
    return Facts(values_of(db, row, context), context.age, context.sex, row.simulated)
