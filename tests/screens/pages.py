"""Every page that there is to look at, and who looks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

from api.login import demo
from tests.screens.product import Product

ADMIN, AUDITOR, CLINICIAN, OPERATOR = "demo-admin", "demo-auditor", demo.CLINICIAN, "demo-operator"


@dataclass(frozen=True, slots=True)
class Shot:
    """A page in one state."""

    name: str
    path: str
    who: str | None = CLINICIAN
    """None: who has not logged in."""
    ready: str = "main"
    """What must be there."""
    act: Callable[[Page], None] = field(default=lambda page: None)
    """What is done before it is looked at."""
    full: bool = True
    """The whole page, not only what the window shows."""


def dashboard(product: Product) -> list[Shot]:
    """The dashboard's pages, with people and sessions that are worth to be seen."""
    sessions = product.get("/api/v1/sessions?limit=200")["items"]
    closed = [each for each in sessions if each["state"] == "closed"]
    live = next((each["id"] for each in sessions if each["state"] == "open"), None)
    full = [each for each in closed if _signals(product, each["id"])]
    rich = max(full, key=lambda each: len(_signals(product, each["id"])), default=closed[0])
    plain = next(each for each in closed if each not in full)
    rhythm = _with(product, full, "irregular_rhythm", 1.0)
    person = rich["patient_id"]
    theirs = [each["id"] for each in (*full, *closed) if each["patient_id"] == person and each["id"] != rich["id"]]
    other = theirs[0] if theirs else plain["id"]
    shots = [
        Shot("login", "/login", None),
        Shot("worklist", "/worklist", ready="#work[aria-busy=false], #work > li"),
        Shot("wall", "/wall", full=False),
        Shot("sessions", "/sessions"),
        Shot("session", f"/sessions/{rich['id']}", ready="#strip-canvas, #readings table"),
        Shot("session-strip", f"/sessions/{rich['id']}", ready="#strip-canvas", full=False),
        Shot("session-rhythm", f"/sessions/{rhythm}") if rhythm else None,
        Shot("session-readings-only", f"/sessions/{plain['id']}"),
        Shot("session-live", f"/sessions/{live}", full=False) if live else None,
        Shot("compare", f"/compare?a={rich['id']}&b={other}"),
        Shot("patients", "/patients"),
        Shot("patient", f"/patients/{person}"),
        Shot("drop", "/drop"),
        Shot("devices", "/devices"),
        Shot("account", "/account"),
        Shot("admin", "/admin", ADMIN),
        Shot("audit", "/admin/audit", AUDITOR),
        Shot("operator", "/", OPERATOR),
        Shot("problem", "/sessions/s-nothing-here"),
    ]
    return [each for each in shots if each is not None]


def _signals(product: Product, session: str) -> set[str]:
    found = product.get(f"/api/v1/sessions/{session}")
    return {each["signal"] for each in found.get("streams", []) if each.get("channels")}


def _with(product: Product, sessions: list[dict[str, object]], measure: str, value: float) -> str | None:
    for each in sessions:
        told = product.get(f"/api/v1/sessions/{each['id']}/readings?measure={measure}")["items"]
        if any(reading["value"] == value and reading.get("preferred") for reading in told):
            return str(each["id"])
    return None
