"""Writes the invented clinic into the record, through the same stores as everything, encrypted and erasable alike."""

import dataclasses
import unicodedata
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from analytics import norms
from analytics.session import COMPARED
from api import alerts, responding
from api.answers import quality
from api.baselines import baseline
from api.demo import course, spoken
from api.demo.calendar import Visit, visits
from api.demo.people import Member, identifier
from api.demo.told import Template, told
from api.store import Database, Transaction, arrivals, identities, patients, results, sessions, streams
from api.store import demonstration as store
from api.store.identities import Identifier, Who
from api.store.readings import EARLIER
from api.store.results import Found
from api.store.sessions import Due
from api.tables import MAIN, PatientRow
from kiosk import questionnaires
from kiosk.messages import READINGS, SECOND, SESSION, Origin, Reading, Session, Stream
from kiosk.questionnaires import Questionnaire
from kiosk.recording import Context
from kiosk.version import VERSION

CLOSER, RUN = "demo-data", "demo"
SYSTEM = "https://health-kiosk.example/simulated"
"""Whose numbers invented people have: it says what they are wherever their record is read."""
PSEUDONYM = "DEMO"
ASKED: Mapping[str, Sequence[str]] = {
    "quick": ("phq2", "who5"),
    "follow_up": ("cbi_personal", "cbi_work"),
    "full": ("phq9", "who5", "cbi_personal", "findrisc"),
}
"""Questionnaires of a visit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made."""

    seed: int
    """Of this clinic: another one for each that is added."""
    months: int
    until: datetime
    kiosks: tuple[str, ...]
    """By department."""

    @property
    def days(self) -> int:
        """Length, in days."""
        return round(self.months * 30.4)

    def patient(self, member: Member) -> str:
        """A person's id."""
        return identifier("p", self.seed, "patient", member.number)

    def session(self, member: Member, visit: Visit) -> str:
        """A visit's id."""
        return identifier("s", self.seed, "session", member.number, visit.day)


def birth_year(member: Member, plan: Plan) -> int:
    """Such that they have their age on the last day."""
    return plan.until.year - member.age


def write_patient(db: Transaction, plan: Plan, member: Member, *, now: int) -> str:
    """A person with an identity that says that there is nobody."""
    patient = plan.patient(member)
    patients.add(
        db,
        PatientRow(
            id=patient,
            clinic_id=MAIN,
            pseudonym=pseudonym(plan, member.number),
            birth_year=birth_year(member, plan),
            sex=member.sex,
            created_ns=now,
        ),
    )
    birthday = member.chance("birthday")
    day = f"{int(birthday.integers(1, 13)):02}-{int(birthday.integers(1, 29)):02}"
    identities.put(db, patient, MAIN, who_of(plan, member, day))
    return patient


def who_of(plan: Plan, member: Member, day: str) -> Who:
    """The identity of a person."""
    return Who(
        given=(member.given,),
        family=member.family,
        birth_date=f"{birth_year(member, plan)}-{day}",
        identifiers=(Identifier(SYSTEM, f"{plan.seed}-{member.number:03}"),),
    )


def pseudonym(plan: Plan, number: int) -> str:
    """What they are called: like any other pseudonym, and plainly invented."""
    return f"{PSEUDONYM}-{identifier('x', plan.seed, number)[2:6].upper()}-{number + 1:03}"


def write_visits(
    database: Database, plan: Plan, member: Member, templates: Mapping[str, Template], *, skip: frozenset[str]
) -> int:
    """All visits of a person, in one transaction; how many. `skip`: those that are recorded in full."""
    mine = [visit for visit in visits(member, plan.days, plan.until) if plan.session(member, visit) not in skip]
    patient = plan.patient(member)
    # before the transaction: the key store is another file, and waits for its own disk
    earlier: dict[str, deque[float]] = {}
    with database.transaction() as db:
        for visit in mine:
            state = _condition(member, plan, visit)
            body = course.body(member, state, day=visit.day, hour=visit.hour)
            template = templates["fibrillation" if state.fibrillation else visit.protocol]
            context = Context(
                age=float(visit.began.year - birth_year(member, plan)),
                sex=member.sex,
                baselines=tuple(baseline(measure, list(values)) for measure, values in sorted(earlier.items())),
                norms_version=norms.VERSION,
            )
            found = told(template, body, context, member.chance("told", visit.day))
            session = plan.session(member, visit)
            began = round(visit.began.timestamp()) * SECOND
            ended = began + round((template.seconds + 60.0) * SECOND)
            _write_session(db, plan, visit, session, patient, began=began, ended=ended)
            _write_spot(db, session, body, template.seconds)
            for name in asked(member, visit):
                write_answers(db, session, questionnaires.listed()[name], member, body, visit.day, ended)
            _close(db, session, context, found, ended)
            for each in found:
                if each.preferred and each.value is not None and each.measure in COMPARED:
                    earlier.setdefault(each.measure, deque(maxlen=EARLIER)).appendleft(each.value)
    return len(mine)


