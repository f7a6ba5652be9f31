"""What somebody wants to know, from the words that they used: stems of the catalogue, no network, no guess."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from kiosk import wording

WORDS = wording.read(files("kiosk.assistant"))
"""What the assistant says, and by what it understands."""
_UNDERSTAND, _MEASURE, _FEELING = "understand.", "understand_measure.", "understand_feeling."
MOST = 500
"""Letters of a line that are looked at."""


def intents(text: str, language: str) -> tuple[str, ...]:
    """What is meant, in the order of the catalogue's importance; empty where nothing is understood."""
    return _found(text, language, _UNDERSTAND)


def measures(text: str, language: str) -> tuple[str, ...]:
    """Measures that are named, in the order in which they are."""
    return _found(text, language, _MEASURE, by_place=True)


def feelings(text: str, language: str) -> tuple[str, ...]:
    """Feelings that are named, and not denied."""
    return _found(text, language, _FEELING, denied=True)


def _found(text: str, language: str, begin: str, *, by_place: bool = False, denied: bool = False) -> tuple[str, ...]:
    plain = normal(text)
    places: dict[str, int] = {}
    for name, pattern in _patterns(language, begin).items():
        for hit in pattern.finditer(plain):
            if denied and _denied(plain[: hit.start()], language):
                continue
            places[name] = hit.start()
            break
    return tuple(sorted(places, key=places.__getitem__) if by_place else places)


def normal(text: str, most: int = MOST) -> str:
    """Lower case, one kind of blank, apostrophe and е, no invisible letters."""
    told = unicodedata.normalize("NFKC", text[:most]).lower().replace("ё", "е").replace("’", "'")
    told = "".join(letter for letter in told if unicodedata.category(letter) not in ("Cf", "Cc") or letter.isspace())
    return re.sub(r"\s+", " ", told).strip()


def _denied(before: str, language: str) -> bool:
    """Whether what comes is denied: `I am not sad`."""
    last = before.split()[-3:]
    return bool(set(last) & set(_told(language)["understand_not"].split("|")))


def _told(language: str) -> wording.Words:
    return WORDS.get(language, WORDS[wording.SOURCE])


@cache
def _patterns(language: str, begin: str) -> Mapping[str, re.Pattern[str]]:
    """Stems begin a word; a stem that ends in `.` is a whole word."""
    found = {}
    for key, stems in _told(language).items():
        if key.startswith(begin):
            parts = [_stem(stem) for stem in stems.split("|")]
            found[key.removeprefix(begin)] = re.compile(rf"(?<!\w)(?:{'|'.join(parts)})")
    return found


def _stem(stem: str) -> str:
    return re.escape(normal(stem.removesuffix("."))) + (r"(?!\w)" if stem.endswith(".") else "")
