"""Packets lost from streams of features: left out, held, drawn through or weighed - what comes nearest to no loss.

Losses are drawn here (synthetic), at random or in bursts (Gilbert 1960: mean burst of so many seconds); what they are
drawn from is simulated or real, as the tables say. The error is against the same stream with nothing lost.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analytics import concealment, eeg
from analytics.face.course import course
from analytics.fusion import Modality, Opinion, fused
from analytics.fusion.record import expressive
from kiosk.measures import EXPRESSIONS
from kiosk.messages import SECOND
from kiosk.recording import Track
from sensors import files
from tests.benchmarks._expression_photos import installed
from tests.benchmarks._measuring import report

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Flags = NDArray[np.bool_]

STREAMS = (
    ("face, 10 a second, fades in 2 s", 0.1, 2.0),
    ("face, 10 a second, fades in 20 s", 0.1, 20.0),
    ("voice, 1 a second, fades in 5 s", 1.0, 5.0),
    ("voice, 1 a second, fades in 30 s", 1.0, 30.0),
)
"""Simulated: seconds between rows, and in which the correlation falls to 1/e."""
LOSSES = (0.1, 0.3, 0.5, 0.7, 0.85)
BURSTS = (0.0, 5.0, 20.0)
"""Seconds; 0: each row by itself."""
HELD = (0.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds for which a live value is kept."""


@dataclass(frozen=True, slots=True)
class Course:
    """Features over time, (n, k), and how the mean over it becomes what is reported."""

    name: str
    times: Times
    values: Floats
    attention: Floats
    seconds: float


def skipped(times: Times, _start: int, _end: int) -> Floats:
    """Every row counts the same: gaps are left out."""
    return np.ones(len(times))


def held(times: Times, _start: int, end: int) -> Floats:
    """A row counts until the next."""
    return np.asarray(np.diff(np.append(times, end)) / SECOND)


def drawn(times: Times, _start: int, _end: int) -> Floats:
    """Straight lines between rows: each counts halfway to its neighbours."""
    gaps = np.diff(times) / SECOND / 2.0
    return np.asarray(np.concatenate((gaps[:1], gaps)) + np.concatenate((gaps, gaps[-1:])))


def weighed(times: Times, start: int, end: int) -> Floats:
    """As the product does it, after a model of the course."""
    return concealment.left(times, start, end).weights


WAYS: Mapping[str, Callable[[Times, int, int], Floats]] = {
    "left out": skipped, "held": held, "drawn through": drawn, "weighed (model)": weighed,
}  # fmt: skip


def run(folder: Path, *, quick: bool) -> None:
    """Tables of errors."""
    rng = np.random.default_rng(17)
    draws = 3 if quick else 15
    simulated = [
        _simulated(name, period, fade, rng) for name, period, fade in STREAMS for _ in range(1 if quick else 6)
    ]
    _table("simulated courses, drawn losses: mean error of the final probabilities", simulated, rng, draws)
    _fused_table(simulated, rng, draws)
    real = [*_clip(folder), *_brains(folder, quick=quick)]
    if real:
        _table("real courses, drawn losses: mean error (face: probabilities; EEG: ln of band powers)", real, rng, draws)
    _live(simulated, rng, draws)


def kept(count: int, period: float, loss: float, burst: float, rng: np.random.Generator) -> Flags:
    """Which rows arrive."""
    if burst <= 0.0:
        return np.asarray(rng.random(count) >= loss)
    stop = min(1.0, period / burst)
    begin = stop * loss / (1.0 - loss)
    lost = rng.random() < loss
    found = np.empty(count, dtype=np.bool_)
    for place in range(count):
        found[place] = not lost
        lost = rng.random() >= stop if lost else rng.random() < begin
    return found


def _simulated(name: str, period: float, fade: float, rng: np.random.Generator, seconds: float = 120.0) -> Course:
    """Expressions whose logarithms wander (Ornstein-Uhlenbeck), with noise of each row."""
    count = round(seconds / period)
    keep = math.exp(-period / fade)
    logs = np.empty((count, len(EXPRESSIONS)))
    logs[0] = rng.standard_normal(len(EXPRESSIONS))
    for place in range(1, count):
        logs[place] = keep * logs[place - 1] + math.sqrt(1.0 - keep**2) * rng.standard_normal(len(EXPRESSIONS))
    logs = 1.5 * logs + 0.4 * rng.standard_normal(logs.shape)
    odds = np.exp(logs)
    times = np.rint(np.arange(count) * period * SECOND).astype(np.int64)
    return Course(name, times, odds / odds.sum(axis=1, keepdims=True), np.ones(count), seconds)


def _clip(folder: Path) -> list[Course]:
    """The one real face on video, as the product's own course of it."""
    video = folder / "video" / "remotephysiology" / "video.mp4"
    if not video.exists():
        return []
    with tempfile.TemporaryDirectory() as into:
        recording = files.read(video, models=installed(folder, Path(into)))
    tracks: dict[str, Track] = {track.signal: track for track in recording.tracks}
    found = course(tracks.get("face_units"), tracks.get("face_scores"), tracks.get("face_motion"))
    if found is None:
        return []
    known = np.isfinite(found.probabilities).all(axis=0)
    seconds = float(found.times[-1] - found.times[0]) / SECOND
    # the product's own weights of time are one of the ways that are compared
    own = weighed(found.times, int(found.times[0]), int(found.times[-1]))
    attention = found.attention / np.maximum(own, 1e-9)
    return [Course(f"face on video, {seconds:.0f} s", found.times, found.probabilities[:, known], attention, seconds)]


