"""`kiosk analyze`: the readings of recordings, as a table, as JSON (one object a line) or as CSV."""

import csv
import io
import json
import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from kiosk.errors import BadRecording
from kiosk.measures import MEASURES
from kiosk.recording import Context, Recording

if TYPE_CHECKING:
    from analytics.session import FinalReading, Result

app = typer.Typer()

NO_READING, BAD_INPUT = 1, 2
FIELDS = (
    "measure", "value", "unit", "low", "high", "quality", "source", "scope", "method", "start", "end", "absent",
    "preferred",
)  # fmt: skip
Json = dict[str, object]


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(help="Recordings; a folder stands for all that are in it.")],
    kind: Annotated[str, typer.Option(help="auto, ecg, ppg, rr, eeg, video, image or voice.")] = "auto",
    channel: Annotated[str | None, typer.Option(help="Which channel, by name.")] = None,
    rate: Annotated[float | None, typer.Option(help="Hertz, where the file does not say.")] = None,
    no_correction: Annotated[
        bool, typer.Option("--no-correction", help="Take beats or RR intervals as they are.")
    ] = False,
    session: Annotated[bool, typer.Option("--session", help="Join all files into one session.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One reading a row.")] = False,
) -> None:
    """Print the readings of recordings. Exit code 0: readings; 1: no reading was possible; 2: bad input."""
    from sensors import files as reader

    if as_json and as_csv:
        typer.echo("kiosk: --json or --csv, not both", err=True)
        raise typer.Exit(BAD_INPUT)
    try:
        found = reader.find(files)
    except BadRecording as error:
        typer.echo(f"kiosk: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    for passed in found.passed_over:
        typer.echo(f"kiosk: passed over {passed}", err=True)
    if not found.recordings:
        typer.echo("kiosk: no recording there", err=True)
        raise typer.Exit(BAD_INPUT)
    # what to read, and under which name it is reported
    jobs: list[tuple[str, Callable[[], Recording]]]
    if session:
        name = ", ".join(map(str, files))
        jobs = [
            (name, partial(reader.read_session, found.recordings, kind=kind, channel=channel, rate=rate, name=name))
        ]
    else:
        jobs = [
            (str(path), partial(reader.read, path, kind=kind, channel=channel, rate=rate)) for path in found.recordings
        ]
    output: _Output = _Csv() if as_csv else _Lines() if as_json else _Tables()
    bad = any_value = False
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("analysing", total=len(jobs))
        for name, read in jobs:
            try:
                any_value |= _answer(name, read(), output, correction=not no_correction)
            except BadRecording as error:
                bad = True
                typer.echo(f"kiosk: {error}", err=True)
            progress.advance(task)
    if bad:
        raise typer.Exit(BAD_INPUT)
    if not any_value:
        raise typer.Exit(NO_READING)


def _answer(name: str, recording: Recording, output: "_Output", *, correction: bool) -> bool:
    """Analyse and show one recording; whether it has any value."""
    from analytics.session import session

    result = session(recording, Context(), correction=correction)
    output.show(describe(name, recording, result))
    return any(reading.value is not None for reading in result.readings)


def describe(name: str, recording: Recording, result: "Result") -> Json:
    """The result as the JSON that scripts may rely on."""
    signals = list(dict.fromkeys(track.signal for track in recording.tracks))
    if recording.beats is not None and not signals:
        signals = ["rr"]
    rates = {track.rate for track in recording.tracks}
    return {
        "file": name,
        "kind": signals[0] if len(signals) == 1 else "session",
        "rate": rates.pop() if len(rates) == 1 else None,
        "duration": round(recording.duration, 6),
        "assumed": dict(recording.assumed),
        "beats": [round(beat, 6) for beat in result.beats],
        "corrected": list(result.corrected),
        "events": [{"event": event.event, "time": event.time, "detail": event.detail} for event in result.events],
        "readings": [_reading(reading) for reading in result.readings],
    }


def _reading(reading: "FinalReading") -> Json:
    values = {name: getattr(reading, name) for name in FIELDS}
    # JSON has no NaN, and a reading has none: this would be a bug, and must not become invalid output
    assert all(not isinstance(value, float) or math.isfinite(value) for value in values.values())
    return values


class _Output(Protocol):
    def show(self, answer: Json) -> None: ...


class _Lines:
    def show(self, answer: Json) -> None:
        typer.echo(json.dumps(answer, ensure_ascii=False))


class _Csv:
    def __init__(self) -> None:
        self._head = False

    def show(self, answer: Json) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, ("file", *FIELDS), lineterminator="\n")
        if not self._head:
            writer.writeheader()
            self._head = True
        readings = answer["readings"]
        assert isinstance(readings, list)
        writer.writerows({"file": answer["file"], **reading} for reading in readings)
        typer.echo(text.getvalue(), nl=False)


class _Tables:
    def show(self, answer: Json) -> None:
        assumed, readings = answer["assumed"], answer["readings"]
        assert isinstance(assumed, dict)
        assert isinstance(readings, list)
        table = Table("measure", "value", "unit", "interval", "quality", "source", "method", title=str(answer["file"]))
        for reading in readings:
            measure = MEASURES[reading["measure"]]
            value = (
                f"absent: {reading['absent']}"
                if reading["value"] is None
                else _number(reading["value"], measure.decimals)
            )
            interval = (
                ""
                if reading["low"] is None
                else f"{reading['low']:.{measure.decimals}f} .. {reading['high']:.{measure.decimals}f}"
            )
            quality = "" if reading["quality"] is None else f"{reading['quality']:.2f}"
            table.add_row(measure.title, value, measure.unit, interval, quality, reading["source"], reading["method"])
        console = Console()
        console.print(table)
        beats = answer["beats"]
        assert isinstance(beats, list)
        about = [f"{answer['duration']:.0f} s of {answer['kind']}", f"{len(beats)} beats"]
        about += [f"assumed {what} {value}" for what, value in assumed.items()]
        console.print("; ".join(about), markup=False)


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}"
