"""Who did what to whose data: for auditors."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import documented
from api.routes.words import Cursor, Limit, Next, Whole, cursor_after, moment, nanoseconds_or_none, place_of
from api.security import Action, Identity
from api.store import audit
from api.store.audit import Wanted
from api.tables import AuditRow

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])
BY_NUMBER: msgspec.json.Decoder[tuple[int]] = msgspec.json.Decoder(tuple[Whole])
Word = Annotated[str, Field(pattern=r"^[\w.:*?@-]{1,64}$", max_length=64)]
EXAMPLE: JsonDict = {
    "seq": 4711,
    "at": "2025-01-02T09:07:31Z",
    "actor": "u-5b1d0c3e9a7f2468",
    "role": "clinician",
    "clinic": "main",
    "action": "results.read",
    "object_kind": "session",
    "object_id": "3f9a61c04d7be2583f9a61c04d7be258",
    "outcome": "done",
    "detail": None,
    "chain": "9c1185a5c5e9fc54612808977ee8f548b2258d31fae8f9a16a2b3c4d5e6f7081",
}


class AuditShape(BaseModel):
    """One access. Ids and counts: who they stand for, other resources tell those who may know."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    seq: int = Field(description="Its number; no number is left out.")
    at: datetime
    actor: str = Field(description="A user's or API key's id; `anonymous`, `system` or `cli`.")
    role: str
    clinic: str | None = Field(description="The actor's clinic; null: of all.")
    action: str
    object_kind: str
    object_id: str = Field(description="`*`: several or none in particular; `?`: no id of ours was asked for.")
    outcome: str = Field(description="done, refused, absent or failed.")
    detail: dict[str, str | int | bool] | None = Field(description="Counts, and ids of what lies within the object.")
    chain: str = Field(description="A keyed hash over the row before and this one.")

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """From its row."""
        return cls(
            seq=row.seq,
            at=moment(row.at_ns),
            actor=row.actor,
            role=row.role,
            clinic=row.clinic_id,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            outcome=row.outcome,
            detail=row.detail,
            chain=row.chain,
        )


class AuditPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[AuditShape]
    next: Next


class WantedAudit(BaseModel):
    """Which rows."""

    model_config = ConfigDict(extra="forbid")

    actor: Word | None = Field(None, description="Whose accesses.")
    object_kind: Word | None = Field(None, description="session, patient, user, kiosk, note ...")
    object_id: Word | None = Field(None, description="Accesses to what.")
    action: Word | None = Field(None, description="As `results.read`.")
    outcome: Literal["done", "refused", "absent", "failed"] | None = Field(None, description="What came of it.")
    since: AwareDatetime | None = Field(None, description="From this moment on.")
    until: AwareDatetime | None = Field(None, description="Before this moment.")
    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.NO_LOGIN, errors.FORBIDDEN, errors.INVALID, errors.NO_DATABASE))
def list_audit(
    wanted: Annotated[WantedAudit, Query()], who: Annotated[Identity, may(Action.READ_AUDIT)], db: Reader
) -> AuditPage:
    """Who did what, newest first, a page at a time. Of an auditor's own clinic, where they have one."""
    place = place_of(wanted.cursor, BY_NUMBER)
    rows = audit.newest(
        db,
        Wanted(
            clinic=who.clinic,
            actor=wanted.actor,
            kind=wanted.object_kind,
            id=wanted.object_id,
            action=wanted.action,
            outcome=wanted.outcome,
            since_ns=nanoseconds_or_none(wanted.since),
            until_ns=nanoseconds_or_none(wanted.until),
        ),
        limit=wanted.limit + 1,
        before=place[0] if place else None,
    )
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].seq) if len(rows) > len(shown) else None
    return AuditPage(items=[AuditShape.of(row) for row in shown], next=following)
