"""Corrections of beats as they travel."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from api.correcting import Correction
from api.routes.words import moment, moment_or_none, seconds, seconds_or_none
from api.tables import CorrectionRow
from kiosk.messages import SECOND

Kind = Literal["add", "remove", "move"]
Time = Annotated[float, Field(strict=True, ge=0, le=1e6, allow_inf_nan=False)]
_CORRECTION: JsonDict = {
    "id": "b-c3e0971a4fd286b5",
    "kind": "move",
    "time": 12.412,
    "to": 12.44,
    "author_id": "u-48b1d9e70f36a2c5",
    "created": "2026-01-02T10:12:00Z",
    "undone": None,
    "undone_by": None,
}


class NewCorrection(BaseModel):
    """What is to happen to one beat. Times are seconds since the session's start."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "move", "time": 12.412, "to": 12.44}]}
    )

    kind: Kind
    time: Time = Field(description="Where the beat is (within 50 ms), or shall be added.")
    to: Time | None = Field(None, description="Where a moved one is then; of nothing else.")

    @model_validator(mode="after")
    def _to_where_it_moves(self) -> Self:
        if (self.kind == "move") != (self.to is not None):
            raise ValueError("`to` belongs to a move, and a move needs it")
        return self

    def correction(self) -> Correction:
        """In nanoseconds."""
        return Correction(self.kind, round(self.time * SECOND), None if self.to is None else round(self.to * SECOND))


class NewCorrections(BaseModel):
    """A batch, in its order: all of it, or nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"items": [{"kind": "move", "time": 12.412, "to": 12.44}, {"kind": "remove", "time": 30.1}]}]
        },
    )

    items: Annotated[list[NewCorrection], Field(min_length=1, max_length=500)]


class CorrectionShape(BaseModel):
    """A beat that a person set, moved or took away. Undoing keeps it: it is part of how a revision came about."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CORRECTION]})

    id: str
    kind: Kind
    time: float
    to: float | None
    author_id: str
    created: datetime
    undone: datetime | None
    undone_by: str | None

    @classmethod
    def of(cls, row: CorrectionRow) -> Self:
        """From its row."""
        return cls.model_validate(
            {
                "id": row.id,
                "kind": row.kind,
                "time": seconds(row.time_ns),
                "to": seconds_or_none(row.to_ns),
                "author_id": row.author_id,
                "created": moment(row.created_ns),
                "undone": moment_or_none(row.undone_ns),
                "undone_by": row.undone_by,
            }
        )


_STATE: JsonDict = {
    "revision": 1,
    "due": True,
    "in_force": 1,
    "missed": 0,
    "beats": [11.6, 12.44, 13.3],
    "items": [_CORRECTION],
}


class CorrectionState(BaseModel):
    """A session's corrections, and what they make of its beats."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STATE]})

    revision: int = Field(description="The newest analysis.")
    due: bool = Field(description="Another analysis is due: these beats are not in the newest yet.")
    in_force: int = Field(description="Corrections that are not undone.")
    missed: int = Field(description="Of those, how many found no beat where they name one, and change nothing.")
    beats: list[float] = Field(description="Beats as corrected, in seconds since the session's start.")
    items: list[CorrectionShape] = Field(description="In the order in which they were made.")


class Due(BaseModel):
    """That a session will be analysed again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"revision": 1, "due": True}]})

    revision: int = Field(description="The newest analysis; the one that is due has the next number.")
    due: bool
