"""A visit whose every secret is a mark that occurs nowhere else; where such marks are; a backup and its restoring."""

import base64
import sqlite3
import struct
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.store import Database, notes, responses, results, reviews, utc_now
from api.tables import NoteRow, ResponseRow, ReviewRow
from kiosk.messages import End, Event, Reading, Stream
from tests.api.conftest import chunks_of, opened, record
from tests.postgres import Cluster, find

FAMILY, GIVEN, MAIL = "Quirkensdottir", "Zephyrantha", "zephyrantha@quirkens.example"
RECORD, STREET = "MRN-QX-774411", "77 Obsidian Crescent"
NOTE = "she dreams of vermilion lighthouses"
COMMENT = "an unmistakable periwinkle comment"
SAID = "the visitor whispered tourmaline"
ITEM = "phosphorescent_item"
SAMPLES = np.random.default_rng(774411).normal(0, 0.3, (2000, 1)).astype(np.float32)
NUMBER = 123.45678901234567
"""A computed number: not encrypted, so that it may be in a backup, but deleted."""
SECRETS: Mapping[str, bytes] = {
    **{name: text.encode() for name, text in (
        ("family name", FAMILY), ("given name", GIVEN), ("mail", MAIL), ("record number", RECORD), ("street", STREET),
        ("note", NOTE), ("comment", COMMENT), ("event", SAID), ("answer", ITEM),
    )},
    "samples": SAMPLES[40:48].tobytes(),
}  # fmt: skip


class Marked(NamedTuple):
    patient: str
    session: str


def measure(client: TestClient, database: Database, session: str = "s-marked") -> Marked:
    """A patient with an identity, a session with everything that can be in one, and notes on both."""
    patient = client.post("/api/v1/patients", json={"birth_year": 1981}).json()["id"]
    identity = {
        "given": [GIVEN], "family": FAMILY, "birth_date": "1981-04-09", "email": MAIL, "address": [STREET],
        "identifiers": [{"system": "urn:x", "value": RECORD}],
    }  # fmt: skip
    assert client.put(f"/api/v1/patients/{patient}/identity", json=identity).status_code == 200
    assert client.post("/api/v1/patients/search", json={"name": f"{FAMILY} {GIVEN}"}).json()["items"]
    ecg, cuff, marks = (Stream(session, "d", signal, "r1") for signal in ("ecg", "readings", "events"))
    record(
        database,
        opened(session),
        *chunks_of(ecg, SAMPLES, 250.0, ["I"]),
        Reading(cuff, 0, "systolic", NUMBER, "cuff", "spot", "oscillometric", 0, 30),
        Event(marks, 0, "note", 2, SAID),
        End(ecg, 79),
    )
    assert client.patch(f"/api/v1/sessions/{session}", json={"patient_id": patient}).status_code == 200
    for purpose in ("store", "research"):
        consent = {"purpose": purpose, "text_version": "2026-1", "language": "ru", "session_id": session}
        assert client.post(f"/api/v1/patients/{patient}/consents", json=consent).status_code == 201
    now = utc_now()
    with database.transaction() as db:
        notes.write(db, NoteRow(id=f"n-p-{session}", patient_id=patient, author_id="u-1", created_ns=now), NOTE)
        notes.write(db, NoteRow(id=f"n-s-{session}", session_id=session, author_id="u-1", created_ns=now), NOTE)
        review = ReviewRow(
            id=f"v-{session}", session_id=session, revision=1, reviewer_id="u-1", verdict="accepted", created_ns=now
        )
        reviews.add(db, review, COMMENT)
        response = ResponseRow(
            id=f"q-{session}", session_id=session, questionnaire="phq-9", questionnaire_version="1", language="en",
            created_ns=now,
        )  # fmt: skip
        responses.add(db, response, {ITEM: 3}, None)
        found = results.Found(
            "heart_rate", NUMBER, None, None, 0.9, None, "ecg", "recording", "m", preferred=True, start_ns=0, end_ns=1
        )
        results.add(db, session, 1, outcome="complete", version="1", context={}, beats=None, readings=[found], now=now)
    return Marked(patient, session)


def spellings(secret: bytes) -> set[bytes]:
    """How a secret may stand in a file."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        coded = base64.b64encode(bytes(before) + secret)
        # without the letters that what is before and behind has a part in
        found.add(coded[4 if before else 0 : len(coded) - 4])
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        return found
    return found | {text.encode("utf-16-le"), text.encode("utf-16-be"), text.casefold().encode()}


def spelled(number: float) -> set[bytes]:
    """How a number may stand in a file."""
    return {struct.pack(">d", number), struct.pack("<d", number), repr(number).encode()}


def found_in(paths: Iterable[Path], wanted: Mapping[str, Iterable[bytes]]) -> set[tuple[str, str]]:
    """Which marks are in which files, as (mark, file)."""
    found = set()
    for path in paths:
        for file in [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file()):
            try:
                content = file.read_bytes()
            except FileNotFoundError:  # a server's own, gone meanwhile
                continue
            found |= {(name, file.name) for name, forms in wanted.items() if any(form in content for form in forms)}
    return found


ALL_SECRETS = {name: spellings(secret) for name, secret in SECRETS.items()}


class Backup(NamedTuple):
    file: Path
    restore: Callable[[], str]
    """Make a database of it, and say its address."""


def back_up(database: Database, folder: Path, request: pytest.FixtureRequest) -> Backup:
    """What an operator's plain backup is: SQLite's own, or pg_dump."""
    folder.mkdir()
    if database.dialect == "sqlite":
        file, restored = folder / "backup.sqlite", folder.parent / "restored.sqlite"
        source, target = sqlite3.connect(str(database.url.database)), sqlite3.connect(file)
        source.backup(target)
        source.close()
        target.close()

        def restore() -> str:
            restored.write_bytes(file.read_bytes())
            return f"sqlite:///{restored}"

        return Backup(file, restore)
    server: Cluster = request.getfixturevalue("server")
    file, name = folder / "backup.sql", str(database.url.database)
    where = ["--host", str(server.home), "--username", "postgres"]
    program = find("pg_dump")
    assert program
    subprocess.run([program, *where, "--file", str(file), name], check=True)

    def restore_sql() -> str:
        with server.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}_restored WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}_restored")
        program = find("psql")
        assert program
        command = [
            program,
            *where,
            "--quiet",
            "--output",
            "/dev/null",
            "--dbname",
            f"{name}_restored",
            "--file",
            str(file),
        ]
        subprocess.run(command, check=True)
        return server.url(f"{name}_restored")

    return Backup(file, restore_sql)
