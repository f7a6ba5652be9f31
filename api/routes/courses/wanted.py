"""What may be asked of courses."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

MOST_MEASURES = 40
"""Of a request."""
_SOURCE: JsonDict = {"example": "ecg"}
Source = Annotated[
    str | None,
    Field(max_length=128, description="Of this source; absent: the preferred one.", json_schema_extra=_SOURCE),
]
Revision = Annotated[int | None, Field(ge=1, le=2**31 - 1, description="Of this one; absent: the newest.")]


class WantedCourses(BaseModel):
    """Which courses."""

    model_config = ConfigDict(extra="forbid")

    measure: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=MOST_MEASURES, description="Only of these; none: all.",
        json_schema_extra={"example": ["heart_rate"]},
    )  # fmt: skip
    source: Source = None
    revision: Revision = None


class WantedIntervals(BaseModel):
    """Whose beats."""

    model_config = ConfigDict(extra="forbid")

    source: Source = None
    revision: Revision = None


class WantedSpectrum(WantedIntervals):
    """Which spectrum."""

    of: Literal["rr", "eeg"] = Field("rr", description="Of the beats' intervals, or of the EEG.")


class WantedContributions(BaseModel):
    """Of which analysis."""

    model_config = ConfigDict(extra="forbid")

    revision: Revision = None


class WantedAgreement(BaseModel):
    """Which sources."""

    model_config = ConfigDict(extra="forbid")

    reference: Source = None
    compared: Annotated[
        str | None,
        Field(
            max_length=128, description="Absent: the least of the other sources.", json_schema_extra={"example": "rgb"}
        ),
    ] = None
    revision: Revision = None
