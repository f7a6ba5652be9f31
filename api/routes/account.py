"""One's own account: logging in and out, password, second factor, and where one is logged in."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.config import JsonDict
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import errors
from api.dependencies import Reader, TheSettings, Writer, may
from api.errors import Failed, documented
from api.login import Desk, Gate, own
from api.login.staff import LOGIN, Weak
from api.login.throttle import address_of
from api.login.tokens import Pair
from api.routes.words import PATTERN, moment
from api.security import Action, Identity, Role
from api.store import Transaction, clock, tokens, users
from api.tables import UserRow

router = APIRouter(prefix="/api/v1/account", tags=["account"])
Me = Annotated[Identity, may(Action.OWN_ACCOUNT)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=200, description="It is never shown, logged or told.")]
Code = Annotated[
    str, Field(pattern=r"^[0-9A-Za-z -]{6,20}$", description="Of the authenticator app, or a recovery code.")
]
_ATTEMPTS = (errors.TOO_MANY, errors.TOO_LARGE, errors.UNPARSABLE, errors.INVALID, errors.NO_DATABASE)

_ACCOUNT: JsonDict = {
    "id": "u-48b1d9e70f36a2c5",
    "login": "a.moreau",
    "name": "Anne Moreau",
    "role": "clinician",
    "clinic": "main",
    "has_password": True,
    "second_factor": True,
    "recovery_codes": 9,
    "must": [],
    "may": ["account", "sessions.read"],
}


class Account(BaseModel):
    """Who one is here."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ACCOUNT]})

    id: str
    login: str
    name: str
    role: Role
    clinic: str | None = Field(description="The only clinic of which one sees anything; null: all.")
    has_password: bool = Field(description="False where an identity provider knows one.")
    second_factor: bool
    recovery_codes: int = Field(description="How many codes for a lost second factor are left.")
    must: list[Literal["change_password", "set_up_second_factor"]] = Field(
        description="What is to be done before anything else is allowed."
    )
    may: list[Action] = Field(description="What one may do, as of now.")

    @classmethod
    def of(cls, row: UserRow, who: Identity) -> Self:
        """From its row."""
        must: list[Literal["change_password", "set_up_second_factor"]] = []
        if row.must_change:
            must.append("change_password")
        if who.actions is not None and row.totp is None and row.password is not None and not row.must_change:
            must.append("set_up_second_factor")
        return cls(
            id=row.id,
            login=row.login,
            name=row.name,
            role=who.role,
            clinic=who.clinic,
            has_password=row.password is not None,
            second_factor=row.totp is not None,
            recovery_codes=len(row.recovery or []),
            must=must,
            may=sorted(action for action in Action if who.may(action)),
        )


class LoginRequest(BaseModel):
    """Who wants in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"login": "a.moreau", "password": "seven grey owls sing", "code": "492039"}]},
    )

    login: str = Field(pattern=f"^{LOGIN}$", max_length=100)
    password: Password
    code: Code | None = Field(None, description="Where the account has a second factor; asked for if absent.")
    cookie: bool = Field(False, description="For pages: the tokens become cookies and are not in the answer.")


class Renewal(BaseModel):
    """What a new pair of tokens is asked for with."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"refresh": "kr_0N5yq3i0cN2vZ1m8Vn2Tt3hJw7yWq0sXb4pE6kRdU9g"}]}
    )

    refresh: SecretStr | None = Field(None, max_length=200, description="Absent: the cookie's.")


class LoginAnswer(BaseModel):
    """A login."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "access": "ka_Yx0bV8m1fQm3m0gZ9aHc2pQj5rT7uKe4wLsD6nXo1Bi",
                    "refresh": "kr_0N5yq3i0cN2vZ1m8Vn2Tt3hJw7yWq0sXb4pE6kRdU9g",
                    "expires": "2025-01-02T09:15:00Z",
                    "ends": "2025-01-02T21:00:00Z",
                }
            ]
        }
    )

    access: str | None = Field(description="To be sent as `Authorization: Bearer ...`; null where it is a cookie.")
    refresh: str | None = Field(
        description="For one new pair, once. To use it twice ends the login: one of the two stole it."
    )
    expires: datetime = Field(description="When the access token does.")
    ends: datetime = Field(description="When the refresh token does, if it is not used before.")


class PasswordChange(BaseModel):
    """Another password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"current": "seven grey owls sing", "new": "nine blue foxes dance"}]},
    )

    current: Password
    new: Password


