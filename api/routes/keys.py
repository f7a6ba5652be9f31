"""API keys: what programs come in with. For administrators, each within their clinic."""

from datetime import timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, Writer, may
from api.errors import Failed, documented
from api.login import keys
from api.login.keys import NotForKeys
from api.routes.words import (
    BY_TIME,
    EPOCH,
    Cursor,
    KeyId,
    Limit,
    Name,
    Next,
    cursor_after,
    moment,
    moment_or_none,
    place_of,
)
from api.security import Action, Identity, Role
from api.store import Transaction, api_keys, clock, users
from api.tables import ApiKeyRow

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])
Manager = Annotated[Identity, may(Action.MANAGE_USERS)]
LONGEST = timedelta(days=5 * 366)
"""Beyond that nobody knows any more what a key is for."""
KeyName = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", description="What it is for."),
]

_KEY: JsonDict = {
    "id": "k-a60f25c8b71d943e",
    "name": "hospital information system",
    "role": "integrator",
    "clinic": "main",
    "actions": ["patients.read", "results.read"],
    "created_by": "u-48b1d9e70f36a2c5",
    "created": "2025-01-02T08:55:00Z",
    "expires": "2026-01-02T08:55:00Z",
    "revoked": None,
    "used": "2025-02-03T07:31:12Z",
}


class KeyShape(BaseModel):
    """A key, without what opens."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: str
    name: str
    role: Role
    clinic: str | None = Field(description="The only clinic of which it sees anything; null: all.")
    actions: list[str] | None = Field(description="What it is narrowed to; null: all that the role may.")
    created_by: str = Field(description="The user who made it.")
    created: AwareDatetime
    expires: AwareDatetime | None
    revoked: AwareDatetime | None
    used: AwareDatetime | None = Field(description="When it was last used, to about a minute.")

    @classmethod
    def of(cls, row: ApiKeyRow) -> Self:
        """From its row."""
        return cls(
            id=row.id,
            name=row.name,
            role=Role(row.role),
            clinic=row.clinic_id,
            actions=row.actions,
            created_by=row.created_by,
            created=moment(row.created_ns),
            expires=moment_or_none(row.expires_ns),
            revoked=moment_or_none(row.revoked_ns),
            used=moment_or_none(row.used_ns),
        )


class KeyPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_KEY], "next": None}]})

    items: list[KeyShape]
    next: Next


class NewKey(BaseModel):
    """What a key is to be."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "hospital information system", "role": "integrator", "actions": ["patients.read"]}]
        },
    )

    name: KeyName
    role: Role = Field(description="Any but administrator.")
    clinic: Name | None = Field(None, description="Absent: the administrator's own.")
    actions: list[Action] | None = Field(
        None, max_length=len(Action), description="Some of what the role may; null: all of it."
    )
    expires: AwareDatetime | None = Field(None, description="Within five years; null: when it is revoked.")


class KeyOnce(BaseModel):
    """A key as it is shown this one time: `Authorization: Bearer kk_...`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"key": _KEY, "secret": "kk_shown-once-and-stored-nowhere"}]}
    )

    key: KeyShape
    secret: str


class WantedKeys(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_keys(who: Manager, wanted: Annotated[WantedKeys, Query()], db: Reader) -> KeyPage:
    """Keys, newest first, a page at a time; those that count no more as well."""
    rows = api_keys.page(db, who.clinic, limit=wanted.limit + 1, before=place_of(wanted.cursor, BY_TIME))
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return KeyPage(items=[KeyShape.of(row) for row in shown], next=following)


@router.post(
    "",
    status_code=201,
    responses=documented(errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE),
)
def add_key(who: Manager, wanted: NewKey, db: Writer, response: Response) -> KeyOnce:
    """Make a key. The answer holds it, this one time."""
    clinic = wanted.clinic if "clinic" in wanted.model_fields_set else who.clinic
    _check_clinic(db, who, clinic)
    try:
        row, secret = keys.new(
            wanted.name, wanted.role, clinic, by=who.id, actions=wanted.actions, expires_ns=_expires(wanted)
        )
    except NotForKeys as error:
        where = "body.role" if wanted.role not in keys.ROLES else "body.actions"
        raise Failed(errors.INVALID, errors=[{"where": where, "what": str(error)}]) from None
    api_keys.add(db, row)
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    return KeyOnce(key=KeyShape.of(row), secret=secret)


@router.get("/{key}", responses=documented(errors.NO_KEY, errors.INVALID, errors.NO_DATABASE))
def get_key(who: Manager, key: KeyId, db: Reader) -> KeyShape:
    """One key."""
    return KeyShape.of(_seen(db, key, who))


@router.delete(
    "/{key}",
    status_code=204,
    response_class=Response,
    responses=documented(errors.NO_KEY, errors.INVALID, errors.NO_DATABASE),
)
def revoke_key(who: Manager, key: KeyId, db: Writer) -> None:
    """Let a key open nothing any more, from the next request on."""
    api_keys.revoke(db, _seen(db, key, who).id, clock.utc_now())


def _seen(db: Transaction, key: str, who: Identity) -> ApiKeyRow:
    """A key, which for an administrator of another clinic is not there."""
    row = api_keys.get(db, key)
    if row is None or not (who.clinic is None or row.clinic_id == who.clinic):
        raise Failed(errors.NO_KEY)
    return row


def _expires(wanted: NewKey) -> int | None:
    if wanted.expires is None:
        return None
    now = clock.utc_now()
    left = wanted.expires - moment(now)
    if not timedelta(0) < left <= LONGEST:
        raise Failed(errors.INVALID, errors=[{"where": "body.expires", "what": "within the next five years"}])
    return (wanted.expires - EPOCH) // timedelta(microseconds=1) * 1000


def _check_clinic(db: Transaction, who: Identity, clinic: str | None) -> None:
    """Go on where an administrator may make a key for that clinic; no clinic is all of them."""
    if who.clinic is not None and clinic != who.clinic:
        raise Failed(errors.FORBIDDEN, "An administrator of a clinic makes keys for that clinic alone.")
    if clinic is not None and not users.clinic_exists(db, clinic):
        raise Failed(errors.INVALID, errors=[{"where": "body.clinic", "what": "there is no such clinic"}])
