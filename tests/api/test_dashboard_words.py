"""What the pages say: every word in every language, none left in a template or a script."""

import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from api.dashboard import assets, languages, rendering, words
from api.dashboard.sections import SECTIONS, home_of, sections_of
from api.dashboard.tasks import tasks_of
from api.security import Identity, Role
from kiosk import wording
from kiosk.measures import MEASURES, Reason
from kiosk.signals import SIGNALS

TEMPLATES = sorted((Path(rendering.__file__).parent / "templates").glob("*.html"))
SCRIPTS = sorted((assets.FOLDER / "js").rglob("*.js"))
OTHERS = frozenset(languages.CATALOGUES) - {wording.SOURCE}
KEY = re.compile(r"""(?<![\w.])(?:t|plural|has)\(\s*["'`]([a-z_]+(?:\.[\w-]+)+)["'`]""")
"""A key that is written out; those that are put together are tried by the pages' own tests."""
SAME = {
    "OK",
    "PDF",
    "FHIR",
    "RMSSD",
    "SDNN",
    "ECG",
    "EEG",
    "PPG",
    "Hz",
    "ms",
    "mm/s",
    "UTC",
    "kiosk",
    "/min",
    "health-kiosk",
}
"""What needs no translation where it stands."""


def test_no_language_lacks_a_text() -> None:
    lacking = wording.missing(files("api.dashboard") / "languages")
    assert not {language: keys for language, keys in lacking.items() if keys}


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=lambda path: path.name)
def test_every_key_that_is_used_is_there(path: Path) -> None:
    known = languages.CATALOGUES[wording.SOURCE]
    used = KEY.findall(path.read_text("utf-8"))
    absent = [key for key in used if key not in known and f"{key}.one" not in known]
    assert not absent


def test_texts_of_a_key_take_the_same_values() -> None:
    value = re.compile(r"\{(\w+)\}")
    for key, text in languages.CATALOGUES[wording.SOURCE].items():
        for language in OTHERS:
            other = languages.CATALOGUES[language][key]
            assert set(value.findall(text)) == set(value.findall(other)), f"{language}: {key}"


class _Bare(HTMLParser):
    """Words that stand in a template as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.command = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.command = tag == "code"
        told = {"title", "alt", "placeholder", "aria-label", "label"}
        self.found += [value for name, value in attributes if name in told and value]

    def handle_endtag(self, tag: str) -> None:
        self.command = False

    def handle_data(self, data: str) -> None:
        # a command is typed as it is, in every language
        if not self.command:
            self.found.append(data)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_says_anything_itself(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
    reader = _Bare()
    reader.feed(text)
    said = {word for piece in reader.found for word in re.findall(r"[^\W\d_][\w/'’-]+", piece)}
    assert not said - SAME


@pytest.mark.parametrize("language", sorted(OTHERS))
def test_measures_signals_and_reasons_are_said_in_every_language(language: str) -> None:
    for name in get_args(Reason):
        assert words.reason(name, language) != words.reason(name, wording.SOURCE)
    told = words._TITLES[language]
    assert set(told["measure"]) <= set(MEASURES)
    assert set(told["signal"]) == {signal.name for signal in SIGNALS.values() if signal.leaves}
    assert not [m.unit for m in MEASURES.values() if f"words.unit.{m.unit}" not in languages.CATALOGUES[language]]


@pytest.mark.parametrize(
    ("n", "said"), [(1, "1 год"), (2, "2 года"), (5, "5 лет"), (11, "11 лет"), (21, "21 год"), (112, "112 лет")]
)
def test_russian_counts_as_russians_do(n: int, said: str) -> None:
    token = languages._now.set("ru")
    try:
        assert languages.plural("frame.years", n) == said
    finally:
        languages._now.reset(token)


@pytest.mark.parametrize("role", Role)
def test_every_role_is_led_where_it_may_go_and_has_its_tasks_in_words(role: Role) -> None:
    who = Identity("u", role, "main", "cookie")
    home = home_of(who)
    assert home == "/account" or home in {section.address for section in sections_of(who)}
    for section in sections_of(who):
        assert f"frame.section.{section.name}" in languages.CATALOGUES[wording.SOURCE]
    for task in tasks_of(role):
        assert languages.t(f"account.task.{task.name}")
        assert not task.address or languages.t(f"account.task.{task.name}_link")
    if role in (Role.CLINICIAN, Role.INTEGRATOR):
        assert home == "/worklist"


def test_keys_that_lead_to_sections_differ() -> None:
    assert len({section.key for section in SECTIONS}) == len(SECTIONS)
