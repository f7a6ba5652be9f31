"""Visits as data: which steps, how long, with which devices and questionnaires. One TOML file each.

A changed visit is another version. What a step is, the station knows (`sensors/station`); what it says, the visitor's
catalogue (`kiosk/visitor`).
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from kiosk.errors import KioskError
from kiosk.questionnaires import listed as questionnaires
from kiosk.signals import SIGNALS

Kind = Literal[
    "consent", "check_in", "position", "electrodes", "measure", "spot", "questionnaire", "conversation", "results"
]


Texts = dict[str, str]
"""By language. English must be there, and stands in for others."""


def said(texts: Texts, language: str) -> str:
    """The text in a language."""
    return texts.get(language, texts["en"])


class BadProtocol(KioskError):
    """A visit that cannot be held as it is written."""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a visit. It is left out where the kiosk has nothing that it needs."""

    id: str
    kind: Kind
    needs: tuple[str, ...] = ()
    """Signals of which one at least must be there; of a `spot` step, measures."""
    seconds: Annotated[float, Meta(gt=0, le=3600)] | None = None
    """How long it measures."""
    mark: str | None = None
    """The event that stands in the recording at its beginning; `rest` where nothing is asked of the visitor."""
    say: Texts | None = None
    """What the visitor is asked to do, where the catalogue's words for the kind do not say it."""
    questionnaire: str | None = None


class Protocol(Struct, frozen=True, forbid_unknown_fields=True):
    """One visit of one version."""

    id: str
    version: str
    minutes: float
    """About, as the visitor is told."""
    title: Texts
    about: Texts
    """What is measured and why, in a sentence or two."""
    steps: tuple[Step, ...]
    idle: float = 90.0
    """Seconds without a touch after which the visitor is asked whether they are still there."""
    forget: float = 120.0
    """Seconds after which the results leave the screen."""


def read(text: str) -> Protocol:
    """A protocol from TOML, or BadProtocol with what is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(text), Protocol)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadProtocol(str(error)) from None
    texts = [found.title, found.about, *(step.say for step in found.steps if step.say is not None)]
    if any("en" not in each for each in texts):
        raise BadProtocol("a text is not there in English")
    kinds = [step.kind for step in found.steps]
    if len({step.id for step in found.steps}) != len(found.steps):
        raise BadProtocol("two steps have one id")
    if kinds[:1] != ["consent"] or kinds[-1:] != ["results"] or kinds.count("consent") + kinds.count("results") != 2:
        raise BadProtocol("a visit begins with consent and ends with results, and has each once")
    # while a visitor checks in, the devices start: only then is it known which steps can be held
    if kinds[1] != "check_in" or kinds.count("check_in") != 1:
        raise BadProtocol("a visitor checks in after the consent, and once")
    for step in found.steps:
        if (step.kind == "measure") != (step.seconds is not None):
            raise BadProtocol(f"{step.id}: seconds belong to a measurement, and a measurement has them")
        if (step.kind == "questionnaire") != (step.questionnaire is not None):
            raise BadProtocol(f"{step.id}: a questionnaire has a name")
        if step.questionnaire is not None and step.questionnaire not in questionnaires():
            raise BadProtocol(f"{step.id}: there is no questionnaire {step.questionnaire}")
        if step.kind != "spot" and (stray := [each for each in step.needs if each not in SIGNALS]):
            raise BadProtocol(f"{step.id}: there is no signal {stray[0]}")
    return found


@cache
def listed() -> Mapping[str, Protocol]:
    """Every visit by its id, the shortest first."""
    folder = resources.files("kiosk.protocols")
    read_all = [read(each.read_text("utf-8")) for each in folder.iterdir() if each.name.endswith(".toml")]
    return MappingProxyType({each.id: each for each in sorted(read_all, key=lambda each: (each.minutes, each.id))})
