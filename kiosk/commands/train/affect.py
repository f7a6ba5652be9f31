"""`kiosk train affect`: from a file of films and ratings to an ONNX file with a card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from kiosk.commands.printable import printable
from kiosk.commands.train.writing import needs, places, write
from kiosk.errors import BadRecording

if TYPE_CHECKING:
    from analytics.training.affect.table import Table


def affect(
    data: Annotated[Path, typer.Option(help="DREAMER.mat, or a file of that layout.")],
    out: Annotated[Path, typer.Option(help="The ONNX file; its card goes beside it as .md.")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    judge: Annotated[bool, typer.Option(help="Judge all pipelines by both protocols, for the card.")] = True,
) -> None:
    """Train valence and arousal from ECG and EEG on paired recordings that you may use."""
    needs("onnx", "torch")
    card_file = places(out)
    from analytics.training.affect import whole

    try:
        learnt = table(data)
        content = whole.made(learnt, seed=seed)
        found = whole.figures(learnt, seed=seed) if judge else []
    except (BadRecording, ValueError) as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(2) from None
    text = whole.card(learnt, content, found, source=printable(data.name), seed=seed)
    write(out, content)
    write(card_file, text.encode())
    typer.echo(text)
    typer.echo(f"{out}: {len(content)} bytes; to use it: kiosk models add {out} --as affect_own")


def table(file: Path) -> "Table":
    """A row per person and film: the end of the film beside the rest before it."""
    from analytics.affect import ecg_values, eeg_values
    from analytics.training.affect.table import Table, end_of
    from sensors.files import dreamer

    rows = [
        (
            clip.person,
            clip.number,
            ecg_values(end_of(clip.film.ecg)) - ecg_values(end_of(clip.baseline.ecg)),
            eeg_values(end_of(clip.film.eeg)) - eeg_values(end_of(clip.baseline.eeg)),
            clip.valence,
            clip.arousal,
        )
        for clip in dreamer.clips(file)
    ]
    persons, films, ecg, eeg, valence, arousal = zip(*rows, strict=True)
    return Table(np.array(persons), np.array(films), np.array(ecg), np.array(eeg), np.array(valence), np.array(arousal))
