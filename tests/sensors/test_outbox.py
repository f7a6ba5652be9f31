"""The outbox: what was emitted is on the disk, with no hole, until the recorder has it."""

import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kiosk.errors import Refused
from kiosk.messages import (
    SECOND,
    SESSION,
    Chunk,
    End,
    Event,
    Lost,
    Message,
    Origin,
    Reading,
    Receipt,
    Refusal,
    Session,
    Stream,
    decode,
)
from sensors.driver import Visit
from sensors.outbox import Outbox, OutboxUnusable

ECG = Stream("s1", "ecg-1", "ecg", "r1")
PPG = Stream("s1", "ppg-1", "ppg", "r1")
OWN = Stream("s1", "kiosk", "session", "r0")
VISIT = Visit("s1", Origin(1_700_000_000 * SECOND, 100 * SECOND, "boot-1"), simulated=True)
PLENTY = 10_000_000
Kind = TypeVar("Kind", bound=Message)


def chunk(stream: Stream = ECG, start: int = 0, size: int = 25) -> Chunk:
    return Chunk(stream, 0, start, 250.0, ("II",), bytes(4 * size))


def held(outbox: Outbox) -> list[Message]:
    """What the outbox would send, oldest first."""
    return [decode(item.topic, item.payload)[1] for item in outbox.waiting(0, 100_000)]


def of(outbox: Outbox, kind: type[Kind]) -> list[Kind]:
    return [message for message in held(outbox) if isinstance(message, kind)]


def seqs(outbox: Outbox, stream: Stream = ECG) -> list[int]:
    return [message.seq for message in of(outbox, Chunk) if message.stream == stream]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "outbox.sqlite"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with Outbox(path, "k1", limit=PLENTY) as made:
        yield made


def test_every_commit_reaches_the_disk(outbox: Outbox) -> None:
    # 2 is FULL: the WAL is synced at each commit; 1 (NORMAL) would lose commits in a power cut
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert outbox._db.execute("PRAGMA locking_mode").fetchone() == ("exclusive",)


def test_each_stream_counts_by_itself_and_without_holes(outbox: Outbox) -> None:
    outbox.emit([chunk(), chunk(PPG), chunk()])
    outbox.emit([chunk(PPG), chunk()])
    assert seqs(outbox) == [0, 1, 2]
    assert seqs(outbox, PPG) == [0, 1]
    assert outbox.waiting_count == 5


def test_the_count_goes_on_after_a_restart_even_when_all_is_receipted(path: Path) -> None:
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        outbox.emit([chunk(), chunk()])
        outbox.receipts([Receipt(ECG, 1)])
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        assert outbox.waiting_count == 0
        outbox.emit([chunk()])
        assert seqs(outbox) == [2]


def test_a_receipt_forgets_what_it_names_and_nothing_else(outbox: Outbox) -> None:
    outbox.emit([chunk(stream) for _ in range(5) for stream in (ECG, PPG)])
    gone = outbox.receipts([Receipt(ECG, 2), Receipt(Stream("s1", "x", "ecg", "r1"), 99)])
    assert len(gone) == 3
    assert seqs(outbox) == [3, 4]
    assert seqs(outbox, PPG) == [0, 1, 2, 3, 4]
    assert outbox.receipts([Receipt(ECG, 2), Receipt(ECG, -1)]) == []


def test_what_is_refused_is_forgotten_and_counted_once(outbox: Outbox) -> None:
    outbox.emit([chunk() for _ in range(6)])
    # 1 lies below upto already, 4 beyond it
    receipt = Receipt(ECG, 2, refused=(Refusal(1, "bad"), Refusal(4, "bad")))
    assert len(outbox.receipts([receipt, receipt])) == 4
    assert seqs(outbox) == [3, 5]
    assert outbox.count("refused") == 2


def test_an_end_stays_until_it_is_receipted_itself(outbox: Outbox) -> None:
    outbox.emit([chunk(), chunk()])
    outbox.end_run([ECG, PPG])
    outbox.end_run([ECG])
    assert of(outbox, End) == [End(ECG, 1)]
    outbox.receipts([Receipt(ECG, 1)])
    assert held(outbox) == [End(ECG, 1)]
    outbox.receipts([Receipt(ECG, 1, ended=True)])
    assert held(outbox) == []
    assert outbox._db.execute("SELECT count(*) FROM streams").fetchone() == (0,)


