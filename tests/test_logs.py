"""Logs say what happens, and nothing of whom it happens to."""

import ast
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk import logs
from kiosk.errors import KioskError
from kiosk.settings import Settings

ROOT = Path(__file__).parent.parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
WORDS = {
    # what a value may be called where it is logged: technical things, and random ids
    "CONNECT_TIMEOUT", "_host", "_named", "_port", "action", "channels", "error", "expected", "failed", "held", "id",
    "instance", "kiosk", "name", "path", "persons", "place", "rate", "reason", "refusal", "samplerate", "seen",
    "session", "signal", "single", "state", "why", "trace", "trouble", "untimed", "where", "rows", "count", "seconds",
    "__name__", "_cause", "_said", "len", "host", "port", "version", "status", "attempt", "made", "size",
    "_put", "got", "camera", "get", "width", "height", "_rate", "_name", "erased", "total", "_path.name",
}  # fmt: skip


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("kiosk", "sensors", "analytics", "api"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in LEVELS
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id in ("log", "_log", "logger", "logging")
                ):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def word(node: ast.expr) -> str | None:
    """What a logged value is called: the last of its names. None: it is written there, or a count."""
    match node:
        case ast.Constant():
            return None
        case ast.Attribute(value=inner, attr="name"):
            return f"{word(inner)}.name"  # a file's is one thing, a person's another
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Starred(value=inner):
            return word(inner)
        case ast.Call(func=ast.Name(id="int" | "str" | "round" | "list" | "sorted"), args=[inner, *_]):
            return word(inner)
        case ast.Call(func=ast.Name(id="len" | "sum" | "type")):
            return None
        case ast.Call(func=function):
            return word(function)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case ast.Subscript(value=value):
            return word(value)
        case ast.BinOp(left=ast.Name(id=left)):
            return left
        case ast.BinOp(left=ast.Call(func=ast.Name(id="len"))):
            return None
        case ast.BinOp(left=ast.Attribute(attr=left)):
            return left
        case ast.IfExp(body=body, orelse=orelse):
            return word(body) or word(orelse)
    return ast.unparse(node)


