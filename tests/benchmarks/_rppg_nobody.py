"""Nobody there: photos, wax, an empty room, a frozen picture, the clip as it is. Whatever is told of them is wrong."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.messages import SECOND
from kiosk.recording import Recording, Track
from kiosk.signals import MOTION_CHANNELS, RGB_CHANNELS
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.camera import traces
from sensors.face.seen import Frame, Pixels, Points
from sensors.frames.file import still
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_clip import BLOOD, SCENES, Clip, Played
from tests.benchmarks._rppg_clip import Scene as Spoiled
from tests.benchmarks._rppg_injected import PLACE, found, seen
from tests.benchmarks._rppg_ours import final, recording, whole
from tests.benchmarks._rppg_pulse import Known
from tests.benchmarks._rppg_rivals import asked
from tests.benchmarks._rppg_scores import interval

Floats = NDArray[np.float64]

SECONDS = 20.0
"""Of a window; windows do not overlap and have noise of their own."""
PHOTOS = 40
POSES = 36
"""Places around a face at which its colours are measured, from which those in between are drawn."""
ASIDE = 1.5
"""Pixels that those places go away from it."""
HEART = ("heart_rate", "sdnn", "rmssd", "mean_rr", "hf_power")
HOSTILE = "photo, a lamp beats anywhere"
RIVALS_ASKED = 60
"""Windows that rivals are asked of too: they have no way to say no."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a photo's skin is like, as the landmarks tremble over it."""

    colours: Floats
    """(15, 20): of a quadratic in x, y (pixels), size (percent) and turn (degrees)."""
    size: float
    """Of the face, share of the picture's height."""


@dataclass(frozen=True, slots=True)
class Job:
    """Windows of one kind, by number."""

    kind: str
    picture: Picture | None
    first: int
    count: int


def run(folder: Path | None, *, quick: bool, workers: int, windows: int, seed: int = 0) -> None:
    """Traces by the thousand, numbered from `seed` on, and some videos."""
    wanted = 24 if quick else windows
    pictures = _pictures(folder, 4 if quick else PHOTOS)
    shares = {"photo": 0.35, HOSTILE: 0.15, "photo, simulated": 0.25, "wax figure, simulated": 0.25}
    jobs = []
    for kind, share in shares.items():
        end = seed + round(share * wanted)
        for first in range(seed, end, 20):
            picture = pictures[first // 20 % len(pictures)] if kind in ("photo", HOSTILE) else None
            jobs.append(Job(kind, picture, first, min(20, end - first)))
    films = _films(folder, quick=quick)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(_job, jobs))
        watched = list(pool.map(_watched, films))
    asked_of: Counter[str] = Counter()
    told: dict[str, Counter[str]] = {"heart": Counter(), "breath": Counter(), "rivals": Counter(), "of": Counter()}
    worst: list[tuple[str, str]] = []
    for job, (counts, said) in zip(jobs, results, strict=True):
        asked_of[job.kind] += job.count
        for name, count in counts.items():
            told[name][job.kind] += count
        worst += [(job.kind, line) for line in said]
    rows = [_row(kind, asked_of[kind], told) for kind in asked_of]
    total = {name: Counter({"all": counter.total()}) for name, counter in told.items()}
    rows.append(_row("all", asked_of.total(), total))
    report(f"nobody there: windows of {SECONDS:.0f} s (traces)", _HEAD, rows)
    if worst:
        report("nobody there: what was told", ("kind", "which"), worst[:20])
    report("nobody there: through the observer, picture by picture", ("video", "seconds", "heart", "breath"), watched)
    if len(films) < len(_ROOMS) + 1 and not quick:
        sys.stdout.write("nobody: KIOSK_RECORDINGS names no face clip; what its untouched pictures say was left out\n")


_HEAD = ("kind", "windows", "with a number of the heart (95 % interval)", "of the breath", "rivals")


def _row(kind: str, count: int, told: dict[str, Counter[str]]) -> tuple[str, ...]:
    heart, breath = told["heart"][kind], told["breath"][kind]
    return (kind, str(count), interval(heart, count), str(breath), f"{told['rivals'][kind]}/{told['of'][kind]}")


