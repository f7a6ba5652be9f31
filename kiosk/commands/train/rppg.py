"""`kiosk train rppg`: the pulse network, from the simulated visitor."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from kiosk.commands.train.writing import needs, places, write

if TYPE_CHECKING:
    from analytics.training.rppg import Pulses

Floats = NDArray[np.float64]

VISITORS = 400
HELD_BACK = 60
"""Visitors that the network never sees: their figures go into the card."""
SECONDS = 60
RATES = (40.0, 180.0)
"""Heart rates per minute that are trained for, evenly on a logarithmic scale."""


def rppg(
    out: Annotated[Path, typer.Option(help="The ONNX file; its card goes beside it as .md.")],
    minutes: Annotated[float, typer.Option(min=0.01, max=600, help="About how long to learn, on one core.")] = 5.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the pulse network on simulated visitors; the same seed and minutes give the same network."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    needs("onnx", "torch")
    card_file = places(out)
    from analytics.training import card
    from analytics.training import rppg as training

    count = training.batches(minutes)
    known, unknown = pulses(VISITORS, 2 * seed), pulses(HELD_BACK, 2 * seed + 1)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("learning", total=count)
        trained = training.train(
            known,
            batches=count,
            seed=seed,
            told=lambda done, loss: progress.update(task, completed=done, description=f"loss {loss:.2f}"),
        )
    text = card.text(trained, unknown, seed=seed)
    write(out, trained.onnx)
    write(card_file, text.encode())
    typer.echo(text)
    typer.echo(f"{out}: {len(trained.onnx)} bytes; to use it: kiosk models add {out} --as rppg_own")


def pulses(count: int, seed: int) -> "Pulses":
    """Pulses of so many simulated visitors, all different; other seeds have other visitors."""
    from analytics.rppg.neural import RATE
    from analytics.training.rppg import Pulses
    from sensors.drivers.simulated import Body, Person
    from sensors.drivers.simulated.skin import colour

    rng = np.random.default_rng([seed, 7])
    times = np.arange(round(SECONDS * RATE)) / RATE
    waves, skins = [], []
    for _ in range(count):
        rate = float(np.exp(rng.uniform(*np.log(RATES))))
        person = Person.random(int(rng.integers(2**53)))
        # a fast heart varies less: its intervals are short
        calm = 60.0 / rate
        person = replace(
            person.undisturbed(),
            heart_rate=rate,
            rsa_ms=person.rsa_ms * calm,
            mayer_ms=person.mayer_ms * calm,
            vlf_ms=person.vlf_ms * calm,
            ppg_channels=("green",),
        )
        waves.append(Body(person).ppg(times)[:, 0])
        skins.append(colour(float(rng.random())))
    return Pulses(np.array(waves), np.array(skins))
