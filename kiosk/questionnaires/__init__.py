"""Questionnaires: their words in two languages, how they are scored, what was published about their scores.

One TOML file each. A changed word is another version, and old answers keep theirs. Screening, never a diagnosis.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

import msgspec

from kiosk.errors import KioskError

Language = Literal["en", "ru"]


class BadAnswers(KioskError):
    """Answers that the questionnaire does not offer; `item` is the one to blame."""

    def __init__(self, item: str, why: str) -> None:
        super().__init__(f"{item}: {why}")
        self.item = item
        self.why = why


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in the languages that we have."""

    en: str
    ru: str


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer that may be given, by its value."""

    value: int
    text: Words


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options that items share."""

    name: str
    options: tuple[Option, ...]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question."""

    id: str
    text: Words
    scale: str
    reverse: bool = False
    """What is most counts least."""


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of scores that somebody published a meaning for."""

    low: float
    high: float
    text: Words
    citation: str


class Urgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item that must not wait for anybody to look at a score."""

    item: str
    above: int
    rule: str
    """What an alert's rule calls it."""


class Questionnaire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One questionnaire of one version."""

    id: str
    version: str
    measure: str
    """Its score in the catalogue of measures."""
    title: Words
    instruction: Words
    translation: Words
    """Where each language's words are from: "original", or "ours, not validated"."""
    source: str
    """Author, year, DOI."""
    licence: str
    low: float
    high: float
    rule: Literal["sum", "mean"]
    scales: tuple[Scale, ...]
    items: tuple[Item, ...]
    factor: float = 1.0
    """By which the sum, or mean, is multiplied."""
    bands: tuple[Band, ...] = ()
    urgent: Urgent | None = None

    def options(self, item: Item) -> tuple[Option, ...]:
        """What may be answered to an item."""
        return next(scale.options for scale in self.scales if scale.name == item.scale)

    def check(self, answers: Mapping[str, int]) -> None:
        """Raise BadAnswers for an item that is not here, or a value that it does not offer."""
        items = {item.id: item for item in self.items}
        for name, value in answers.items():
            if name not in items:
                raise BadAnswers(name, "there is no such item")
            offered = [option.value for option in self.options(items[name])]
            if value not in offered:
                raise BadAnswers(name, f"one of {', '.join(map(str, offered))}")

    def score(self, answers: Mapping[str, int]) -> float | None:
        """The score of complete answers; None where one is missing: nobody fills in what was not said."""
        self.check(answers)
        if any(item.id not in answers for item in self.items):
            return None
        values = [self._counted(item, answers[item.id]) for item in self.items]
        total = sum(values) / (len(values) if self.rule == "mean" else 1)
        return self.factor * total

    def band(self, score: float) -> Band | None:
        """What was published about such a score: the highest range that it is in."""
        fitting = [band for band in self.bands if band.low <= score <= band.high]
        return max(fitting, key=lambda band: band.low, default=None)

    def is_urgent(self, answers: Mapping[str, int]) -> bool:
        """Whether an answer must not wait, complete or not."""
        return self.urgent is not None and answers.get(self.urgent.item, 0) > self.urgent.above

    def _counted(self, item: Item, value: int) -> int:
        offered = [option.value for option in self.options(item)]
        return min(offered) + max(offered) - value if item.reverse else value


@cache
def listed() -> Mapping[str, Questionnaire]:
    """Every questionnaire by its id."""
    folder = resources.files("kiosk.questionnaires")
    files = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    read = (msgspec.convert(tomllib.loads(each.read_text("utf-8")), Questionnaire) for each in files)
    return MappingProxyType({each.id: each for each in read})
