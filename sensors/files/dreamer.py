"""DREAMER: ECG and EEG of people who watch films, with their ratings (Katsigiannis & Ramzan 2018).

doi:10.1109/JBHI.2017.2688239. One MATLAB struct: `DREAMER.Data{person}.EEG.baseline{clip}` and `.stimuli{clip}`,
samples by 14 electrodes at 128 Hz; `.ECG` likewise, samples by 2 leads at 256 Hz; `.ScoreValence`, `.ScoreArousal` and
`.ScoreDominance`, 1 to 5 per clip. All of a file is in memory while it is read (23 people and 18 films of minutes are
gigabytes); it is handed on clip by clip.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors.files.source import bad, size

Floats = NDArray[np.float64]

ELECTRODES = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
LEADS = ("ecg1", "ecg2")
EEG_RATE, ECG_RATE = 128, 256
MOST_BYTES = 1 << 30
"""Of the file, as it is packed."""
MOST_UNPACKED = 1 << 32
"""Of what is in it: as much as the format can say of one variable."""
MOST_PEOPLE, MOST_CLIPS = 1000, 1000
RATINGS = (1.0, 5.0)
LONGEST = 3600.0
"""Seconds of one clip."""
_HEADER, _COMPRESSED = 128, 15
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """What was recorded at a time. The ECG is in counts of its converter, the EEG in microvolts over an offset."""

    ecg: Track
    eeg: Track


@dataclass(frozen=True, slots=True)
class Clip:
    """One person and one film."""

    person: int
    """From 1, as the next."""
    number: int
    baseline: Part
    """The rest before the film."""
    film: Part
    valence: float
    arousal: float
    dominance: float


def clips(path: Path) -> Iterator[Clip]:
    """Person after person, film after film; BadRecording says what is not of this layout."""
    _whole(path)
    from scipy.io import loadmat

    try:
        held = loadmat(path, variable_names=["DREAMER"])
    except (ValueError, TypeError, KeyError, IndexError, OSError, EOFError, zlib.error, NotImplementedError) as error:
        raise bad(path, f"damaged MATLAB file ({type(error).__name__})") from None
    except MemoryError:
        raise bad(path, "does not fit into memory") from None
    if "DREAMER" not in held:
        raise bad(path, "holds no variable DREAMER")
    top = _one(path, held.pop("DREAMER"), "DREAMER")
    _rates(path, top)
    people = _cells(path, _field(path, top, "Data", "DREAMER"), "DREAMER.Data", MOST_PEOPLE)
    for number, person in enumerate(people, 1):
        yield from _person(path, number, _one(path, person, f"DREAMER.Data{{{number}}}"))


def _person(path: Path, number: int, held: np.void) -> Iterator[Clip]:
    title = f"Data{{{number}}}"
    eeg = _one(path, _field(path, held, "EEG", title), f"{title}.EEG")
    ecg = _one(path, _field(path, held, "ECG", title), f"{title}.ECG")
    parts = {}
    for name, struct in (("EEG", eeg), ("ECG", ecg)):
        for when in ("baseline", "stimuli"):
            where = f"{title}.{name}.{when}"
            parts[name, when] = _cells(path, _field(path, struct, when, f"{title}.{name}"), where, MOST_CLIPS)
    ratings = [_scores(path, held, f"Score{what}", title) for what in ("Valence", "Arousal", "Dominance")]
    counts = {*map(len, parts.values()), *map(len, ratings)}
    if len(counts) != 1:
        raise bad(path, f"{title}: {sorted(counts)} clips, baselines or ratings; they must be as many")
    for place in range(counts.pop()):
        baseline, film = (
            Part(
                _track(path, "ecg", LEADS, ECG_RATE, parts["ECG", when][place], f"{title}.ECG.{when}{{{place + 1}}}"),
                _track(
                    path, "eeg", ELECTRODES, EEG_RATE, parts["EEG", when][place], f"{title}.EEG.{when}{{{place + 1}}}"
                ),
            )
            for when in ("baseline", "stimuli")
        )
        valence, arousal, dominance = (float(each[place]) for each in ratings)
        yield Clip(number, place + 1, baseline, film, valence, arousal, dominance)


def _whole(path: Path) -> None:
    """Refuses what scipy's reader must not be given: it trusts the sizes in a file, and falls on wrong ones.

    What is compressed has a checksum; it is held to it here, piece by piece, and its true size is known then.
    """
    total = size(path, MOST_BYTES)
    with path.open("rb") as file:
        head = file.read(_HEADER)
        if head[:10] == b"MATLAB 7.3" or head[:8] == b"\x89HDF\r\n\x1a\n":
            raise bad(path, "MATLAB 7.3 files are not read: save it with -v7")
        if len(head) < _HEADER or head[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
            raise bad(path, "this is no MATLAB file of version 5 to 7")
        order = "<" if head[126:128] == b"IM" else ">"
        at, unpacked, elements = _HEADER, 0, 0
        while at < total:
            tag = file.read(8)
            if len(tag) < 8:
                raise bad(path, "truncated: an element is cut off")
            kind, length = (int(word) for word in np.frombuffer(tag, f"{order}u4"))
            if kind != _COMPRESSED:
                raise bad(path, "not compressed, so that damage would not be noticed: save it with -v7")
            at += 8 + length
            elements += 1
            if at > total:
                raise bad(path, "truncated: an element is longer than the file")
            unpacked += _unpacked(path, file, length, MOST_UNPACKED - unpacked)
        if not elements:
            raise bad(path, "truncated: there is nothing after the header")


def _unpacked(path: Path, file: BinaryIO, length: int, most: int) -> int:
    """Bytes that a compressed element holds; read to its end and held to its checksum."""
    unpacker, count = zlib.decompressobj(), 0
    left = length
    try:
        while left:
            waiting = file.read(min(_PIECE, left))
            left -= len(waiting)
            while waiting:
                count += len(unpacker.decompress(waiting, _PIECE))
                waiting = unpacker.unconsumed_tail
                if count > most:
                    raise bad(path, f"more than {MOST_UNPACKED} bytes when unpacked")
    except zlib.error:
        raise bad(path, "damaged: what is compressed contradicts its checksum") from None
    if not unpacker.eof:
        raise bad(path, "truncated: compressed data has no end")
    return count


def _rates(path: Path, top: np.void) -> None:
    """Where the file states rates and electrodes, they must be these."""
    names = top.dtype.names or ()
    for field, rate in (("EEG_SamplingRate", EEG_RATE), ("ECG_SamplingRate", ECG_RATE)):
        if field in names:
            stated = np.asarray(top[field])
            if stated.dtype.kind not in "iuf" or stated.size != 1 or float(stated.flat[0]) != rate:
                raise bad(path, f"{field} is not {rate} Hz")
    if "EEG_Electrodes" in names:
        named = [str(np.asarray(each).squeeze()) for each in np.asarray(top["EEG_Electrodes"]).ravel()]
        if [each.upper() for each in named] != list(ELECTRODES):
            raise bad(path, f"its electrodes are not {', '.join(ELECTRODES)}")


def _one(path: Path, held: object, title: str) -> np.void:
    """A struct by itself."""
    if not isinstance(held, np.ndarray) or held.dtype.names is None or held.size != 1:
        raise bad(path, f"{title} is no struct: this is not DREAMER's layout")
    found = held.flat[0]
    assert isinstance(found, np.void)
    return found


def _field(path: Path, struct: np.void, name: str, title: str) -> object:
    if name not in (struct.dtype.names or ()):
        raise bad(path, f"{title} has no {name}: this is not DREAMER's layout")
    found: object = struct[name]
    return found


def _cells(path: Path, held: object, title: str, most: int) -> list[object]:
    if not isinstance(held, np.ndarray) or held.dtype != object or not 1 <= held.size <= most:
        raise bad(path, f"{title} is no list of 1 to {most} cells: this is not DREAMER's layout")
    return list(held.ravel())


def _scores(path: Path, held: np.void, name: str, title: str) -> Floats:
    found = _field(path, held, name, title)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf" or max(found.shape, default=0) != found.size:
        raise bad(path, f"{title}.{name} is no column of numbers")
    numbers = found.astype(np.float64).ravel()
    if not ((numbers >= RATINGS[0]) & (numbers <= RATINGS[1])).all():
        raise bad(path, f"{title}.{name} is not within {RATINGS[0]:g} and {RATINGS[1]:g}")
    return numbers


def _track(path: Path, signal: str, channels: tuple[str, ...], rate: int, held: object, title: str) -> Track:
    if not isinstance(held, np.ndarray) or held.dtype.kind not in "iuf" or held.ndim != 2:
        raise bad(path, f"{title} is no array of samples")
    if held.shape[1] != len(channels) or not len(held):
        raise bad(path, f"{title} has {held.shape[0]} x {held.shape[1]} samples, not n x {len(channels)}")
    if len(held) > LONGEST * rate:
        raise bad(path, f"{title} is longer than {LONGEST:g} s")
    times = np.arange(len(held), dtype=np.int64) * SECOND // rate
    with np.errstate(over="ignore"):
        return Track(signal, "dreamer", channels, float(rate), times, held.astype(np.float32))
