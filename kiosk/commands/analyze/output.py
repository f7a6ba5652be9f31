"""Answers for programs: one JSON object a line, or one reading a row of CSV."""

import csv
import io
import json
from typing import Protocol

import typer

from kiosk.commands.analyze.job import FIELDS, Answer


class Output(Protocol):
    """Shows answers as they come."""

    def show(self, answer: Answer) -> None:
        """The next one."""
        ...


class Lines:
    """One JSON object a line."""

    def show(self, answer: Answer) -> None:
        """The next line."""
        typer.echo(json.dumps(answer.json, ensure_ascii=False))


class Csv:
    """One reading a row; the head once."""

    def __init__(self) -> None:
        self._head = False

    def show(self, answer: Answer) -> None:
        """The rows of a recording."""
        text = io.StringIO()
        writer = csv.DictWriter(text, ("file", *FIELDS), lineterminator="\n")
        if not self._head:
            writer.writeheader()
            self._head = True
        readings = answer.json["readings"]
        assert isinstance(readings, list)
        writer.writerows({"file": answer.json["file"], **reading} for reading in readings)
        typer.echo(text.getvalue(), nl=False)