def test_a_run_that_emitted_nothing_ends_at_minus_one(outbox: Outbox) -> None:
    outbox.open_run([ECG])
    outbox.end_run([ECG])
    assert held(outbox) == [End(ECG, -1)]
    outbox.receipts([Receipt(ECG, -1, ended=True)])
    assert held(outbox) == []


def test_nothing_can_be_emitted_after_the_end(outbox: Outbox) -> None:
    outbox.emit([chunk()])
    outbox.end_run([ECG])
    with pytest.raises(Refused, match="ended"):
        outbox.emit([chunk()])
    assert outbox.waiting_count == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Chunk(ECG, 0, 0, 250.0, ("II",), b"abc"),
        Chunk(ECG, 0, 10**18, 250.0, ("II",), bytes(100)),
        Chunk(ECG, 0, 0, 250.0, ("x" * 33,), bytes(100)),
        Event(Stream("s1", "ecg-1", "events", "r1"), 0, "moved", 0, "x" * 501),
        Reading(Stream("s1", "cuff", "readings", "r"), 0, "systolic", float("nan"), "cuff", "spot", "x", 0, 0),
        Reading(Stream("s1", "cuff", "readings", "r"), 0, "systolic", 120.0, "cuff", "spot", "x" * 81, 0, 0),
    ],
)
def test_what_the_recorder_would_refuse_is_never_emitted(outbox: Outbox, wrong: Chunk | Event | Reading) -> None:
    with pytest.raises(Refused):
        outbox.check(wrong)
    with pytest.raises(Refused):
        outbox.emit([chunk(), wrong])
    assert held(outbox) == []
    outbox.emit([chunk()])
    assert seqs(outbox) == [0]


# --- full


def test_a_full_outbox_gives_up_the_oldest_and_says_exactly_which(path: Path) -> None:
    with Outbox(path, "k1", limit=100_000) as outbox:
        outbox.open_session(VISIT, "r0")
        outbox.open_run([ECG, PPG])
        for number in range(200):
            outbox.emit([chunk(stream, (3 * number + part) * SECOND) for part in range(3) for stream in (ECG, PPG)])
        for stream in (ECG, PPG):
            (lost,) = [each for each in of(outbox, Lost) if each.stream == stream]
            # ranges that touch are one: a long outage does not fill the file with words about itself
            assert (lost.first, lost.reason) == (0, "outbox_full")
            assert seqs(outbox, stream) == list(range(lost.last + 1, 600))
        assert outbox.count("lost") == 1200 - len(of(outbox, Chunk))
        assert of(outbox, Session)[0].state == "open"
        assert sum(len(item.payload) for item in outbox.waiting(0, 100_000)) < 100_000
        files = sum(each.stat().st_size for each in path.parent.iterdir())
    assert files < 100_000 * 2 + 5_000_000  # and the write-ahead log, which SQLite folds in at 4 MB


def test_what_is_said_of_losses_ends_and_sessions_is_never_given_up(path: Path) -> None:
    with Outbox(path, "k1", limit=100_000) as outbox:
        outbox.open_session(VISIT, "r0")
        for number in range(40):
            run = Stream("s1", "ecg-1", "ecg", f"r{number}")
            outbox.emit([chunk(run, size=250) for _ in range(10)])
            outbox.end_run([run])
        outbox.end_session("s1", 60 * SECOND)
        assert len(of(outbox, End)) == 41
        assert [session.state for session in of(outbox, Session)] == ["open", "ended"]
        lost = {each.stream.run: each for each in of(outbox, Lost)}
        for end in of(outbox, End):
            if end.stream.signal != SESSION:
                there = seqs(outbox, end.stream)
                given_up = lost.get(end.stream.run)
                assert there == list(range(given_up.last + 1 if given_up else 0, 10))


