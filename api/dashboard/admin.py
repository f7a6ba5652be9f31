"""Administration: who comes in, which kiosks there are, what people agree to, how visits go, what was done."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from api.dashboard.entrance import member_of
from api.dashboard.languages import language, t
from api.dashboard.rendering import page
from api.dependencies import Reader, TheSettings, may
from api.retention import Rules
from api.security import ALLOWED, Action, Identity, Role
from kiosk import protocols
from kiosk.protocols import Protocol, said

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Manager = Annotated[Identity, may(Action.MANAGE_USERS)]
TABS = ("users", "kiosks", "keys", "consents", "protocols", "retention")


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a visit, in words."""

    name: str
    seconds: float | None
    about: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A visit as it is shown."""

    id: str
    version: str
    title: str
    about: str
    minutes: float
    parts: tuple[Part, ...]


def _shown(protocol: Protocol) -> Shown:
    spoken = language()
    parts = tuple(
        Part(
            t(f"admin.step.{step.kind}"),
            step.seconds,
            said(step.say, spoken) if step.say else step.questionnaire or ", ".join(step.needs).replace("_", " "),
        )
        for step in protocol.steps
    )
    return Shown(
        protocol.id,
        protocol.version,
        said(protocol.title, spoken),
        said(protocol.about, spoken),
        protocol.minutes,
        parts,
    )


@router.get("/admin")
def admin_page(who: Manager, db: Reader, settings: TheSettings) -> HTMLResponse:
    """Users, kiosks, keys, texts, visits and how long things are kept."""
    return page(
        "admin.html",
        member=member_of(db, who),
        tabs=TABS,
        me=who.id,
        clinic=who.clinic,
        roles=tuple(Role),
        key_roles=tuple(role for role in Role if role is not Role.ADMINISTRATOR),
        actions={role.value: sorted(a.value for a in Action if role in ALLOWED[a]) for role in Role},
        protocols=[_shown(each) for each in protocols.listed().values()],
        rules=Rules.of(settings),
        texts=("admin",),
    )


@router.get("/admin/audit")
def audit_page(who: Annotated[Identity, may(Action.READ_AUDIT)], db: Reader) -> HTMLResponse:
    """Who did what to whose data."""
    return page(
        "audit.html", member=member_of(db, who), actions=sorted(each.value for each in Action), texts=("admin",)
    )
