"""Waves -> a recording: each channel under its signal, in the signal's unit, grouped by what was sampled together."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import BadRecording
from kiosk.messages import SECOND
from kiosk.recording import MOST_MARKS, Recording, Track
from kiosk.signals import SIGNALS
from sensors.files import naming, shape
from sensors.files.content import Content, Intervals, Wave, merged
from sensors.files.marks import marks
from sensors.files.scale import Scale, scale_of
from sensors.files.source import bad, none, suffix

AXES = ("x", "y", "z")
Named = tuple[Wave, str]
_Member = tuple[str, NDArray[np.int64], NDArray[np.float32]]


def recording(path: Path, content: Content, *, kind: str, channel: str | None) -> Recording:
    """The recording of a file's content."""
    if content.intervals is not None:
        if kind not in ("auto", "rr"):
            raise bad(path, f"holds beats or intervals and no {kind}")
        track = rr_track(path, content.intervals)
        return Recording((track,), str(path), content.intervals.beats, merged(content.assumed))
    if kind == "rr":
        raise bad(path, "holds waves and no beat intervals")
    assumed = list(content.assumed)
    waves = _chosen(path, content.waves, channel) if channel else content.waves
    named, guesses = _named(path, content, waves, kind, chosen=channel is not None)
    tracks, more = _tracks(path, named)
    assumed += guesses + more
    if len(content.annotations) > MOST_MARKS:
        assumed.append(("not read", f"marks after the first {MOST_MARKS}"))
    return Recording(tracks, str(path), None, merged(assumed), marks(content.annotations))


def device_of(path: Path) -> str:
    """The file's name as that of a device: what tells tracks of several files apart."""
    stem = path.name
    while (ending := suffix(Path(stem))) or stem.lower().endswith(".gz"):
        shorter = re.sub(r"\.gz$", "", stem, flags=re.IGNORECASE)
        shorter = shorter[: -len(ending)] if ending else shorter
        if shorter == stem:
            break
        stem = shorter
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).lstrip("_.-")
    return plain[:60] or "file"


def rr_track(path: Path, intervals: Intervals) -> Track:
    """Intervals in milliseconds, each at the time of the beat that ended it."""
    times = np.rint(intervals.ends * SECOND).astype(np.int64)
    samples = (intervals.lengths * 1000).astype(np.float32).reshape(-1, 1)
    return _track(path, Track, "rr", device_of(path), ("rr",), None, times, samples)


def _titles(waves: tuple[Wave, ...]) -> list[str]:
    return [wave.name or str(i + 1) for i, wave in enumerate(waves)]


def _chosen(path: Path, waves: tuple[Wave, ...], channel: str) -> tuple[Wave, ...]:
    """The one wave of this name, or of this number from 1."""
    wanted = channel.strip().lower()
    for same in (
        lambda name: name.strip().lower() == wanted,
        lambda name: naming.label(name, "").lower() == wanted,
        lambda name: wanted in re.split(r"[^a-z0-9]+", name.lower()),
    ):
        found = [wave for wave in waves if wave.name and same(wave.name)]
        if len(found) == 1:
            return (found[0],)
        if found:
            raise bad(path, f"channel {channel!r} is not one: {', '.join(wave.name for wave in found)}")
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(waves):
        return (waves[int(wanted) - 1],)
    raise bad(path, f"has no channel {channel!r}; there are {', '.join(_titles(waves)[:40])}")


def _named(
    path: Path, content: Content, waves: tuple[Wave, ...], kind: str, *, chosen: bool
) -> tuple[list[Named], list[tuple[str, str]]]:
    """Each wave with its signal: by its name, by the caller's word, by the file's name, or by its shape."""
    if kind != "auto" and chosen:
        return [(wave, kind) for wave in waves], []
    titles = _titles(waves)
    known: list[Named] = []
    unknown: list[tuple[Wave, str]] = []
    left: list[str] = []
    axes = set(AXES) <= {title.lower() for title in titles}
    for wave, title in zip(waves, titles, strict=True):
        signal = naming.signal_of(wave.name, wave.unit)
        if signal == "acceleration" and title.lower() in AXES and not axes:
            signal = None  # x and y alone may be anything
        if signal and signal != "rr" and kind in ("auto", signal):
            known.append((wave, signal))
        elif signal or naming.is_other(wave.name):
            left.append(title)
        else:
            unknown.append((wave, title))
    if known:
        if kind == "auto":
            left = [title for wave, title in zip(waves, titles, strict=True) if not any(wave is k for k, _ in known)]
        return known, [("not read", title) for title in left] if kind == "auto" else []
    if kind != "auto":
        if not unknown:
            raise bad(path, f"has no {kind} among its channels ({', '.join(titles[:40])}): pass --channel NAME")
        said = [("channel", title) for _, title in unknown] if len(waves) > 1 else []
        return [(wave, kind) for wave, _ in unknown], said
    return _guessed(path, content, unknown, left)


