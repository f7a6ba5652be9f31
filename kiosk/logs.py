"""What the processes log: times in UTC, as text or as JSON lines, and nothing of a person whatever was handed over.

Records of ours may carry numbers, words, paths and errors of ours. Anything else - arrays, rows, messages, somebody
else's exception - is replaced by the name of its type, because its text may hold what was measured or typed. Other
libraries are heard from WARNING on, their first line alone: at DEBUG some of them log statements with parameters.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import TracebackType

from kiosk.errors import KioskError
from kiosk.settings import Settings

OURS = ("kiosk", "sensors", "analytics", "api")
LONGEST = 4000
"""Characters of one value: the frames of a traceback are the longest that is logged."""
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
log = logging.getLogger(__name__)


def configure(settings: Settings, process: str) -> None:
    """Log to stderr as the settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(process) if settings.log_format == "json" else TextLines(process))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)
    # what nobody caught would be printed with its text
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class TextLines(logging.Formatter):
    """One line for people; what follows it is indented, so that no value can look like another line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        more = "".join(f" {name}={value}" for name, value in fields(record).items())
        line = f"{moment(record)} {record.levelname} {record.name}: {said(record)}{more}"
        trace = frames(record)
        return (f"{line}\n{trace}" if trace else line).replace("\n", "\n    ")


class JsonLines(TextLines):
    """One JSON object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, object] = {
            "time": moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": said(record),
            "process": self.process,
            "pid": record.process,
        }
        trace = frames(record)
        if trace:
            entry["trace"] = trace
        return json.dumps({**fields(record), **entry}, ensure_ascii=False)


def moment(record: logging.LogRecord) -> str:
    """When it was logged, in UTC."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def said(record: logging.LogRecord) -> str:
    """The message, with values that may be logged in it."""
    template = record.msg if isinstance(record.msg, str) else f"<{type(record.msg).__name__}>"
    args: tuple[object, ...] | dict[str, object] = ()
    if isinstance(record.args, Mapping):
        args = {str(name): plain(value) for name, value in record.args.items()}
    elif record.args:
        args = tuple(plain(value) for value in record.args)
    try:
        text = template % args if args else template
    except (TypeError, ValueError, KeyError):  # a number was expected where a type's name is now
        text = template
    if not is_ours(record):
        text = text.partition("\n")[0][:200]
    return CONTROL.sub("\ufffd", text)


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What was given in `extra`."""
    return {name: plain(value) for name, value in vars(record).items() if name not in _STANDARD}


def plain(value: object) -> object:
    """A value as it may be logged."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str | Path):
        return str(value)[:LONGEST]
    if isinstance(value, KioskError):
        return str(value)[:LONGEST]
    if isinstance(value, OSError) and value.strerror:
        return value.strerror
    return type(value).__name__ if isinstance(value, BaseException) else f"<{type(value).__name__}>"


def is_ours(record: logging.LogRecord) -> bool:
    """Whether we wrote the message."""
    return record.name.partition(".")[0] in OURS


def frames(record: logging.LogRecord) -> str:
    """Where an exception came from and what kind it is; what it says only where it is one of ours."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return "" if error is None else trace_of(error)


def trace_of(error: BaseException) -> str:
    """The frames and the kind of an exception, and of those that caused it or are in its group."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told = [] if cause is None else [trace_of(cause), "which led to"]
    told += ["".join(traceback.format_tb(error.__traceback__)).rstrip()]
    told.append(f"{type(error).__name__}: {error}" if isinstance(error, KioskError) else type(error).__name__)
    if isinstance(error, BaseExceptionGroup):
        told += [trace_of(each) for each in error.exceptions]
    return "\n".join(part for part in told if part)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        log.critical("ended by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        log.critical("a thread ended by an error", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
