"""BrainVision: a header (.vhdr) that names its samples (.eeg) and marks (.vmrk), read by mne.

The names in the header are looked at first: they may lead nowhere but to files beside it.
"""

import re
from pathlib import Path

from sensors.files import raw
from sensors.files.content import Annotation, Content
from sensors.files.source import bad, beginning, size

SUFFIXES = (".vhdr", ".ahdr")
PARTS = (".eeg", ".vmrk", ".amrk")
_MOST_HEADER = 1_000_000
_NAMES = re.compile(r"^\s*(DataFile|MarkerFile)\s*[=:]\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
"""With either of the signs that mne takes."""
_CODEPAGE = re.compile(r"Codepage=(.+)", re.IGNORECASE)
_READ_ALIKE = re.compile(
    r"(?:utf-?8|ansi|ascii|us-ascii|latin-?1|iso-?8859-\d{1,2}|(?:cp|windows-?)125\d)", re.IGNORECASE
)
"""Encodings in which names are what they look like: in others (UTF-7) they can be hidden."""


def read(path: Path) -> Content:
    """The waves of a recording."""
    return raw.content(path, _opened(path), by_name=True)


def annotations(path: Path) -> tuple[Annotation, ...]:
    """Its marks."""
    return _opened(path).marks


def _opened(path: Path) -> raw.Opened:
    import mne

    if size(path) >= _MOST_HEADER:
        raise bad(path, "a header of this size is none")
    text = beginning(path, _MOST_HEADER)
    if not text.lstrip().lower().startswith(("brain vision", "brainvision")):
        raise bad(path, "this is no BrainVision header: it begins otherwise")
    for codepage in _CODEPAGE.findall(text):
        if not _READ_ALIKE.fullmatch(codepage.strip()):
            raise bad(path, f"its code page {codepage.strip()[:20]!r} is none that is read")
    # every one that any section has: which of them counts is not for us to guess
    names = _NAMES.findall(text)
    if not any(key.lower() == "datafile" for key, _ in names):
        raise bad(path, "names no DataFile")
    for _, name in names:
        beside = path.with_name(Path(name.replace("$b", path.stem)).name)
        if beside.name != name.replace("$b", path.stem) or "\\" in name:
            raise bad(path, f"names {name!r}, which is not beside it")
        if not beside.is_file():
            raise bad(path, f"needs {beside.name} beside it")
        if not beside.resolve().parent.samefile(path.resolve().parent):
            raise bad(path, f"names {name!r}, which leads out of its folder")
        size(beside)
    return raw.opened(path, lambda: mne.io.read_raw_brainvision(path, preload=False, verbose="WARNING"))