def _guessed(
    path: Path, content: Content, unknown: list[tuple[Wave, str]], left: list[str]
) -> tuple[list[Named], list[tuple[str, str]]]:
    """Waves whose own names say nothing."""
    assumed = [("not read", title) for title in left]
    called = content.hint or naming.hint(path.name)
    if called and called != "rr" and unknown:
        return [(wave, called) for wave, _ in unknown], [*assumed, ("kind", f"{called}, from the file's name")]
    shapes = [shape.guess(wave) for wave, _ in unknown]
    for signal in ("ecg", "ppg"):
        taken = [entry for entry, guess in zip(unknown, shapes, strict=True) if guess == signal]
        if taken:
            assumed.append(("kind", f"{signal}, from the shape of the wave"))
            if len(unknown) > 1:
                assumed += [("channel", title) for _, title in taken]
            assumed += [
                ("not read", title) for (_, title), guess in zip(unknown, shapes, strict=True) if guess != signal
            ]
            return [(wave, signal) for wave, _ in taken], assumed
    titles = [title for _, title in unknown] + left
    raise none(path, f"nothing says what it holds ({', '.join(titles[:20])}): pass --kind and, of several, --channel")


def _tracks(path: Path, named: list[Named]) -> tuple[tuple[Track, ...], list[tuple[str, str]]]:
    assumed: list[tuple[str, str]] = []
    groups: dict[tuple[str, float | None, int, int], list[_Member]] = {}
    several = len(named) > 1
    # what a recorder sampled together in a unit that it does not name, it has in one unit
    scales: dict[tuple[str, str], Scale] = {
        key: scale_of([wave for wave, signal in named if (signal, wave.unit) == key], key[0])
        for key in {(signal, wave.unit): None for wave, signal in named}
    }
    for wave, signal in named:
        scale = scales[signal, wave.unit]
        values = scale.of(wave.values)
        title = naming.label(wave.name, signal)
        if scale.assumed:
            assumed.append(("unit", f"{title}: {scale.assumed}" if several else scale.assumed))
        if not np.isfinite(values).any():
            assumed.append(("not read", f"{title} (no sample is a number)"))
            continue
        slowest = SIGNALS[signal].rates
        if wave.rate is not None and slowest is not None and wave.rate < slowest[0]:
            raise bad(path, f"{title}: {wave.rate:g} Hz is too slow for {signal}, at least {slowest[0]:g} Hz")
        key = (signal, wave.rate, len(wave.times), int(wave.times[0]))
        groups.setdefault(key, []).append((title, wave.times, values))
    if not groups:
        raise bad(path, "no sample is a number")
    device = device_of(path)
    tracks: list[Track] = []
    for (signal, rate, _, _), members in groups.items():
        rest = members
        while rest:
            times = rest[0][1]
            together = [m for m in rest if m[1] is times or np.array_equal(m[1], times)]
            together = together[: SIGNALS[signal].most_channels if signal != "acceleration" else 3]
            taken = {id(m) for m in together}
            rest = [m for m in rest if id(m) not in taken]
            channels, order = _channels(path, signal, [m[0] for m in together])
            samples = np.column_stack([together[i][2] for i in order])
            earlier = sum(track.signal == signal for track in tracks)
            name = f"{device}-{earlier + 1}" if earlier else device
            tracks.append(_track(path, Track, signal, name, channels, rate, times, samples))
    return tuple(tracks), assumed


def _track(path: Path, make: type[Track], *parts: object) -> Track:
    try:
        return make(*parts)  # type: ignore[arg-type]
    except BadRecording as error:
        raise bad(path, str(error)) from None


def _channels(path: Path, signal: str, titles: list[str]) -> tuple[tuple[str, ...], list[int]]:
    """Names that differ, and the order of the columns."""
    if signal == "acceleration":
        if len(titles) != len(AXES):
            raise bad(path, f"acceleration has three axes, not {len(titles)}")
        letters = [title.strip().lower()[-1:] for title in titles]
        order = [letters.index(axis) for axis in AXES] if sorted(letters) == list(AXES) else [0, 1, 2]
        return AXES, order
    names: list[str] = []
    for title in titles:
        name, count = title, 1
        while name in names:
            count += 1
            name = f"{title[:28]}-{count}"
        names.append(name)
    return tuple(names), list(range(len(names)))
