"""WFDB, the format of PhysioNet: a .hea header, .dat signal files, and annotations as beats where asked for.

https://wfdb.io/spec/ (header.5, signal.5, annot.5). Read here, not by the wfdb package: its import takes most of a
second, it trusts the header, and it follows names in the header out of the folder and onto the network. The tests
hold this reader to it.
"""

from pathlib import Path

from sensors.files.content import Content
from sensors.files.source import bad
from sensors.files.wfdb.annotations import SUFFIXES, beats
from sensors.files.wfdb.record import read

__all__ = ["SUFFIXES", "header_of", "read", "read_beats"]


def header_of(path: Path) -> Path:
    """The header of a record that is named by its header, a signal or annotation file, or without any suffix."""
    header = path if path.suffix == ".hea" else path.with_suffix(".hea")
    if not header.is_file() and path.suffix not in ("", ".hea"):
        # a record's own name may have a dot in it
        header = path.with_name(path.name + ".hea")
    if header.is_file():
        return header
    if path.suffix and path.suffix != ".hea":
        raise bad(path, f"needs its header {path.with_suffix('.hea').name} beside it")
    raise bad(header, "there is no such file")


def read_beats(path: Path) -> Content:
    """A record's annotated beats: those of the file named, else of the first annotation file beside it."""
    if path.suffix in SUFFIXES:
        return beats(path)
    header = header_of(path)
    for suffix in SUFFIXES:
        if (beside := header.with_suffix(suffix)).is_file():
            return beats(beside)
    raise bad(path, f"has no annotated beats beside it ({', '.join(SUFFIXES)})")
