"""Visits for tests: what a visitor tells at a kiosk, as the kiosk sends it."""

from collections.abc import Mapping, Sequence

from api.store import Database, results, utc_now
from api.store.results import Found
from api.tables import ReadingRow, SessionRow
from kiosk.consent import VERSION
from kiosk.messages import (
    ENTRIES,
    SECOND,
    Agreed,
    Answered,
    Chosen,
    Content,
    End,
    Entry,
    Message,
    Origin,
    Person,
    Said,
    Session,
    Stream,
)

ORIGIN = Origin(utc=1_735_808_400 * SECOND, boot=5_000 * SECOND, boot_id="b7f0c1d2")
GIVEN, FAMILY = "Zephyrantha", "Quirkensdottir"
LINE = "the visitor whispered tourmaline"
FINDRISC = {"age": 2, "bmi": 1, "waist": 3, "activity": 2, "greens": 1, "medication": 0, "glucose": 0, "family": 5}

CHOSEN = Chosen("full", "1", "en")
AGREED = Agreed(("measure", "store", "talk"), VERSION, "en")
PERSON = Person(given=GIVEN, family=FAMILY, birth_year=1981, sex="female")
ANSWERED = Answered("findrisc", "1", "en", FINDRISC)
SAID = Said("visitor", "en", LINE)


def stream(session: str, run: str = "r1") -> Stream:
    return Stream(session, "station", ENTRIES, run)


def entries(session: str, told: Sequence[Content], *, first: int = 0) -> list[Entry]:
    """Entries as the station numbers them, ten seconds apart."""
    return [
        Entry(stream(session), first + number, (first + number + 1) * 10 * SECOND, content)
        for number, content in enumerate(told)
    ]


def opened(session: str) -> Session:
    return Session(Stream(session, "station", "session", "r1"), 0, "open", ORIGIN)


def visit(session: str, told: Sequence[Content]) -> list[Message]:
    """The kiosk's word about a session, and what was told in it."""
    return [opened(session), *entries(session, told)]


def ended(session: str, streams: Sequence[Stream], *, last: int) -> list[Message]:
    """The visit is over, and all of it delivered."""
    own = Stream(session, "station", "session", "r1")
    return [
        Session(own, 1, "ended", ORIGIN, 180 * SECOND, tuple(streams)),
        End(stream(session), last),
        End(own, 1),
    ]


VALUES: Mapping[str, float | None] = {
    "heart_rate": 66.4, "sdnn": 44.2, "rmssd": 31.8, "pnn50": 12.1, "stress": 38.0, "respiration_rate": 14.2,
    "emotion_neutral": 0.62, "emotion_happiness": 0.2, "emotion_sadness": 0.1, "eeg_alpha": None, "bmi": 24.2,
}  # fmt: skip
SPOTS: Mapping[str, float] = {"systolic": 124.0, "diastolic": 79.0, "temperature": 36.6}


def closed(
    database: Database,
    session: str,
    values: Mapping[str, float | None] = VALUES,
    *,
    spots: Mapping[str, float] = SPOTS,
    age: float | None = 44.0,
    sex: str | None = "female",
    now: int | None = None,
) -> None:
    """Close a recorded session, as if its analysis had said this."""
    now = utc_now() if now is None else now
    span = (0, 180 * SECOND)
    with database.transaction() as db:
        row = db.get(SessionRow, session)
        assert row is not None
        row.state, row.outcome, row.revision, row.closed_ns = "closed", "complete", row.revision + 1, now
        found = [
            Found(measure, value, None, None, 0.91, None if value is not None else "noisy", "ecg", "recording", "m-1",
                  True, *span)
            for measure, value in values.items()
        ]  # fmt: skip
        results.add(
            db, session, row.revision, outcome="complete", version="1", context={"age": age, "sex": sex}, beats=None,
            readings=found, now=now,
        )  # fmt: skip
        for measure, value in spots.items():
            db.add(
                ReadingRow(
                    session_id=session, measure=measure, value=value, source="cuff", scope="spot", method="m",
                    version="1", start_ns=0, end_ns=60 * SECOND,
                )
            )  # fmt: skip
