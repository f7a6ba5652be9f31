"""Sessions to export, with samples that tests know, and what a reader of each format finds in the file."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from api.interop.files import Format, exported
from api.store import Database, results, utc_now, vault_of
from api.tables import PatientRow, SessionRow
from kiosk.messages import SECOND, Chunk, End, Event, Reading, Stream
from tests.api.conftest import chunks_of, opened, record

Samples = NDArray[np.float32]


def wave(count: int, channels: int, seed: int, size: float = 1.0) -> Samples:
    """Something that moves like a signal, with noise."""
    noise = np.random.default_rng(seed).normal(0, 0.05, (count, channels))
    slow = np.sin(np.arange(count)[:, None] / 17 + np.arange(channels))
    return (size * (slow + noise)).astype(np.float32)


def stored(
    database: Database, session: str, signal: str, samples: Samples, rate: float, channels: Sequence[str], *,
    device: str = "d", start: int = 0, skip: Sequence[tuple[int, int]] = (), run: str = "r1", seq: int = 0,
) -> None:  # fmt: skip
    """Record samples, without the chunks that begin within what is skipped (nanoseconds)."""
    stream = Stream(session, device, signal, run)
    size = max(1, round(rate / 5))
    chunks = chunks_of(stream, samples, rate, channels, size=size, start=start, seq=seq)
    record(database, *(each for each in chunks if not any(a <= each.start < b for a, b in skip)))


def irregular(database: Database, session: str, times: Sequence[int], samples: Samples, device: str = "camera") -> None:
    """Record a pulse wave whose samples have times of their own (nanoseconds, whole microseconds)."""
    offsets = ((np.array(times) - times[0]) // 1000).astype("<i4")
    stream = Stream(session, device, "ppg", "r1")
    record(
        database,
        Chunk(stream, 0, times[0], None, ("g",), samples.astype("<f4").tobytes(), offsets.tobytes()),
    )


def analysed(database: Database, session: str, beats: Sequence[float], patient: str | None = "p-1") -> None:
    """Give the session a revision with beats and a reading, and a patient with a pseudonym."""
    now = utc_now()
    found = results.Found(
        "heart_rate", 72.25, None, None, 0.9, None, "ecg", "recording", "=m", preferred=True, start_ns=0, end_ns=SECOND
    )
    with database.transaction() as db:
        if patient is not None and db.get(PatientRow, patient) is None:
            db.add(PatientRow(id=patient, pseudonym=f"K7QF-{patient}", birth_year=1981, sex="female", created_ns=now))
            db.flush()
        row = db.get(SessionRow, session)
        assert row is not None
        if patient is not None:
            vault_of(db).assign(session, patient)
            row.patient_id = patient
        row.revision, row.state = 1, "closed"
        kept = np.array(beats, "<f8").tobytes()
        results.add(db, session, 1, outcome="complete", version="9", context={}, beats=kept, readings=[found], now=now)


def mixed(database: Database, session: str = "s-mixed") -> dict[str, tuple[Samples, float]]:
    """Streams of several rates, one with a gap, one late, one irregular; beats, a cuff and events."""
    record(database, opened(session))
    known = {
        "ecg": (wave(2500, 2, 1), 250.0),
        "ppg": (wave(1250, 1, 2, 40_000), 125.0),
        "respiration": (wave(250, 1, 3), 25.0),
        "eeg": (wave(5000, 5, 4, 60), 500.0),
    }
    known["ecg"][0][100] = np.nan
    stored(database, session, "ecg", known["ecg"][0], 250.0, ["I", "II"], skip=[(4 * SECOND, 6 * SECOND)])
    stored(database, session, "ppg", known["ppg"][0], 125.0, ["ir"], start=700_000_000)
    stored(database, session, "respiration", known["respiration"][0], 25.0, ["chest"])
    stored(database, session, "eeg", known["eeg"][0], 500.0, ["Fp1", "Fp2", "Cz", "Ob\u00e9", "=1+1"], device="cap")
    times = [3_000_000 + k * 33_367_000 + (k % 3) * 1_000_000 for k in range(90)]
    irregular(database, session, times, wave(90, 1, 5))
    cuff, marks = Stream(session, "cuff", "readings", "r1"), Stream(session, "station", "events", "r1")
    record(
        database,
        Reading(cuff, 0, "systolic", 121.0, "cuff", "spot", "oscillometric", 0, 30 * SECOND),
        Event(marks, 0, "step_began", 2 * SECOND, "=HYPERLINK(1)"),
        Event(marks, 1, "step_ended", 9 * SECOND),
        End(cuff, 0),
    )
    analysed(database, session, [0.5, 1.3, 2.104, 3.0, 7.25])
    return known


def taken(database: Database, session: str, form: Format) -> bytes:
    """The whole file."""
    return b"".join(exported(database, session, form))


def unzipped(content: bytes, folder: Path) -> dict[str, Path]:
    """What is in a zip, by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
        return {name: folder / name for name in archive.namelist()}
