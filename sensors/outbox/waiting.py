"""The messages that wait for their receipts: sealed, stored, opened again, and given up when there is no more room."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

import msgspec

from kiosk.messages import SESSION, Chunk, Entry, Event, Lost, Message, Reading, Stream, address, decode, encode
from sensors.outbox.keys import RunKeys, Unreadable, run_of

_ROOM, _MOST_ROOM = 0.1, 4_000_000
"""When full, the oldest go until this share of the limit is free, but not so many that a commit takes seconds."""
_OVERHEAD = 120
"""Bytes that a row costs beside its payload, about."""
_ITEMS = (
    "SELECT items.id, topic, payload, sealed, stream, seq, session, run FROM items JOIN streams ON streams.id = stream"
)
_Row = tuple[int, str, bytes, int, int, int, str, str]

Place = tuple[int, int]
"""A stream's number and a seq."""


class Item(NamedTuple):
    """A message to send."""

    id: int
    topic: str
    payload: bytes


class State(NamedTuple):
    """What is known of the rows without counting them; a transaction that fails puts it back."""

    waiting: int
    size: int
    """In bytes, about."""
    totals: Counter[str]


class Waiting:
    """Rows of `items` and `counts`. Whoever calls holds the outbox's lock, and its transaction where rows change."""

    def __init__(self, db: sqlite3.Connection, keys: RunKeys, kiosk: str, limit: int) -> None:
        self._db, self._keys, self._kiosk, self._limit = db, keys, kiosk, limit
        totals = Counter(dict(db.execute("SELECT name, value FROM counts")))
        size, count = db.execute(
            "SELECT coalesce(sum(length(payload) + ?), 0), count(*) FROM items", (_OVERHEAD,)
        ).fetchone()
        self.state = State(count, size, totals)

    def snapshot(self) -> State:
        """The state, of which nothing changes any more."""
        return self.state._replace(totals=self.state.totals.copy())

    def store(self, number: int, kind: str, seq: int, message: Message) -> None:
        """Keep a message of a stream."""
        topic, payload = address(self._kiosk, message), encode(message)
        # the recorder's own gate: what is kept here will be taken there
        decode(topic, payload)
        # the other kinds say when, and how much; and that must be said even if a key is lost
        sealed = False
        if isinstance(message, Chunk | Reading | Event | Entry):
            payload, sealed = self._keys.seal(run_of(message.stream), payload, _place(number, seq)), True
        self._db.execute(
            "INSERT INTO items (stream, kind, seq, topic, payload, sealed) VALUES (?, ?, ?, ?, ?, ?)",
            (number, kind, seq, topic, payload, sealed),
        )
        self._grew(1, len(payload) + _OVERHEAD)

    def take(self, where: str, values: tuple[int, ...]) -> list[int]:
        """Forget rows: the ids that are gone."""
        rows = self._db.execute(
            f"DELETE FROM items WHERE {where} RETURNING id, length(payload)",  # noqa: S608 - literals of this package
            values,
        ).fetchall()
        self._grew(-len(rows), -sum(size + _OVERHEAD for _, size in rows))
        return [number for number, _ in rows]

    def after(self, number: int, most: int) -> tuple[list[Item], list[Place]]:
        """Messages with an id above a number, oldest first; and which cannot be read."""
        rows = self._db.execute(f"{_ITEMS} WHERE items.id > ? ORDER BY items.id LIMIT ?", (number, most))
        return self._opened(rows.fetchall())

    def still(self, ids: Iterable[int]) -> tuple[list[Item], list[Place]]:
        """Those of the given ids that are there, oldest first; and which cannot be read."""
        rows = self._db.execute(
            f"{_ITEMS} WHERE items.id IN (SELECT value FROM json_each(?)) ORDER BY items.id",  # noqa: S608 - ours
            (json.dumps(list(ids)),),
        )
        return self._opened(rows.fetchall())

    def has(self, number: int) -> bool:
        """Whether anything of a stream waits."""
        return self._db.execute("SELECT 1 FROM items WHERE stream = ?", (number,)).fetchone() is not None

    def tally(self, name: str, more: int) -> None:
        """Count what was given up or refused."""
        if more:
            self._db.execute("UPDATE counts SET value = value + ? WHERE name = ?", (more, name))
            self.state.totals[name] += more

    def make_room(self, streams: Mapping[Stream, int]) -> None:
        """Give up the oldest samples. Words about sessions, ends and losses are small, and stay."""
        if self.state.size <= self._limit:
            return
        wanted = self.state.size - self._limit + min(self._limit * _ROOM, _MOST_ROOM)
        doomed, freed = list[Place](), 0
        for row in self._db.execute(
            "SELECT items.id, stream, seq, length(payload) FROM items JOIN streams ON streams.id = stream"
            " WHERE kind = 'message' AND signal <> ? ORDER BY items.id",
            (SESSION,),
        ):
            if freed >= wanted:
                break
            doomed.append(row[1:3])
            freed += row[3] + _OVERHEAD
        self.give_up(doomed, "outbox_full", streams)

    def give_up(self, doomed: list[Place], reason: str, streams: Mapping[Stream, int]) -> None:
        """Forget messages, and say so."""
        by_id = {number: stream for stream, number in streams.items()}
        doomed.sort()
        # consecutive seqs keep a constant distance to their place in the list: one Lost for each such range
        for (number, _), group in groupby(enumerate(doomed), key=lambda pair: (pair[1][0], pair[1][1] - pair[0])):
            seqs = [seq for _, (_, seq) in group]
            self.take("stream = ? AND kind = 'message' AND seq BETWEEN ? AND ?", (number, seqs[0], seqs[-1]))
            self._lose(by_id[number], number, seqs[0], seqs[-1], reason)
        self.tally("lost", len(doomed))

    def _lose(self, stream: Stream, number: int, first: int, last: int, reason: str) -> None:
        """Say that a range is lost, in one word with the range before it: a long outage must not fill the file."""
        before = self._db.execute(
            "SELECT payload FROM items WHERE stream = ? AND kind = 'lost' AND seq = ?", (number, first - 1)
        ).fetchone()
        if before is not None and (said := msgspec.json.decode(before[0], type=Lost)).reason == reason:
            first = said.first
            self.take("stream = ? AND kind = 'lost' AND seq BETWEEN ? AND ?", (number, first, last))
        self.store(number, "lost", last, Lost(stream, first, last, reason))

    def _opened(self, rows: Iterable[_Row]) -> tuple[list[Item], list[Place]]:
        items, unreadable = list[Item](), list[Place]()
        for number, topic, payload, sealed, stream, seq, session, run in rows:
            plain = payload
            if sealed:
                try:
                    plain = self._keys.open((session, run), payload, _place(stream, seq))
                except Unreadable:
                    unreadable.append((stream, seq))
                    continue
            items.append(Item(number, topic, plain))
        return items, unreadable

    def _grew(self, count: int, size: int) -> None:
        self.state = self.state._replace(waiting=self.state.waiting + count, size=self.state.size + size)


def _place(stream: int, seq: int) -> str:
    """Where a payload is sealed for: it opens nowhere else."""
    return f"{stream}:{seq}"
