"""A session of a whole day, made up: ECG, pulse and breathing of the simulator with beats that wander, gaps and events.

Rows are written through the store, so that they are sealed and drawn like those of a real one.
"""

import numpy as np
from numpy.typing import NDArray

from api import drawing
from api.recorder import Recorder
from api.store import Database, chunks, courses, pyramids, results, sessions, streams, utc_now
from api.store.courses import Kept
from api.store.results import Found
from api.store.sessions import Due
from api.tables import MAIN, SessionRow
from kiosk.bus import Delivery
from kiosk.messages import EVENTS, SECOND, Chunk, Event, Stream, address, encode
from sensors.drivers.simulated.body import Body
from sensors.drivers.simulated.person import Person

HOURS = 24
PIECE = 600
"""Seconds that the simulator is asked for; a day repeats them, louder and softer."""
RATES = {"ecg": 250.0, "ppg": 100.0, "respiration": 25.0}
HOLES = ((2 * 3600, 2 * 3600 + 420), (9 * 3600 + 1800, 9 * 3600 + 1860))
"""Seconds of which nothing was recorded."""
EVERY = 1800
"""Seconds between two events."""


def fill(database: Database, session: str, *, hours: float = HOURS) -> None:
    """Store such a session, closed, with one analysis that has beats."""
    body = Body(Person(seed=5, ectopic_rate=3.0, heart_rate=66.0))
    seconds = round(hours * 3600)
    now = utc_now()
    with database.transaction() as db:
        db.add(
            SessionRow(
                id=session, kiosk="kiosk-1", clinic_id=MAIN, state="ended", simulated=True,
                origin_utc_ns=now - seconds * SECOND, origin_boot_ns=0, boot_id="b",
                first_seen_ns=now - seconds * SECOND, last_seen_ns=now, ended_ns=seconds * SECOND, ended_seen_ns=now,
            )
        )  # fmt: skip
    for signal, rate in RATES.items():
        piece = body.stretch(signal, rate, 0, round(PIECE * rate)).astype(np.float32)
        _store(database, Stream(session, f"simulated-{signal}", signal, "r1"), piece, rate, seconds)
    truth = body.truth(0.0, float(PIECE))
    beats = np.concatenate([truth.beats + begin for begin in range(0, seconds, PIECE)])
    inside = np.all([(beats < start) | (beats >= end) for start, end in HOLES], axis=0) & (beats < seconds)
    _close(database, session, beats[inside], seconds)


def _store(database: Database, stream: Stream, piece: NDArray[np.float32], rate: float, seconds: int) -> None:
    channels = ("II",) if stream.signal == "ecg" else (stream.signal,)
    size = round(rate)
    with database.transaction() as db:
        number = streams.find_or_make(db, stream).id
        streams.set_shape(db, number, rate, channels)
    for hour in range(0, seconds, 3600):
        made = []
        for second in range(hour, min(seconds, hour + 3600)):
            if any(start <= second < end for start, end in HOLES):
                continue
            first = second % PIECE * size
            loud = 1.0 + 0.3 * np.sin(2 * np.pi * second / 5400)
            samples = (loud * piece[first : first + size]).astype("<f4")
            made.append((number, Chunk(stream, second, second * SECOND, rate, channels, samples.tobytes())))
        with database.transaction() as db:
            chunks.add(db, made)
    with database.transaction() as db:
        streams.set_progress(db, [(number, seconds - 1, seconds - 1)])


def _close(database: Database, session: str, beats: NDArray[np.float64], seconds: int) -> None:
    span = (0, seconds * SECOND)
    kinds = np.where(np.diff(beats, prepend=beats[0] - 1) < 0.62, 1.0, 0.0)
    kept = [
        Kept("beats", "ecg", "made-up", 0.0, beats, np.zeros(len(beats))),
        Kept("beats_found", "ecg", "made-up", 0.0, beats, kinds),
    ]
    with database.reading() as db:
        drawn = drawing.make_pyramids(db, session)
    with database.transaction() as db:
        due = Due(session, "complete", 0)
        assert sessions.claim(db, due, "bench", utc_now())
        assert sessions.close(db, due, "bench", utc_now())
        pyramids.store(db, drawn)
        results.add(
            db, session, 1, outcome="complete", version="0.1.0", context={"age": 52.0, "sex": "male"}, now=utc_now(),
            beats=beats.astype("<f8").tobytes(),
            readings=[
                Found("heart_rate", 66.2, 66.0, 66.4, 0.95, None, "ecg", "recording", "made-up", True, *span),
                Found("sdnn", 41.0, 40.1, 41.9, 0.95, None, "ecg", "recording", "made-up", True, *span),
            ],
        )  # fmt: skip
        courses.add(db, courses.sealed(database.vault, session, 1, kept))
    stream = Stream(session, "station", EVENTS, "r1")
    marks = [
        Event(stream, number, "step_began", at * SECOND, f"hour {at / 3600:g}")
        for number, at in enumerate(range(0, seconds, EVERY))
    ]
    Recorder(database).commit([Delivery(address("kiosk-1", mark), encode(mark)) for mark in marks])
