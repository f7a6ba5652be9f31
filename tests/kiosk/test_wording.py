"""Catalogues of texts: whole in every language, flat by dotted keys, refused where they are none."""

from importlib.resources import files
from pathlib import Path

import pytest

from kiosk import wording
from kiosk.wording import BadWords

CATALOGUES = ("kiosk.visitor", "kiosk.assistant")


@pytest.mark.parametrize("package", CATALOGUES)
def test_every_language_says_everything(package: str) -> None:
    assert set(wording.missing(files(package))) >= {"en", "ru"}
    assert not any(wording.missing(files(package)).values())


@pytest.mark.parametrize("package", CATALOGUES)
def test_every_language_puts_the_same_values_into_a_text(package: str) -> None:
    def places(text: str) -> set[str]:
        return {part.partition("}")[0] for part in text.split("{")[1:]}

    catalogues = wording.read(files(package))
    for key, text in catalogues["en"].items():
        for language, words in catalogues.items():
            assert places(words[key]) == places(text), (language, key)


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_a_catalogue_is_a_file_or_a_folder_of_parts(tmp_path: Path) -> None:
    one = wording.read(write(tmp_path / "one", en='a = "x"\n[b.c]\nd = "y"'))
    assert one["en"] == {"a": "x", "b.c.d": "y"}
    two = wording.read(write(tmp_path / "two", en__p='a = "x"', en__q='a = "y"', ru__p='a = "з"'))
    assert two["en"] == {"p.a": "x", "q.a": "y"}
    assert two["ru"] == {"p.a": "з", "q.a": "y"}


def test_where_a_language_lacks_a_text_the_english_one_stands(tmp_path: Path) -> None:
    folder = write(tmp_path, en='a = "x"\nb = "y"', ru='a = "з"')
    assert wording.read(folder)["ru"] == {"a": "з", "b": "y"}
    assert wording.missing(folder) == {"en": [], "ru": ["b"]}


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ({"ru": 'a = "x"'}, "has no en"),
        ({"en": 'a = "x"', "ru": 'b = "x"'}, "b is not in en"),
        ({"en": "a = 3"}, "a is no text"),
        ({"en": "a = "}, "en.toml"),
    ],
    ids=["no English", "stray", "no text", "no TOML"],
)
def test_what_is_no_catalogue_is_refused(tmp_path: Path, texts: dict[str, str], why: str) -> None:
    with pytest.raises(BadWords, match=why):
        wording.read(write(tmp_path, **texts))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"), ("ru", "ru"), ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de-DE,de;q=0.9,ru;q=0.7,en;q=0.8", "en"),
        ("fr", "en"), ("ru;q=x,en;q=0.1", "en"), (";;;,,=q", "en"), ("en;q=0.1,ru;q=0.2", "ru"),
    ],
)  # fmt: skip
def test_a_browser_gets_the_language_that_it_wants_most(accepted: str, language: str) -> None:
    assert wording.preferred(accepted, {"en": {}, "ru": {}}) == language


@pytest.mark.parametrize(
    ("value", "decimals", "language", "text"),
    [
        (1.26, 1, "en", "1.3"),
        (1.36, 1, "ru", "1,4"),
        (-0.04, 1, "en", "0.0"),
        (72.4, 0, "ru", "72"),
        (1e3, 1, "ru", "1000,0"),
    ],
)
def test_numbers_have_the_languages_sign(value: float, decimals: int, language: str, text: str) -> None:
    assert wording.number(value, decimals, language) == text