def _job(job: Job) -> tuple[dict[str, int], list[str]]:
    counts = {"heart": 0, "breath": 0, "rivals": 0, "of": 0}
    said = []
    for number in range(job.first, job.first + job.count):
        known = _KINDS[job.kind](job, number)
        values = final(known)
        heart = [(name, values.get(name)) for name in HEART if values.get(name) is not None]
        counts["heart"] += bool(heart)
        counts["breath"] += values.get("respiration_rate") is not None
        if heart:
            said.append(f"window {number}: " + ", ".join(f"{name} {value:.1f}" for name, value in heart))
        if number < RIVALS_ASKED:
            colours = whole(known)
            rates = [asked(method, colours, beats=False)["heart_rate"] for method in rivals.RIVALS.values()]
            counts["rivals"] += sum(rate is not None for rate in rates)
            counts["of"] += len(rates)
    return counts, said


def _photo(job: Job, number: int) -> Recording:
    """A hand holds it: landmarks tremble, the sheet tilts, the lamp drifts and flickers with the mains."""
    assert job.picture is not None
    rng = np.random.default_rng((31, number))
    rate = rng.choice([15.0, 20.0, 24.0, 25.0, 29.97, 30.0, rng.uniform(28.0, 31.0)])
    steady = np.arange(round(rate * SECONDS)) / rate
    times = np.maximum.accumulate(steady + np.abs(rng.normal(0, rng.uniform(0.0001, 0.002), len(steady))))
    times += np.arange(len(times)) * 1e-6
    times = times[rng.random(len(times)) >= rng.choice([0.0, 0.02, 0.1])]
    still_held = rng.random() < 0.3
    sway = _wandering(rng, times, 4, 0.05, 0.8) * (0.0 if still_held else rng.uniform(0.3, 3.0))
    tremor = _wandering(rng, times, 4, 1.0, 9.0) * (0.0 if still_held else rng.uniform(0.0, 0.4))
    held = sway + tremor
    # landmarks follow the sheet but for their own error, which grows with its speed
    speed = np.abs(np.gradient(held, times, axis=0)).mean(axis=1, keepdims=True)
    error = rng.standard_normal((len(times), 4)) * rng.uniform(0.02, 0.15) * (1.0 + speed)
    error += _wandering(rng, times, 4, 0.1, 3.0) * rng.uniform(0.0, 0.15)
    colours = _terms(np.clip(error, -ASIDE, ASIDE) * (1.0, 1.0, 0.5, 0.5)) @ job.picture.colours
    tilt = held @ rng.normal(0, 0.002, 4)
    lamp = rng.uniform(0.0, 0.02) * _wandering(rng, times, 1, 0.01, 0.5)[:, 0]
    hertz = rng.uniform(0.0, 15.0) if job.kind == HOSTILE else rng.choice([100.0, 120.0]) + rng.normal(0, 0.05)
    depth = rng.choice([0.0, 0.002, 0.01])
    flicker = depth * np.sin(2 * np.pi * hertz * times)[:, None] * (1.0 + rng.uniform(-0.2, 0.2, 3))
    light = (1.0 + tilt + lamp)[:, None] * (1.0 + flicker)
    shine = rng.uniform(0.0, 6.0) * np.maximum(held[:, :1] @ np.ones((1, 3)), 0.0)
    samples = colours.copy()
    noise = rng.uniform(1.0, 6.0)
    for region in range(5):
        part = samples[:, 4 * region : 4 * region + 4]
        pixels = np.maximum(part[:, 3:], 1.0)
        part[:, :3] = part[:, :3] * light + shine * rng.uniform(0, 1)
        part[:, :3] += rng.standard_normal((len(times), 3)) * noise / np.sqrt(pixels)
    motion = np.zeros((len(times), len(MOTION_CHANNELS)))
    motion[:, :3] = error[:, :3] * 0.3 + held[:, :3] * 0.3
    motion[:, 3:5] = 0.5 + 0.002 * held[:, :2]
    motion[:, 5] = job.picture.size * (1.0 + 0.002 * held[:, 2])
    motion[:, 6] = 0.01 * speed[:, 0] + 0.01
    motion[:, 7] = 0.01 * held[:, 1]
    motion[:, 8] = samples[:, 1] / 255.0
    motion[:, 11] = 1.0
    at = np.rint(times * SECOND).astype(np.int64)
    return Recording(
        (
            Track("rgb", "camera", RGB_CHANNELS, None, at, np.clip(samples, 0, 1e8).astype(np.float32)),
            Track("face_motion", "camera", MOTION_CHANNELS, None, at, motion.astype(np.float32)),
        )
    )


