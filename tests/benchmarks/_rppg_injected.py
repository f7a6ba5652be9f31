"""Injected: the real face clip with a known pulse in its skin, through the product's own eyes."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from kiosk.messages import SECOND
from kiosk.recording import Recording
from sensors.face.seen import Face, Finder, Pixels, Points
from sensors.frames.file import video
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_clip import SCENES, SLOW_CODEC, Clip, Played, Scene
from tests.benchmarks._rppg_ours import final, live, part, recording, whole
from tests.benchmarks._rppg_pulse import Known
from tests.benchmarks._rppg_rivals import asked
from tests.benchmarks._rppg_scores import HEAD, OURS, Answer, rows, worst

AMPLITUDES = (0.001, 0.0015, 0.002, 0.003, 0.005, 0.01)
RATES = (72.0, 118.0, 52.0, 91.0, 141.0, 63.0, 104.0, 45.0, 83.0, 130.0, 57.0, 150.0)
"""Of the pulses, per minute, in the order in which scenes and amplitudes take them."""
VARYING = 0.04
"""Standard deviation of the intervals of every other pulse, as a share of their mean."""
LIVE = 12.0
"""Seconds that a rival is given for one live answer."""
QUICK = (("clean", 0.003), ("slow motion, drift 2 %", 0.0015))
LONG = 3
"""Times that the clip is played, forth and back, where variability is asked for: a minute and more."""
VARIED = (0.003, 0.005, 0.01)
"""Amplitudes at which it is asked for."""
PLACE = Path("video") / "remotephysiology" / "video.mp4"


class Remembered:
    """A finder that plays what another one found in the same pictures before."""

    def __init__(self, points: list[Points]) -> None:
        self._left = iter(points)

    @property
    def name(self) -> str:
        """As the protocol asks."""
        return "remembered"

    def faces(self, pixels: Pixels) -> list[Face]:
        """The next picture's."""
        return [Face(next(self._left))]

    def close(self) -> None:
        """Nothing to close."""


class Noting:
    """A finder that notes what it finds."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.points: list[Points] = []

    @property
    def name(self) -> str:
        """The finder's."""
        return self._finder.name

    def faces(self, pixels: Pixels) -> list[Face]:
        """The finder's; of a picture without a face the points of the one before are noted."""
        found = self._finder.faces(pixels)
        if found or self.points:
            self.points.append(found[0].points if found else self.points[-1])
        return found

    def close(self) -> None:
        """The finder."""
        self._finder.close()


@dataclass(frozen=True, slots=True)
class Task:
    """One scene with all the pulses that are put into it, so that its landmarks are found once."""

    clip: Clip
    scene: Scene
    pulses: tuple[tuple[float, float, float, int], ...]
    """(rate, interval variation, amplitude, seed) of each."""
    live: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """All answers of a task."""

    answers: tuple[Answer, ...]
    kilobits: float | None


def run(folder: Path, *, quick: bool, workers: int, per_cell: int, slow_codec: bool) -> None:
    """All scenes and amplitudes; quick, two videos."""
    place = folder / PLACE
    if not place.is_file():
        raise SystemExit(f"injected: there is no {PLACE} in the folder of recordings")
    clip = found(place)
    tasks = _tasks(clip, quick=quick, per_cell=per_cell, slow_codec=slow_codec)
    results = in_parallel(tasks, workers)
    answers = [answer for result in results for answer in result.answers]
    _report(answers, [(task.scene, result.kilobits) for task, result in zip(tasks, results, strict=True)])


def found(place: Path) -> Clip:
    """The clip with its landmarks."""
    from sensors.face.engines import finder

    engine = finder("auto", None)
    noting, seconds = Noting(engine), []
    for frame in video(place):
        noting.faces(frame.pixels)
        seconds.append(frame.at / SECOND)
    noting.close()
    return Clip(place, np.array(seconds), tuple(noting.points))


def _tasks(clip: Clip, *, quick: bool, per_cell: int, slow_codec: bool) -> list[Task]:
    scenes = SCENES + ((SLOW_CODEC,) if slow_codec else ())
    tasks = []
    for number, scene in enumerate(scenes):
        pulses = []
        for turn in range(len(AMPLITUDES) * per_cell):
            amplitude, place = AMPLITUDES[turn % len(AMPLITUDES)], turn % len(AMPLITUDES)
            # so that every amplitude and every scene get every rate in the end, steady and varying
            rate = RATES[(7 * number + 5 * turn) % len(RATES)]
            varying = VARYING * ((number + place) % 2)
            few = scene.codec and amplitude not in AMPLITUDES[1::2]
            if not few and (not quick or (scene.name, amplitude) in QUICK):
                pulses.append((rate, varying, amplitude, 100 * number + turn))
        if pulses:
            tasks.append(Task(clip, scene, tuple(pulses)))
    if not quick:
        long = replace(clip, times_over=LONG)
        for scene in (SCENES[0], SCENES[1]):
            pulses = [
                (RATES[(5 * turn) % len(RATES)], VARYING, amplitude, 900 + turn)
                for turn, amplitude in enumerate(VARIED)
            ]
            tasks.append(Task(long, replace(scene, name=f"{scene.name}, 69 s"), tuple(pulses), live=False))
    return tasks


