"""What the invented clinic's staff did: kiosks, rules, consents, notes, reviews, alerts, two records made one."""

import contextlib
from collections.abc import Sequence

from api import alerts as rules_of
from api.demo import spoken
from api.demo.calendar import visits
from api.demo.people import DEPARTMENTS, Member, identifier
from api.demo.writing import PSEUDONYM, Plan, birth_year, language, who_of
from api.login.gate import DEMO
from api.security import Role
from api.store import (
    Database,
    Destroyed,
    Transaction,
    alerts,
    arrivals,
    consents,
    identities,
    kiosks,
    notes,
    patients,
    reviews,
    rules,
    sessions,
)
from api.tables import MAIN, ConsentRow, KioskRow, NoteRow, PatientRow, ReviewRow, RuleRow
from kiosk.consent import VERSION as TEXT
from kiosk.messages import SECOND, Status

CLINICIAN, OPERATOR = f"{DEMO}{Role.CLINICIAN}", f"{DEMO}{Role.OPERATOR}"
DAY = 86_400 * SECOND
IN_FORCE = ("heart_rate", "spo2", "irregular_rhythm", "phq9", "temperature", "systolic", "diastolic")
"""Of the published rules, those that this clinic follows: all that are more than a notice."""
SEEN_TO = 10 * DAY
"""Alerts older than this were seen to, but for the newest of each kind."""
OPEN_REVIEWS = 6 * DAY
"""Sessions younger than this are mostly not reviewed yet."""
DEVICES = ("sensors", "simulated-ecg", "simulated-ppg", "simulated-camera", "simulated-cuff")


def write_kiosks(db: Transaction, plan: Plan, now: int) -> None:
    """Where the kiosks stand, and how their devices are: one has a fault."""
    for number, (name, place) in enumerate(zip(plan.kiosks, DEPARTMENTS, strict=True)):
        kiosks.add(db, KioskRow(name=name, clinic_id=MAIN, place=f"{place} (simulated)", added_ns=now), speaks=False)
        if number == 0:
            continue  # the one that is here speaks for itself
        faulty = number == 2
        arrivals.see_devices(
            db,
            [
                (
                    name,
                    Status(
                        device,
                        "failed" if faulty and device == "simulated-ppg" else "running",
                        simulated=True,
                        detail="no contact since this morning" if faulty and device == "simulated-ppg" else "",
                        drift_ppm=-8.0 + 5.5 * number if device == "simulated-ecg" else None,
                        waiting=412 if faulty and device == "sensors" else 0,
                    ),
                )
                for device in DEVICES
            ],
            now,
        )


def write_rules(db: Transaction, plan: Plan, now: int) -> None:
    """Published rules, where the clinic has none about the measure."""
    known = {each.measure for each in rules.in_force(db, MAIN, None)}
    for place, each in enumerate(rules_of.SUGGESTIONS):
        if each.measure in known or each.measure not in IN_FORCE or each.severity == "notice":
            continue
        rules.add(
            db,
            RuleRow(
                id=identifier("r", plan.seed, place),
                clinic_id=MAIN,
                measure=each.measure,
                low=each.low,
                high=each.high,
                severity=each.severity,
                author_id=CLINICIAN,
                created_ns=now,
            ),
        )