class PasswordProof(BaseModel):
    """One's password, said again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "seven grey owls sing"}]})

    password: Password


class FactorOffer(BaseModel):
    """A second factor to set up. It counts once its first code came back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                    "address": "otpauth://totp/health-kiosk:a.moreau?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
                    "qr": "data:image/svg+xml;charset=utf-8,%3Csvg/%3E",
                    "pending": "c2VhbGVk",
                }
            ]
        }
    )

    secret: str = Field(description="In base32, for apps that cannot scan.")
    address: str = Field(description="What the picture says.")
    qr: str = Field(description="The picture, as a data: address of an SVG.")
    pending: str = Field(description="To be sent back with the first code, within a quarter of an hour.")


class FactorConfirmation(BaseModel):
    """The first code of a new second factor."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"pending": "c2VhbGVk", "code": "492039"}]}
    )

    pending: str = Field(max_length=400, pattern="^[A-Za-z0-9_=-]+$")
    code: Code


class RecoveryCodes(BaseModel):
    """Codes for a lost second factor. They are shown this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"codes": ["K7QF-9M2X-TR4D", "2XWB-HH5K-9QPZ"]}]})

    codes: list[str] = Field(description="Each counts once.")


class FactorProof(BaseModel):
    """What it takes to change something about a second factor: both."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"password": "seven grey owls sing", "code": "492039"}]}
    )

    password: Password
    code: Code


class LoginShape(BaseModel):
    """Somewhere one is logged in."""

    id: str
    via: Literal["cookie", "bearer"]
    began: datetime
    renewed: datetime = Field(description="When it last asked for new tokens.")
    ends: datetime = Field(description="If it does not ask again.")
    this: bool = Field(description="The one that asks.")


class LoginList(BaseModel):
    """Where one is logged in, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": "l-5d0f0f3c51b54d3f",
                            "via": "cookie",
                            "began": "2025-01-02T08:55:00Z",
                            "renewed": "2025-01-02T09:40:00Z",
                            "ends": "2025-01-02T21:40:00Z",
                            "this": True,
                        }
                    ]
                }
            ]
        }
    )

    items: list[LoginShape]


@router.post(
    "/login", responses=documented(errors.WRONG_LOGIN, errors.WANTS_CODE, errors.FOREIGN, *_ATTEMPTS, public=True)
)
async def log_in(wanted: LoginRequest, request: Request, response: Response, settings: TheSettings) -> LoginAnswer:
    """Log in. A wrong password, an unknown login and a resting account are told alike, and take alike long."""
    gate, desk = _gate(request), _desk(request)
    if wanted.cookie:
        # or another site's page could log a browser in as somebody else
        gate.check_page(request)
    address = address_of(request, behind_proxy=settings.behind_proxy)
    secret = wanted.password.get_secret_value()
    via: Literal["cookie", "bearer"] = "cookie" if wanted.cookie else "bearer"
    pair = await desk.log_in(wanted.login, secret, wanted.code, via, address)
    if wanted.cookie:
        # what the browser had before must not go on beside it
        await run_in_threadpool(gate.end_cookie_login, request)
    return _entry(gate, pair, response)


@router.post("/refresh", responses=documented(errors.NO_LOGIN, errors.CSRF, *_ATTEMPTS[1:], public=True))
def renew_login(wanted: Renewal, request: Request, response: Response) -> LoginAnswer:
    """Trade a refresh token in for a new pair."""
    gate = _gate(request)
    if wanted.refresh is not None:
        pair = gate.renew(wanted.refresh.get_secret_value(), "bearer")
    else:
        pair = gate.renew_cookie(request)
    if pair is None:
        raise Failed(errors.NO_LOGIN)
    return _entry(gate, pair, response)


@router.post("/logout", status_code=204, responses=documented(errors.NO_DATABASE))
def log_out(who: Me, db: Writer, request: Request, response: Response) -> None:
    """End this login: none of its tokens counts any more."""
    if who.family is not None:
        tokens.revoke(db, who.family, clock.utc_now())
    if who.via == "cookie":
        _gate(request).cookies.take(response)


@router.get("", responses=documented(errors.NO_DATABASE))
def get_account(who: Me, db: Reader) -> Account:
    """Who one is, and what one may do."""
    return Account.of(_mine(who, db), who)


@router.put("/password", responses=documented(errors.WRONG_PASSWORD, errors.WEAK, *_ATTEMPTS))
async def change_password(
    who: Me, change: PasswordChange, request: Request, response: Response, settings: TheSettings
) -> LoginAnswer:
    """Change one's password. All logins end, this one too: the answer is a new one."""
    desk = _desk(request)
    address = address_of(request, behind_proxy=settings.behind_proxy)
    current, new = change.current.get_secret_value(), change.new.get_secret_value()
    try:
        pair = await own.change_password(desk, _user(who), who.via, current, new, address)
    except Weak as weak:
        raise Failed(errors.WEAK, str(weak)) from None
    return _entry(_gate(request), pair, response)


