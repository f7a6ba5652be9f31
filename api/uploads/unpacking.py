"""Names and archives of strangers: what of them becomes files in a folder, and within which bounds."""

import itertools
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.errors import BadRecording

MOST_MEMBERS = 2000
"""Files in an archive."""
RATIO = 200
"""Times that an archive may grow: text with many equal lines grows thirtyfold, a bomb a thousandfold."""
FREE = 20_000_000
"""Bytes that an archive may hold whatever its ratio."""
LONGEST = 100
_PIECE = 1 << 20
_ENCRYPTED = 0x1
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".xz", ".bz2", ".zst")
_LIKE_ZIP = (".npz",)
"""Formats of arrays whose files are archives: their reader opens them itself."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an upload may grow to."""

    bytes: int


def plain(name: str, taken: set[str]) -> str:
    """A file's name without any way to another folder, unlike those that are taken; ends as the name did.

    Records of several files name each other, so that names are kept as far as they are harmless.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c if c.isalnum() or c in "._-+()" else "-" for c in last).lstrip(".-")
    if len(kept) > LONGEST:
        kept = kept[: LONGEST - 12] + kept[-12:]
    if not kept or _RESERVED.fullmatch(kept):
        kept = f"file-{kept}".rstrip("-.")
    stem, dot, ending = kept.rpartition(".")
    made, count = kept, 1
    while made.lower() in taken:
        count += 1
        made = f"{stem}-{count}.{ending}" if dot else f"{kept}-{count}"
    taken.add(made.lower())
    return made


def is_archive(path: Path) -> bool:
    """Whether a file is a zip, by its first bytes and not one that is an array's."""
    with path.open("rb") as file:
        begins = file.read(4)
    return begins in (b"PK\x03\x04", b"PK\x05\x06") and path.suffix.lower() not in _LIKE_ZIP


def unpack(archive: Path, folder: Path, bounds: Bounds, tell: Callable[[float], None]) -> int:
    """Put an archive's files into a folder, one level deep; how many bytes they have. BadRecording where it is hostile.

    What the directory of an archive says is believed for refusals only: what comes out is counted.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(archive, members, bounds)
            total = sum(member.file_size for member in members) or 1
            folders: dict[str, tuple[Path, set[str]]] = {}
            done = 0
            for member in members:
                if "__MACOSX" in member.filename or re.split(r"[/\\]", member.filename)[-1].startswith("."):
                    continue
                parent = member.filename.rpartition("/")[0]
                if parent not in folders:
                    inside = folder / f"{len(folders):04}"
                    inside.mkdir()
                    folders[parent] = inside, set()
                inside, taken = folders[parent]
                done += _extract(opened, member, inside / plain(member.filename, taken))
                tell(done / total)
            return done
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeDecodeError,
        ValueError,
    ):
        raise BadRecording("the archive is damaged, or of a kind that is not read") from None


def _check(archive: Path, members: list[zipfile.ZipInfo], bounds: Bounds) -> None:
    size = archive.stat().st_size
    if not members:
        raise BadRecording("the archive is empty")
    if len(members) > MOST_MEMBERS:
        raise BadRecording(f"the archive has {len(members)} files, at most {MOST_MEMBERS} are read")
    for member in members:
        name = member.filename
        if "\0" in member.orig_filename or re.match(r"[/\\]|[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
            raise BadRecording("the archive is hostile: a name leads out of it")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise BadRecording("the archive is hostile: it has a link in it")
        if member.flag_bits & _ENCRYPTED:
            raise BadRecording("the archive is encrypted")
        if name.lower().endswith(_ARCHIVES):
            raise BadRecording("the archive has another archive in it")
    unpacked = sum(member.file_size for member in members)
    if unpacked > bounds.bytes:
        raise BadRecording(f"the archive holds {unpacked} bytes, at most {bounds.bytes} are read")
    if unpacked > max(FREE, RATIO * size):
        raise BadRecording(f"the archive grows {unpacked // max(size, 1)}-fold: that is no recording")
    ordered = sorted(members, key=lambda member: member.header_offset)
    for before, after in itertools.pairwise(ordered):
        # 30 bytes are the least that a file's own header has
        if before.header_offset + 30 + before.compress_size > after.header_offset:
            raise BadRecording("the archive is hostile: files overlap")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> int:
    written = 0
    with opened.open(member) as source, path.open("xb") as target:
        while piece := source.read(_PIECE):
            written += len(piece)
            if written > member.file_size:
                raise BadRecording("the archive is hostile: a file is larger than it says")
            target.write(piece)
    return written
