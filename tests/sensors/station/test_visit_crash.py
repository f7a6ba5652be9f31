"""The sensors' process is killed with -9 at every step of a visit: it goes on there, and nothing is said twice."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.messages import Agreed, Answered, Chosen, Chunk, End, Entry, Event, Message, Person, Reading, decode
from sensors.outbox import Outbox

PROGRAM = Path(__file__).with_name("crash_station.py")


class Process:
    """The kiosk, which dies and comes back."""

    def __init__(self, folder: Path) -> None:
        self.outbox = folder / "outbox.sqlite"
        self._log = folder / "log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(self.outbox)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def kill(self) -> None:
        """-9."""
        self.child.kill()
        self.child.wait()
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.close()
        self.child.stdout.close()

    def crash(self) -> None:
        self.kill()
        self.start()

    def act(self, act: str, **more: object) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps({"act": act, **more}) + "\n")
        self.child.stdin.flush()

    def until(self, seconds: float = 30, **wanted: object) -> dict[str, Any]:
        """The state once it is so."""
        end = time.monotonic() + seconds
        state: dict[str, Any] = {}
        while time.monotonic() < end:
            assert self.child.stdout is not None
            line = self.child.stdout.readline()
            assert line, self._log.read_text()
            state = json.loads(line)
            if all(state[name] == value for name, value in wanted.items()):
                return state
        raise AssertionError(f"{state}, not {wanted}")

    def messages(self) -> list[Message]:
        with Outbox(self.outbox, "k1", limit=10**9) as outbox:
            return [decode(item.topic, item.payload)[1] for item in outbox.waiting(0, 100_000)]


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    if made.child.returncode is None:
        made.kill()


@pytest.mark.timeout(180)
def test_a_visit_survives_a_crash_at_every_step(kiosk: Process) -> None:
    kiosk.until(at="welcome")
    kiosk.act("begin", protocol="short", language="en")
    kiosk.until(at="consent")
    kiosk.act("agree", purposes=["measure", "store"])
    session = kiosk.until(at="check_in")["session"]
    kiosk.crash()
    assert kiosk.until(at="check_in")["session"] == session
    kiosk.act("check_in", given="Ann", birth_year=1980, sex="female", weight=61.0)
    kiosk.until(at="electrodes")
    kiosk.crash()
    kiosk.until(at="electrodes")
    kiosk.act("do", what="next")
    before = kiosk.until(at="rest")
    # what was measured is not measured again but for the seconds that nobody knows of
    end = time.monotonic() + 5
    while time.monotonic() < end:
        before = kiosk.until(at="rest")
    kiosk.crash()
    after = kiosk.until(at="rest")
    assert before["left"] - 1 < after["left"] < before["left"] + 3.5 < 8
    kiosk.until(at="mood")
    kiosk.act("answer", item="q1", value=2)
    kiosk.until(at="mood", item=1)
    kiosk.crash()
    assert kiosk.until(at="mood")["answers"] == {"q1": 2}
    kiosk.act("answer", item="q2", value=1)
    assert kiosk.until(at="results")["session"] == session
    kiosk.crash()
    assert kiosk.until(at="results")["session"] == session
    kiosk.act("do", what="leave")
    kiosk.until(at="goodbye")
    kiosk.crash()
    assert kiosk.until(at="welcome")["session"] == ""
    kiosk.kill()

    messages = kiosk.messages()
    entries = [each.content for each in messages if isinstance(each, Entry)]
    assert entries == [
        Chosen("short", "1", "en"), Agreed(("measure", "store"), "2026-1", "en"),
        Person(given="Ann", birth_year=1980, sex="female"), Answered("phq2", "1", "en", {"q1": 2, "q2": 1}),
    ]  # fmt: skip
    assert [(each.measure, each.value) for each in messages if isinstance(each, Reading)] == [("weight", 61.0)]
    events = [each.event for each in messages if isinstance(each, Event)]
    assert events == ["rest", "step_began", "rest", "step_began", "step_ended", "rest_end"]
    assert any(isinstance(each, Chunk) for each in messages)
    # every run has its end, and the session its last word
    kinds = [item.__class__.__name__ for item in messages]
    assert kinds.count("Session") == 2
    streams = {each.stream for each in messages if isinstance(each, Chunk | Entry | Event | Reading)}
    ended = {each.stream for each in messages if isinstance(each, End)}
    assert streams <= ended
    with Outbox(kiosk.outbox, "k1", limit=10**9) as outbox:
        assert outbox.kept_visit() is None


def test_a_visit_that_was_chosen_and_not_agreed_to_is_forgotten(kiosk: Process) -> None:
    kiosk.until(at="welcome")
    kiosk.act("begin", protocol="short", language="en")
    kiosk.until(at="consent")
    kiosk.crash()
    kiosk.until(at="welcome")
    kiosk.kill()
    assert kiosk.messages() == []