def _brains(folder: Path, *, quick: bool) -> Iterable[Course]:
    """Band powers of people at rest, two seconds each."""
    for path in sorted((folder / "eeg" / "eegmat").glob("*_1.edf"))[: 2 if quick else 6]:
        (track,) = files.read(path).of("eeg")
        found = eeg.course(track)
        if found is None:
            continue
        there = np.isfinite(found.powers).all(axis=1)
        times = np.rint(found.times[there] * SECOND).astype(np.int64)
        seconds = float(found.times[there][-1] - found.times[there][0])
        yield Course("EEG windows at rest", times, np.log(found.powers[there]), np.ones(int(there.sum())), seconds)


def _mean(of: Course, rows: Flags, way: Callable[[Times, int, int], Floats]) -> Floats:
    start, end = int(of.times[0]), int(of.times[-1])
    weights = way(of.times[rows], start, end) * of.attention[rows]
    return np.asarray(weights @ of.values[rows] / weights.sum())


def _losses(
    courses: list[Course], rng: np.random.Generator, draws: int, loss: float, burst: float
) -> Iterable[tuple[Course, Flags]]:
    for each in courses:
        period = float(np.median(np.diff(each.times))) / SECOND
        for _ in range(draws):
            rows = kept(len(each.times), period, loss, burst, rng)
            if rows.sum() >= 2:
                yield each, rows


def _table(title: str, courses: list[Course], rng: np.random.Generator, draws: int) -> None:
    lines = []
    for name in dict.fromkeys(each.name for each in courses):
        mine = [each for each in courses if each.name == name]
        for burst in BURSTS:
            for loss in LOSSES:
                errors: dict[str, list[float]] = {way: [] for way in WAYS}
                left = []
                for each, rows in _losses(mine, rng, draws, loss, burst):
                    truth = _mean(each, np.ones(len(rows), dtype=np.bool_), skipped)
                    for way, weights in WAYS.items():
                        errors[way].append(float(np.abs(_mean(each, rows, weights) - truth).mean()))
                    left.append(concealment.left(each.times[rows], int(each.times[0]), int(each.times[-1])).known)
                means = [f"{np.mean(found):.4f}" for found in errors.values()]
                lines.append(
                    (name, f"{burst:g} s" if burst else "single", f"{loss:.0%}", *means, f"{np.mean(left):.2f}")
                )
    report(title, ("stream", "bursts", "lost", *WAYS, "left (quality x)"), lines)


def _fused_table(courses: list[Course], rng: np.random.Generator, draws: int) -> None:
    """The face loses packets, the voice is whole: what becomes of the fused answer."""
    lines = []
    faces = [each for each in courses if each.name.startswith("face")]
    other = Opinion(Modality.VOICE, 0.6, 0.1, 0.2, tuple(np.full(8, 0.125).tolist()))
    for burst in BURSTS:
        for loss in LOSSES:
            errors: dict[str, list[float]] = {way: [] for way in WAYS}
            wider = []
            for each, rows in _losses(faces, rng, draws, loss, burst):
                whole = _together(_mean(each, np.ones(len(rows), dtype=np.bool_), skipped), 0.7, other)
                known = concealment.left(each.times[rows], int(each.times[0]), int(each.times[-1])).known
                for way, weights in WAYS.items():
                    quality = 0.7 * (known if weights is weighed else 1.0)
                    found = _together(_mean(each, rows, weights), quality, other)
                    errors[way].append(float(np.abs(found[0] - whole[0]).mean()))
                    if weights is weighed:
                        wider.append(found[1] / whole[1])
            means = [f"{np.mean(found):.4f}" for found in errors.values()]
            lines.append((f"{burst:g} s" if burst else "single", f"{loss:.0%}", *means, f"{np.mean(wider):.2f}"))
    report(
        "simulated: fused emotions when the face loses packets; the last column is how much wider the interval is",
        ("bursts", "lost", *WAYS, "wider x"),
        lines,
    )


def _together(mean: Floats, quality: float, other: Opinion) -> tuple[Floats, float]:
    face = expressive(
        Modality.FACE, {f"face_{name}": float(value) for name, value in zip(EXPRESSIONS, mean, strict=True)}, quality
    )
    assert face is not None
    emotions = fused([face, other]).emotions
    assert emotions is not None
    return np.array([each.probability for each in emotions.each]), emotions.first.evidence.spread


def _live(courses: list[Course], rng: np.random.Generator, draws: int) -> None:
    """Each second the newest row, kept for so long: how often there is one, and how far it is from the true one."""
    lines = []
    for limit in HELD:
        for loss in (0.3, 0.85):
            told, errors = [], []
            for each, rows in _losses(courses, rng, max(1, draws // 4), loss, 5.0):
                at = np.arange(int(each.times[0]), int(each.times[-1]), SECOND)
                newest = np.searchsorted(each.times[rows], at, side="right") - 1
                true = np.searchsorted(each.times, at, side="right") - 1
                age = (at - each.times[rows][np.maximum(newest, 0)]) / SECOND
                there = (newest >= 0) & (age < limit + 1.0)
                told.append(there.mean())
                gap = np.abs(each.values[rows][newest[there]] - each.values[true[there]]).mean(axis=1)
                errors.extend(gap[age[there] >= 1.0].tolist())
            lines.append(
                (f"{limit:g} s", f"{loss:.0%}", f"{np.mean(told):.0%}", f"{np.mean(errors) if errors else 0:.3f}")
            )
    report(
        "simulated, bursts of 5 s, live: a value is kept for so long",
        ("kept", "lost", "seconds told", "error of kept values"),
        lines,
    )
