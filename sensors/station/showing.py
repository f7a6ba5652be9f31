"""What is to be seen: the view of the moment, from where the visit is and what its devices say."""

from math import ceil
from typing import cast

import segno
from msgspec.structs import replace

from kiosk import protocols
from kiosk.assistant import Facts
from kiosk.assistant.rules import warning
from kiosk.messages import SECOND, Results
from kiosk.protocols import Step, said
from kiosk.visitor import WORDS
from kiosk.visitor.tiles import Reader, tiles
from kiosk.wording import SOURCE
from sensors.station import view
from sensors.station.progress import Progress, leaving, left, protocol_of, questionnaire_of, step_of, steps
from sensors.station.reception import Reception

QUIET_ZONE = 4
"""Modules around a QR code (ISO/IEC 18004)."""


def view_of(reception: Reception) -> view.View:
    """All that is to be seen now."""
    progress, now = reception.progress, reception.clock.now()
    step, protocol = step_of(progress), protocol_of(progress)
    visiting = reception.sensors.visit
    shown = view.View(
        screen=_screen(progress, step),
        language=progress.language,
        simulated=visiting.simulated if visiting is not None else reception.simulated,
        online=reception.online,
        clinic=reception.clinic.setup.clinic,
        leaving=leaving(progress, now),
        trouble=_trouble(reception),
    )
    if step is None or protocol is None:
        return _outside(shown, reception)
    held = steps(protocol, reception.kit) if reception.record.session else list(protocol.steps)
    place = held.index(step) + 1 if step in held else 0
    return replace(_ADD[step.kind](shown, reception, step), step=place, steps=len(held))


def _screen(progress: Progress, step: Step | None) -> view.Screen:
    return cast(view.Screen, step.kind if step is not None else progress.screen)


def _trouble(reception: Reception) -> str:
    if reception.sensors.is_stuck:
        return "disk_full"
    return "" if reception.sensors.has_devices else "no_devices"


def _outside(shown: view.View, reception: Reception) -> view.View:
    """Nobody's visit: the first screen, the last words, or a session that was started from the clinic."""
    if shown.screen != "welcome":
        return shown
    if reception.is_commanded:
        measuring = view.Measuring("rest", "", 0.0, 0.0, _rounded(reception))
        return replace(shown, screen="measure", measuring=measuring, contacts=reception.live.troubles())
    if shown.trouble:
        return replace(shown, screen="trouble")
    known = protocols.listed()
    offers = tuple(
        view.Offer(
            each, said(known[each].title, shown.language), said(known[each].about, shown.language), known[each].minutes
        )
        for each in reception.clinic.protocols()
    )
    return replace(shown, offers=offers)


def _consent(shown: view.View, reception: Reception, step: Step) -> view.View:
    progress = reception.progress
    text = reception.clinic.text(progress.language)
    purposes = reception.clinic.offered(progress.language, progress.protocol).purposes
    return replace(shown, consent=view.Consent(text.version, text.text, purposes))


def _check_in(shown: view.View, reception: Reception, step: Step) -> view.View:
    return replace(shown, code=reception.codes.found)


def _position(shown: view.View, reception: Reception, step: Step) -> view.View:
    found = reception.live.guidance
    if found is None:
        return shown
    numbers = (None if each is None else round(each, 2) for each in (found.x, found.y, found.size))
    return replace(shown, position=view.Position(found.advice, round(found.near, 2), *numbers))


def _electrodes(shown: view.View, reception: Reception, step: Step) -> view.View:
    return replace(shown, contacts=reception.live.contacts(step.needs))


def _measure(shown: view.View, reception: Reception, step: Step) -> view.View:
    rest = left(reception.progress, reception.clock.now())
    words = said(step.say, shown.language) if step.say is not None else ""
    # twice a second: the page's own clock turns the ring in between
    measuring = view.Measuring(
        step.mark or step.id, words, step.seconds or 0.0, ceil(2 * rest) / 2, _rounded(reception)
    )
    return replace(shown, measuring=measuring, contacts=reception.live.troubles())


def _rounded(reception: Reception) -> dict[str, float]:
    return {measure: round(value, 1) for measure, value in reception.clinic.rates().items()}


def _spot(shown: view.View, reception: Reception, step: Step) -> view.View:
    there = reception.kit.measures
    spots = (view.Spot(each, reception.progress.spots.get(each)) for each in step.needs if each in there)
    return replace(shown, spots=tuple(spots))


def _questionnaire(shown: view.View, reception: Reception, step: Step) -> view.View:
    asked, progress = questionnaire_of(step), reception.progress
    assert asked is not None
    item = asked.items[progress.item]
    translation = _said(asked.translation, shown.language)
    question = view.Question(
        title=_said(asked.title, shown.language),
        instruction=_said(asked.instruction, shown.language),
        item=item.id,
        text=_said(item.text, shown.language),
        options=tuple(view.Option(each.value, _said(each.text, shown.language)) for each in asked.options(item)),
        number=progress.item + 1,
        count=len(asked.items),
        chosen=progress.answers.get(item.id),
        note="" if translation == "original" else translation,
    )
    return replace(shown, question=question)


def _said(words: object, language: str) -> str:
    """A questionnaire's text: it has those languages in which it was translated."""
    return str(getattr(words, language, None) or getattr(words, SOURCE))


def _conversation(shown: view.View, reception: Reception, step: Step) -> view.View:
    return replace(shown, talk=reception.progress.talk, thinking=reception.progress.thinking)


def _results(shown: view.View, reception: Reception, step: Step) -> view.View:
    progress = reception.progress
    told = progress.results
    if told is None or told.state == "waiting":
        outcome = view.Outcome("follow" if progress.late or not reception.online else "working")
    elif told.state == "refused":
        outcome = view.Outcome("refused")
    else:
        outcome = _outcome(told, progress, reception.clock.utc(), reception.emergency)
    return replace(_conversation(shown, reception, step), outcome=outcome)


def _outcome(told: Results, progress: Progress, utc: int, emergency: str) -> view.Outcome:
    language = progress.language if progress.language in WORDS else SOURCE
    year = 1970 + utc // (365.2425 * 86_400 * SECOND)
    age = float(year - progress.birth_year) if progress.birth_year is not None else None
    reader = Reader(WORDS[language], language, age, progress.sex)
    path, size = qr(told.link) if told.link is not None else (None, None)
    minutes = None if told.link_until is None else max(0, (told.link_until - utc) // (60 * SECOND))
    said = warning(Facts(told.values), language, emergency)
    return view.Outcome("ready", tiles(told.values, reader), told.code, told.link, path, size, minutes, said)


def qr(text: str) -> tuple[str, int]:
    """A text as the path of its QR code, and the number of modules of a side with the quiet zone."""
    rows = segno.make(text, error="m", micro=False).matrix
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            dark = x
            while dark < len(row) and row[dark]:
                dark += 1
            if dark > x:
                parts.append(f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h{dark - x}v1h-{dark - x}z")
            x = dark + 1
    return "".join(parts), len(rows) + 2 * QUIET_ZONE


_ADD = {
    "consent": _consent,
    "check_in": _check_in,
    "position": _position,
    "electrodes": _electrodes,
    "measure": _measure,
    "spot": _spot,
    "questionnaire": _questionnaire,
    "conversation": _conversation,
    "results": _results,
}
