"""The talk between a visitor and the assistant, where the visitor agreed to its being kept."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import Failed, documented
from api.routes.words import SessionId, seconds, session_seen_by
from api.security import Action, Identity
from api.store import Destroyed, consents, dialogues

router = APIRouter(prefix="/api/v1/sessions/{session}", tags=["notes"])
_LINE: JsonDict = {"who": "visitor", "language": "en", "text": "What does RMSSD mean?", "at": 171.5}


class DialogueLine(BaseModel):
    """What somebody said."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    who: Literal["visitor", "assistant"]
    language: str
    text: str = Field(description="Plain text, to be shown as such. The assistant's is a program's, not a clinician's.")
    at: float = Field(description="Seconds since the session's start.")


class Dialogue(BaseModel):
    """A talk, in its order. Empty where there was none, or where the visitor did not agree, or no more."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_LINE]}]})

    items: list[DialogueLine]


@router.get("/dialogue", responses=documented(errors.NO_SESSION, errors.ERASED, errors.INVALID, errors.NO_DATABASE))
def get_dialogue(who: Annotated[Identity, may(Action.READ_DIALOGUES)], session: SessionId, db: Reader) -> Dialogue:
    """What a visitor and the assistant said to each other in a session."""
    row = session_seen_by(who, session, db)
    if row.patient_id is not None and not consents.allows(db, row.patient_id, "talk"):
        # taken back: it is deleted at the next clean-up, and read no more from now on
        return Dialogue(items=[])
    try:
        lines = dialogues.of_session(db, session)
    except Destroyed:
        raise Failed(errors.NO_SESSION) from None
    return Dialogue(
        items=[
            DialogueLine.model_validate(
                {"who": line.who, "language": line.language, "text": line.text, "at": seconds(line.time_ns)}
            )
            for line in lines
        ]
    )
