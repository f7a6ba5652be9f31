"""Rendered: films of a portrait that lives, of six tones of skin, through the product's own eyes; some without blood.

Pictures, not traces: the observer looks for the face and for its skin in each of them. Every film is rendered once and
looked at as often as there are shares of lost pictures, each time by an observer of its own and with the times that the
simulated camera gives to what it does not lose.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from kiosk.recording import Recording
from sensors.drivers.simulated import Body, Person, Scene
from sensors.drivers.simulated.camera import Camera
from sensors.drivers.simulated.portrait import Portrait
from sensors.drivers.simulated.skin import TONES
from sensors.face.seen import Frame, Sight
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_ours import final, recording, whole
from tests.benchmarks._rppg_rivals import asked
from tests.benchmarks._rppg_scores import HEAD, OURS, Answer, interval, rows, worst

AMPLITUDES = (0.004, 0.007)
"""Of the pulse in the green of the lightest skin, foot to top; the darkest has a third of it."""
LOST = (0.0, 0.05, 0.3)
"""Shares of pictures that never come, in bursts of two."""
SECONDS = 20
RATES = (48.0, 145.0)
"""Per minute, between which hearts are drawn."""
TASTE = 12
"""Seconds of each film where a taste is enough."""
CAMERA = replace(Scene.webcam(), jitter=0.5, stamp_error=0.003, burst=2.0)
"""Its pictures come up to half a period late, and their times are wrong by 3 ms."""
BLOODLESS = {
    "a face without blood": (replace(CAMERA, dropped=0.0), {}),
    "a face without blood that talks and turns": (replace(CAMERA, dropped=0.05), {"talking": 0.5, "turn_rate": 4.0}),
    "a photograph in a hand": (replace(CAMERA, dropped=0.3, visitor="photo"), {"sway": 2.0}),
}
"""What lives and has no pulse, or does not live at all: any number is wrong."""
HEART = ("heart_rate", "sdnn", "rmssd", "mean_rr", "hf_power")


@dataclass(frozen=True, slots=True)
class Film:
    """One visitor before one camera."""

    case: str
    """Amplitude and tone, or what has no blood."""
    person: Person
    scene: Scene
    lost: tuple[float, ...]
    seconds: int = SECONDS
    living: bool = True
    width: int = 640
    height: int = 480


def run(*, quick: bool, workers: int) -> None:
    """All films; quick, two short ones."""
    films = list(_quick() if quick else _films())
    if workers < 2:
        results = [_answers(film) for film in films]
    else:
        # MediaPipe's threads do not survive a fork
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_answers, films))
    answers = [answer for film, told in zip(films, results, strict=True) if film.living for answer in told]
    nobody = [(film.case, told) for film, told in zip(films, results, strict=True) if not film.living]
    _report(answers)
    _report_nobody(nobody)


def _films() -> Iterator[Film]:
    rng = np.random.default_rng(61)
    for amplitude in AMPLITUDES:
        for tone in TONES:
            person = _visitor(rng, melanin=tone.melanin, rgb_amplitude=amplitude)
            yield Film(f"{100 * amplitude:.1f} %|tone {tone.name}", person, CAMERA, LOST)
    for kind, (scene, dials) in BLOODLESS.items():
        for tone in TONES:
            person = _visitor(rng, melanin=tone.melanin, rgb_amplitude=0.0, **dials)
            yield Film(kind, person, scene, (scene.dropped,), living=False)


def _quick() -> Iterator[Film]:
    """The first of them, through most losses, and the last, which has no blood."""
    *_, last = films = list(_films())
    yield replace(films[0], lost=LOST[-1:], seconds=TASTE)
    yield replace(last, seconds=TASTE)


def _visitor(rng: np.random.Generator, **dials: float) -> Person:
    seed, rate, breath = int(rng.integers(1, 10**6)), float(rng.uniform(*RATES)), float(rng.uniform(9, 20))
    usual = Person(seed=seed, heart_rate=rate, respiration_rate=breath, rsa_ms=15.0, mayer_ms=12.0, vlf_ms=10.0)
    return replace(usual, **dials)  # type: ignore[arg-type]


def _answers(film: Film) -> list[Answer]:
    """Of everyone where it lives, of ours alone where not: rivals have no way to say no."""
    truth = Body(film.person, film.scene).truth(0.0, film.seconds).heart_rate
    assert truth is not None
    told = []
    for lost, known in zip(film.lost, watched(film), strict=True):
        what = f"{truth:.0f}/min, {100 * lost:.0f} % lost, seed {film.person.seed}"
        ours = final(known)
        if not film.living:
            told += [Answer(OURS, film.case, measure, 0.0, ours.get(measure), what) for measure in HEART]
            continue
        colours = whole(known)
        methods = {OURS: ours} | {name: asked(method, colours, beats=False) for name, method in rivals.RIVALS.items()}
        case = f"{film.case}|{100 * lost:.0f} %"
        told += [
            Answer(name, case, "heart_rate", truth, values.get("heart_rate"), what) for name, values in methods.items()
        ]
    return told


def watched(film: Film) -> list[Recording]:
    """What an observer makes of the film, once for each share of lost pictures."""
    from sensors.observer import Observer

    portrait = Portrait(film.person, replace(film.scene, dropped=0.0), width=film.width, height=film.height)
    every = Camera(Body(film.person, replace(film.scene, dropped=0.0)))
    # what is lost changes neither when a picture is taken nor what it shows
    cameras = [Camera(Body(film.person, replace(film.scene, dropped=lost))) for lost in film.lost]
    sights: list[list[Sight]] = [[] for _ in cameras]
    with ExitStack() as stack:
        observers = [stack.enter_context(Observer()) for _ in cameras]
        for second in range(film.seconds):
            shots = [camera.shots(second) for camera in cameras]
            kept = [dict(zip(each.taken.tolist(), each.nanoseconds.tolist(), strict=True)) for each in shots]
            taken = every.shots(second).taken
            for at, pixels in zip(taken.tolist(), portrait.pictures(taken), strict=True):
                for stamps, observer, seen in zip(kept, observers, sights, strict=True):
                    if at in stamps:
                        seen.append(observer.see(Frame(stamps[at], pixels)))
    return [recording(seen) for seen in sights]


def _report(answers: list[Answer]) -> None:
    title = "rendered: heart rate, /min"
    parts = [each.case.split("|") for each in answers]
    ours = [(each, part) for each, part in zip(answers, parts, strict=True) if each.method == OURS]
    by_tone = [replace(each, case=f"{part[0]}, {part[1]}") for each, part in ours]
    by_lost = [replace(each, case=f"{part[0]}, {part[2]} of pictures lost") for each, part in ours]
    by_size = [replace(each, case=part[0]) for each, part in zip(answers, parts, strict=True)]
    report(f"{title}; ours by pulse and tone", ("case", *HEAD), rows(by_tone, "heart_rate"))
    report(f"{title}; ours by pulse and what was lost", ("case", *HEAD), rows(by_lost, "heart_rate"))
    # `what` is a question's name: with the tone's film and the share that was lost it is its own
    report(f"{title}; all methods by pulse", ("pulse", *HEAD), rows(by_size, "heart_rate"))
    report(f"{title}; all", HEAD, [row[1:] for row in rows(by_size, "heart_rate", by_case=False)])
    report("rendered: our worst answers", ("measure", "case", "who", "truth", "told"),
           [(row[0], *row[2:]) for row in worst(by_size)])  # fmt: skip


def _report_nobody(films: list[tuple[str, list[Answer]]]) -> None:
    table = []
    for kind in dict.fromkeys(kind for kind, _ in films):
        own = [told for each, told in films if each == kind]
        wrong = sum(any(answer.told is not None for answer in told) for told in own)
        table.append((kind, interval(wrong, len(own))))
    wrong = sum(any(answer.told is not None for answer in told) for _, told in films)
    table.append(("all", interval(wrong, len(films))))
    report("rendered: portraits without a pulse, each number of the heart is wrong", ("film", "with a number"), table)
    said = [
        (kind, answer.what, answer.measure, f"{answer.told:.1f}")
        for kind, told in films
        for answer in told
        if answer.told is not None
    ]
    if said:
        report("rendered: what was told of them", ("film", "which", "measure", "told"), said)
