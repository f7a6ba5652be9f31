"""`kiosk train fusion`: from folders of labelled wristband recordings to an ONNX file with a card."""

import csv
import gzip
import io
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from kiosk.commands.printable import printable
from kiosk.commands.train.writing import needs, places, write
from kiosk.errors import BadRecording
from kiosk.messages import SECOND

if TYPE_CHECKING:
    from analytics.fusion_learned import Deviations
    from analytics.training.fusion.table import Table

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

FILES = ("BVP", "EDA", "TEMP", "ACC")
"""Of an Empatica E4, in a folder per person."""
REST = (120, 540)
"""Seconds after the first label that are a person's own rest: the protocol begins with ten minutes of it. Windows
before its end are never learnt from or judged; a task that begins earlier ends it."""
HOP = 30
"""Seconds from one window to the next within a run of equal labels."""
MOST_LABELS = 10_000_000


def fusion(
    data: Annotated[
        Path, typer.Option(help="Folder with labels.csv[.gz] and raw/S.. of an Empatica E4 (Stress-Predict).")
    ],
    out: Annotated[Path, typer.Option(help="The ONNX file; its card goes beside it as .md.")],
    source: Annotated[str, typer.Option(help="Whose recordings these are, and their licence: for the card.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Batches to learn from.")] = 500,
    judge: Annotated[bool, typer.Option(help="Judge it on people left out, for the card (some minutes).")] = True,
) -> None:
    """Train the fusion of pulse, sweat, skin temperature and motion that imagines what is missing."""
    needs("onnx", "torch")
    card_file = places(out)
    from analytics.training.fusion import card, whole

    try:
        learnt = table(data)
        typer.echo(f"{len(learnt.labels)} windows of {len(learnt.names)} people", err=True)
        made = whole.made(learnt, seed=seed, steps=steps)
        found = (
            whole.judged(learnt, seed=seed, steps=steps, told=lambda name: typer.echo(name, err=True))
            if judge
            else None
        )
    except (BadRecording, ValueError) as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None
    text = card.text(made, learnt, found, seed=seed, steps=steps, source=printable(source))
    write(out, made.onnx)
    write(card_file, text.encode())
    typer.echo(text)
    typer.echo(f"{out}: {len(made.onnx)} bytes; to use it: kiosk models add {out} --as fusion_own")


def table(folder: Path, *, hop: int = HOP, most: int | None = None) -> "Table":
    """Everybody in the folder as windows beside their own first rest; the first `most` people."""
    from analytics.fusion_learned import Deviations
    from analytics.training.fusion.table import Table

    names: list[str] = []
    labels: list[Floats] = []
    seen: list[Deviations] = []
    for number, (origin, marks) in itertools.islice(sorted(labelled(folder).items()), most):
        found, stressed = person(folder / "raw" / f"S{number:02d}", origin, marks, hop=hop)
        names += [f"S{number:02d}"] * len(stressed)
        labels.append(stressed)
        seen.append(found)
    joined = Deviations(np.concatenate([each.z for each in seen]), np.concatenate([each.present for each in seen]))
    return Table(np.array(names), np.concatenate(labels), joined)


def labelled(folder: Path) -> dict[int, tuple[float, Labels]]:
    """Per person the UNIX second of the first label, and a label per second."""
    plain, packed = folder / "labels.csv", folder / "labels.csv.gz"
    rows: dict[int, list[tuple[float, int]]] = {}
    try:
        text = plain.read_text("utf-8") if plain.exists() else gzip.decompress(packed.read_bytes()).decode("utf-8")
        for row in itertools.islice(csv.DictReader(io.StringIO(text)), MOST_LABELS):
            rows.setdefault(int(row["Participant"]), []).append((float(row["Time(sec)"]), int(row["Label"])))
    except OSError as error:
        raise BadRecording(f"{packed} cannot be read: {error.strerror or error}") from None
    except (EOFError, KeyError, TypeError, ValueError) as error:
        raise BadRecording(f"{packed}: columns Participant, Time(sec) and Label are needed ({error})") from None
    if not rows:
        raise BadRecording(f"{packed}: nobody is labelled")
    for number, seconds in rows.items():
        if any(label not in (0, 1) for _, label in seconds) or any(
            later - now != 1 for (now, _), (later, _) in itertools.pairwise(seconds)
        ):
            raise BadRecording(f"{packed}: person {number} needs a label of 0 or 1 for every second, in order")
    return {number: (each[0][0], np.array([label for _, label in each])) for number, each in rows.items()}


def person(folder: Path, origin: float, marks: Labels, *, hop: int = HOP) -> "tuple[Deviations, Floats]":
    """The windows after the rest that lie within one run of equal labels, beside that rest, and their labels."""
    from analytics.fusion_learned import Signals, deviations, reference, values
    from analytics.fusion_learned.features import WINDOW
    from sensors import files

    paths = [_file(folder, name) for name in FILES]
    begin = min(_start(path) for path in paths)
    signals = Signals.of(files.read_session(paths))
    before = round((origin - begin) * SECOND)

    def window(second: int) -> Floats:
        start = before + second * SECOND
        return values(signals, start, start + WINDOW * SECOND)

    edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
    rest = [window(at) for at in range(REST[0], min(REST[1], edges[1]) - WINDOW + 1, WINDOW)]
    if not rest:
        raise BadRecording(f"{folder.name}: no rest of {WINDOW} s after second {REST[0]} before the first task")
    starts = [
        at for first, last in itertools.pairwise(edges) for at in range(max(first, REST[1]), last - WINDOW + 1, hop)
    ]
    if not starts:
        raise BadRecording(f"{folder.name}: nothing is labelled after second {REST[1]}")
    usual = reference(np.array(rest))
    return deviations(np.array([window(at) for at in starts]), usual), marks[starts].astype(np.float64)


def _file(folder: Path, name: str) -> Path:
    for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
        if path.is_file():
            return path
    raise BadRecording(f"{folder / name}.csv: there is no such file, packed or not")


def _start(path: Path) -> float:
    """UNIX seconds of the first sample: an Empatica file's first row."""
    from sensors.files.source import beginning

    try:
        return float(beginning(path).splitlines()[0].split(",")[0])
    except (IndexError, ValueError):
        raise BadRecording(f"{path}: does not begin with the time of its first sample") from None
