"""The languages that notes are written in: each is written from the same findings, none is translated from another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ru"]


@dataclass(frozen=True, slots=True)
class Note:
    """One note in every language."""

    en: str = ""
    ru: str = ""

    def text(self, language: Language) -> str:
        """The note in this language."""
        return self.ru if language == "ru" else self.en


def listed(words: Sequence[str], language: Language) -> str:
    """`a, b and c`."""
    last = " и " if language == "ru" else " and "
    return last.join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def capital(text: str) -> str:
    """With a capital first letter, the others as they are."""
    return text[:1].upper() + text[1:]
