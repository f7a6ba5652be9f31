"""A session as a file, whatever the format, made while it is taken away."""

from collections.abc import Callable, Generator, Iterator
from typing import Literal

from api.interop import edf, tables, wfdb
from api.interop.flows import Pipe
from api.interop.session import Exported, gathered
from api.store import Database, Transaction, sessions
from kiosk.errors import BadRecording

Format = Literal["edf", "wfdb", "csv", "parquet"]
FORMATS: dict[Format, tuple[str, str]] = {
    "edf": ("application/octet-stream", ".edf"),
    "wfdb": ("application/zip", "-wfdb.zip"),
    "csv": ("application/zip", "-csv.zip"),
    "parquet": ("application/zip", "-parquet.zip"),
}
"""Media type and ending of each."""
Writing = Callable[[Transaction, Exported, Pipe], Iterator[None]]
WRITERS: dict[Format, Writing] = {
    "edf": edf.write,
    "wfdb": wfdb.write,
    "csv": lambda db, given, pipe: tables.write(db, given, pipe, "csv"),
    "parquet": lambda db, given, pipe: tables.write(db, given, pipe, "parquet"),
}


def exported(database: Database, session: str, form: Format) -> Generator[bytes]:
    """A session as a file of this format, a piece at a time, of one state of the database."""
    pipe = Pipe()
    with database.reading() as db:
        row = sessions.get(db, session)
        if row is None:
            raise BadRecording(f"there is no session {session}")
        for _ in WRITERS[form](db, gathered(db, row), pipe):
            if piece := pipe.drain():
                yield piece
    if piece := pipe.drain():
        yield piece
