"""Users: who may log in, as what, and where. For administrators, each within their clinic."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, TheDatabase, Writer, may
from api.errors import Failed, documented
from api.login import Desk, staff
from api.login.staff import LOGIN, Unmanaged
from api.routes.words import (
    BY_TIME,
    Cursor,
    IfMatch,
    Limit,
    Name,
    Next,
    UserId,
    check_version,
    cursor_after,
    moment,
    moment_or_none,
    place_of,
    set_etag,
)
from api.security import Action, Identity, Role
from api.store import Database, Transaction, clock, users
from api.store.users import LoginTaken
from api.tables import UserRow

router = APIRouter(prefix="/api/v1/users", tags=["users"])
Manager = Annotated[Identity, may(Action.MANAGE_USERS)]
Login = Annotated[str, Field(pattern=f"^{LOGIN}$", max_length=100, description="Case does not count.")]
FullName = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
_BODY = (errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE)

_USER: JsonDict = {
    "id": "u-48b1d9e70f36a2c5",
    "login": "a.moreau",
    "name": "Anne Moreau",
    "role": "clinician",
    "clinic": "main",
    "second_factor": True,
    "must_change": False,
    "disabled": False,
    "resting_until": None,
    "created": "2025-01-02T08:55:00Z",
    "seen": "2025-02-03T07:31:12Z",
}


class UserShape(BaseModel):
    """A member of staff."""

    model_config = ConfigDict(json_schema_extra={"examples": [_USER]})

    id: str
    login: str
    name: str
    role: Role
    clinic: str | None = Field(description="The only clinic of which they see anything; null: all.")
    second_factor: bool
    must_change: bool = Field(description="The password was set by somebody else, and only lets them change it.")
    disabled: bool
    resting_until: datetime | None = Field(description="After too many wrong passwords: none is looked at until then.")
    created: datetime
    seen: datetime | None = Field(description="When they last logged in, or went on with it.")

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """From its row."""
        resting = row.locked_ns is not None and row.locked_ns > clock.utc_now()
        return cls(
            id=row.id,
            login=row.login,
            name=row.name,
            role=Role(row.role),
            clinic=row.clinic_id,
            second_factor=row.totp is not None,
            must_change=row.must_change,
            disabled=row.disabled_ns is not None,
            resting_until=moment_or_none(row.locked_ns) if resting else None,
            created=moment(row.created_ns),
            seen=moment_or_none(row.seen_ns),
        )


class UserPage(BaseModel):
    """A part of the list, newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_USER], "next": None}]})

    items: list[UserShape]
    next: Next


class NewUser(BaseModel):
    """What a user is made of. The password is made up here."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"login": "a.moreau", "name": "Anne Moreau", "role": "clinician"}]},
    )

    login: Login
    name: FullName = ""
    role: Role
    clinic: Name | None = Field(None, description="Absent: the administrator's own.")


class UserChange(BaseModel):
    """What is to change. What is absent stays. A change of role or clinic, and disabling, end all their logins."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "operator"}]})

    name: FullName = Field("", json_schema_extra={"default": None})
    role: Role = Field(Role.OPERATOR, json_schema_extra={"default": None})
    clinic: Name | None = None
    disabled: bool = Field(default=False, json_schema_extra={"default": None})


class PasswordReset(BaseModel):
    """What is to be made anew."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"second_factor": True}]})

    second_factor: bool = Field(False, description="Take their second factor away as well: it was lost.")


class OneTimePassword(BaseModel):
    """A password that lets its user in once, to choose one. It is shown this one time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": _USER, "password": "k7qf-9m2x-tr4d-wz8h-3npc"}]})

    user: UserShape
    password: str


