"""What visitors told becomes the record: whose session it is, what they agreed to, which talk is kept.

Entries arrive in any order, days late after an outage, and again after a crash. So each is kept first, sealed, and the
record is made of all that a session has: the same entries make the same record, whatever the order in which they came.
"""

from collections.abc import Sequence
from typing import TypeVar

from api.store import Transaction, consents, dialogues, entries, identities, patients, sessions, vault_of, visits
from api.store.entries import Told
from api.store.identities import Who
from api.tables import PatientRow, SessionRow
from api.visits.pseudonyms import make_pseudonym, spelled
from kiosk.messages import SECOND, Agreed, Chosen, Person, Said

YEAR = 31_556_952 * SECOND
Kind = TypeVar("Kind")


def unknown_purposes(agreed: Agreed) -> list[str]:
    """What they agreed to of which we know nothing: it counts for nothing."""
    return [purpose for purpose in agreed.purposes if purpose not in consents.PURPOSES]


def settle(db: Transaction, session: str, now: int) -> None:
    """Make the record of what was told in a session so far. What nobody has agreed to yet waits, sealed."""
    told = entries.of_session(db, session)
    row = sessions.hold(db, session) if told else None
    if row is None:
        return
    _settle_protocol(db, row, _all(told, Chosen))
    agreed = _last(told, Agreed)
    if agreed is None:
        if row.state == "closed":
            entries.forget_said(db, session)
        return
    fleeting = "store" not in agreed.purposes
    if row.fleeting != fleeting:
        row.fleeting = fleeting
        db.flush()
    if fleeting:
        _forget_patient(db, row, _all(told, Person))
    else:
        _settle_patient(db, row, _all(told, Person), now)
        _settle_consents(db, row, told)
    _settle_talk(db, row, told, agreed)


def forget_unheard(db: Transaction, session: str) -> None:
    """At the close: lines of a talk to which nobody has agreed by now are not kept."""
    if not any(isinstance(each.content, Agreed) for each in entries.of_session(db, session)):
        entries.forget_said(db, session)


def _all(told: Sequence[Told], kind: type[Kind]) -> list[Kind]:
    return [each.content for each in told if isinstance(each.content, kind)]


def _last(told: Sequence[Told], kind: type[Kind]) -> Kind | None:
    """The visitor's last word: who went back and chose again has changed their mind."""
    found = _all(told, kind)
    return found[-1] if found else None


def _settle_protocol(db: Transaction, row: SessionRow, chosen: Sequence[Chosen]) -> None:
    if not chosen or row.protocol == chosen[-1].protocol:
        return
    if row.protocol is None or row.protocol in {each.protocol for each in chosen}:
        sessions.describe(db, row.id, protocol=chosen[-1].protocol)
        db.refresh(row)


# --- whose it is


def made_for(db: Transaction, session: str) -> str:
    """The patient whom a session makes where nobody is known: always the same, so that it is made once."""
    return f"p-{vault_of(db).purpose('visits').digest('patient', session)[:16]}"


def _settle_patient(db: Transaction, row: SessionRow, persons: Sequence[Person], now: int) -> None:
    """Give the session to whom the code names, else to somebody new. What staff said stays."""
    made = made_for(db, row.id)
    known = [_by_code(db, row.clinic_id, each.code) for each in persons]
    if row.patient_id is not None and row.patient_id not in {made, *known}:
        return
    target = known[-1] if known else None
    if target is None:
        target = _made(db, row, made, now)
    if row.patient_id != target:
        sessions.assign(db, row.id, target)
        db.refresh(row)
    if target == made:
        _say_who(db, row.clinic_id, made, persons, now)
    else:
        visits.unmake(db, made, into=target)


def _by_code(db: Transaction, clinic: str, code: str | None) -> str | None:
    return None if code is None else visits.by_code(db, clinic, spelled(code))


def _made(db: Transaction, row: SessionRow, made: str, now: int) -> str:
    there = patients.get(db, made)
    if there is None:
        patients.add(db, PatientRow(id=made, clinic_id=row.clinic_id, pseudonym=make_pseudonym(), created_ns=now))
        return made
    return there.merged_into or made


def _say_who(db: Transaction, clinic: str, patient: str, persons: Sequence[Person], now: int) -> None:
    """What the visitor told of themselves, unless staff wrote something else."""
    row = patients.get(db, patient)
    if not persons or row is None:
        return
    last = persons[-1]
    year_now = 1970 + now // YEAR
    said = {"birth_year": last.birth_year, "sex": last.sex}
    if last.birth_year is not None and last.birth_year > year_now:
        said["birth_year"] = None
    values = {
        name: value
        for name, value in said.items()
        if value != getattr(row, name) and getattr(row, name) in {None, *(getattr(each, name) for each in persons)}
    }
    patients.change(db, patient, values)
    who = _who(last)
    there = identities.get(db, patient)
    if who != there and (there is None or there in [_who(each) for each in persons]) and (there or who != Who()):
        identities.put(db, patient, clinic, who)


def _who(person: Person) -> Who:
    given, family = (person.given or "").strip(), (person.family or "").strip()
    return Who(given=(given,) if given else (), family=family)


def _forget_patient(db: Transaction, row: SessionRow, persons: Sequence[Person]) -> None:
    """Nothing is to be stored: nobody is made for the session, and nobody's it is but whose staff say."""
    made = made_for(db, row.id)
    visits.set_consents(db, row.id, [])
    if row.patient_id is not None and row.patient_id in {made, *(_by_code(db, row.clinic_id, p.code) for p in persons)}:
        sessions.assign(db, row.id, None)
        db.refresh(row)
    visits.unmake(db, made, into=None)


# --- what they agreed to


def _settle_consents(db: Transaction, row: SessionRow, told: Sequence[Told]) -> None:
    """A consent for each purpose of the last word, and none of an earlier one that was taken back before it counted."""
    last = next(each for each in reversed(told) if isinstance(each.content, Agreed))
    agreed, began = last.content, row.origin_utc_ns
    assert isinstance(agreed, Agreed)
    digest = vault_of(db).purpose("visits").digest
    rows = [
        {
            "id": f"c-{digest('consent', row.id, str(last.stream), str(last.seq), purpose)[:16]}",
            "patient_id": row.patient_id,
            "session_id": row.id,
            "purpose": purpose,
            "text_version": agreed.text_version,
            "language": agreed.language,
            # never later than it was heard: a clock that runs ahead must not outlast a withdrawal
            "given_ns": min(last.heard_ns, row.first_seen_ns if began is None else began + last.time_ns),
            "recorded_by": visits.VISITOR,
        }
        for purpose in consents.PURPOSES
        if purpose in agreed.purposes
    ]
    visits.set_consents(db, row.id, rows)


def knows_text(db: Transaction, agreed: Agreed) -> bool:
    """Whether what they agreed to stands here, word for word."""
    return consents.text_of(db, agreed.text_version, agreed.language) is not None


# --- the talk


def _settle_talk(db: Transaction, row: SessionRow, told: Sequence[Told], agreed: Agreed) -> None:
    """Kept where it was agreed to, and not taken back since; else let go of."""
    kept = "talk" in agreed.purposes
    if kept and row.patient_id is not None and not row.fleeting:
        kept = consents.allows(db, row.patient_id, "talk")
    if not kept:
        dialogues.forget(db, [row.id])
    elif any(isinstance(each.content, Said) for each in told):
        dialogues.add(db, row.id, told)
    entries.forget_said(db, row.id)
