"""Files -> `kiosk.recording.Recording`. `assumed` says what was guessed; what cannot be read is BadRecording.

One module per format turns bytes into named waves (`content`); `assemble` makes a recording of them. Adding a format
is adding a module and a line in `_content`. Bounds on size are in `source`.
"""

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

from kiosk.errors import BadRecording
from kiosk.recording import Recording
from sensors.files import arrays, assemble, brainvision, edf, fif, pictures, sound, text, wfdb
from sensors.files.content import Annotation, Content, Start, merged
from sensors.files.folder import Found, find
from sensors.files.marks import annotations
from sensors.files.pictures import MADE_BY, Portrait
from sensors.files.session import join
from sensors.files.source import NoRecording, bad, check_rate, size, suffix

__all__ = [
    "KINDS", "MADE_BY", "PICTURES", "Annotation", "Found", "NoRecording", "Portrait", "annotations", "find", "join",
    "portrait", "read", "read_session",
]  # fmt: skip

WAVES = ("ecg", "ppg", "eeg", "respiration", "eda", "skin_temperature", "acceleration")
PICTURES = ("video", "image")
VOICE = "voice"
KINDS = ("auto", "rr", *WAVES, *PICTURES, VOICE)
_OWN = (".edf", ".bdf", ".fif", *brainvision.SUFFIXES, ".npy", ".npz", ".mat", ".csv", ".tsv", ".txt", *text.SUFFIXES)
"""Formats in one file: where that is absent, nobody meant a record of several."""


def read(
    path: Path,
    *,
    kind: str = "auto",
    channel: str | None = None,
    rate: float | None = None,
    models: Path | None = None,
) -> Recording:
    """The recording in a file. `kind`, `channel` (name, or number from 1) and `rate` say what the file does not.

    `models` is the folder of installed networks, where pictures are to be shown to them.
    """
    return _read(path, kind, channel, rate, models)[0]


def read_session(
    paths: Iterable[Path],
    *,
    kind: str = "auto",
    channel: str | None = None,
    rate: float | None = None,
    name: str = "",
    optional: Container[Path] = (),
    models: Path | None = None,
) -> Recording:
    """Files of one visit as one recording, each at the time when it began where all of them say.

    Those that are `optional` may turn out to be no recordings; they are then among what was not read.
    """
    parts: list[tuple[Recording, Start | None]] = []
    left: list[tuple[str, str]] = []
    for path in paths:
        try:
            parts.append(_read(path, kind, channel, rate, models))
        except NoRecording as error:
            if path not in optional:
                raise
            left.append(("not read", str(error).replace(str(path), path.name)))
    joined = join([recording for recording, _ in parts], [start for _, start in parts], name)
    return replace(joined, assumed=merged((*joined.assumed, *left)))


def portrait(path: Path, *, kind: str = "auto", models: Path | None = None) -> Portrait | None:
    """The face in a video or a still, for a figure; None where there is none."""
    if not _is_picture(path, kind):
        return None
    return pictures.portrait(path, is_still=not _is_video(path, kind), models=models)


def _is_picture(path: Path, kind: str) -> bool:
    return kind in PICTURES or (kind == "auto" and suffix(path) in (*pictures.VIDEOS, *pictures.STILLS))


def _is_video(path: Path, kind: str) -> bool:
    return kind == "video" or (kind == "auto" and suffix(path) in pictures.VIDEOS)


def _read(
    path: Path, kind: str, channel: str | None, rate: float | None, models: Path | None
) -> tuple[Recording, Start | None]:
    if kind not in KINDS:
        raise BadRecording(f"no kind {kind!r}; there are {', '.join(KINDS)}")
    if kind == VOICE or (kind == "auto" and suffix(path) in sound.SUFFIXES):
        if channel is not None or rate is not None:
            raise bad(path, "sound has neither channels nor a rate to choose: leave out --channel and --rate")
        size(path, sound.MOST_BYTES)
        return sound.read(path, models=models), None
    if _is_picture(path, kind):
        if channel is not None or rate is not None:
            raise bad(path, "pictures have neither channels nor a rate to choose: leave out --channel and --rate")
        size(path, pictures.MOST_BYTES)
        return (pictures.read_video if _is_video(path, kind) else pictures.read_still)(path, models=models), None
    if rate is not None:
        check_rate(path, rate)
    try:
        content = _content(path, kind, rate)
        return assemble.recording(path, content, kind=kind, channel=channel), content.start
    except (OSError, MemoryError) as error:
        raise bad(path, f"cannot be read ({type(error).__name__}: {error})") from None


def _content(path: Path, kind: str, rate: float | None) -> Content:
    """What is in a file, by its suffix, else by its first bytes."""
    ending = suffix(path)
    if ending in _OWN:
        size(path)
    if ending in wfdb.SUFFIXES or ending in (".hea", ".dat") or not path.is_file():
        beats = kind == "rr" or ending in wfdb.SUFFIXES
        return wfdb.read_beats(path) if beats else _fixed(path, wfdb.read(wfdb.header_of(path)), rate)
    size(path)
    with path.open("rb") as file:
        begin = file.read(8)
    if ending in (".edf", ".bdf", ".rec") or begin in (b"0       ", b"\xffBIOSEMI"):
        return _fixed(path, edf.read(path), rate)
    if ending == ".fif" or fif.is_fif(begin):
        return _fixed(path, fif.read(path), rate)
    if ending in brainvision.SUFFIXES:
        return _fixed(path, brainvision.read(path), rate)
    if ending in (".set", ".fdt"):
        raise bad(path, "EEGLAB's own files are not read: save it as EDF, BDF or FIF")
    if ending == ".npy" or begin[:6] == b"\x93NUMPY":
        return arrays.read_npy(path, kind=kind, rate=rate)
    if ending == ".npz":
        return arrays.read_npz(path, kind=kind, rate=rate)
    if ending == ".mat":
        return arrays.read_mat(path, kind=kind, rate=rate)
    if (path.with_suffix(".hea")).is_file() and ending not in (".csv", ".tsv", ".txt"):
        return _fixed(path, wfdb.read(wfdb.header_of(path)), rate)
    return text.read(path, kind=kind, rate=rate)


def _fixed(path: Path, content: Content, rate: float | None) -> Content:
    """A format that knows its rate: another one is a mistake that must be said."""
    rates = {wave.rate for wave in content.waves if wave.rate is not None}
    if rate is not None and rates and all(abs(found - rate) > 0.01 * found for found in rates):
        there = ", ".join(f"{found:g}" for found in sorted(rates))
        raise bad(path, f"is sampled at {there} Hz, not {rate:g} Hz: leave out --rate")
    return content
