"""Where a visit is: all that is known of it, and what that means at a time. Times are nanoseconds of the boot clock."""

from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import Struct

from kiosk import protocols
from kiosk.messages import SECOND, Results
from kiosk.protocols import Protocol, Step
from kiosk.questionnaires import Questionnaire
from kiosk.questionnaires import listed as questionnaires
from sensors.station.view import SpeechLine

LEAVING = 20.0
"""Seconds that a visitor is asked whether they are still there; WCAG 2.2 (2.2.1) asks for 20 at least."""


class Progress(Struct, frozen=True):
    """Where a visit is. The first screen is a visit of nobody."""

    language: str
    screen: Literal["welcome", "visit", "goodbye"] = "welcome"
    protocol: str = ""
    at: int = 0
    """Which step."""
    since: int = 0
    """When the step was entered, in this life of the process."""
    before: float = 0.0
    """Seconds that it had measured in earlier lives."""
    touched: int = 0
    agreed: tuple[str, ...] = ()
    birth_year: int | None = None
    sex: str | None = None
    item: int = 0
    """Which question."""
    answers: dict[str, int] = {}
    talk: tuple[SpeechLine, ...] = ()
    thinking: bool = False
    spots: dict[str, float] = {}
    complete_at: int | None = None
    """When the last spot value came that the step waited for."""
    ended: bool = False
    """Nothing is measured or said any more; the results are asked for, or there."""
    results: Results | None = None
    late: bool = False
    """They follow: the kiosk is offline, or the analysis takes long."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What the kiosk can measure."""

    signals: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    """Of spot devices."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a visitor may choose and agree to."""

    protocols: tuple[str, ...]
    text: str
    """Version of the consent that is shown, and the language that it is in: not every text is in every language."""
    language: str
    purposes: tuple[str, ...]


def protocol_of(progress: Progress) -> Protocol | None:
    """The visit's protocol, None outside one."""
    return protocols.listed().get(progress.protocol) if progress.screen == "visit" else None


def step_of(progress: Progress) -> Step | None:
    """The visit's step, None outside one."""
    found = protocol_of(progress)
    return found.steps[progress.at] if found is not None else None


def steps(protocol: Protocol, kit: Kit) -> list[Step]:
    """Those that this kiosk has what they need for."""
    return [step for step in protocol.steps if can_hold(step, kit)]


def questionnaire_of(step: Step) -> Questionnaire | None:
    """What a step asks."""
    return questionnaires()[step.questionnaire] if step.questionnaire is not None else None


def left(progress: Progress, now: int) -> float:
    """Seconds that a step of measuring still takes."""
    step = step_of(progress)
    assert step is not None
    return max(0.0, (step.seconds or 0.0) - measured(progress, now))


def measured(progress: Progress, now: int) -> float:
    """Seconds that a step of measuring has taken, without those in which the process was not there."""
    return progress.before + max(0, now - progress.since) / SECOND


def leaving(progress: Progress, now: int) -> int | None:
    """Seconds until the visit is given up, once nobody has touched the screen for long."""
    limit = patience(progress)
    if limit is None:
        return None
    over = (now - progress.touched) / SECOND - limit
    return max(0, int(LEAVING - over + 0.999)) if over >= 0 else None


def is_waiting(progress: Progress) -> bool:
    """Whether results may still come."""
    step = step_of(progress)
    return step is not None and step.kind == "results" and is_open(progress)


def kept(progress: Progress, now: int) -> Progress:
    """The progress as it is kept: with what has been measured until now."""
    step = step_of(progress)
    if step is None or step.kind != "measure":
        return progress
    return changed(progress, before=measured(progress, now), since=now)


def patience(progress: Progress) -> float | None:
    """Seconds without a touch after which the visitor is asked whether they are there; None: they need not touch."""
    protocol, step = protocol_of(progress), step_of(progress)
    if protocol is None or step is None or step.kind == "measure" or progress.thinking:
        return None
    if step.kind == "results":
        return None if is_open(progress) else max(0.0, protocol.forget - LEAVING)
    return protocol.idle


def is_open(progress: Progress) -> bool:
    """Whether it is not known yet whether there will be results."""
    return not progress.late and (progress.results is None or progress.results.state == "waiting")


def can_hold(step: Step, kit: Kit) -> bool:
    """Whether the kiosk has what a step needs."""
    if step.kind == "spot":
        return bool(kit.measures.intersection(step.needs))
    if step.kind == "measure" and not step.needs:
        return bool(kit.signals)
    return not step.needs or bool(kit.signals.intersection(step.needs))


def changed(progress: Progress, **changes: object) -> Progress:
    """The progress with other values."""
    return msgspec.structs.replace(progress, **changes)