def test_a_loss_stays_until_it_is_receipted(path: Path) -> None:
    with Outbox(path, "k1", limit=100_000) as outbox:
        for _ in range(40):
            outbox.emit([chunk(size=1000)])
        (lost,) = of(outbox, Lost)
        outbox.receipts([Receipt(ECG, lost.last - 1)])
        assert of(outbox, Lost) == [lost]
        outbox.receipts([Receipt(ECG, lost.last)])
        assert of(outbox, Lost) == []
        assert seqs(outbox)[0] == lost.last + 1
        for _ in range(40):
            outbox.emit([chunk(size=1000)])
        assert of(outbox, Lost)[0].first == lost.last + 1


def test_what_was_refused_in_between_is_not_called_lost(path: Path) -> None:
    with Outbox(path, "k1", limit=100_000) as outbox:
        for _ in range(10):
            outbox.emit([chunk(size=1000)])
        outbox.receipts([Receipt(ECG, -1, refused=(Refusal(2, "bad"),))])
        for _ in range(30):
            outbox.emit([chunk(size=1000)])
        first, second = of(outbox, Lost)
        assert (first.first, first.last, second.first) == (0, 1, 3)


# --- trouble with the disk


def test_a_full_disk_loses_nothing_and_leaves_memory_and_file_agreed(path: Path) -> None:
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        outbox.emit([chunk()])
        pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
        outbox._db.execute(f"PRAGMA max_page_count={pages + 3}")
        emitted = 1
        with contextlib.suppress(sqlite3.OperationalError):
            while emitted < 100:
                outbox.emit([chunk(size=500), chunk(PPG, size=500)])
                emitted += 1
        before = seqs(outbox), seqs(outbox, PPG), outbox.waiting_count, outbox._waiting.state.size, dict(outbox._ids)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            outbox.emit([chunk(Stream("s1", "new", "ecg", "r9"), size=3000)])
        assert before == (
            seqs(outbox),
            seqs(outbox, PPG),
            outbox.waiting_count,
            outbox._waiting.state.size,
            outbox._ids,
        )
        outbox._db.execute(f"PRAGMA max_page_count={pages + 1000}")
        outbox.emit([chunk(size=500), chunk(PPG, size=500)])
        assert seqs(outbox) == list(range(emitted + 1))
        assert seqs(outbox, PPG) == list(range(emitted))
        in_memory = outbox.waiting_count, outbox._waiting.state.size, outbox._ids
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        assert in_memory == (outbox.waiting_count, outbox._waiting.state.size, outbox._ids)


def test_a_second_process_is_refused_in_words(path: Path, outbox: Outbox) -> None:
    outbox.emit([chunk()])
    program = (
        "import sys; from pathlib import Path; import sqlite3; from sensors import outbox\n"
        "connect = sqlite3.connect\n"
        "sqlite3.connect = lambda path, **more: connect(path, **{**more, 'timeout': 0.1})\n"
        "try: outbox.Outbox(Path(sys.argv[1]), 'k1', limit=10**6)\n"
        "except outbox.OutboxUnusable as error: sys.exit(str(error))"
    )
    second = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert str(path) in second.stderr
    assert "another process" in second.stderr


def test_a_file_that_is_no_outbox_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_bytes(b"something else" * 1000)
    for wrong in (tmp_path / "outbox.sqlite", tmp_path, tmp_path / "outbox.sqlite" / "below"):
        with pytest.raises(OutboxUnusable, match=str(tmp_path)):
            Outbox(wrong, "k1", limit=PLENTY)


# --- sessions


def test_the_last_word_of_a_session_lists_its_streams(outbox: Outbox) -> None:
    outbox.open_session(VISIT, "r0")
    outbox.open_run([ECG, PPG])
    outbox.emit([chunk()])
    outbox.end_session("s1", 60 * SECOND)
    outbox.end_session("s1", 61 * SECOND)
    opened, ended = of(outbox, Session)
    assert (opened.seq, opened.state, opened.simulated) == (0, "open", True)
    assert (ended.seq, ended.state, ended.ended) == (1, "ended", 60 * SECOND)
    assert set(ended.streams) == {ECG, PPG}
    assert set(of(outbox, End)) == {End(ECG, 0), End(PPG, -1), End(OWN, 1)}


