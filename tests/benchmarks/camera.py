"""The camera's way from a picture to what leaves of it: pictures a second, CPU, latency, memory.

    kiosk bench camera [--seconds 10] [--models FOLDER] [--minutes 1] [--part speed|noise|memory]

Speed: a looped clip at 640x480 and 1280x720, without and with the expression networks, beside what a plain rPPG script
does with the same public parts: MediaPipe's FaceMesh on every whole picture, and a mask of the whole picture for every
region. Noise: what the masks' own trembling and the sensor's noise leave in the colours, in the pulse's band, of a
portrait that does not pulse: at rest, and moved slowly. Memory: resident size over so many minutes' worth of pictures,
at 30 a second and as fast as they go (`--minutes 60` is an hour's number).

The clip is the real one of KIOSK_RECORDINGS where that is set, else the portrait with a small motion and a pulse
(synthetic). CPU is this process's own time, all threads.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from kiosk.signals import REGIONS
from sensors.face.engines import finder
from sensors.face.library import mediapipe, quiet_start
from sensors.face.seen import Frame, Pixels, Points
from sensors.observer import Observer
from sensors.skin import Skin, regions
from tests.benchmarks._measuring import percentiles, report
from tests.sensors.face.pasted import noisy, pasted, room

RATE = 30
SIZES = ((640, 480), (1280, 720))
CLIP = Path("video/remotephysiology/video.mp4")
HELD = 60
"""Pictures of a clip that are kept in memory and looped, forth and back."""
BAND = (0.7, 3.5)
"""Hertz: where pulses are."""
Look = Callable[[Frame], object]


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="of pictures for each row of the table of speed")
    parser.add_argument("--models", type=Path, help="folder of installed networks")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--part", choices=("all", "speed", "noise", "memory"), default="all")
    arguments = parser.parse_args()
    if arguments.part in ("all", "speed"):
        speed(arguments.seconds, arguments.models)
    if arguments.part in ("all", "noise"):
        noise()
    if arguments.part in ("all", "memory"):
        memory(arguments.minutes, arguments.models)


def speed(seconds: float, models: Path | None) -> None:
    """Ours, with and without networks, beside the plain way."""
    rows, source = [], ""
    for size in SIZES:
        held, source = clip(*size)
        plain = None
        for name, look, close in ways(models):
            rate, cpu, busy, (p50, p95, _) = timed(look, held, round(seconds * RATE))
            close()
            plain = plain or cpu
            rows.append((f"{size[0]}x{size[1]}", name, f"{rate:.0f}", f"{cpu:.1f}", f"{busy:.1f}", f"{plain / cpu:.2f}",
                         f"{RATE * cpu / 10:.0f} %", f"{p50:.1f}", f"{p95:.1f}"))  # fmt: skip
    report(
        f"picture -> sight ({source}, looped)",
        ("picture", "way", "pictures/s", "CPU ms", "CPU p95", "ratio", "of a core at 30/s", "p50 ms", "p95 ms"),
        rows,
    )


def ways(models: Path | None) -> Iterator[tuple[str, Look, Callable[[], None]]]:
    """The plain one first: the others are held against it."""
    plain = Plain()
    yield "plain: FaceMesh + masks", lambda frame: plain.colours(frame.pixels), plain.close
    observer = Observer()
    yield "ours", observer.see, observer.close
    if models is not None:
        observer = Observer(models=models)
        yield f"ours, {len(observer.score_channels)} scores", observer.see, observer.close


class Plain:
    """What a script does with the public parts: landmarks of each whole picture, a whole mask for each region."""

    def __init__(self) -> None:
        with quiet_start():
            self._mesh = mediapipe().solutions.face_mesh.FaceMesh(refine_landmarks=True)
            # the first face makes the last of the noise
            self._mesh.process(pasted(room(320, 240), x=160, y=120, face=120))

    def points(self, pixels: Pixels) -> Points | None:
        """FaceMesh's own, in pixels."""
        found = self._mesh.process(pixels).multi_face_landmarks
        if not found:
            return None
        height, width = pixels.shape[:2]
        scale = np.array([width, height, width], np.float32)
        return np.array([(point.x, point.y, point.z) for point in found[0].landmark], np.float32) * scale

    def colours(self, pixels: Pixels) -> NDArray[np.float64]:
        """Mean colours of the same regions as ours."""
        points = self.points(pixels)
        return np.full((len(REGIONS), 3), np.nan) if points is None else masked(pixels, points)

    def close(self) -> None:
        """Give its memory back."""
        self._mesh.close()


def masked(pixels: Pixels, points: Points) -> NDArray[np.float64]:
    """Mean colours by whole-pixel masks of the whole picture, straight from the landmarks."""
    means = []
    for outline in regions.outlines(points):
        mask = np.zeros(pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [outline.astype(np.int32)], (255,))
        for hole in regions.holes(points):
            cv2.fillPoly(mask, [hole.astype(np.int32)], (0,))
        means.append(cv2.mean(pixels, mask)[:3])
    return np.array(means)


