"""Pyramids: hours are drawn from groups of samples, no peak vanishes, and what came late is never left out."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlmodel import col, select
from starlette.testclient import TestClient

from api import drawing
from api.recorder import Recorder
from api.store import Database, Tampered, pyramids, streams, waveforms
from api.store.pyramids import Grouping, joined, level_for
from api.tables import PyramidRow, StreamRow
from api.waveform import Envelope
from kiosk.bus import Delivery
from kiosk.messages import SECOND, Chunk, End, Session, Stream, address, encode
from tests import databases
from tests.api.conftest import ORIGIN, chunks_of, opened, record, session_stream

RATE = 250.0
PERIOD = round(SECOND / RATE)


def wave(seed: int, count: int, channels: int = 1) -> NDArray[np.float32]:
    chance = np.random.default_rng(seed)
    made = chance.normal(0, 1, (count, channels)).astype(np.float32)
    made[chance.random((count, channels)) < 0.01] = np.nan
    return made


@st.composite
def runs(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.float32], list[int]]:
    """Samples with gaps, steps back and NaN, and where they are cut into portions."""
    count = draw(st.integers(1, 400))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 2, 50, -3]), min_size=count, max_size=count))
    times = np.cumsum(np.array(steps, np.int64)) * PERIOD
    cuts = sorted({0, count, *draw(st.sets(st.integers(0, count), max_size=5))})
    return times, wave(draw(st.integers(0, 99)), count, draw(st.integers(1, 2))), cuts


@given(runs(), st.sampled_from([1, 4, 32]))
def test_groups_are_the_extremes_of_consecutive_samples_however_they_come(
    given_: tuple[NDArray[np.int64], NDArray[np.float32], list[int]], level: int
) -> None:
    times, samples, cuts = given_
    grouping = Grouping(level, RATE, samples.shape[1])
    parts = [grouping.add(times[a:b], samples[a:b]) for a, b in pairwise(cuts)]
    found = joined([*parts, grouping.rest()])
    assert found.counts.sum() == len(times)
    assert found.counts.max() <= level
    at = 0
    for begin, end, count, low, high in zip(*found, strict=True):
        mine, values = times[at : at + count], samples[at : at + count]
        assert (begin, end) == (mine[0], mine[-1])
        # no gap within
        assert (np.diff(mine) == PERIOD).all()
        for channel in range(samples.shape[1]):
            known = values[:, channel][~np.isnan(values[:, channel])]
            expected = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
            np.testing.assert_equal((low[channel], high[channel]), expected)
        at += count
        # and not one group where there could be fewer
        if at < len(times) and count < level:
            assert times[at] - mine[-1] != PERIOD


def test_a_level_is_chosen_that_is_fine_enough_and_no_finer() -> None:
    hour = 3600 * SECOND
    assert level_for(250.0, 6 * hour, 2000) == 512
    assert level_for(250.0, hour, 2000) == 16
    assert level_for(250.0, 300 * SECOND, 2000) == 16
    assert level_for(250.0, 200 * SECOND, 2000) is None
    assert level_for(None, 6 * hour, 2000) is None


# --- through the database

GAPS = [(20_000, 25_000), (50_003, 50_004)]
LONG = 90_000


@pytest.fixture(scope="module")
def long_wave() -> NDArray[np.float32]:
    made = wave(5, LONG, 2)
    made[30_000:40_000] = np.nan
    made[70_001, 0] = 55.0
    return made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, long_wave: NDArray[np.float32]) -> Iterator[Database]:
    """Six minutes with gaps, closed."""
    database = databases.database(tmp_path_factory.mktemp("pyramid"))
    database.migrate()
    fill(database, long_wave)
    close(database)
    yield database
    database.close()


ECG = Stream("s-long", "chest", "ecg", "r1")


def fill(database: Database, samples: NDArray[np.float32]) -> None:
    record(database, opened("s-long"), *parts(samples))


def parts(samples: NDArray[np.float32]) -> list[Chunk]:
    missing = [range(begin // 25, (end + 24) // 25) for begin, end in GAPS]
    return [each for each in chunks_of(ECG, samples, RATE, ["I", "II"]) if not any(each.seq in gap for gap in missing)]


def present(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    there = np.zeros(len(samples), bool)
    for each in parts(samples):
        there[each.seq * 25 : each.seq * 25 + each.count] = True
    return there


def close(database: Database) -> None:
    """What the closer does of it."""
    with database.reading() as db:
        made = drawing.make_pyramids(db, "s-long")
    with database.transaction() as db:
        pyramids.store(db, made)


def levels(database: Database) -> set[int]:
    with database.reading() as db:
        return set(db.execute(select(col(PyramidRow.level))).scalars())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-SECOND, 200 * SECOND), st.integers(SECOND, 400 * SECOND), st.integers(1, 300))
def test_a_window_from_the_pyramid_is_the_envelope_of_its_samples(
    kept: Database, long_wave: NDArray[np.float32], start: int, length: int, points: int
) -> None:
    end = start + length
    times = np.rint(np.arange(LONG) * (SECOND / RATE)).astype(np.int64)
    inside = present(long_wave) & (times >= start) & (times < end)
    with kept.reading() as db:
        (stream,) = waveforms.streams_of(db, "s-long", "ecg")
        drawn = drawing.draw(db, [stream], start, end, points, 2)
        groups = [pyramids.within(db, stream, level, -(2**60), 2**60) for level in pyramids.LEVELS]
    assert isinstance(drawn, Envelope) == (inside.sum() > 2 * points)
    if not isinstance(drawn, Envelope):
        np.testing.assert_array_equal(drawn.samples, long_wave[inside])
        return
    level = level_for(RATE, length, points)
    place = times[inside]
    if level is not None:
        # the documented grid: a group that is all within belongs where it begins
        found = groups[pyramids.LEVELS.index(level)]
        assert found is not None
        mine = np.searchsorted(found.begins, place, side="right") - 1
        whole = (found.begins[mine] >= start) & (found.ends[mine] < end)
        place = np.where(whole, found.begins[mine], place)
        # less than one group from its place
        assert (times[inside] - place <= level * PERIOD).all()
    bucket = (place - start) * points // length
    low, high = np.full((points, 2), np.nan, np.float32), np.full((points, 2), np.nan, np.float32)
    for channel in range(2):
        np.fmin.at(low[:, channel], bucket, long_wave[inside][:, channel])
        np.fmax.at(high[:, channel], bucket, long_wave[inside][:, channel])
    np.testing.assert_array_equal(drawn.low, low)
    np.testing.assert_array_equal(drawn.high, high)


def test_the_pyramid_is_what_is_read_and_the_chunks_are_not(kept: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = waveforms.portions

    def counted(db: object, stream: StreamRow, start: int, end: int) -> Iterator[object]:
        for portion in whole(db, stream, start, end):  # type: ignore[arg-type]
            read.append(len(portion))
            yield portion

    monkeypatch.setattr(waveforms, "portions", counted)
    with kept.reading() as db:
        (stream,) = waveforms.streams_of(db, "s-long", "ecg")
        drawn = drawing.draw(db, [stream], 0, 360 * SECOND, 300, 2)
    assert isinstance(drawn, Envelope)
    assert np.nanmax(drawn.high[:, 0]) == 55.0
    # at most the two groups that the window's ends cut
    assert sum(read) < 20


def test_groups_are_encrypted(kept: Database, long_wave: NDArray[np.float32]) -> None:
    assert kept.url.database is not None
    there = b"".join(each.read_bytes() for each in Path(kept.url.database).parent.glob("kiosk.sqlite*"))
    with kept.reading() as db:
        (stream,) = waveforms.streams_of(db, "s-long", "ecg")
        found = pyramids.within(db, stream, pyramids.LEVELS[0], 0, 2**60)
        assert found is not None
        for column in found:
            assert column[:16].tobytes() not in there
        rows = list(db.execute(select(PyramidRow).order_by(col(PyramidRow.block))).scalars())
    with kept.transaction() as db:
        db.merge(PyramidRow(**{**rows[0].model_dump(), "buckets": rows[1].buckets}))
    with kept.reading() as db, pytest.raises(Tampered):
        pyramids.within(db, stream, rows[0].level, 0, 2**60)
    with kept.transaction() as db:
        db.merge(PyramidRow(**rows[0].model_dump()))


def test_what_comes_late_takes_the_pyramid_away_and_the_next_close_makes_it_anew(
    database: Database, long_wave: NDArray[np.float32]
) -> None:
    fill(database, long_wave)
    record(database, Session(session_stream("s-long"), 1, "ended", ORIGIN, ended=360 * SECOND))
    close(database)
    assert levels(database) == set(pyramids.LEVELS)
    late = chunks_of(ECG, np.full((25, 2), 99.0, np.float32), RATE, ["I", "II"], start=20_000 * PERIOD, seq=800)
    record(database, *late)
    assert levels(database) == set()
    for _ in range(2):
        with database.reading() as db:
            (stream,) = waveforms.streams_of(db, "s-long", "ecg")
            drawn = drawing.draw(db, [stream], 0, 360 * SECOND, 300, 2)
        assert isinstance(drawn, Envelope)
        assert np.nanmax(drawn.high) == 99.0
        close(database)
    assert levels(database) == set(pyramids.LEVELS)


def test_a_chunk_that_comes_while_a_pyramid_is_made_is_not_left_out(
    database: Database, long_wave: NDArray[np.float32]
) -> None:
    fill(database, long_wave)
    with database.reading() as db:
        made = drawing.make_pyramids(db, "s-long")
    assert made
    # the session is open: nobody takes away what is not there yet
    late = chunks_of(ECG, np.ones((25, 2), np.float32), RATE, ["I", "II"], start=20_000 * PERIOD, seq=800)
    Recorder(database).commit([Delivery(address("kiosk-1", each), encode(each)) for each in late])
    with database.transaction() as db:
        pyramids.store(db, made)
    assert levels(database) == set()


def test_short_and_irregular_streams_need_no_pyramid(database: Database) -> None:
    record(
        database,
        opened("s-long"),
        *chunks_of(ECG, wave(1, 1000), RATE, ["I"]),
        End(ECG, 39),
    )
    with database.reading() as db:
        assert drawing.make_pyramids(db, "s-long") == []
        assert streams.extents(db, "s-long")


def test_the_route_answers_from_the_pyramid_as_it_does_from_the_chunks(
    client: TestClient, database: Database, long_wave: NDArray[np.float32]
) -> None:
    fill(database, long_wave)
    address_ = "/api/v1/sessions/s-long/waveforms/ecg"
    before = client.get(address_, params={"points": 100}).json()
    close(database)
    after = client.get(address_, params={"points": 100}).json()
    assert after["decimated"]
    assert (after["times"], after["start"], after["end"]) == (before["times"], before["start"], before["end"])
    for name, extreme in (("low", min), ("high", max)):
        for old, new in zip(before[name], after[name], strict=True):
            assert extreme(x for x in old if x is not None) == extreme(x for x in new if x is not None)
            # the gap of 20 s and that of NaN stay gaps, but for the buckets at their ends
            assert sum((a is None) != (b is None) for a, b in zip(old, new, strict=True)) <= 4
            assert new.count(None) > 10
