"""PostgreSQL for tests: a cluster of its own in a private folder, on a unix socket, so that it takes no port."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.conftest import require

START_TIMEOUT = 30.0
# a cluster that lives for a test survives kill -9 of its processes, and need not survive a power cut
HURRIED = ("fsync=off", "full_page_writes=off", "max_connections=200")


def find(program: str = "postgres") -> str | None:
    """Where a program of PostgreSQL is: Debian keeps the server's outside PATH, in a folder per version."""
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda home: float(home.parts[-2]), reverse=True
    )
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, newest_first)]))


class Cluster:
    """A PostgreSQL server that can be started, stopped, killed and started again on the same data."""

    def __init__(self, home: Path, log: Path, options: tuple[str, ...] = ()) -> None:
        self.home = home
        self._log = log
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        # postgres refuses to run as root
        self._user = "postgres" if os.geteuid() == 0 else None
        initdb = find("initdb")
        assert initdb
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(home, account.pw_uid, account.pw_gid)
        self._run(initdb, "--pgdata", str(self._data), "--username=postgres", "--auth=trust", "--encoding=UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.home / "data"

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's address of one of its databases."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.home), safe='')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection that commits each statement."""
        return psycopg.connect(dbname=database, user="postgres", host=str(self.home), autocommit=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = find()
        assert program
        options = [part for option in self._options for part in ("-c", option)]
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    [program, "-D", str(self._data), "-k", str(self.home), "-c", "listen_addresses=", *options],
                    cwd=self.home, stdout=output, stderr=subprocess.STDOUT, user=self._user, group=self._user,
                    extra_groups=[] if self._user else None,
                )  # fmt: skip
            # after kill -9 the backends of the former server may hold its memory for a moment: try again
            while self._process.poll() is None:
                try:
                    self.connect().close()
                    return
                except psycopg.OperationalError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.02)
            self.kill()
            time.sleep(0.1)
        raise RuntimeError(f"postgres did not start:\n{self._log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """End it in order, without waiting for its clients."""
        if self._process is not None:
            self._process.send_signal(2)  # SIGINT: fast shutdown
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """kill -9; its backends follow as soon as they notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _run(self, *command: str) -> None:
        with self._log.open("ab") as output:
            done = subprocess.run(
                command, cwd=self.home, check=False, stdout=output, stderr=subprocess.STDOUT, user=self._user,
                group=self._user, extra_groups=[] if self._user else None,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{self._log.read_text(errors='replace')[-2000:]}")


@contextmanager
def cluster(folder: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """A running cluster, with its log in `folder`. `durable` leaves all settings at PostgreSQL's own defaults."""
    require(find("initdb") and find(), "PostgreSQL's server programs (initdb, postgres)")
    # not in `folder`: another user than ours could not enter it, and a socket's path is 107 bytes at most
    with tempfile.TemporaryDirectory(prefix="kiosk-postgres-", ignore_cleanup_errors=True) as home:
        server = Cluster(Path(home), folder / "postgres.log", () if durable else HURRIED)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def postgresql(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The address of an empty database for as long as the context lasts."""
    with cluster(folder, durable=durable) as server:
        yield server.url()
