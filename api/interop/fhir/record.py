"""From the store to resources: finds them, and tells of each what this person may know."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from api import waveform
from api.interop.fhir import observations, resources
from api.interop.fhir.codes import VITALS
from api.interop.fhir.observations import Around, Told, Trace
from api.interop.fhir.resources import Made
from api.interop.fhir.search import key_of
from api.interop.fhir.shapes import Named, Observation
from api.interop.fhir.words import fhir_id
from api.security import Action, Identity, Role
from api.store import Transaction, consents, fhir, identities, responses
from api.store.fhir import Place, Wanted
from api.store.identities import Who
from api.tables import ConsentRow, PatientRow, ReadingRow, ResponseRow, SessionRow, StreamRow
from kiosk.messages import SECOND

EVERYTHING = 100_000
"""Resources of a kind in one session that are listed at most."""
MOST_DERIVED = 40
"""Windows of electrocardiogram that one observation points to: twenty minutes. Of more, it names the source alone."""


class Record:
    """What one person may read of the record."""

    def __init__(self, db: Transaction, who: Identity) -> None:
        self._db = db
        self._who = who

    def everything(self) -> Wanted:
        """All that there is for them."""
        return Wanted(clinic=self._who.clinic, limit=EVERYTHING)

    def find(self, kind: str, wanted: Wanted) -> list[Place]:
        """The places of resources."""
        return fhir.find(self._db, kind, self._mine(kind, wanted), vitals=VITALS)

    def count(self, kind: str, wanted: Wanted) -> int:
        """How many there are."""
        return fhir.count(self._db, kind, self._mine(kind, wanted), vitals=VITALS)

    def read(self, kind: str, said: str) -> Named | None:
        """One resource by its id; None where for this person there is none."""
        return next(iter(self.by_ids(kind, [said])), None)

    def by_ids(self, kind: str, ids: Iterable[str]) -> list[Named]:
        """Resources by their ids, those that are there."""
        keys = frozenset(key for each in ids if (key := key_of(kind, each)) is not None)
        return self.told(kind, self.find(kind, replace(self.everything(), keys=keys))) if keys else []

    def told(self, kind: str, places: Sequence[Place]) -> list[Named]:
        """The resources at these places, in their order."""
        return _TOLD[kind](self, places) if places else []

    def history(self, observation: str) -> list[Observation]:
        """An observation as each revision told it, the newest first; one that no revision told alone."""
        key = key_of("Observation", observation)
        if key is None or not key.startswith("r-"):
            now = self.read("Observation", observation)
            return [now] if isinstance(now, Observation) else []
        rows = fhir.same_readings(self._db, int(key[2:]))
        if not rows or rows[0].id != int(key[2:]):
            return []
        places = self.find("Encounter", replace(self.everything(), sessions=frozenset({rows[0].session_id})))
        newest = {row.revision: row for row in reversed(rows)}
        return self._of_readings([(key, row) for row in newest.values()]) if places else []

    def _mine(self, kind: str, wanted: Wanted) -> Wanted:
        """To another system goes only what people agreed to share."""
        return replace(self._near(kind, wanted), sharing=self._who.role is Role.INTEGRATOR)

    def _near(self, kind: str, wanted: Wanted) -> Wanted:
        """Where keys are asked for, the sessions and patients that they are of, for the index."""
        if wanted.keys is None:
            return wanted
        if kind == "Patient":
            near = wanted.keys if wanted.patients is None else wanted.keys & wanted.patients
            return replace(wanted, patients=near)
        sessions = self._sessions_of(kind, wanted.keys)
        if sessions is None:
            return wanted
        return replace(wanted, sessions=sessions if wanted.sessions is None else sessions & wanted.sessions)

    def _sessions_of(self, kind: str, keys: frozenset[str]) -> frozenset[str] | None:
        if kind in ("Encounter", "DiagnosticReport"):
            return keys
        if kind == "Provenance":
            return frozenset(key.partition(" ")[0] for key in keys)
        if kind != "Observation":
            return None
        numbers = {"r": set[int](), "w": set[int]()}
        for key in keys:
            if key[0] in numbers:
                numbers[key[0]].add(int(key.split("-")[1]))
        found = fhir.owners_of_readings(self._db, numbers["r"]) | fhir.owners_of_streams(self._db, numbers["w"])
        return frozenset(found | {key[2:] for key in keys if key.startswith("v-")})

    def _sessions(self, places: Iterable[Place]) -> dict[object, SessionRow]:
        return fhir.rows_by_id(self._db, SessionRow, {place.session for place in places})

    def _around(self, places: Sequence[Place]) -> dict[str, Around]:
        sessions = self._sessions(places)
        devices = fhir.devices_of(self._db, {row.kiosk for row in sessions.values()})
        updated = {place.session: place.updated for place in places}
        return {
            row.id: Around(row, updated[row.id], devices.get(row.kiosk, frozenset())) for row in sessions.values()
        }  # fmt: skip

    def _observations(self, places: Sequence[Place]) -> list[Named]:
        around = self._around(places)
        made: dict[str, Named] = {}
        rows = fhir.rows_by_id(self._db, ReadingRow, {place.row for place in places if place.key.startswith("r-")})
        known = [(place.key, row) for place in places if (row := rows.get(place.row)) and place.key.startswith("r-")]
        made.update({each.id or "": each for each in self._of_readings(known)})
        streams = fhir.rows_by_id(self._db, StreamRow, {place.row for place in places if place.key.startswith("w-")})
        for place in places:
            if place.key.startswith("w-"):
                made[place.key] = self._trace(place, streams[place.row], around[place.session or ""])
        panels = frozenset(place.session or "" for place in places if place.key.startswith("v-"))
        members: dict[str | None, list[str]] = {}
        if panels:
            wanted = replace(self.everything(), sessions=panels, columns={"code": frozenset(VITALS)}, descending=False)
            for member in self.find("Observation", wanted):
                members.setdefault(member.session, []).append(member.key)
        for place in places:
            if place.key.startswith("v-"):
                made[place.key] = observations.of_vitals(members[place.session], around[place.session or ""])
        return [made[place.key] for place in places if place.key in made]

    def _of_readings(self, known: Sequence[tuple[str, ReadingRow]]) -> list[Observation]:
        rows = [row for _, row in known]
        sessions = fhir.rows_by_id(self._db, SessionRow, {row.session_id for row in rows})
        revisions = fhir.revisions_of(
            self._db, {(row.session_id, row.revision or sessions[row.session_id].revision) for row in rows}
        )
        devices = fhir.devices_of(self._db, {row.kiosk for row in sessions.values()})
        others = fhir.diastolic_of(self._db, rows)
        first = fhir.earlier_revisions(self._db, rows)
        measured_by = fhir.devices_of_streams(self._db, {row.stream_id for row in rows if row.stream_id is not None})
        windows = self._windows({row.session_id for row in rows if "ecg" in row.source})
        made = []
        for key, row in known:
            session = sessions[row.session_id]
            revision = revisions.get((row.session_id, row.revision or session.revision))
            updated = session.last_seen_ns if revision is None else revision.created_ns
            around = Around(session, updated, devices.get(session.kiosk, frozenset()))
            told = Told(
                row,
                key,
                amended=first.get(row.id or 0, row.id) != row.id,
                device=measured_by.get(row.stream_id or 0) or _device(row.source),
                waveforms=_made_of(row, windows.get(row.session_id, [])),
            )
            if row.measure in ("systolic", "diastolic"):
                made.append(observations.of_pressure(told, others.get(row.id or 0), around))
            else:
                made.append(observations.of_reading(told, around))
        return made

    def _windows(self, sessions: set[str]) -> dict[str, list[fhir.EcgWindow]]:
        found: dict[str, list[fhir.EcgWindow]] = {}
        for each in fhir.ecg_windows(self._db, sessions) if sessions else ():
            found.setdefault(each.session, []).append(each)
        return found

    def _trace(self, place: Place, stream: StreamRow, around: Around) -> Named:
        chunks = fhir.chunks_of_window(self._db, stream, place.part or 0)
        rate, channels = stream.rate or 1.0, tuple(stream.channels or ())
        whole = waveform.join((waveform.Block(each.times(), each.values()) for each in chunks), len(channels))
        samples = waveform.filled(whole, rate)
        return observations.of_trace(
            Trace(place.key, stream.device, int(whole.times[0]), rate, channels, np.asarray(samples)), around
        )

    def _patients(self, places: Sequence[Place]) -> list[Named]:
        ids = [place.key for place in places]
        rows = fhir.rows_by_id(self._db, PatientRow, ids)
        named = self._named(ids)
        return [
            resources.patient(row, named.get(row.id), place.updated)
            for place in places
            if (row := rows.get(place.key)) is not None
        ]

    def _named(self, patients: Sequence[str]) -> dict[str, Who]:
        """Who they are, where this person may know, and they have agreed that it is shared."""
        if not self._who.may(Action.READ_IDENTITIES):
            return {}
        return identities.of_patients(self._db, consents.agreeing(self._db, "share", patients))

    def _encounters(self, places: Sequence[Place]) -> list[Named]:
        rows = self._sessions(places)
        return [resources.encounter(rows[place.session], place.updated) for place in places]

    def _reports(self, places: Sequence[Place]) -> list[Named]:
        rows = self._sessions(places)
        revisions = fhir.revisions_of(self._db, {(row.id, row.revision) for row in rows.values()})
        results: dict[str | None, list[str]] = {}
        wanted = replace(
            self.everything(), sessions=frozenset(row.id for row in rows.values()), descending=False
        )  # fmt: skip
        for each in self.find("Observation", wanted):
            names = results.setdefault(each.session, [])
            names.append(_observation_id(each.key))
        newest = [(row, revisions[row.id, row.revision]) for row in (rows[place.session] for place in places)]
        return [resources.report(row, revision, results.get(row.id, [])) for row, revision in newest]

    def _responses(self, places: Sequence[Place]) -> list[Named]:
        rows = fhir.rows_by_id(self._db, ResponseRow, {place.key for place in places})
        sessions = self._sessions(places)
        may = self._who.may(Action.READ_ANSWERS)
        made: list[Named] = []
        for place in places:
            row, session = rows[place.key], sessions[place.session]
            answers: Mapping[str, int] | None = responses.answers(self._db, row) if may else None
            made.append(resources.response(row, session.patient_id, answers, simulated=session.simulated))
        return made

    def _devices(self, places: Sequence[Place]) -> list[Named]:
        names = [(kiosk, name) for kiosk, _, name in (place.key.partition(" ") for place in places)]
        rows = fhir.devices_by_name(self._db, names)
        return [resources.device(rows[name]) for name in names if name in rows]

    def _consents(self, places: Sequence[Place]) -> list[Named]:
        rows = fhir.rows_by_id(self._db, ConsentRow, {place.key for place in places})
        return [resources.consent(rows[place.key], place.updated) for place in places]

    def _provenances(self, places: Sequence[Place]) -> list[Named]:
        sessions = self._sessions(places)
        revisions = fhir.revisions_of(self._db, {(place.session or "", place.row or 0) for place in places})
        told = fhir.readings_of(self._db, revisions.values())
        rows = [row for some in told.values() for row in some]
        folded = {other.id for other in fhir.diastolic_of(self._db, rows).values()}
        first = fhir.earlier_revisions(self._db, rows)
        correctors = fhir.correctors(self._db, revisions.values())
        windows = self._windows({place.session or "" for place in places})
        made: list[Named] = []
        for place in places:
            name = place.session or "", place.row or 0
            mine = told.get(name, [])
            about = Made(
                revisions[name],
                sessions[place.session],
                results=tuple(f"r-{first[row.id or 0]}" for row in mine if row.id not in folded),
                waveforms=tuple(_window_id(each) for each in windows.get(name[0], [])[:MOST_DERIVED]),
                models=tuple(sorted({row.model for row in mine if row.model})),
                correctors=correctors.get(name, ()),
                methods=tuple(sorted({row.method for row in mine})),
            )
            made.append(resources.provenance(about))
        return made


def _observation_id(key: str) -> str:
    return f"v-{fhir_id(key[2:])}" if key.startswith("v-") else key


def _window_id(window: fhir.EcgWindow) -> str:
    return f"w-{window.stream}-{window.part}"


def _device(source: str) -> str | None:
    """The device of a source such as `ecg.chest-strap`; None where several took part."""
    devices = {part.partition(".")[2] for part in source.split("+")}
    return next(iter(devices)) or None if len(devices) == 1 else None


def _made_of(row: ReadingRow, windows: Sequence[fhir.EcgWindow]) -> tuple[str, ...]:
    """The electrocardiograms that a reading's source names, as far as its window reaches."""
    sources = set(row.source.split("+"))
    length = observations.WINDOW * SECOND
    found = [
        _window_id(each)
        for each in windows
        if f"ecg.{each.device}" in sources
        and each.part * length < row.end_ns
        and (each.part + 1) * length > row.start_ns
    ]
    return tuple(found) if len(found) <= MOST_DERIVED else ()


_TOLD: Mapping[str, Callable[[Record, Sequence[Place]], list[Named]]] = {
    "Consent": Record._consents,
    "Device": Record._devices,
    "DiagnosticReport": Record._reports,
    "Encounter": Record._encounters,
    "Observation": Record._observations,
    "Patient": Record._patients,
    "Provenance": Record._provenances,
    "QuestionnaireResponse": Record._responses,
}
