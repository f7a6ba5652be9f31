"""A visit as a state machine: what a touch, the time, or a result make of it, and what is to be done about that.

Nothing here waits, stores or speaks. `Progress` is all that is known; it is kept at each change of step, and after a
restart the visit goes on where it was. Times are nanoseconds of the boot clock and are handed in.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from kiosk.messages import SECOND, Agreed, Answered, Chosen, Person, Results, Said
from kiosk.protocols import Step
from sensors.station.effects import Effect, End, Forget, Note, Reply, Start, Tell, Told
from sensors.station.progress import (
    LEAVING,
    Kit,
    Offered,
    Progress,
    can_hold,
    changed,
    is_open,
    is_waiting,
    left,
    patience,
    protocol_of,
    questionnaire_of,
    step_of,
)
from sensors.station.view import Act, Agree, Answer, Begin, CheckIn, Do, Say, Speak, SpeechLine

MEASURE, STORE, TALK = "measure", "store", "talk"
"""Purposes of consent that the visit itself goes by."""
GOODBYE = 8.0
"""Seconds that the last words stay."""
RESULTS_WITHIN = 90.0
"""Seconds after which results follow later: a session of five minutes is analysed in some ten."""
SEEN = 4.0
"""Seconds for which the last value of a spot device is shown before the visit goes on."""
MOST_LINES = 60
"""Of a talk at one kiosk; then it listens no more."""
LONGEST_LINE = 4000


class Change(NamedTuple):
    """What a visit has become, and what is to be done, in this order."""

    progress: Progress
    effects: tuple[Effect, ...] = ()


def acted(progress: Progress, act: Act, now: int, kit: Kit, offered: Offered) -> Change:
    """What a touch makes of it. What does not belong to the screen changes nothing but that somebody is there."""
    touched = changed(progress, touched=now)
    if isinstance(act, Speak):
        return Change(changed(touched, language=act.language))
    if isinstance(act, Begin):
        if progress.screen == "visit" or act.protocol not in offered.protocols:
            return Change(touched)
        return Change(Progress(act.language, "visit", act.protocol, since=now, touched=now))
    step = step_of(touched)
    if step is None:
        return Change(Progress(touched.language, touched=now) if progress.screen == "goodbye" else touched)
    if isinstance(act, Do) and act.what == "leave":
        return _over(touched, now)
    if isinstance(act, Say):
        return _talked(touched, step, act.text)
    answer = _ANSWERS.get(step.kind)
    return Change(touched) if answer is None else answer(touched, step, act, now, kit, offered)


def passed(progress: Progress, now: int, kit: Kit) -> Change:
    """What the time makes of it."""
    if progress.screen == "goodbye":
        return Change(Progress(progress.language) if now - progress.since >= GOODBYE * SECOND else progress)
    if progress.screen == "welcome":
        return Change(progress)
    limit = patience(progress)
    if limit is not None and now - progress.touched >= (limit + LEAVING) * SECOND:
        return _over(progress, now)
    step = step_of(progress)
    assert step is not None
    if step.kind == "measure" and left(progress, now) <= 0:
        return _next(progress, step, now, kit)
    if is_waiting(progress) and now - progress.since >= RESULTS_WITHIN * SECOND:
        return Change(changed(progress, late=True, touched=now))
    if step.kind == "spot" and progress.complete_at is not None and now - progress.complete_at >= SEEN * SECOND:
        return _next(progress, step, now, kit)
    return Change(progress)


def results(progress: Progress, told: Results, now: int) -> Change:
    """The clinic answers."""
    step = step_of(progress)
    if step is None or step.kind != "results":
        return Change(progress)
    if told.state == "waiting" or not is_open(progress):
        return Change(progress)
    # their time begins when they are there
    return Change(changed(progress, results=told, touched=now))


def spot(progress: Progress, measure: str, value: float | None, now: int, kit: Kit) -> Change:
    """A spot device says a number."""
    if progress.screen != "visit" or progress.ended or value is None:
        return Change(progress)
    return Change(_waited(changed(progress, spots={**progress.spots, measure: value}), now, kit))


def spoken(progress: Progress, piece: str, *, done: bool) -> Change:
    """The assistant says a piece of its answer. When it is done, the line is one of the record."""
    step = step_of(progress)
    if step is None or not progress.thinking:
        return Change(progress)
    talk = progress.talk
    if talk and talk[-1].who == "assistant":
        talk = (*talk[:-1], SpeechLine("assistant", (talk[-1].text + piece)[:LONGEST_LINE]))
    elif piece:
        talk = (*talk, SpeechLine("assistant", piece[:LONGEST_LINE]))
    after = changed(progress, talk=talk, thinking=not done)
    if not done or not talk or talk[-1].who != "assistant":
        return Change(after)
    return Change(after, _said(after, "assistant", talk[-1].text))


def stopped(progress: Progress, now: int) -> Change:
    """The session was ended by somebody else: staff, or a start of another one."""
    if progress.screen != "visit" or progress.ended or not progress.agreed:
        return Change(progress)
    return Change(_goodbye(progress, now), (Forget(),))


def resumed(progress: Progress, now: int, *, going: bool) -> Change:
    """The process is there again. `going`: its session goes on; else only results can be waited for."""
    if progress.screen != "visit" or not (going or progress.ended):
        # it was being given up, or too long ago
        return Change(Progress(progress.language), (*((End(),) if going else ()), Forget()))
    again = changed(progress, since=now, touched=now, complete_at=None)
    step = step_of(again)
    if step is None:
        return Change(Progress(progress.language), (Forget(),))
    if progress.ended:
        # the session too, if the crash came before its end
        return Change(again, (End(),))
    if step.kind == "measure":
        return Change(again, _began(step, now))
    if progress.thinking:
        return Change(again, (Reply(),))
    return Change(again)


# --- steps


def _next(progress: Progress, step: Step, now: int, kit: Kit, *effects: Effect) -> Change:
    """Leave a step and enter the next one that can be held."""
    protocol = protocol_of(progress)
    assert protocol is not None
    done = [*effects, *_finished(progress, step, now)]
    at = next(place for place in range(progress.at + 1, len(protocol.steps)) if can_hold(protocol.steps[place], kit))
    entered = changed(
        progress, at=at, since=now, touched=now, before=0.0, item=0, answers={}, complete_at=None, thinking=False
    )
    following = protocol.steps[at]
    if following.kind == "measure":
        done += _began(following, now)
    elif following.kind == "spot":
        entered = _waited(entered, now, kit)
    elif following.kind == "conversation":
        entered = changed(entered, thinking=True)
        done.append(Reply())
    elif following.kind == "results":
        # whatever was talked about stays in the record, and not on the screen
        entered = changed(entered, ended=True, talk=(), spots={})
        done.append(End())
    return Change(entered, tuple(done))


def _waited(progress: Progress, now: int, kit: Kit) -> Progress:
    """With the moment at which everything was there that a spot step waits for."""
    step = step_of(progress)
    if step is None or step.kind != "spot" or progress.complete_at is not None:
        return progress
    there = kit.measures.intersection(step.needs) <= progress.spots.keys()
    return changed(progress, complete_at=now) if there else progress


def _consented(progress: Progress, step: Step, act: Act, now: int, kit: Kit, offered: Offered) -> Change:
    if isinstance(act, Do) and act.what == "refuse":
        return Change(_goodbye(progress, now), (Forget(),))
    if not isinstance(act, Agree):
        return Change(progress)
    if MEASURE not in act.purposes or MEASURE not in offered.purposes:
        return Change(_goodbye(progress, now), (Forget(),))
    protocol = protocol_of(progress)
    assert protocol is not None
    purposes = tuple(each for each in offered.purposes if each in act.purposes)
    agreed = changed(progress, agreed=purposes)
    said = (
        Start(),
        Tell(Chosen(protocol.id, protocol.version, progress.language)),
        Tell(Agreed(purposes, offered.text, offered.language)),
    )
    return _next(agreed, step, now, kit, *said)


def _checked_in(progress: Progress, step: Step, act: Act, now: int, kit: Kit, offered: Offered) -> Change:
    if isinstance(act, Do):
        return _next(progress, step, now, kit) if act.what == "next" else Change(progress)
    if not isinstance(act, CheckIn):
        return Change(progress)
    # who they are serves what is stored alone
    named = STORE in progress.agreed
    person = Person(
        code=act.code if named else None,
        given=act.given if named else None,
        family=act.family if named else None,
        birth_year=act.birth_year,
        sex=act.sex,
    )
    told: list[Effect] = [] if person == Person() else [Tell(person)]
    told += [Told(measure, value) for measure, value in (("height", act.height), ("weight", act.weight)) if value]
    return _next(changed(progress, birth_year=act.birth_year, sex=act.sex), step, now, kit, *told)


def _went_on(progress: Progress, step: Step, act: Act, now: int, kit: Kit, offered: Offered) -> Change:
    return _next(progress, step, now, kit) if isinstance(act, Do) and act.what == "next" else Change(progress)


def _answered(progress: Progress, step: Step, act: Act, now: int, kit: Kit, offered: Offered) -> Change:
    asked = questionnaire_of(step)
    assert asked is not None
    item, answers, place = asked.items[progress.item], progress.answers, progress.item
    if isinstance(act, Do) and act.what == "back":
        return Change(changed(progress, item=max(0, place - 1)))
    if isinstance(act, Answer):
        # a touch of the question before, that came late, is no answer to this one
        if act.item != item.id or act.value not in [option.value for option in asked.options(item)]:
            return Change(progress)
        answers = {**answers, item.id: act.value}
    elif isinstance(act, Do) and act.what == "next":
        answers = {name: value for name, value in answers.items() if name != item.id}
    else:
        return Change(progress)
    after = changed(progress, answers=answers)
    if place + 1 < len(asked.items):
        return Change(changed(after, item=place + 1))
    return _next(after, step, now, kit)


_ANSWERS: Mapping[str, Callable[[Progress, Step, Act, int, Kit, Offered], Change]] = MappingProxyType(
    {
        "consent": _consented,
        "check_in": _checked_in,
        "position": _went_on,
        "electrodes": _went_on,
        "spot": _went_on,
        "questionnaire": _answered,
        "conversation": _went_on,
    }
)


def _talked(progress: Progress, step: Step, text: str) -> Change:
    """The visitor says something to the assistant: in the talk, or about the results."""
    text = "".join(each for each in text if each.isprintable() or each == "\n")
    listens = step.kind == "conversation" or (step.kind == "results" and not is_waiting(progress))
    if not listens or progress.thinking or len(progress.talk) >= MOST_LINES or not text.strip():
        return Change(progress)
    after = changed(progress, talk=(*progress.talk, SpeechLine("visitor", text)), thinking=True)
    return Change(after, (*_said(after, "visitor", text), Reply()))


def _said(progress: Progress, who: Literal["visitor", "assistant"], text: str) -> tuple[Effect, ...]:
    """A line of the record, where the visitor agreed to that and the session goes on."""
    if TALK not in progress.agreed or progress.ended or not text.strip():
        return ()
    return (Tell(Said(who, progress.language, text[:LONGEST_LINE])),)


def _began(step: Step, now: int) -> tuple[Effect, ...]:
    mark = (Note(step.mark, now),) if step.mark else ()
    return (*mark, Note("step_began", now, step.id))


def _finished(progress: Progress, step: Step, now: int) -> tuple[Effect, ...]:
    """What a step leaves behind. Its marks end just before the next one's begin, so that neither contradicts."""
    if step.kind == "measure":
        end = now - 1000
        mark = (Note(f"{step.mark}_end", end),) if step.mark else ()
        return (Note("step_ended", end, step.id), *mark)
    asked = questionnaire_of(step)
    if asked is not None and progress.answers:
        return (Tell(Answered(asked.id, asked.version, progress.language, dict(progress.answers))),)
    return ()


def _over(progress: Progress, now: int) -> Change:
    """The visit is given up, or done: nothing stays on the screen."""
    going = bool(progress.agreed) and not progress.ended
    step = step_of(progress)
    marks: tuple[Effect, ...] = ()
    if going and step is not None and step.kind == "measure":
        marks = _finished(progress, step, now)
    return Change(_goodbye(progress, now), (*marks, *((End(),) if going else ()), Forget()))


def _goodbye(progress: Progress, now: int) -> Progress:
    return Progress(progress.language, "goodbye", since=now, touched=now)