def in_parallel(tasks: list[Task], workers: int) -> list[Told]:
    """Each task in a process of its own, the longest first."""
    if workers < 2 or len(tasks) < 2:
        return [watched(task) for task in tasks]
    order = sorted(range(len(tasks)), key=lambda k: -len(tasks[k].pulses) * tasks[k].clip.times_over)
    # MediaPipe's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        results = dict(zip(order, pool.map(watched, [tasks[k] for k in order]), strict=True))
    return [results[k] for k in range(len(tasks))]


def watched(task: Task) -> Told:
    """All pulses of a task, answered by everyone."""
    answers: list[Answer] = []
    kilobits: float | None = None
    points: list[Points] | None = None if task.scene.own_points else list(task.clip.points)
    for rate, varying, amplitude, seed in task.pulses:
        played = Played(Known(rate, 30.0 * task.clip.times_over, varying, seed), amplitude, task.scene, seed)
        known, points, kilobits = seen(played, task.clip, points)
        answers += answered(known, played, task.live)
    return Told(tuple(answers), kilobits)


def seen(
    played: Played, clip: Clip, points: list[Points] | None
) -> tuple[Recording, list[Points] | None, float | None]:
    """What the observer makes of it; its landmarks, where the same scene has them again; the codec's kbit/s."""
    from sensors.face.engines import finder
    from sensors.observer import Observer

    order, _ = played.kept(clip)
    finds = Noting(finder("auto", None)) if points is None else Remembered([points[place] for place in order])
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as folder, Observer(look=finds) as observer:
        frames, kilobits = played.frames(clip, Path(folder))
        known = recording([observer.see(frame) for frame in frames])
    # a scene that moves moves otherwise with each seed
    if isinstance(finds, Noting) and not played.scene.sway and len(finds.points) == len(clip.points):
        points = finds.points
    return known, points, kilobits


def answered(known: Recording, played: Played, windows: bool) -> Iterator[Answer]:
    """Of the whole recording, and where asked for second by second."""
    seconds = known.of("rgb")[0].seconds
    start, end = float(seconds[0]), float(seconds[-1])
    pulse = played.pulse
    truth = {"heart_rate": pulse.heart_rate(start, end)}
    if pulse.varying and end - start > 60.0:
        truth |= {"sdnn": pulse.sdnn(start, end), "rmssd": pulse.rmssd(start, end)}
    case = f"{played.scene.name}|{100 * played.amplitude:.2f} %"
    what = f"{pulse.rate:.0f}/min, intervals vary {100 * pulse.varying:.0f} %, seed {played.seed}"
    colours = whole(known)
    methods = {OURS: final(known)} | {
        name: asked(method, colours, beats=len(truth) > 1) for name, method in rivals.RIVALS.items()
    }
    for method, values in methods.items():
        for measure, true in truth.items():
            yield Answer(method, case, measure, true, values.get(measure), what)
    if windows:
        yield from _by_windows(known, pulse, case, what)


def _by_windows(known: Recording, pulse: Known, case: str, what: str) -> Iterator[Answer]:
    """Live: ours each second as told, rivals of the LIVE seconds before; each against the truth of its own window."""
    start = float(known.of("rgb")[0].seconds[0])
    for finding in live(known):
        first, last = max(start, finding.start_ns / SECOND), finding.end_ns / SECOND
        if last - start < LIVE:
            continue
        at = f"{what}, until {last:.1f} s"
        yield Answer(OURS, case, "live", pulse.heart_rate(first, last), finding.value, at)
        colours, true = whole(part(known, last - LIVE, last)), pulse.heart_rate(last - LIVE, last)
        for name, method in rivals.RIVALS.items():
            yield Answer(name, case, "live", true, asked(method, colours, beats=False)["heart_rate"], at)


def _report(answers: list[Answer], scenes: list[tuple[Scene, float | None]]) -> None:
    title = "injected: real face clip with a known pulse in its skin"
    by_scene = [replace(each, case=each.case.partition("|")[0]) for each in answers]
    by_amplitude = [replace(each, case=each.case.partition("|")[2]) for each in answers]
    for measure, name in _MEASURES.items():
        if not any(each.measure == measure for each in answers):
            continue
        report(f"{title}; {name}", HEAD, [row[1:] for row in rows(answers, measure, by_case=False)])
        if measure in ("heart_rate", "live"):
            report(f"{title}; {name}, by amplitude", ("amplitude", *HEAD), rows(by_amplitude, measure))
            report(f"{title}; {name}, by scene", ("scene", *HEAD), rows(by_scene, measure))
    written_as = [(scene.codec, f"{kilobits:.0f}") for scene, kilobits in scenes if kilobits is not None]
    if written_as:
        report("injected: what the codecs took", ("codec", "kbit/s"), written_as)
    report("injected: our worst answers", ("measure", "scene and amplitude", "pulse", "truth", "told"),
           [(row[0], *row[2:]) for row in worst(answers)])  # fmt: skip


_MEASURES = {
    "heart_rate": "heart rate of the whole clip, /min",
    "live": "live heart rate, each second, /min",
    "sdnn": "SDNN, ms (69 s)",
    "rmssd": "RMSSD, ms (69 s)",
}
