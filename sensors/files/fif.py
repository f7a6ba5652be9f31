"""FIF, the format of mne and of Elekta/MEGIN: raw recordings, read by mne after its tags have been looked through.

The tags say where the next one lies, so that a damaged or malicious file could send a reader round in circles; and the
last may name another file to go on with, which is not followed.
"""

import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sensors.files import raw
from sensors.files.content import Annotation, Content
from sensors.files.source import MOST_BYTES, bad, load, size

_TAG = struct.Struct(">iIii")
_FILE_ID, _DATA_BUFFER = 100, 300
_MOST_TAGS = 2_000_000
_NO_MORE = -1


def read(path: Path) -> Content:
    """The waves of a raw recording; spans marked as bad are NaN, channels marked as bad are left out."""
    with _opened(path) as file:
        return raw.content(path, file, by_name=False)


def annotations(path: Path) -> tuple[Annotation, ...]:
    """The marks of a raw recording."""
    with _opened(path) as file:
        return file.marks


@contextmanager
def _opened(path: Path) -> Iterator[raw.Opened]:
    import mne

    size(path)
    with tempfile.TemporaryDirectory(prefix="kiosk-fif-") as folder:
        # alone in a folder, whatever further parts it names are not there
        alone = Path(folder) / "recording_raw.fif"
        if path.name.lower().endswith(".gz"):
            alone.write_bytes(load(path))
        else:
            alone.symlink_to(path.absolute())
        _look_through(path, alone)
        found = raw.opened(
            path,
            lambda: mne.io.read_raw_fif(
                alone, allow_maxshield="yes", preload=False, on_split_missing="warn", verbose="WARNING"
            ),
        )
        # a name with a path in it leads out of any folder
        if any(part is None or Path(part).resolve() != alone.resolve() for part in found.raw.filenames):
            raise bad(path, "goes on in another file, which it names with its path: that is not followed")
        yield found


def _look_through(path: Path, file: Path) -> None:
    """Refuse a file whose tags do not follow each other to its end, or that has no samples."""
    total = file.stat().st_size
    if total > MOST_BYTES:
        raise bad(path, f"more than {MOST_BYTES} bytes")
    at = buffers = 0
    with file.open("rb") as tags:
        for number in range(_MOST_TAGS):
            tags.seek(at)
            head = tags.read(_TAG.size)
            if len(head) < _TAG.size:
                raise bad(path, "truncated: its tags go on after its end")
            kind, _, length, following = _TAG.unpack(head)
            if number == 0 and kind != _FILE_ID:
                raise bad(path, "this is not FIF: it begins otherwise")
            if length < 0 or at + _TAG.size + length > total:
                raise bad(path, "truncated: a tag is longer than what is left of it")
            buffers += kind == _DATA_BUFFER
            if following == _NO_MORE:
                break
            after = at + _TAG.size + length if following == 0 else following
            if after <= at:
                raise bad(path, "damaged: its tags go round in a circle")
            if after == total:
                break
            at = after
        else:
            raise bad(path, f"more than {_MOST_TAGS} tags")
    if not buffers:
        raise bad(path, "holds no raw recording: epochs, averages and results are not read")


def is_fif(begin: bytes) -> bool:
    """Whether a file begins with the tag that FIF begins with."""
    return len(begin) >= 4 and begin[:4] == struct.pack(">i", _FILE_ID)