def timed(look: Look, held: list[Pixels], count: int) -> tuple[float, float, float, tuple[float, float, float]]:
    """Pictures a second; CPU milliseconds for each, mean and p95; percentiles of the milliseconds that each took.

    On a machine with other work, what a picture takes is mostly waiting: its CPU is what an idle one would need.
    """
    frames = looped(held)
    for frame in islice(frames, RATE):
        look(frame)
    taken, used = [], []
    for frame in islice(frames, count):
        before, busy = time.perf_counter(), time.process_time()
        look(frame)
        taken.append(1000 * (time.perf_counter() - before))
        used.append(1000 * (time.process_time() - busy))
    return 1000 * count / sum(taken), sum(used) / count, percentiles(used)[1], percentiles(taken)


def noise() -> None:
    """Standard deviation of each region's green in the pulse's band, in thousandths of its mean (synthetic)."""
    rows = []
    for face, way, name in ((100, 0, "at rest"), (200, 0, "at rest"), (200, 6, "moved by 6 px"), (200, 30, "by 30 px")):
        random = np.random.default_rng(1)
        plain, engine, skin = Plain(), finder("mesh", None), Skin()
        traces: tuple[list[NDArray[np.float64]], ...] = ([], [])
        for index in range(8 * RATE):
            at = index / RATE
            x, y = 640 + way * np.sin(2 * np.pi * 0.3 * at), 300 + way / 2 * np.sin(2 * np.pi * 0.2 * at + 1)
            picture = noisy(pasted(room(1280, 720), x=x, y=y, face=face, roll=way / 5 * np.sin(1.6 * at)), 2, random)
            traces[0].append(plain.colours(picture)[:, 1])
            (found,) = engine.faces(picture)
            traces[1].append(skin.colours(picture, found.points, round(at * 1e9)).reshape(-1, 4)[:, 1].astype(float))
        plain.close()
        engine.close()
        for which, trace in zip(("plain", "ours"), traces, strict=True):
            rows.append((face, name, which, *(f"{each:.2f}" for each in in_band(np.array(trace)))))
    report(
        "colour of a face that does not pulse, .7-3.5 Hz, thousandths (synthetic: portrait, sensor noise of 2 steps)",
        ("face, px", "motion", "way", *REGIONS),
        rows,
    )


def in_band(trace: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thousandths of the mean, for each column; the first half second belongs to starting up."""
    trace = trace[RATE // 2 :]
    if not np.isfinite(trace).all():
        return np.full(trace.shape[1], np.nan)
    sections = butter(3, BAND, "band", fs=RATE, output="sos")
    return np.asarray(1000 * sosfiltfilt(sections, trace, axis=0).std(axis=0) / trace.mean(axis=0))


def memory(minutes: float, models: Path | None) -> None:
    """Resident size at points of a long run."""
    held, source = clip(*SIZES[1])
    count = max(10 * RATE, round(minutes * 60 * RATE))
    rows = []
    with Observer(models=models) as observer:
        for index, frame in enumerate(islice(looped(held), count + 1)):
            if index in {5 * RATE, *(round(count * tenth / 10) for tenth in range(2, 11, 2))}:
                rows.append((f"{index:,}", f"{index / RATE / 60:.1f}", f"{resident():.1f}"))
            observer.see(frame)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report(f"memory ({source}, 1280x720; peak {peak:.0f} MB)", ("pictures", "minutes at 30/s", "resident MB"), rows)


def resident() -> float:
    """Megabytes of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def looped(held: list[Pixels]) -> Iterator[Frame]:
    """Forth and back without end, thirty a second."""
    for index, picture in enumerate(cycle([*held, *held[-2:0:-1]])):
        yield Frame(index * 1_000_000_000 // RATE, picture)


def clip(width: int, height: int) -> tuple[list[Pixels], str]:
    """Two seconds of pictures of this size, and what they are."""
    named = os.environ.get("KIOSK_RECORDINGS")
    path = Path(named) / CLIP if named else None
    if path is not None and path.is_file():
        return list(islice(filmed(path, width, height), HELD)), "real clip"
    wall, held = room(width, height), []
    for index in range(HELD):
        at = index / RATE
        face = pasted(
            wall, x=width / 2 + 4 * np.sin(at), y=0.45 * height, face=0.42 * height, roll=2 * np.sin(0.7 * at)
        )
        pulse = 1 + 0.003 * np.sin(2 * np.pi * 1.2 * at) * np.array([0.4, 1.0, 0.6])
        held.append(noisy(np.clip(face * pulse, 0, 255).astype(np.uint8), 2, np.random.default_rng(index)))
    return held, "synthetic clip of a portrait"


def filmed(path: Path, width: int, height: int) -> Iterator[Pixels]:
    """The video's pictures, cut to this shape and brought to this size."""
    film = cv2.VideoCapture(str(path))
    try:
        while True:
            there, picture = film.read()
            if not there:
                return
            scale = max(width / picture.shape[1], height / picture.shape[0])
            large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
            cut = large[max(0, top) :][:height, max(0, left) :][:, :width]
            cut = cv2.resize(cut, (width, height))
            yield np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        film.release()


if __name__ == "__main__":
    main()
