"""Who a patient is: encrypted under the patient's key, and found by keyed hashes of what is said exactly."""

import contextlib
import unicodedata
from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from api.store.clock import utc_now
from api.store.keys import Destroyed
from api.store.sealing import vault_of
from api.store.streams import insert
from api.tables import IdentityDigestRow, IdentityRow, PatientRow
from kiosk.errors import KioskError

# what has no accent to take off and is still written both ways
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
    | dict.fromkeys("'’ʼʹ`´", "")
    | dict.fromkeys("-‐‑–", " ")
)


class Identifier(msgspec.Struct, frozen=True):
    """A number that somebody else keeps this person under."""

    system: str
    value: str


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person by name. What is not known is empty."""

    given: tuple[str, ...] = ()
    family: str = ""
    birth_date: str = ""
    """ISO 8601."""
    phone: str = ""
    email: str = ""
    address: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()


class Duplicate(KioskError):
    """Another patient of the clinic has one of these record numbers."""

    def __init__(self, patient: str) -> None:
        super().__init__("another patient has this record number")
        self.patient = patient


def normal(name: str) -> str:
    """A name as it is compared: no case, accents, apostrophes; hyphens are blanks. (ё is е: its dots are an accent.)"""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return " ".join("".join(each for each in plain if not unicodedata.combining(each)).split())


def full_name(*parts: str) -> str:
    """A whole name as it is compared: its words in one order, so that it does not matter which is the family's."""
    return " ".join(sorted(word for part in parts for word in normal(part).split()))


def keys_of(who: Who) -> list[tuple[str, str]]:
    """What somebody can be found by: (kind, text), compared as a whole."""
    found = [("record", f"{each.system} {each.value}") for each in who.identifiers]
    if who.family:
        found.append(("family", normal(who.family)))
    if full := full_name(*who.given, who.family):
        found.append(("full", full))
    if who.birth_date:
        found.append(("birth_date", who.birth_date))
    if who.email:
        found.append(("email", who.email))
    return found


def put(db: Session, patient: str, clinic: str, who: Who) -> None:
    """Say who a patient is, all of it; Duplicate where a record number is another patient's."""
    if db.get_bind().dialect.name == "postgresql":
        # no constraint can say it, because names may be equal: one writer of a clinic's identities at a time
        db.execute(text("SELECT pg_advisory_xact_lock(hashtext('identities'), hashtext(:clinic))"), {"clinic": clinic})
    for each in who.identifiers:
        for other in find(db, clinic, [("record", f"{each.system} {each.value}")], limit=2):
            if other.id != patient:
                raise Duplicate(other.id)
    _write(db, patient, clinic, who)


def _write(db: Session, patient: str, clinic: str, who: Who) -> None:
    vault, now = vault_of(db), utc_now()
    sealed = vault.patient(patient).seal(msgspec.json.encode(who), f"identities:{patient}")
    db.merge(IdentityRow(patient_id=patient, data=sealed, updated_ns=now))
    db.flush()
    db.execute(delete(IdentityDigestRow).where(col(IdentityDigestRow.patient_id) == patient))
    insert(
        db,
        IdentityDigestRow,
        [
            {"patient_id": patient, "kind": kind, "digest": vault.index(clinic, kind, said), "clinic_id": clinic}
            for kind, said in keys_of(who)
        ],
    )


def get(db: Session, patient: str) -> Who | None:
    """Who a patient is, or None where nobody said; Destroyed where they were erased."""
    row = db.get(IdentityRow, patient, populate_existing=True)
    return None if row is None else _opened(db, row)


def of_patients(db: Session, patients: Iterable[str]) -> dict[str, Who]:
    """Who these patients are, where somebody said and they were not erased this moment."""
    found: dict[str, Who] = {}
    rows = db.execute(select(IdentityRow).where(col(IdentityRow.patient_id).in_(list(patients)))).scalars()
    for row in rows:
        with contextlib.suppress(Destroyed):
            found[row.patient_id] = _opened(db, row)
    return found


def _opened(db: Session, row: IdentityRow) -> Who:
    patient = row.patient_id
    data = vault_of(db).patient(patient).open(row.data, f"identities:{patient}")
    return msgspec.json.decode(data, type=Who)


def find(db: Session, clinic: str | None, wanted: Iterable[tuple[str, str]], *, limit: int) -> list[PatientRow]:
    """Patients of whom all of it is true, the newest first; without a clinic, of all of them."""
    vault = vault_of(db)
    query = select(PatientRow).order_by(col(PatientRow.created_ns).desc(), col(PatientRow.id).desc()).limit(limit)
    if clinic is not None:
        query = query.where(col(PatientRow.clinic_id) == clinic)
    if clinic is None:
        clinics = list(db.execute(select(col(IdentityDigestRow.clinic_id)).distinct()).scalars())
    else:
        clinics = [clinic]
    for kind, said in wanted:
        # a digest is of one clinic: equal names in two of them look different
        digests = [vault.index(each, kind, said) for each in clinics]
        mine = select(col(IdentityDigestRow.patient_id)).where(
            col(IdentityDigestRow.clinic_id).in_(clinics),
            col(IdentityDigestRow.kind) == kind,
            col(IdentityDigestRow.digest).in_(digests),
        )
        query = query.where(col(PatientRow.id).in_(mine))
    return list(db.execute(query).scalars())


def like(db: Session, patient: str, clinic: str, who: Who) -> list[str]:
    """Other patients of the same full name and birth date: the same person, perhaps."""
    wanted = [each for each in keys_of(who) if each[0] in ("full", "birth_date")]
    if len(wanted) < 2:
        return []
    return [row.id for row in find(db, clinic, wanted, limit=10) if row.id != patient]


def merge(db: Session, patient: str, into: str, clinic: str) -> None:
    """One identity of two: the survivor's words, the other's where it has none, the record numbers of both."""
    old, new = get(db, patient), get(db, into)
    if old is None:
        return
    db.execute(delete(IdentityDigestRow).where(col(IdentityDigestRow.patient_id) == patient))
    db.execute(delete(IdentityRow).where(col(IdentityRow.patient_id) == patient))
    if new is None:
        _write(db, into, clinic, old)
        return
    # names go together: half of one and half of the other would be a third person's
    named = new if new.family or new.given else old
    together = Who(
        given=named.given,
        family=named.family,
        birth_date=new.birth_date or old.birth_date,
        phone=new.phone or old.phone,
        email=new.email or old.email,
        address=new.address or old.address,
        identifiers=tuple(dict.fromkeys(new.identifiers + old.identifiers)),
    )
    _write(db, into, clinic, together)