def _condition(member: Member, plan: Plan, visit: Visit) -> course.Condition:
    state = course.condition(member, visit.share(plan.days))
    ill = member.turn + 0.3
    return course.with_fever(member, state, visit.day - ill * plan.days)


def condition_of(member: Member, plan: Plan, visit: Visit) -> course.Condition:
    """What is the matter with somebody at a visit."""
    return _condition(member, plan, visit)


def _write_session(
    db: Transaction, plan: Plan, visit: Visit, session: str, patient: str, *, began: int, ended: int
) -> None:
    kiosk = plan.kiosks[visit.department]
    stream = Stream(session, "station", SESSION, RUN)
    origin = Origin(utc=began, boot=0, boot_id=RUN)
    sessions.hear(db, kiosk, Session(stream, 0, "open", origin, simulated=True), began, clinic=MAIN)
    sessions.assign(db, session, patient)
    sessions.describe(db, session, protocol=visit.protocol)
    word = Session(stream, 1, "ended", origin, ended - began, (), simulated=True)
    sessions.hear(db, kiosk, word, ended, clinic=MAIN)
    sessions.touch(db, [session], ended)


def _write_spot(db: Transaction, session: str, body: course.Body, seconds: float) -> None:
    """What cuff, oximeter, thermometer and scale said, as the simulated ones say it."""
    said = {
        "cuff": {"systolic": body.systolic, "diastolic": body.diastolic},
        "oximeter": {"spo2": body.spo2},
        "thermometer": {"temperature": round(body.temperature, 1)},
        "scale": {"weight": body.weight, "height": body.height},
    }
    rows = []
    for device, values in said.items():
        stream = Stream(session, f"simulated-{device}", READINGS, RUN)
        number = streams.find_or_make(db, stream).id
        at = round(0.2 * seconds) * SECOND
        for seq, (measure, value) in enumerate(values.items()):
            reading = Reading(stream, seq, measure, float(value), f"simulated-{device}", "spot", "simulated", at, at)
            rows.append((number, reading))
        streams.set_progress(db, [(number, len(values) - 1, len(values) - 1)])
    arrivals.add_readings(db, rows, VERSION)


def write_answers(
    db: Transaction, session: str, asked: Questionnaire, member: Member, body: course.Body, day: int, now: int
) -> None:
    """Answers, their score, and the alert of one that must not wait."""
    given = spoken.answers(member, asked, body, day)
    row = sessions.get(db, session)
    assert row is not None
    responding.keep(
        db,
        row,
        asked,
        given,
        name=f"q-{session[2:]}-{asked.id}",
        language=language(member),
        by=CLOSER,
        at_ns=max(0, now - (row.origin_utc_ns or now)),
        now=now,
    )


def asked(member: Member, visit: Visit) -> Sequence[str]:
    """Questionnaires of a visit; who is low is asked the long one each time."""
    usual = ASKED[visit.protocol]
    return usual if member.course != "crisis" else (*(name for name in usual if name != "phq9"), "phq9")


def language(member: Member) -> str:
    """In which they read: who is written in Cyrillic, in Russian."""
    return "ru" if "CYRILLIC" in unicodedata.name(member.given[0]) else "en"


def _close(db: Transaction, session: str, context: Context, found: Sequence[Found], now: int) -> None:
    due = Due(session, "complete", 0)
    if not sessions.claim(db, due, CLOSER, now):
        return
    sessions.close(db, due, CLOSER, now, quality=quality(found))
    results.add(
        db,
        session,
        1,
        outcome="complete",
        version=VERSION,
        context=dataclasses.asdict(context),
        beats=None,
        readings=found,
        now=now,
    )
    store.without_samples(db, [session], now)
    # what was read before it was closed is not what is there
    db.expire_all()
    alerts.evaluate(db, session, now)
