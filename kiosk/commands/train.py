"""`kiosk train`: networks of our own, from the simulated visitor to an ONNX file with a card."""

import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import numpy as np
import typer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from analytics.training.rppg import Pulses

Floats = NDArray[np.float64]

app = typer.Typer()
train = typer.Typer(help="Train networks (needs the `train` extra: torch, onnx).", no_args_is_help=True)
app.add_typer(train, name="train")

VISITORS = 400
HELD_BACK = 60
"""Visitors that the network never sees: their figures go into the card."""
SECONDS = 60
RATES = (40.0, 180.0)
"""Heart rates per minute that are trained for, evenly on a logarithmic scale."""


@train.command()
def rppg(
    out: Annotated[Path, typer.Option(help="The ONNX file; its card goes beside it as .md.")],
    minutes: Annotated[float, typer.Option(min=0.01, max=600, help="About how long to learn, on one core.")] = 5.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train the pulse network on simulated visitors; the same seed and minutes give the same network."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    for needed in ("onnx", "torch"):
        if find_spec(needed) is None:
            typer.echo(f"kiosk: {needed} is not installed: it comes with the extra `train`", err=True)
            raise typer.Exit(2)
    card_file = out.with_suffix(".md") if out.name else out
    # before the minutes, not after them
    _check(out, card_file)
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
    _write(out, trained.onnx)
    _write(card_file, text.encode())
    typer.echo(text)
    typer.echo(f"{out}: {len(trained.onnx)} bytes; to use it: kiosk models add {out} --as rppg_own")


def _check(out: Path, card_file: Path) -> None:
    """Whether both files can be written, without touching what they are now."""
    if out.suffix.lower() == ".md":
        _refuse(out, "its card would take its place: another suffix, please")
    for file in (out, card_file):
        if file.is_dir():
            _refuse(file, "it is a folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        _refuse(out, error.strerror or str(error))


def _write(file: Path, content: bytes) -> None:
    """All of it or nothing: whatever interrupts this, an earlier file stays whole."""
    part = file.with_name(f".{file.name}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        _refuse(file, error.strerror or str(error))


def _refuse(file: Path, reason: str) -> NoReturn:
    typer.echo(f"kiosk: {file} cannot be written: {reason}", err=True)
    raise typer.Exit(2) from None


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