def test_a_session_with_more_streams_than_a_message_holds_ends_in_parts(outbox: Outbox) -> None:
    streams = [Stream("s1", "d" * 60, "s" * 60, f"{number:060}") for number in range(1200)]
    outbox.open_session(VISIT, "r0")
    outbox.open_run(streams)
    outbox.end_session("s1", 50 * 86_400 * SECOND)
    words = of(outbox, Session)
    assert sum((word.streams for word in words), ()) == tuple(streams)
    assert End(OWN, len(words) - 1) in of(outbox, End)


def test_a_session_is_retained_until_its_own_word_is_receipted_and_cleared(path: Path) -> None:
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        outbox.open_session(VISIT, "r0")
        outbox.end_session("s1", SECOND)
        outbox.receipts([Receipt(OWN, 1)])
        assert outbox.recorded() == []
        outbox.receipts([Receipt(OWN, 1, ended=True)])
        assert outbox.recorded() == ["s1"]
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        # a crash between receipt and clearing
        assert outbox.recover("boot-1", 200 * SECOND, resume_within=1000 * SECOND) is None
        assert outbox.recorded() == ["s1"]
        outbox.forget_session("s1")
        assert outbox.recorded() == []


def crashed(path: Path) -> Outbox:
    """An outbox after a crash in the middle of a visit."""
    with Outbox(path, "k1", limit=PLENTY) as outbox:
        outbox.open_session(VISIT, "r0")
        outbox.emit([chunk(), chunk()])
        outbox.open_run([PPG])
    return Outbox(path, "k1", limit=PLENTY)


def test_after_a_crash_open_runs_end_and_a_visit_of_this_boot_goes_on(path: Path) -> None:
    with crashed(path) as outbox:
        assert outbox.recover("boot-1", 130 * SECOND, resume_within=60 * SECOND) == VISIT
        assert set(of(outbox, End)) == {End(ECG, 1), End(PPG, -1)}
        outbox.end_session("s1", 40 * SECOND)
        assert [session.seq for session in of(outbox, Session)] == [0, 1]


@pytest.mark.parametrize(
    ("boot", "now", "ended"),
    [("boot-2", 130, 0), ("boot-1", 500, 400), ("boot-1", 20, 0), ("boot-1", 50 * 86_400, 40 * 86_400)],
)
def test_a_visit_that_cannot_go_on_ends(path: Path, boot: str, now: int, ended: int) -> None:
    with crashed(path) as outbox:
        assert outbox.recover(boot, now * SECOND, resume_within=60 * SECOND) is None
        assert of(outbox, Session)[-1].ended == ended * SECOND
        assert End(OWN, 1) in of(outbox, End)
        assert outbox.open_visits() == []


def test_of_two_open_visits_the_newest_goes_on(path: Path) -> None:
    with crashed(path) as outbox:
        newer = Visit("s2", VISIT.origin, simulated=False)
        outbox.open_session(newer, "r0")
        assert outbox.recover("boot-1", 130 * SECOND, resume_within=60 * SECOND) == newer
        assert [visit.session for visit in outbox.open_visits()] == ["s2"]


# --- kill -9

EMITTER = """
import sys
from pathlib import Path
from kiosk.messages import Chunk, Receipt, Stream
from sensors.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), "k1", limit=10**7)
streams = [Stream("s1", f"ecg-{number}", "ecg", sys.argv[2]) for number in range(3)]
count = 0
while True:
    outbox.emit([Chunk(stream, 0, 0, 250.0, ("II",), bytes(100)) for stream in streams])
    print(count, flush=True)
    count += 1
"""


