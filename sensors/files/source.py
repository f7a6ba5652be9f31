"""A file's bytes, within bounds: nothing that is handed to us may take more memory than stated here."""

import gzip
import zlib
from pathlib import Path

from kiosk.errors import BadRecording

MOST_BYTES = 512 * 1024**2
"""Of one file, unpacked: 24 hours at 250 Hz as text, or two days of 16 bit ECG at 500 Hz in three leads."""
MOST_VALUES = 200_000_000
"""Samples times channels that one recording may hold; as float32 that is 800 MB."""
LONGEST = 40 * 86_400
"""Seconds from first to last sample: what the time of a message may span."""
_SUFFIXES_PACKED = (".gz",)
_PIECE = 1 << 22


class NoRecording(BadRecording):
    """A file that may be in order, but holds no signal: notes, marks, a table of results."""


def bad(path: Path, cause: str) -> BadRecording:
    """The error for a file, naming it and what is wrong with it."""
    return BadRecording(f"{path}: {cause}")


def none(path: Path, cause: str) -> NoRecording:
    """The error for a file that seems not to be meant as a recording."""
    return NoRecording(f"{path}: {cause}")


def suffix(path: Path) -> str:
    """The format's suffix in lower case, without that of the packing: `.csv` for `A.CSV.gz`."""
    name = path.name.lower()
    for packed in _SUFFIXES_PACKED:
        name = name.removesuffix(packed)
    return Path(name).suffix


def size(path: Path, most: int | None = None) -> int:
    """How many bytes a file has; refuses what is absent, empty, no file or too big."""
    try:
        if not path.exists():
            raise bad(path, "there is no such file")
        if not path.is_file():
            raise bad(path, "this is no file")
        count = path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise bad(path, f"cannot be opened ({error})") from None
    if count == 0:
        raise bad(path, "the file is empty")
    most = MOST_BYTES if most is None else most
    if count > most:
        raise bad(path, f"{count} bytes, at most {most} are read")
    return count


def load(path: Path) -> bytes:
    """All bytes, unpacked where the file is gzipped."""
    size(path)
    try:
        if not path.name.lower().endswith(_SUFFIXES_PACKED):
            return path.read_bytes()
        with gzip.open(path) as packed:
            # piece by piece: one read() of so many bytes would reserve them all
            pieces = [piece := packed.read(_PIECE)]
            while piece and sum(map(len, pieces)) <= MOST_BYTES:
                pieces.append(piece := packed.read(_PIECE))
            content = b"".join(pieces)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise bad(path, "the gzip data is truncated or damaged") from None
    except OSError as error:
        raise bad(path, f"cannot be read ({error.strerror})") from None
    if len(content) > MOST_BYTES:
        raise bad(path, f"more than {MOST_BYTES} bytes when unpacked")
    if not content:
        raise bad(path, "the file is empty when unpacked")
    return content


def text(path: Path) -> str:
    """All of a text file. Refuses what is not text."""
    return _decoded(path, load(path))


def beginning(path: Path, count: int = 65_536) -> str:
    """The first whole lines of a text file."""
    try:
        if path.name.lower().endswith(_SUFFIXES_PACKED):
            with gzip.open(path) as packed:
                content = packed.read(count)
        else:
            with path.open("rb") as file:
                content = file.read(count)
    except (EOFError, zlib.error, OSError):
        raise bad(path, "cannot be read") from None
    if len(content) == count:
        content = content[: content.rfind(b"\n") + 1]
    return _decoded(path, content)


def _decoded(path: Path, content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # cp1252 is what spreadsheets write where they do not write UTF-8; it has the micro sign
        encodings = ("utf-8-sig", "cp1252")
        if b"\0" in content:
            raise bad(path, "this is binary data, not text")
    for encoding in encodings:
        try:
            decoded = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(character < " " and character not in "\t\r\n\x0b\x0c\x1c\x1d\x1e\x1f" for character in decoded[:4096]):
            break
        # one line end for all: readers split at \n and nowhere else
        return decoded.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    raise bad(path, "this is binary data, not text")


def check_count(path: Path, values: int) -> None:
    """Refuse more values than a recording may hold, before they are made."""
    if values > MOST_VALUES:
        raise bad(path, f"{values} values, at most {MOST_VALUES} are read: choose a channel")


def check_span(path: Path, seconds: float) -> None:
    """Refuse a recording longer than times may be."""
    if not 0 <= seconds <= LONGEST:
        raise bad(path, f"lasts {seconds:.0f} s, at most {LONGEST} are read")


def check_rate(path: Path, rate: float) -> None:
    """Refuse a sampling rate that no sensor has."""
    if not 0.01 <= rate <= 1e5:
        raise bad(path, f"a sampling rate of {rate:g} Hz makes no sense")
