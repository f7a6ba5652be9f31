"""Which files of a folder are recordings."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kiosk.errors import BadRecording
from sensors.files import brainvision, intervals, pictures, sound, text
from sensors.files.layout import layout_of
from sensors.files.source import beginning, suffix

TABLES = (".csv", ".tsv", ".txt", *intervals.SUFFIXES)
READ = (
    ".hea",
    ".edf",
    ".bdf",
    ".fif",
    *brainvision.SUFFIXES,
    ".npy",
    ".npz",
    ".mat",
    *TABLES,
    *pictures.VIDEOS,
    *pictures.STILLS,
    *sound.SUFFIXES,
)
# not recordings by themselves: a record's header speaks for them
PARTS = (".dat", ".atr", ".qrs", ".ecg", ".ann", ".xyz")


@dataclass(frozen=True, slots=True)
class Found:
    """Recordings, one path each, and what was left out."""

    recordings: tuple[Path, ...]
    passed_over: tuple[Path, ...]
    named: frozenset[Path] = frozenset()
    """Those that the caller named, and did not leave to be found in a folder."""


def find(paths: Iterable[Path]) -> Found:
    """Recordings among files and, recursively, in folders. A file that is named is taken whatever its name is."""
    paths = tuple(paths)
    found: dict[Path, None] = {}
    passed: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise BadRecording(f"{path}: there is no such file or folder")
        if not path.is_dir():
            found.setdefault(path)
            continue
        try:
            inside = sorted(path.rglob("*"))
        except OSError as error:
            raise BadRecording(f"{path}: cannot be read ({error.strerror})") from None
        for file in inside:
            if any(part.startswith(".") for part in file.relative_to(path).parts) or not file.is_file():
                continue
            if _is_recording(file):
                found.setdefault(file)
            elif not _is_part(file):
                passed.setdefault(file)
    return Found(tuple(found), tuple(passed), frozenset(path for path in paths if path in found))


def _is_part(file: Path) -> bool:
    if file.suffix.lower() in brainvision.PARTS and file.with_suffix(".vhdr").is_file():
        return True
    return file.suffix.lower() in PARTS and file.with_suffix(".hea").is_file()


def _is_recording(file: Path) -> bool:
    ending = suffix(file)
    if ending in (".hea", *intervals.SUFFIXES) and ending != ".hea":
        return True
    if ending == ".hea":
        return not _is_segment(file)
    if ending in pictures.STILLS:
        return not pictures.is_figure(file)
    return _has_numbers(file) if ending in TABLES else ending in READ


def _is_segment(header: Path) -> bool:
    """Whether a header is a piece of a longer record beside it, by the custom of names: 100_0001, 100_layout."""
    stem, _, tail = header.stem.rpartition("_")
    return bool(stem) and (tail.isdigit() or tail == "layout") and header.with_name(stem + ".hea").is_file()


def _has_numbers(file: Path) -> bool:
    """Whether a text has a line of numbers near its beginning; a README has none."""
    try:
        body = text.without_comments(beginning(file))[1]
        return layout_of(file, body) is not None or text.is_list_of_numbers(body)
    except BadRecording:
        return False