def test_whatever_was_emitted_before_kill_9_is_there_afterwards(tmp_path: Path) -> None:
    path, chance = tmp_path / "outbox.sqlite", random.Random(7)
    for number in range(12):
        emitter = subprocess.Popen(
            [sys.executable, "-c", EMITTER, path, f"r{number}"], stdout=subprocess.PIPE, text=True
        )
        assert emitter.stdout
        wanted, said = chance.randint(1, 60), 0
        for line in emitter.stdout:
            said = int(line)
            if said >= wanted:
                break
        emitter.send_signal(signal.SIGKILL)
        rest = emitter.stdout.read().split("\n")[:-1]
        emitter.stdout.close()
        assert emitter.wait() == -signal.SIGKILL
        said = int(rest[-1]) if rest else said
        with Outbox(path, "k1", limit=PLENTY) as outbox:
            for device in range(3):
                there = seqs(outbox, Stream("s1", f"ecg-{device}", "ecg", f"r{number}"))
                assert there == list(range(len(there)))
                assert len(there) >= said + 1
            assert outbox._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            outbox.recover("boot-1", 0, resume_within=0)


# --- against a model


class Emitted(RuleBasedStateMachine):
    """Emit, receipt, end and crash in any order; the model is a dictionary."""

    streams = (ECG, PPG)

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.outbox = self._made()
        self.next: dict[Stream, int] = {}
        self.kept: dict[Stream, set[int]] = {}
        self.ended: dict[Stream, bool] = {}
        self.run = 0

    def _made(self) -> Outbox:
        return Outbox(Path(self.folder.name) / "outbox.sqlite", "k1", limit=PLENTY)

    def _now(self, stream: Stream) -> Stream:
        return Stream(stream.session, stream.device, stream.signal, f"r{self.run}")

    @rule(which=st.lists(st.sampled_from(streams), min_size=1, max_size=4))
    def emit(self, which: Sequence[Stream]) -> None:
        messages = [chunk(self._now(stream)) for stream in which]
        if any(self.ended.get(message.stream) for message in messages):
            self.run += 1
            messages = [chunk(self._now(stream)) for stream in which]
        self.outbox.emit(messages)
        for message in messages:
            seq = self.next.get(message.stream, 0)
            self.next[message.stream] = seq + 1
            self.kept.setdefault(message.stream, set()).add(seq)

    def _emit_wrong(self) -> None:
        wrong = Chunk(self._now(ECG), 0, 0, 250.0, ("II",), b"abc")
        with pytest.raises(Refused):
            self.outbox.emit([chunk(self._now(PPG)), wrong])

    @rule()
    def emit_what_is_refused(self) -> None:
        self._emit_wrong()

    @precondition(lambda self: self.next)
    @rule(data=st.data(), refused=st.sets(st.integers(0, 12)), ended=st.booleans())
    def receipt(self, data: st.DataObject, refused: set[int], ended: bool) -> None:
        stream = data.draw(st.sampled_from(sorted(self.next, key=repr)))
        upto = data.draw(st.integers(-1, self.next[stream] - 1))
        # the recorder calls a run ended once it has all of it and its End
        ended = ended and upto == self.next[stream] - 1 and self.ended.get(stream, False)
        words = tuple(Refusal(seq, "bad") for seq in sorted(refused))
        self.outbox.receipts([Receipt(stream, upto, ended, words)])
        self.kept[stream] = {seq for seq in self.kept[stream] if seq > upto and seq not in refused}
        if ended:
            del self.kept[stream], self.next[stream], self.ended[stream]

    @rule(which=st.sampled_from(streams))
    def end(self, which: Stream) -> None:
        stream = self._now(which)
        self.outbox.end_run([stream])
        if stream in self.next:
            self.ended[stream] = True

    @rule()
    def crash_and_recover(self) -> None:
        self.outbox.close()
        self.outbox = self._made()
        self.outbox.recover("boot-1", 0, resume_within=0)
        self.ended = dict.fromkeys(self.next, True)
        self.run += 1

    @invariant()
    def everything_unreceipted_is_there(self) -> None:
        for stream, kept in self.kept.items():
            assert seqs(self.outbox, stream) == sorted(kept)
        assert {end.stream: end.last for end in of(self.outbox, End)} == {
            stream: self.next[stream] - 1 for stream, ended in self.ended.items() if ended
        }
        assert self.outbox.waiting_count == len(held(self.outbox))

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            self.folder.cleanup()


TestEmitted: Callable[[], object] = Emitted.TestCase
TestEmitted.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)  # type: ignore[attr-defined]
