"""Cost: CPU of a minute of trace, ours beside every rival on the same one."""

import time
from collections.abc import Callable

from analytics import rppg
from sensors.drivers.simulated import Person, Scene
from sensors.drivers.simulated.camera import traces
from tests.benchmarks import _rppg_rivals as rivals
from tests.benchmarks._measuring import report
from tests.benchmarks._rppg_ours import final, live, whole
from tests.benchmarks._rppg_rivals import asked

AGAIN = 3


def run(*, quick: bool) -> None:
    """One simulated minute of five regions at 30 pictures a second."""
    known = traces(Person(seed=7, heart_rate=73.0), Scene.webcam(), 60.0).recording()
    track, motion = known.of("rgb")[0], known.of("face_motion")[0]
    works: dict[str, Callable[[], object]] = {
        "ours, rate, five regions": lambda: rppg.heart_rate(rppg.pulse(track, motion)),
        "ours, live, each second": lambda: live(known),
        "ours, whole session: rate, beats, variability, breath": lambda: final(known),
    }
    works |= {
        f"{name}, rate and beats": lambda method=method: asked(method, whole(known))  # type: ignore[misc]
        for name, method in rivals.RIVALS.items()
    }
    spent = {name: _spent(work, 1 if quick else AGAIN) for name, work in works.items()}
    ours = next(iter(spent.values()))
    report(
        "cost, CPU ms per minute of trace (synthetic); the rivals have the whole face alone",
        ("method", "ms", "ours, rate / this"),
        [(name, f"{1000 * each:.1f}", f"{ours / each:.1f}") for name, each in spent.items()],
    )


def _spent(work: Callable[[], object], again: int) -> float:
    work()
    started = time.process_time()
    for _ in range(again):
        work()
    return (time.process_time() - started) / again
