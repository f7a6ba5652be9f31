"""Texts for people, in catalogues: one TOML file per language (or a folder of them), the same keys in each."""

import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

from kiosk.errors import KioskError

Words = Mapping[str, str]
"""Texts by dotted key: `check_in.title`."""
SOURCE = "en"
"""The language that every key is written in first; its text stands where another has none."""

COMMA = frozenset(
    {"be", "bg", "cs", "da", "de", "es", "fi", "fr", "it", "kk", "nl", "no", "pl", "pt", "ru", "sv", "tr", "uk"}
)
"""Languages whose decimal sign is a comma."""


class BadWords(KioskError):
    """A catalogue that is no catalogue, or that lacks what another has."""


def read(folder: Traversable) -> Mapping[str, Words]:
    """Catalogues by language: `en.toml`, or the files of `en/`, each of which is a part named for its file."""
    found = _own(folder)
    if SOURCE not in found:
        raise BadWords(f"{folder.name} has no {SOURCE}")
    whole = found[SOURCE]
    for language, words in found.items():
        if stray := sorted(set(words) - set(whole)):
            raise BadWords(f"{folder.name}/{language}: {stray[0]} is not in {SOURCE}")
    return MappingProxyType({language: MappingProxyType({**whole, **found[language]}) for language in sorted(found)})


def missing(folder: Traversable) -> Mapping[str, list[str]]:
    """Keys that a language does not have itself, for the test that holds translators to it."""
    found = _own(folder)
    return {language: sorted(set(found[SOURCE]) - set(words)) for language, words in found.items()}


def _own(folder: Traversable) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for each in folder.iterdir():
        if each.is_dir() and len(each.name) == 2:
            found[each.name] = {}
            for file in each.iterdir():
                if file.name.endswith(".toml"):
                    found[each.name] |= _flat(file, f"{file.name.removesuffix('.toml')}.")
        elif each.name.endswith(".toml") and len(each.name) == len("en.toml"):
            found[each.name.removesuffix(".toml")] = _flat(each, "")
    return found


def preferred(accepted: str, offered: Mapping[str, Words]) -> str:
    """The offered language that a browser's Accept-Language wants most."""
    wanted = []
    for place, part in enumerate(accepted[:500].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), place, name.strip()[:2].lower()))
        except ValueError:
            continue
    return next((name for _, _, name in sorted(wanted) if name in offered), SOURCE)


def number(value: float, decimals: int, language: str) -> str:
    """With the language's decimal sign; a rounded zero has no sign."""
    text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    return text.replace(".", ",") if language in COMMA else text


def _flat(file: Traversable, begin: str) -> dict[str, str]:
    try:
        told = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadWords(f"{file.name}: {error}") from None
    flat: dict[str, str] = {}
    waiting: list[tuple[str, object]] = [(f"{begin}{key}", value) for key, value in told.items()]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{key}.{inner}", each) for inner, each in value.items()]
        elif isinstance(value, str):
            flat[key] = value
        else:
            raise BadWords(f"{file.name}: {key} is no text")
    return flat
