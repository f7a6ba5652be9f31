"""Synthetic: traces by the simulated visitor's skin, six tones of it, with each disturbance dialled by itself."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
from scipy import signal

from kiosk.recording import Recording
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.camera import traces
from sensors.drivers.simulated.skin import TONES
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_ours import RATE, final, whole
from tests.benchmarks._rppg_rivals import asked
from tests.benchmarks._rppg_scores import HEAD, OURS, Answer, rows, worst

AMPLITUDES = (0.002, 0.004, 0.007)
"""Of the pulse in the green of the lightest skin, foot to top; the darkest has a third of it."""
LOST = (0.0, 0.05, 0.1, 0.2, 0.3)
SECONDS, LONG = 30.0, 70.0
"""Of a trace, and of one that variability is asked of."""
SEEDS = 4
DISTURBED = {
    "dim light, 30 %": Scene(light=0.3, read_noise=1.5, shot_noise=2.5, quantised=True),
    "flicker 2 %": replace(Scene.webcam(), flicker=0.02, shutter=0.004),
    "a film on the screen": replace(Scene.webcam(), screen=0.01),
    "exposure hunts": replace(Scene.webcam(), exposure_rate=3.0, exposure_size=0.3),
    "compressed": replace(Scene.webcam(), compression=2.0),
    "beard and glasses": replace(Scene.webcam(), beard=0.8, glasses=True),
    "1.2 m away": replace(Scene.webcam(), distance=1.2),
    "leaves twice a minute": replace(Scene.webcam(), away_rate=2.0),
}
MOVING = {
    "talks half the time": {"talking": 0.5},
    "turns 4 times a minute": {"turn_rate": 4.0},
    "sways three times as far": {"sway": 3.0},
}


@dataclass(frozen=True, slots=True)
class Question:
    """A visitor before a camera."""

    table: str
    case: str
    person: Person
    scene: Scene
    seconds: float = SECONDS
    methods: bool = True


def run(*, quick: bool, workers: int) -> None:
    """All tables; quick, one seed of the first two."""
    questions = list(_questions(1 if quick else SEEDS, quick))
    groups = [questions[begin : begin + 6] for begin in range(0, len(questions), 6)]
    if workers < 2:
        results = [_group(group) for group in groups]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            results = list(pool.map(_group, groups))
    answers = [answer for result in results for answer in result]
    for table in dict.fromkeys(question.table for question in questions):
        chosen = [each for each in answers if each.case.startswith(f"{table}|")]
        plain = [replace(each, case=each.case.partition("|")[2]) for each in chosen]
        for measure in dict.fromkeys(each.measure for each in plain):
            title = f"synthetic: {table}; {measure}"
            if len(dict.fromkeys(each.case for each in plain)) > 1:
                report(title, ("case", *HEAD), rows(plain, measure))
            report(f"{title}, all", HEAD, [row[1:] for row in rows(plain, measure, by_case=False)])
    report("synthetic: our worst answers", ("measure", "case", "who", "truth", "told"),
           [(row[0], *row[2:]) for row in worst(answers)])  # fmt: skip


def _questions(seeds: int, quick: bool) -> Iterator[Question]:
    rng = np.random.default_rng(20)
    webcam = Scene.webcam()

    def person(**dials: float) -> Person:
        seed, rate, breath = int(rng.integers(1, 10**6)), float(rng.uniform(48, 145)), float(rng.uniform(9, 20))
        usual = Person(seed=seed, heart_rate=rate, respiration_rate=breath, rsa_ms=15.0, mayer_ms=12.0, vlf_ms=10.0)
        return replace(usual, **dials)  # type: ignore[arg-type]

    for amplitude in AMPLITUDES[1:2] if quick else AMPLITUDES:
        for tone in TONES:
            for _ in range(seeds):
                who = person(melanin=tone.melanin, rgb_amplitude=amplitude)
                yield Question(f"tones, pulse {100 * amplitude:.1f} %", f"tone {tone.name}", who, webcam)
    for lost in LOST:
        for _ in range(seeds):
            scene = replace(webcam, dropped=lost, burst=2.0, jitter=0.5, stamp_error=0.003)
            yield Question("frames lost, times jittered", f"{100 * lost:.0f} %", person(), scene)
    if quick:
        return
    for name, scene in DISTURBED.items():
        for _ in range(seeds):
            yield Question("disturbed", name, person(), scene)
    for name, dials in MOVING.items():
        for _ in range(seeds):
            yield Question("disturbed", name, person(**dials), webcam)
    for turn in range(6 * seeds):
        tone = TONES[turn % 6]
        yield Question("any room, any camera", "", person(melanin=tone.melanin), Scene.random(turn + 500))
    for turn in range(3 * seeds):
        who = replace(person(melanin=TONES[turn % 4].melanin), rsa_ms=10.0 + 4.0 * turn, mayer_ms=20.0, vlf_ms=15.0)
        who = replace(who, heart_rate=float(rng.uniform(50, 95)))
        yield Question("variability, 70 s", "", who, webcam, LONG)


def _group(questions: list[Question]) -> list[Answer]:
    return [answer for question in questions for answer in _answered(question)]


def _answered(question: Question) -> Iterator[Answer]:
    seen = traces(question.person, question.scene, question.seconds)
    known, truth = seen.recording(), seen.truth
    true = {"heart_rate": truth.heart_rate}
    if question.seconds >= LONG:
        true |= {"sdnn": truth.sdnn, "rmssd": truth.rmssd}
    colours = whole(known)
    methods = {OURS: final(known)} | {
        name: asked(method, colours, beats=len(true) > 1) for name, method in rivals.RIVALS.items()
    }
    decibels = signal_to_noise(question)
    what = f"{question.person.heart_rate:.0f}/min, seed {question.person.seed}, SNR {decibels:.0f} dB"
    for method, values in methods.items():
        for measure, value in true.items():
            if value is not None:
                case = f"{question.table}|{question.case}"
                yield Answer(method, case, measure, value, values.get(measure), what)


def signal_to_noise(question: Question) -> float:
    """Decibels of the pulse in the whole face's green, 0.7 to 4 Hz, over all else there: the same without a pulse."""
    with_pulse = _green(traces(question.person, question.scene, question.seconds).recording())
    bare = replace(question.person, rgb_amplitude=0.0)
    without = _green(traces(bare, question.scene, question.seconds).recording())
    if len(with_pulse) < 3 * RATE or len(with_pulse) != len(without):
        return float("nan")
    sections = signal.butter(3, rivals.BAND, "band", fs=RATE, output="sos")
    pulse, noise = (signal.sosfiltfilt(sections, x - x.mean()) for x in (with_pulse - without, without))
    return 10.0 * float(np.log10(np.var(pulse) / max(float(np.var(noise)), 1e-12)))


def _green(known: Recording) -> rivals.Floats:
    return whole(known)[:, 1]