def _simulated_photo(job: Job, number: int) -> Recording:
    """In any room, before any camera."""
    scene = replace(Scene.random(number + 10_000), visitor="photo")
    return traces(Person(seed=number + 10_000), scene, SECONDS).recording()


def _wax(job: Job, number: int) -> Recording:
    """It moves, breathes, blinks and talks, and has no blood."""
    rng = np.random.default_rng((37, number))
    person = replace(
        Person.random(number + 20_000),
        rgb_amplitude=0.0,
        talking=float(rng.choice([0.0, 0.4])),
        turn_rate=float(rng.choice([0.0, 3.0])),
        sway=float(rng.uniform(0.3, 3.0)),
    )
    return traces(person, Scene.random(number + 20_000), SECONDS).recording()


_KINDS: dict[str, Callable[[Job, int], Recording]] = {
    "photo": _photo,
    HOSTILE: _photo,
    "photo, simulated": _simulated_photo,
    "wax figure, simulated": _wax,
}


def _wandering(rng: np.random.Generator, times: Floats, columns: int, low: float, high: float) -> Floats:
    """Unit deviation, from low to high hertz, (n, columns)."""
    hertz, lag = np.exp(rng.uniform(np.log(low), np.log(high), (5, columns))), rng.uniform(0, 2 * np.pi, (5, columns))
    size = rng.uniform(0.3, 1.0, (5, columns))
    wave = (size * np.sin(2 * np.pi * hertz * times[:, None, None] + lag)).sum(axis=1)
    return np.asarray(wave / np.sqrt(0.5 * np.square(size).sum(axis=0)))


def _terms(poses: Floats) -> Floats:
    """1, the four, and their products."""
    rows, columns = np.triu_indices(poses.shape[1])
    return np.column_stack((np.ones(len(poses)), poses, poses[:, rows] * poses[:, columns]))


def _pictures(folder: Path | None, count: int) -> list[Picture]:
    """Of press photos where they are, else of the portrait that a library brings along."""
    from sensors.face.detect import BlazeFace
    from sensors.face.mesh import MeshNetwork

    rng = np.random.default_rng(41)
    detector, network = BlazeFace(), MeshNetwork()
    kept = sorted((folder / "face" / "lfw_expressions" / "images").glob("*.jpg")) if folder else []
    chosen = [kept[int(k)] for k in rng.permutation(len(kept))[: 2 * count]] or [_portrait()]
    found_in: list[Picture] = []
    for path in chosen:
        pixels = still(path).pixels
        if pixels.shape[0] < 400:
            pixels = np.asarray(cv2.resize(pixels, None, fx=1.8, fy=1.8, interpolation=cv2.INTER_CUBIC), np.uint8)
        squares = detector.squares(pixels) if len(found_in) < count else []
        points = network.points(pixels, squares[0]) if len(squares) == 1 else None
        if points is not None:
            found_in.append(_measured(pixels, points, rng))
    network.close()
    detector.close()
    return found_in


def _portrait() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def _measured(pixels: Pixels, points: Points, rng: np.random.Generator) -> Picture:
    from sensors.skin.colours import Skin

    poses = np.concatenate((np.zeros((1, 4)), rng.uniform(-ASIDE, ASIDE, (POSES - 1, 4)) * (1.0, 1.0, 0.5, 0.5)))
    middle = points[:, :2].mean(axis=0)
    rows = []
    for x, y, size, turn in poses.tolist():
        moved = points.copy()
        angle = np.deg2rad(turn)
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved[:, :2] = (points[:, :2] - middle) @ turned.T * (1.0 + 0.01 * size) + middle + (x, y)
        rows.append(Skin().colours(pixels, moved, 0))
    colours = np.nan_to_num(np.array(rows, dtype=np.float64))
    height = float(np.ptp(points[:, 1])) / pixels.shape[0]
    return Picture(np.asarray(np.linalg.lstsq(_terms(poses), colours, rcond=None)[0], dtype=np.float64), height)