@router.post("/second-factor", responses=documented(errors.WRONG_PASSWORD, errors.HAS_FACTOR, *_ATTEMPTS))
async def offer_second_factor(who: Me, proof: PasswordProof, request: Request, settings: TheSettings) -> FactorOffer:
    """Begin to set up a second factor: a secret for an authenticator app."""
    address = address_of(request, behind_proxy=settings.behind_proxy)
    offered = await own.offer_second_factor(_desk(request), _user(who), proof.password.get_secret_value(), address)
    return FactorOffer(secret=offered.secret, address=offered.address, qr=offered.qr, pending=offered.pending)


@router.put("/second-factor", responses=documented(errors.NOT_CONFIRMED, errors.HAS_FACTOR, *_ATTEMPTS))
async def confirm_second_factor(
    who: Me, confirmation: FactorConfirmation, request: Request, settings: TheSettings
) -> RecoveryCodes:
    """Set it up, by its first code. All other logins end."""
    desk = _desk(request)
    desk.throttle.take(address_of(request, behind_proxy=settings.behind_proxy))
    codes = await run_in_threadpool(
        own.confirm_second_factor, desk, _user(who), who.family, confirmation.pending, confirmation.code
    )
    return RecoveryCodes(codes=codes)


@router.post(
    "/second-factor/removal",
    status_code=204,
    responses=documented(errors.WRONG_PASSWORD, errors.WRONG_CODE, *_ATTEMPTS),
)
async def remove_second_factor(who: Me, removal: FactorProof, request: Request, settings: TheSettings) -> None:
    """Remove it. All other logins end."""
    address = address_of(request, behind_proxy=settings.behind_proxy)
    password = removal.password.get_secret_value()
    await own.remove_second_factor(_desk(request), _user(who), who.family, password, removal.code, address)


@router.post(
    "/second-factor/recovery-codes",
    responses=documented(errors.WRONG_PASSWORD, errors.WRONG_CODE, *_ATTEMPTS),
)
async def renew_recovery_codes(who: Me, proof: FactorProof, request: Request, settings: TheSettings) -> RecoveryCodes:
    """Other recovery codes: those of before count no more."""
    address = address_of(request, behind_proxy=settings.behind_proxy)
    password = proof.password.get_secret_value()
    return RecoveryCodes(
        codes=await own.renew_recovery_codes(_desk(request), _user(who), password, proof.code, address)
    )


@router.get("/logins", responses=documented(errors.NO_DATABASE))
def list_logins(who: Me, db: Reader) -> LoginList:
    """Where one is logged in."""
    return LoginList(
        items=[
            LoginShape(
                id=each.family,
                via="cookie" if each.via == "cookie" else "bearer",
                began=moment(each.began_ns),
                renewed=moment(each.renewed_ns),
                ends=moment(each.expires_ns),
                this=each.family == who.family,
            )
            for each in tokens.logins(db, who.id, clock.utc_now())
        ]
    )


@router.delete(
    "/logins/{login}", status_code=204, responses=documented(errors.NO_LOGIN_HERE, errors.INVALID, errors.NO_DATABASE)
)
def end_login(
    who: Me,
    login: Annotated[
        str, Path(description="The login's id.", pattern=PATTERN, max_length=64, examples=["l-5d0f0f3c51b54d3f"])
    ],
    db: Writer,
) -> None:
    """End one of one's logins."""
    if not tokens.revoke(db, login, clock.utc_now(), user=who.id):
        raise Failed(errors.NO_LOGIN_HERE)


def _mine(who: Identity, db: Transaction) -> UserRow:
    row = users.get(db, _user(who))
    if row is None:
        raise Failed(errors.FORBIDDEN)
    return row


def _user(who: Identity) -> str:
    """The user's id; a program's key has no account."""
    if who.via == "key":
        raise Failed(errors.FORBIDDEN, "An API key has no account.")
    return who.id


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _entry(gate: Gate, pair: Pair, response: Response) -> LoginAnswer:
    """The answer that holds a new login, or the cookies beside it."""
    by_cookie = pair.via == "cookie"
    if by_cookie:
        gate.cookies.give(response, pair, gate.csrf_of(pair.family), clock.utc_now())
    return LoginAnswer(
        access=None if by_cookie else pair.access,
        refresh=None if by_cookie else pair.refresh,
        expires=moment(pair.access_expires_ns),
        ends=moment(pair.refresh_expires_ns),
    )
