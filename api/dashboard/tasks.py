"""What somebody can do here, in words: the page where those begin who have no sessions to look at."""

from dataclasses import dataclass

from api.security import ALLOWED, Action, Role


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, `account.task.NAME`, and where: a page of ours, a list of the API, a command on the server."""

    action: Action
    """Whoever may not do this is not told of it."""
    name: str
    address: str = ""
    """Its link is called `account.task.NAME_link`."""
    command: str = ""


_TASKS = (
    Task(Action.READ_RESULTS, "worklist", "/worklist"),
    Task(Action.READ_SESSIONS, "sessions", "/sessions"),
    Task(Action.WATCH_LIVE, "wall", "/wall"),
    Task(Action.COMMAND_KIOSKS, "command"),
    Task(Action.READ_PATIENTS, "patients", "/patients"),
    Task(Action.MANAGE_USERS, "users", "/admin", "kiosk users add"),
    Task(Action.MANAGE_USERS, "keys", "/api/v1/keys"),
    Task(Action.MANAGE_KIOSKS, "kiosks", "/devices", "kiosk kiosks add"),
    Task(Action.ERASE_PATIENTS, "erase", command="kiosk erase"),
    Task(Action.MANAGE_USERS, "backups", command="kiosk backup"),
    Task(Action.READ_AUDIT, "audit", "/admin/audit"),
    Task(Action.READ_AUDIT, "verify", command="kiosk audit verify"),
    Task(Action.EXPORT_DEIDENTIFIED, "research", "/api/v1/research/sessions", "GET /api/v1/research/export"),
)


def tasks_of(role: Role) -> tuple[Task, ...]:
    """What a role can do. Commands are for whoever works on the server."""
    return tuple(task for task in _TASKS if role in ALLOWED[task.action])
