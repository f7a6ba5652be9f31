"""The ten commonest queries, as routes ask them of the store."""

import random
import time
from collections.abc import Callable

from api.store import Database, Transaction, alerts, events, identities, patients, readings, sessions, streams, trends
from api.tables import MAIN
from kiosk.messages import SECOND
from tests.benchmarks._clinic import DAY, Filled
from tests.benchmarks._measuring import percentiles

TIMES = 200


def queries(store: Database, filled: Filled) -> list[tuple[object, ...]]:
    """A row each: percentiles in ms."""
    rng = random.Random(5)

    def number() -> int:
        return rng.randrange(filled.sessions)

    def patient() -> str:
        return filled.patient(rng.randrange(filled.patients))

    def page(db: Transaction) -> None:
        rows = sessions.newest(db, limit=51, clinic=MAIN)
        patients.pseudonyms(db, {row.patient_id for row in rows if row.patient_id})
        readings.results(db, [row.id for row in rows], "heart_rate")

    def day(db: Transaction) -> None:
        since = filled.began_ns + number() * 600 * SECOND
        kiosk = f"k-{rng.randrange(filled.kiosks):04}"
        sessions.newest(db, limit=51, clinic=MAIN, kiosk=kiosk, since=since, until=since + DAY)

    def one(db: Transaction) -> None:
        session = filled.session(number())
        sessions.get(db, session)
        streams.of_session(db, session)
        streams.extents(db, session)
        streams.losses_of_session(db, session)

    def deep(db: Transaction) -> None:
        place = number()
        sessions.newest(
            db, limit=51, clinic=MAIN, before=(filled.began_ns + place * 600 * SECOND, filled.session(place))
        )

    def by_name(db: Transaction) -> None:
        who = identities.Who(given=("Given7",), family="Family7")
        identities.find(db, MAIN, identities.keys_of(who), limit=20)

    def baseline(db: Transaction) -> None:
        row = sessions.get(db, filled.session(number()))
        assert row is not None
        readings.earlier(db, row, ("rmssd", "heart_rate", "sdnn"))

    def trend(db: Transaction) -> None:
        # the patient who comes most often
        found = trends.visits(db, filled.patient(0), limit=200)
        trends.readings(db, [each.id for each in found], ("rmssd", "heart_rate"))

    asked: dict[str, Callable[[Transaction], object]] = {
        "newest sessions, with names and heart rates": page,
        "sessions of a kiosk within a day": day,
        "sessions from the middle of the list": deep,
        "sessions of a patient": lambda db: sessions.newest(db, limit=51, clinic=MAIN, patient=patient()),
        "a session with its streams": one,
        "a session's readings": lambda db: readings.of_session(db, filled.session(number()), (1, 0)),
        "a session's events": lambda db: events.of_session(db, filled.session(number()), limit=1000),
        "a patient by name": by_name,
        "a person's baseline": baseline,
        "a person's trend, 200 sessions": trend,
        "open alerts": lambda db: alerts.newest(db, clinic=MAIN, limit=51),
    }
    rows: list[tuple[object, ...]] = []
    for name, query in asked.items():
        spent = []
        for _ in range(TIMES):
            with store.reading() as db:
                begun = time.perf_counter()
                query(db)
                spent.append(1000 * (time.perf_counter() - begun))
        rows.append((name, *(f"{each:.2f}" for each in percentiles(spent))))
    return rows