def test_every_log_call_names_only_what_may_be_logged() -> None:
    wrong, seen = [], 0
    for where, call in log_calls():
        seen += 1
        if not (call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
            wrong.append(f"{where}: the message is not one literal")
        wrong += [
            f"{where}: {ast.unparse(arg)}"
            for arg in call.args[1:]
            if (name := word(arg)) is not None and name not in WORDS
        ]
        wrong += [f"{where}: {each.arg}" for each in call.keywords if each.arg not in ("exc_info", "extra")]
    assert seen > 40
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "source",
    ["log.info(patient.family)", "log.info('%s', row)", "log.error(f'{text} failed')", "log.info('%s', user.name)"],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    literal = isinstance(call.args[0], ast.Constant)
    assert not literal or any(word(arg) not in WORDS for arg in call.args[1:])


class Measured:
    def __repr__(self) -> str:
        return "Anna Schmidt"


def record(name: str, message: str, *args: object, level: int = logging.WARNING, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord(name, level, "x.py", 1, message, args, None)
    vars(made).update(extra)
    return made


@pytest.mark.parametrize("formatter", [logs.TextLines("api"), logs.JsonLines("api")])
@pytest.mark.parametrize(
    "value", [Measured(), ["Anna"], {"name": "Anna"}, b"Anna", np.array([0.7321]), ValueError("Anna"), ("Anna",)]
)
def test_only_words_and_numbers_get_through(formatter: logging.Formatter, value: object) -> None:
    line = formatter.format(record("api.x", "%s and %s", value, "more", field=value))
    assert "Anna" not in line
    assert "0.73" not in line
    assert type(value).__name__ in line


def test_an_exception_tells_where_and_what_kind_and_not_what_it_says() -> None:
    made = record("api.x", "failed")
    try:
        try:
            raise ValueError("Anna Schmidt")
        except ValueError as inner:
            raise ExceptionGroup("Anna", [RuntimeError("Anna"), KioskError("a word of ours")]) from inner
    except ExceptionGroup as error:
        made.exc_info = (type(error), error, error.__traceback__)
    for formatter in (logs.TextLines("api"), logs.JsonLines("api")):
        line = formatter.format(made)
        # the frames show our source, which says it here
        assert "Anna" not in re.sub(r"raise .*", "", line)
        assert "ValueError" in line
        assert "RuntimeError" in line
        assert "a word of ours" in line


def test_other_libraries_say_one_line() -> None:
    line = logs.TextLines("api").format(record("asyncio", "never retrieved\nfuture: %s", "Anna"))
    assert "never retrieved" in line
    assert "Anna" not in line


def test_a_value_cannot_look_like_another_line() -> None:
    line = logs.TextLines("api").format(
        record("api.x", "%s", "a\n2026-01-01T00:00:00.000Z ERROR api: forged\r\x1b[31m")
    )
    assert [each for each in line.split("\n") if each.startswith("2026-01-01")] == []
    assert "\x1b" not in line
    assert "\r" not in line


def test_json_lines_have_time_level_logger_message_process_and_fields() -> None:
    line = json.loads(logs.JsonLines("recorder").format(record("api.x", "%d rows", 3, outcome="done", message2=None)))
    assert line["time"].endswith("Z")
    assert {**line, "time": None, "pid": None} == {
        "time": None, "level": "WARNING", "logger": "api.x", "message": "3 rows", "process": "recorder", "pid": None,
        "outcome": "done", "message2": None,
    }  # fmt: skip


def test_a_statement_and_its_parameters_are_not_logged_at_debug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import databases

    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level, told = root.level, io.StringIO()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", sys.excepthook)
    try:
        logs.configure(Settings(log_level="DEBUG", log_format="json"), "test")
        handler = root.handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(told)
        opened = databases.database(tmp_path)
        opened.migrate()
        with opened.transaction() as db:
            db.connection().exec_driver_sql("INSERT INTO clinics VALUES (?, ?, ?)", ("x", "Anna Schmidt", 0))
        opened.close()
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for name in logs.OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
    assert "Anna" not in told.getvalue()


UP = [sys.executable, "-c", "from kiosk.__main__ import main; main()", "up", "--embedded"]
MARKERS = ("Zwiebelfisch", "1931-07-13", "m4rk3r-pass", "Herzklopfen", "sec-ret-totp")


def call(address: str, path: str, headers: dict[str, str], body: object = None) -> int:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.timeout(180)
def test_a_visit_and_its_reading_leave_no_word_of_a_person_in_any_log(tmp_path: Path) -> None:
    from tests import databases
    from tests.api import staff
    from tests.brokers import free_port

    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIOSK_")}
    environment |= {"KIOSK_LOG_LEVEL": "DEBUG", "KIOSK_LOG_FORMAT": "json", "KIOSK_DEMO": "1"}
    environment["KIOSK_BROKER_PORT"] = str(free_port())
    command = [*UP, "--data", str(tmp_path), "--port", str(free_port()), "--visit", "6", "--pause", "1"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    statuses = []
    try:
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        database = databases.database(tmp_path)
        who = {role: staff.bearer(database, staff.hire(database, role)) for role in ("clinician", "operator")}
        database.close()
        marked: Any = {"family": MARKERS[0], "given": [MARKERS[0]], "birth_date": MARKERS[1]}
        for headers in who.values():
            statuses += [
                call(address, "/api/v1/patients", headers, {"pseudonym": MARKERS[0]}),
                call(address, "/api/v1/patients", headers, {"identity": marked}),
                call(address, f"/api/v1/patients/{MARKERS[0]}", headers),
                call(address, f"/api/v1/patients?family={MARKERS[0]}", headers),
                call(address, f"/api/v1/sessions/{MARKERS[0]}/notes", headers, {"text": MARKERS[3]}),
                call(address, f"/api/v1/sessions?cursor={MARKERS[0]}", headers),
                call(address, "/api/v1/sessions", headers),
            ]
        login = {"login": MARKERS[0], "password": MARKERS[2], "code": MARKERS[4]}
        statuses.append(call(address, "/api/v1/account/login", {}, login))
        statuses.append(call(address, "/api/v1/account/login", {}, {"password": [MARKERS[2]]}))
        statuses.append(call(address, f"/{MARKERS[0]}", {"X-CSRF-Token": MARKERS[2], "Cookie": f"x={MARKERS[2]}"}))
        time.sleep(12)  # a visit ends and is analysed
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert 201 in statuses, statuses
    written = {file.name: file.read_text("utf-8", "replace") for file in (tmp_path / "logs").iterdir()}
    assert {"api.log", "recorder.log", "analytics.log", "sensors.log"} <= set(written)
    for name, text in {**written, "up": rest}.items():
        told = [marker for marker in MARKERS if marker in text]
        assert not told, f"{name}: {told}"
