"""Visits with all their signals: through the real recorder and the real closing, then dated back to when they were."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from analytics.session import session as analysis
from api.closing import Closer, analysis_process
from api.demo import course
from api.demo.calendar import Visit, visits
from api.demo.care import CLINICIAN
from api.demo.people import Member, identifier
from api.demo.writing import Plan, asked, condition_of, write_answers
from api.recorder import Recorder
from api.store import Database, corrections, demonstration, sessions
from api.tables import CorrectionRow
from kiosk import questionnaires
from kiosk.bus import Delivery
from kiosk.commands.demo.signals import EVERYTHING, Signal, chunks, person_of, tracks
from kiosk.messages import (
    EVENTS,
    READINGS,
    SECOND,
    SESSION,
    End,
    Event,
    Lost,
    Message,
    Origin,
    Reading,
    Session,
    Stream,
    address,
    encode,
)
from kiosk.models import FOLDER
from kiosk.recording import Track
from kiosk.settings import Settings
from sensors.drivers.simulated.person import Person

RUN = "demo"
BATCH = 500
"""Messages of one commit."""
HEART: tuple[Signal, ...] = ("ecg", "ppg", "respiration", "camera", "voice")
DAY_RATE = 125.0
"""Hertz of the ECG of a day and a night."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A visit that is worth to be seen in full."""

    title: str
    member: int
    back: int = 0
    """How many of their visits lie after it."""
    seconds: float = 180.0
    signals: tuple[Signal, ...] = HEART
    change: Callable[[Person], Person] = field(default=lambda person: person)
    spoil: Callable[[list[Track]], list[Track]] = field(default=lambda found: found)
    marks: tuple[tuple[float, str], ...] = ((0.0, "rest"),)
    correct: int = 0
    """Beats that a clinician takes away and sets."""


def _eyes(person: Person) -> Person:
    return replace(person, eyes_closed=((60.0, 120.0), (180.0, 240.0)))


def _premature(person: Person) -> Person:
    return replace(person, ectopic_rate=5.0)


def _restless(person: Person) -> Person:
    return replace(person, motion_rate=2.0, talking=0.3, turn_rate=2.0)


def _gap_and_dead_sensor(found: list[Track]) -> list[Track]:
    """15 s of the ECG never came, and the finger sensor died after 40 s."""
    spoilt = []
    for track in found:
        keep = np.ones(len(track.times), np.bool_)
        if track.signal == "ecg":
            keep = (track.times < 70 * SECOND) | (track.times >= 85 * SECOND)
        elif track.signal == "ppg":
            keep = track.times < 40 * SECOND
        spoilt.append(replace(track, times=track.times[keep], samples=track.samples[keep]))
    return spoilt


EYES = tuple((60.0 * turn, "eyes_open" if turn % 2 == 0 else "eyes_closed") for turn in range(5))
SCENES = (
    Scene("a burnout at its height, everything measured", 2, 0, 300.0, EVERYTHING, _eyes, marks=EYES),
    Scene("atrial fibrillation", 3),
    Scene("a gap, and a sensor that died", 5, spoil=_gap_and_dead_sensor),
    Scene("premature beats, some corrected by hand", 0, change=_premature, correct=3),
    Scene("the same person before, to compare", 2, 30, 300.0, EVERYTHING, _eyes, marks=EYES),
    Scene("a recovery", 4, 0, 300.0, EVERYTHING, _eyes, marks=EYES),
    Scene("a day and a night of ECG", 6, 0, 86_400.0, ("ecg",)),
    Scene("a low mood", 10),
    Scene("an athlete", 8, signals=("ecg", "ppg", "respiration", "camera")),
    Scene("somebody restless", 9, change=_restless),
    Scene("the camera alone", 11, 0, 120.0, ("camera", "voice")),
    Scene("recovery at its worst", 4, 26, 180.0),
)
"""In order of what a newcomer wants to see first."""