class WantedUsers(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 50
    cursor: Cursor = None


@router.get("", responses=documented(errors.INVALID, errors.NO_DATABASE))
def list_users(who: Manager, wanted: Annotated[WantedUsers, Query()], db: Reader) -> UserPage:
    """Users, newest first, a page at a time."""
    rows = users.page(db, who.clinic, limit=wanted.limit + 1, before=place_of(wanted.cursor, BY_TIME))
    shown = rows[: wanted.limit]
    following = cursor_after(shown[-1].created_ns, shown[-1].id) if len(rows) > len(shown) else None
    return UserPage(items=[UserShape.of(row) for row in shown], next=following)


@router.post("", status_code=201, responses=documented(errors.LOGIN_TAKEN, *_BODY))
async def add_user(
    who: Manager, new: NewUser, request: Request, database: TheDatabase, response: Response
) -> OneTimePassword:
    """Add a user. The answer holds a password for their first login, at which they choose another."""
    clinic = new.clinic if "clinic" in new.model_fields_set else who.clinic
    password, hashed = await _made_up(request)
    row = staff.new(new.login, new.name, new.role, clinic, hashed, must_change=True)

    def add() -> None:
        with database.transaction() as db:
            _check_clinic(db, who, clinic)
            users.add(db, row)

    try:
        await run_in_threadpool(add)
    except LoginTaken:
        raise Failed(errors.LOGIN_TAKEN) from None
    response.headers["Location"] = f"{router.prefix}/{row.id}"
    set_etag(response, row.version)
    return OneTimePassword(user=UserShape.of(row), password=password)


@router.get("/{user}", responses=documented(errors.NO_USER, errors.INVALID, errors.NO_DATABASE))
def get_user(who: Manager, user: UserId, db: Reader, response: Response) -> UserShape:
    """One user."""
    row = _seen(db, user, who)
    set_etag(response, row.version)
    return UserShape.of(row)


@router.patch("/{user}", responses=documented(errors.NO_USER, errors.LAST_ADMINISTRATOR, errors.CHANGED, *_BODY))
def change_user(
    who: Manager, user: UserId, change: UserChange, db: Writer, response: Response, if_match: IfMatch = None
) -> UserShape:
    """Change a user."""
    row = _seen(db, user, who)
    check_version(row.version, if_match)
    values = change.model_dump(exclude_unset=True)
    if "clinic" in values:
        values["clinic_id"] = values.pop("clinic")
        _check_clinic(db, who, values["clinic_id"])
    if "disabled" in values:
        now = None if not values.pop("disabled") else row.disabled_ns or clock.utc_now()
        values["disabled_ns"] = now
    try:
        if not staff.change(db, row, values, version=None if if_match is None else row.version):
            raise Failed(errors.CHANGED)
    except Unmanaged:
        raise Failed(errors.LAST_ADMINISTRATOR) from None
    changed = _seen(db, user, who)
    set_etag(response, changed.version)
    return UserShape.of(changed)


@router.post("/{user}/password", responses=documented(errors.NO_USER, *_BODY))
async def reset_password(
    who: Manager, user: UserId, reset: PasswordReset, request: Request, database: TheDatabase, response: Response
) -> OneTimePassword:
    """Make up a new password for a user who lost theirs. All their logins end."""
    await run_in_threadpool(_check_seen, database, user, who)
    password, hashed = await _made_up(request)

    def change() -> UserRow:
        with database.transaction() as db:
            _seen(db, user, who)
            staff.set_password(db, user, hashed, must_change=True)
            if reset.second_factor:
                staff.remove_second_factor(db, user)
            return _seen(db, user, who)

    row = await run_in_threadpool(change)
    set_etag(response, row.version)
    return OneTimePassword(user=UserShape.of(row), password=password)


async def _made_up(request: Request) -> tuple[str, str]:
    desk: Desk = request.app.state.desk
    password = staff.make_password()
    return password, await desk.hashing.hash(password)


def _check_seen(database: Database, user: str, who: Identity) -> None:
    with database.reading() as db:
        _seen(db, user, who)


def _seen(db: Transaction, user: str, who: Identity) -> UserRow:
    """A user, who for an administrator of another clinic is not there."""
    row = users.get(db, user)
    if row is None or not (who.clinic is None or row.clinic_id == who.clinic):
        raise Failed(errors.NO_USER)
    return row


def _check_clinic(db: Transaction, who: Identity, clinic: str | None) -> None:
    """Go on where an administrator may put somebody there; no clinic is all of them."""
    if who.clinic is not None and clinic != who.clinic:
        raise Failed(errors.FORBIDDEN, "An administrator of a clinic has users in that clinic alone.")
    if clinic is not None and not users.clinic_exists(db, clinic):
        fault = {"where": "body.clinic", "what": "there is no such clinic"}
        raise Failed(errors.INVALID, errors=[fault])
