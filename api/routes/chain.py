"""Whether the audit's rows are as they were written: for auditors."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api import errors
from api.dependencies import Reader, may
from api.errors import documented
from api.security import Action, Identity
from api.store import auditing

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])
_CHAIN: JsonDict = {"whole": True, "rows": 4711, "broken_at": None, "fault": None, "restored": 0}


class Chain(BaseModel):
    """What came of looking at every row."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHAIN]})

    whole: bool = Field(description="Every row is as it was written, and none is left out.")
    rows: int = Field(description="How many were looked at.")
    broken_at: int | None = Field(description="The first row that is wrong.")
    fault: str | None = Field(description="What is wrong with it, in a word; `kiosk audit verify` says it in full.")
    restored: int = Field(description="How often a backup was put back: rows after it may have been written twice.")


@router.get("/chain", responses=documented(errors.NO_LOGIN, errors.FORBIDDEN, errors.NO_DATABASE))
def verify_chain(who: Annotated[Identity, may(Action.READ_AUDIT)], db: Reader) -> Chain:
    """Look at every row of the audit, of all clinics: the chain is one. It takes a while where there are many."""
    verdict = auditing.verify(db)
    broken = verdict.broken
    return Chain(
        whole=broken is None,
        rows=verdict.rows,
        broken_at=None if broken is None else broken.seq,
        fault=None if broken is None else broken.fault,
        restored=len(verdict.restored),
    )