def planned(
    plan: Plan, members: Sequence[Member], count: int, *, longest: float = 86_400.0
) -> dict[str, tuple[Scene, Member, Visit]]:
    """The visits that are recorded in full, none for more than `longest` seconds, by their session's id."""
    found: dict[str, tuple[Scene, Member, Visit]] = {}
    for number in range(count):
        scene = _cut(SCENES[number % len(SCENES)], longest)
        member = members[scene.member % len(members)]
        mine = visits(member, plan.days, plan.until)
        back = scene.back + 2 * (number // len(SCENES))
        if back >= len(mine):
            continue
        visit = mine[len(mine) - 1 - back]
        if scene.seconds > 3600.0:
            # it ends before anybody looks
            visit = replace(visit, began=min(visit.began, plan.until - timedelta(seconds=scene.seconds + 7200.0)))
        found.setdefault(plan.session(member, visit), (scene, member, visit))
    return found


def _cut(scene: Scene, longest: float) -> Scene:
    seconds = min(scene.seconds, longest)
    return replace(scene, seconds=seconds, marks=tuple(mark for mark in scene.marks if mark[0] < seconds))


def record_all(
    database: Database, settings: Settings, plan: Plan, chosen: Mapping[str, tuple[Scene, Member, Visit]]
) -> int:
    """Record all of them, analysed in a process of their own; how many were closed."""
    if not chosen:
        return 0
    pool = analysis_process()
    try:
        return sum(record(database, settings, pool, plan, *each) for each in chosen.values())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def record(
    database: Database, settings: Settings, pool: Executor, plan: Plan, scene: Scene, member: Member, visit: Visit
) -> bool:
    """Record a visit, close it, correct it where that belongs to it; whether it was closed."""
    session, state = plan.session(member, visit), condition_of(member, plan, visit)
    body = course.body(member, state, day=visit.day, hour=visit.hour)
    began = round(visit.began.timestamp()) * SECOND
    long = scene.seconds > 3600.0
    person = scene.change(person_of(member, body, seconds=scene.seconds, fibrillation=state.fibrillation))
    if long:
        person = replace(person.undisturbed(), heart_rate_profile=_night(body.heart_rate, visit.began))
    found = scene.spoil(tracks(person, scene.seconds, scene.signals, rate=DAY_RATE if long else None))
    kiosk = plan.kiosks[visit.department]
    # another recorder for each: a kiosk may not begin so much at once, and this one has a year in a minute
    recorder = Recorder(database)
    word = Stream(session, "station", SESSION, RUN)
    origin = Origin(utc=began, boot=0, boot_id=RUN)
    _commit(recorder, kiosk, [Session(word, 0, "open", origin, simulated=True)])
    end = round(scene.seconds * SECOND)
    with database.transaction() as db:
        sessions.assign(db, session, plan.patient(member))
        sessions.describe(db, session, protocol="full" if scene.signals == EVERYTHING else visit.protocol)
        for name in () if long else asked(member, visit):
            write_answers(db, session, questionnaires.listed()[name], member, body, visit.day, began + end)
    streams = _deliver(recorder, kiosk, session, scene, found, body)
    _commit(recorder, kiosk, [Session(word, 1, "ended", origin, end, tuple(streams), simulated=True), End(word, 1)])
    # a second opinion on a hundred thousand beats takes a minute
    analyse = partial(analysis, models=settings.data / FOLDER, vote=not long)
    closed = _close(database, settings, pool, session, analyse)
    if closed and scene.correct:
        _correct(database, session, scene.correct, began + end + 3600 * SECOND)
        closed = _close(database, settings, pool, session, analyse)
    with database.transaction() as db:
        demonstration.date_back(db, session, began=began, ended=began + end + 60 * SECOND)
    return closed


def _deliver(
    recorder: Recorder, kiosk: str, session: str, scene: Scene, found: Sequence[Track], body: course.Body
) -> list[Stream]:
    """All of a visit's messages; the streams that it had."""
    streams: list[Stream] = []
    for track in found:
        sent: list[Message] = list(chunks(track, session, RUN))
        stream = Stream(session, track.device, track.signal, RUN)
        streams.append(stream)
        last = len(sent) - 1
        due = round(scene.seconds * track.rate / max(1, len(track.times) // len(sent))) if track.rate else 0
        if track.rate and len(track.times) < 0.8 * scene.seconds * track.rate:
            # what a dead sensor would have sent
            sent.append(Lost(stream, last + 1, due, "device_failed"))
            last = due
        _commit(recorder, kiosk, [*sent, End(stream, last)])
    station = Stream(session, "station", EVENTS, RUN)
    marks = [Event(station, seq, name, round(at * SECOND)) for seq, (at, name) in enumerate(scene.marks)]
    streams.append(station)
    _commit(recorder, kiosk, [*marks, End(station, len(marks) - 1)])
    said = (
        ("cuff", (("systolic", body.systolic), ("diastolic", body.diastolic))),
        ("oximeter", (("spo2", body.spo2),)),
        ("scale", (("weight", body.weight), ("height", body.height))),
    )
    at = 25 * SECOND
    for device, values in said:
        name = f"simulated-{device}"
        stream = Stream(session, name, READINGS, RUN)
        readings = [
            Reading(stream, seq, measure, float(value), name, "spot", "simulated", at, at)
            for seq, (measure, value) in enumerate(values)
        ]
        streams.append(stream)
        _commit(recorder, kiosk, [*readings, End(stream, len(readings) - 1)])
    return streams


def _commit(recorder: Recorder, kiosk: str, messages: Sequence[Message]) -> None:
    for first in range(0, len(messages), BATCH):
        part = messages[first : first + BATCH]
        recorder.commit([Delivery(address(kiosk, message), encode(message)) for message in part])


def _close(
    database: Database, settings: Settings, pool: Executor, session: str, analyse: Callable[..., object]
) -> bool:
    closer = Closer(database, settings, analyse)  # type: ignore[arg-type] # a partial says less than it is
    with database.reading() as db:
        before = sessions.get(db, session)
    # what has just been corrected counts as quiet: it came long ago
    with database.transaction() as db:
        sessions.touch(db, [session], 0)
    asyncio.run(closer.sweep(pool))
    with database.reading() as db:
        after = sessions.get(db, session)
    return before is not None and after is not None and after.revision > before.revision


def _correct(database: Database, session: str, count: int, now: int) -> None:
    """Take away beats and set them a hair off, as a clinician who saw better would."""
    with database.transaction() as db:
        found = corrections.found_beats(db, session)
        if found is None or len(found) < 20 + 7 * count:
            return
        rows = [
            CorrectionRow(
                id=identifier("b", 0, session, number),
                session_id=session,
                kind="move" if number % 2 else "remove",
                time_ns=round(float(found[12 + 7 * number]) * SECOND),
                to_ns=round((float(found[12 + 7 * number]) + 0.03) * SECOND) if number % 2 else None,
                author_id=CLINICIAN,
                created_ns=now + number,
            )
            for number in range(count)
        ]
        corrections.add(db, rows)
        corrections.count_change(db, session)
        sessions.mark_changed(db, [session], reason="corrected", by=CLINICIAN)


def _night(rate: float, began: datetime) -> tuple[tuple[float, float], ...]:
    """Slower by a fifth in the night, quicker at noon, with an hour of walking (a day of a Holter recording)."""
    corners = []
    for quarter in range(98):
        hour = (began.hour + began.minute / 60.0 + quarter / 4.0) % 24.0
        at = rate * (1.0 - 0.16 * np.cos(2.0 * np.pi * (hour - course.HIGHEST) / 24.0))
        at *= 1.35 if 17.0 <= hour < 18.0 else 1.0
        corners.append((900.0 * quarter, float(min(max(at, 40.0), 150.0))))
    return tuple(corners)