_ROOMS: dict[str, Callable[[], Iterator[Frame]]] = {
    "poster far away": lambda: _held(_poster(still(_portrait()).pixels), 2, 12.0),
    "portrait held by a hand": lambda: _held(still(_portrait()).pixels, 1, 20.0),
    "empty room": lambda: _held(np.full((480, 640, 3), 150, np.uint8), 3, 10.0),
    "frozen picture": lambda: _frozen(still(_portrait()).pixels, 20.0),
}


@dataclass(frozen=True, slots=True)
class Film:
    """One of the rooms, or the clip in a scene without a pulse."""

    room: str
    clip: Clip | None = None
    scene: Spoiled | None = None


def _films(folder: Path | None, *, quick: bool) -> list[Film]:
    """Pictures that nobody lives in, and the clip without a pulse in every scene."""
    films = [Film(room) for room in list(_ROOMS)[: 1 if quick else None]]
    if folder is None or not (folder / PLACE).is_file():
        return films
    clip = found(folder / PLACE)
    # without a pulse these two are the clean one
    different = [scene for scene in SCENES if not scene.upside and scene.blood == BLOOD]
    scenes = (Spoiled("as it is", noise=0.0), *(() if quick else different))
    return films + [Film("", clip, scene) for scene in scenes]


def _watched(film: Film) -> tuple[str, str, str, str]:
    from sensors.observer import Observer

    if film.clip is not None and film.scene is not None:
        known, _, _ = seen(Played(Known(60.0, 30.0), 0.0, film.scene, 5), film.clip, None)
        return _said(f"the clip without a pulse, {film.scene.name}", known)
    with Observer() as observer:
        return _said(film.room, recording([observer.see(frame) for frame in _ROOMS[film.room]()]))


def _said(name: str, known: Recording) -> tuple[str, str, str, str]:
    values = final(known)
    heart = [f"{each} {values[each]:.1f}" for each in HEART if values.get(each) is not None]
    breath = values.get("respiration_rate")
    seconds = known.of("rgb")[0].seconds
    return name, f"{seconds[-1]:.0f}", ", ".join(heart) or "nothing", "nothing" if breath is None else f"{breath:.1f}"


def _held(pixels: Pixels, seed: int, seconds: float) -> Iterator[Frame]:
    """A picture that sways and tilts before a noisy camera, under a lamp that flickers and drifts."""
    rng = np.random.default_rng((43, seed))
    times = np.arange(0.0, seconds, 1 / 30)
    pose = _wandering(rng, times, 4, 0.1, 1.5) * (3.0, 3.0, 0.5, 0.4)
    lamp = 1.0 + 0.01 * _wandering(rng, times, 1, 0.02, 0.5)[:, 0] + 0.005 * np.sin(2 * np.pi * 1.3 * times)
    height, width = pixels.shape[:2]
    plain = pixels.astype(np.float32)
    grain = rng.standard_normal((2 * height, 2 * width, 3), dtype=np.float32) * np.float32(2.5)
    for at, (x, y, size, turn), light in zip(times.tolist(), pose.tolist(), lamp.tolist(), strict=True):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0 + 0.01 * size)
        matrix[:, 2] += x, y
        picture = cv2.warpAffine(plain, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE) * np.float32(light)
        top, left = rng.integers(height), rng.integers(width)
        picture += grain[top : top + height, left : left + width]
        yield Frame(round(at * SECOND), np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def _frozen(pixels: Pixels, seconds: float) -> Iterator[Frame]:
    for number in range(round(30 * seconds)):
        yield Frame(round(number / 30 * SECOND), pixels)


def _poster(pixels: Pixels) -> Pixels:
    """The picture small on a wall."""
    wall = np.full((480, 640, 3), (170, 165, 150), np.uint8)
    small = cv2.resize(pixels, (150, 180), interpolation=cv2.INTER_AREA)
    wall[80:260, 260:410] = small
    return wall
