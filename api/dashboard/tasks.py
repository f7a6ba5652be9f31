"""What somebody can do here, in words: the page where those begin who have no sessions to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.security import ALLOWED, Action, Role


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, and where: a page of ours, a list of the API, or a command on the server."""

    action: Action
    """Whoever may not do this is not told of it."""
    words: str
    address: str = ""
    link: str = ""
    command: str = ""


_TASKS = (
    Task(Action.READ_SESSIONS, "See who is measured now, and what was:", "/sessions", "sessions"),
    Task(Action.COMMAND_KIOSKS, "Start and end a session at a kiosk, at the top of that page."),
    Task(Action.READ_RESULTS, "Read results, and judge them. Notes, reviews and corrections go through the API."),
    Task(Action.MANAGE_USERS, "Let people in:", "/api/v1/users", "list of users", "kiosk users add"),
    Task(Action.MANAGE_USERS, "Let programs in, by API keys:", "/api/v1/keys", "list of keys"),
    Task(Action.MANAGE_KIOSKS, "Add and revoke kiosks:", "/api/v1/kiosks", "list of kiosks", "kiosk kiosks add"),
    Task(Action.ERASE_PATIENTS, "Erase a person, or a session, for good:", command="kiosk erase"),
    Task(Action.MANAGE_USERS, "Keep backups:", command="kiosk backup"),
    Task(Action.READ_AUDIT, "Read who did what to whose data:", "/api/v1/audit", "the audit"),
    Task(Action.READ_AUDIT, "See whether somebody has changed that:", command="kiosk audit verify"),
    Task(
        Action.EXPORT_DEIDENTIFIED,
        "Work with the de-identified data of people who agreed:",
        "/api/v1/research/sessions",
        "list of sessions",
        "GET /api/v1/research/export",
    ),
)

TASKS: Mapping[Role, tuple[Task, ...]] = MappingProxyType(
    {role: tuple(task for task in _TASKS if role in ALLOWED[task.action]) for role in Role}
)
"""By role. Commands are for whoever works on the server."""