def write_consents(db: Transaction, plan: Plan, member: Member, given: int) -> None:
    """What they agreed to on the first day; one took sharing and research back."""
    rng, until = member.chance("consents"), round(plan.until.timestamp()) * SECOND
    for purpose in consents.PURPOSES:
        if purpose in ("share", "research") and rng.random() < 0.35 and member.number != 7:
            continue
        back = purpose in ("share", "research") and member.number == 7
        consents.give(
            db,
            ConsentRow(
                id=identifier("c", plan.seed, member.number, purpose),
                patient_id=plan.patient(member),
                purpose=purpose,
                text_version=TEXT,
                language=language(member),
                given_ns=given,
                recorded_by=OPERATOR,
                withdrawn_ns=min(given + 120 * DAY, (given + until) // 2) if back else None,
                withdrawn_by=OPERATOR if back else None,
            ),
        )


def write_care(db: Transaction, plan: Plan, member: Member, now: int) -> tuple[int, int]:
    """Notes and reviews of a person's sessions; how many of each."""
    patient, rng = plan.patient(member), member.chance("care")
    mine = sessions.newest(db, limit=1000, patient=patient)
    written = reviewed = 0
    if member.course != "stable" or rng.random() < 0.3:
        since = mine[len(mine) // 8] if mine else None
        if since is not None:
            _note(
                db, plan, spoken.PATIENT_NOTES[member.course], since.last_seen_ns + 3 * 3600 * SECOND, patient=patient
            )
            written += 1
    for row in mine:
        draw, kind, text = rng.random(), rng.random(), rng.random()
        age = now - row.last_seen_ns
        if row.revision == 0:
            continue
        if text < 0.06:
            words = spoken.SESSION_NOTES[int(text * 1e6) % len(spoken.SESSION_NOTES)]
            _note(db, plan, words, row.last_seen_ns + 1800 * SECOND, session=row.id)
            written += 1
        if draw > (0.95 if age > OPEN_REVIEWS else 0.3):
            continue
        verdict = "accepted" if kind < 0.93 else "repeat" if kind < 0.98 else "unusable"
        said = spoken.COMMENTS[verdict]
        reviews.add(
            db,
            ReviewRow(
                id=f"v-{row.id[2:]}",
                session_id=row.id,
                revision=row.revision,
                reviewer_id=CLINICIAN,
                verdict=verdict,
                created_ns=min(now, row.last_seen_ns + round((2 + 40 * draw) * 3600) * SECOND),
            ),
            said[int(kind * 1e6) % len(said)],
        )
        reviewed += 1
    return written, reviewed


def see_to_alerts(db: Transaction, now: int) -> tuple[int, int]:
    """Old alerts were seen to; how many there are, and how many are open."""
    every = [row for row, session in alerts.newest(db, limit=100_000, clinic=MAIN) if session.simulated]
    # the newest of each kind is still to be seen to: the list comes newest first
    newest = {row.measure: row.id for row in reversed(every)}
    for row in every:
        if row.state == "open" and now - row.raised_ns > SEEN_TO and newest[row.measure] != row.id:
            row.state, row.acknowledged_by = "acknowledged", CLINICIAN
            row.acknowledged_ns = row.raised_ns + 5 * 3600 * SECOND
    db.flush()
    return len(every), sum(row.state == "open" for row in every)


def merge_twin(database: Database, plan: Plan, member: Member) -> bool:
    """Somebody was entered twice, and two records became one; False where there is too little to take apart."""
    twin = identifier("p", plan.seed, "twin", member.number)
    with database.transaction() as db:
        person = patients.get(db, plan.patient(member))
        known = identities.get(db, plan.patient(member))
        theirs = sessions.newest(db, limit=1000, patient=plan.patient(member))
        if person is None or known is None or len(theirs) < 4:
            return False
        patients.add(
            db,
            PatientRow(
                id=twin,
                clinic_id=MAIN,
                pseudonym=f"{PSEUDONYM}-{twin[2:6].upper()}-TWIN",
                birth_year=birth_year(member, plan),
                sex=member.sex,
                created_ns=person.created_ns + DAY,
            ),
        )
        said = who_of(plan, member, known.birth_date[5:])
        identities.put(
            db, twin, MAIN, identities.Who(given=said.given, family=said.family, birth_date=known.birth_date)
        )
        moved = patients.merge(db, twin, person.id)
        # its newest readings stay its last word: nothing of it can be analysed again
        sessions.settle(db, [row.id for row in theirs])
    for session in moved.sessions:
        with contextlib.suppress(Destroyed):
            database.vault.assign(session, person.id)
    return True


def first_visit(plan: Plan, member: Member) -> int | None:
    """When somebody came first; None where they never did."""
    found: Sequence[object] = visits(member, plan.days, plan.until)
    return None if not found else round(visits(member, plan.days, plan.until)[0].began.timestamp()) * SECOND


def _note(
    db: Transaction, plan: Plan, text: str, when: int, *, patient: str | None = None, session: str | None = None
) -> None:
    note = NoteRow(
        id=identifier("n", plan.seed, patient, session, when),
        patient_id=patient,
        session_id=session,
        author_id=CLINICIAN,
        text=b"",
        created_ns=when,
    )
    notes.write(db, note, text)
