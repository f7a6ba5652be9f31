"""The process that reads and analyses one upload: within limits, in a folder of its own, and without a database.

A file of a stranger meets parsers here, and nowhere else. What they cost is bounded by the system: memory, processor
time, the size of files. What is said leaves through a pipe as plain numbers, and each is checked on the other side.
"""

import contextlib
import ctypes
import os
import re
import resource
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from analytics.session import session
from api.uploads import cutting, unpacking
from api.uploads.spoken import (
    Analysing,
    Finished,
    Manifest,
    Noted,
    Progress,
    Said,
    Samples,
    Signals,
    Unusable,
    context_in,
    encoded,
)
from api.uploads.unpacking import Bounds
from kiosk.errors import BadRecording
from kiosk.messages import SECOND, Stream
from kiosk.processes import die_with_parent
from kiosk.recording import Recording, Track
from kiosk.signals import SIGNALS

GROWS = 5
"""Times that an upload may be larger when it is unpacked: the limit for all files that the process writes."""
RUN = "r1"
_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38


class Reader(Protocol):
    """Reads files into a recording; `kiosk` brings it, because only it knows the sensors. It must be picklable."""

    def __call__(
        self, files: Path, *, kind: str, channel: str | None, rate: float | None, models: Path | None
    ) -> Recording:
        """The recording in a file, or the one that all files of a folder are; BadRecording where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use."""

    memory: int
    """Bytes of address space."""
    seconds: float
    """Of processor time."""
    bytes: int
    """That it may write, all files together as far as archives go, and each file by itself."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the process is given."""

    session: str
    manifest: Manifest
    folder: Path
    """Where its files are, in clear, called by their numbers; nothing else is in it."""
    models: Path | None
    limits: Limits


def serve(line: Connection, parent: int, read: Reader, task: Task) -> None:
    """The process: read, say, analyse, say, end."""
    die_with_parent(parent)
    tempfile.tempdir = str(task.folder)
    os.umask(0o077)
    _confine(task.limits)
    from threadpoolctl import threadpool_limits

    def say(said: Said) -> None:
        line.send_bytes(encoded(said))

    try:
        with threadpool_limits(1):
            for said in _told(read, task, say, line):
                say(said)
    except BadRecording as error:
        say(Unusable(in_words(error, task)))
    except MemoryError:
        say(Unusable("it needs more memory than an upload may use", "limit"))
    except OSError as error:
        say(Unusable(f"it cannot be read ({type(error).__name__})", "limit"))
    except Exception as error:
        # a parser's bug on a stranger's file; its text may hold a part of the file
        say(Unusable(f"the analysis failed ({type(error).__name__})", "failure"))


def _told(read: Reader, task: Task, say: "Saying", line: Connection) -> Iterable[Said]:
    files = _files(task, say)
    manifest = task.manifest
    recording = _neutral(
        read(files, kind=manifest.kind, channel=manifest.channel, rate=manifest.rate, models=task.models)
    )
    kept = [track for track in recording.tracks if SIGNALS[track.signal].leaves and len(track.times)]
    if not kept:
        raise BadRecording("it holds no signal that is stored")
    end = max(int(track.times[-1]) + round(SECOND / track.rate if track.rate else 0) for track in kept)
    yield Signals(end, sum(len(track.times) for track in kept), recording.duration)
    for track in kept:
        for chunk in cutting.chunks(track, Stream(task.session, track.device, track.signal, RUN)):
            yield Samples(chunk)
    for mark in recording.marks:
        yield Noted(mark.time, mark.text)
    yield Analysing()
    # what is known of the person is looked up once the session is there
    context = context_in(line.recv_bytes())
    yield Finished.of(session(recording, context, models=task.models))


class Saying(Protocol):
    """Passes something on."""

    def __call__(self, said: Said, /) -> None:
        """Say it."""
        ...


def _files(task: Task, say: Saying) -> Path:
    """The file, where there is one alone, or the folder of several, under names that formats know."""
    folder = task.folder / "files"
    folder.mkdir()
    taken: set[str] = set()
    bounds = Bounds(task.limits.bytes)
    for number, file in enumerate(task.manifest.files):
        path = (task.folder / str(number)).rename(folder / unpacking.plain(file.name, taken))
        if unpacking.is_archive(path):
            inside = folder / f"archive-{number}"
            inside.mkdir()
            bounds = Bounds(
                bounds.bytes - unpacking.unpack(path, inside, bounds, lambda share: say(Progress(0.5 + 0.4 * share)))
            )
            path.unlink()
    found = [path for path in folder.rglob("*") if path.is_file()]
    if not found:
        raise BadRecording("there is no file in it")
    return found[0] if len(found) == 1 else folder


def _neutral(recording: Recording) -> Recording:
    """The same under names that say nothing: a file may be called like its patient."""
    names: dict[str, str] = {}
    used: set[tuple[str, str]] = set()
    tracks: list[Track] = []
    for track in recording.tracks:
        name = names.setdefault(track.device, f"file-{len(names) + 1}")
        assert (name, track.signal) not in used
        used.add((name, track.signal))
        tracks.append(replace(track, device=name))
    return replace(recording, tracks=tuple(tracks), name="upload", assumed=())


def in_words(error: BadRecording, task: Task) -> str:
    """Why it cannot be read, without our folders."""
    said = str(error).replace(f"{task.folder / 'files'}/", "").replace(str(task.folder / "files"), "the upload")
    said = re.sub(r"archive-\d+/\d{4}/", "", said)
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:300]


def _confine(limits: Limits) -> None:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        # what its own start took is not the upload's
        (resource.RLIMIT_CPU, round(spent.ru_utime + spent.ru_stime + limits.seconds)),
        (resource.RLIMIT_FSIZE, limits.bytes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(AttributeError):
        # where the system lets us: without any network at all
        libc.unshare(_CLONE_NEWNET)
