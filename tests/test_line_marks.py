"""What a file's annotations say of the eyes is said of its replay too: marks travel as events. Synthetic."""

import asyncio
from dataclasses import replace
from pathlib import Path

import edfio
import numpy as np
import pytest

from analytics.session import FinalReading, session
from api.closing import load
from api.recorder import Recorder
from kiosk.bus import MemoryBus
from kiosk.recording import Context, Mark, Recording
from sensors import files
from sensors.clock import ManualClock
from sensors.drivers.replay import _ends, replay
from sensors.drivers.simulated import Body, Person
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests import databases

RATE, SECONDS = 128.0, 64
VISITOR = replace(
    Person(seed=5, eeg_channels=("Pz", "O1", "O2"), eyes_closed=((30.0, 50.0),), alpha_open=6.0).undisturbed()
)


def contrast(recording: Recording) -> FinalReading:
    found = session(recording, Context(), vote=False).readings
    return next(each for each in found if each.measure == "eeg_eyes_contrast")


def written(path: Path, annotations: list[tuple[float, float | None, str]]) -> Path:
    samples = Body(VISITOR).eeg(np.arange(round(SECONDS * RATE)) / RATE)
    signals = [
        edfio.EdfSignal(column, RATE, label=f"EEG {name}", physical_dimension="uV", physical_range=(-500, 500))
        for name, column in zip(VISITOR.eeg_channels, samples.T, strict=True)
    ]
    notes = [edfio.EdfAnnotation(*each) for each in annotations]
    edfio.Edf(signals, annotations=notes).write(path)
    return path


@pytest.mark.parametrize(
    "annotations",
    [
        [(0.0, None, "eyes open"), (30.0, None, "eyes closed"), (50.0, None, "eyes open")],
        # one after the other, each with its duration, the last 14 seconds of which nobody says anything
        [(0.0, 30.0, "Eyes Open"), (30.0, 20.0, "Eyes Closed")],
        [(1.0, 25.0, "EO"), (10.0, None, "a cough"), (31.0, 18.0, "EC")],
    ],
    ids=["moments", "durations", "with holes"],
)
async def test_the_eyes_of_a_replayed_file_are_those_of_the_file(
    tmp_path: Path, annotations: list[tuple[float, float | None, str]]
) -> None:
    recording = files.read(written(tmp_path / "eyes.edf", annotations), kind="eeg")
    before = contrast(recording)
    assert before.value is not None
    database = databases.database(tmp_path)
    database.migrate()
    bus, recorder = MemoryBus(), Recorder(database)
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=10**9) as outbox:
        made = replay(recording, speed=None)
        sensors = Sensors(kiosk="k1", bus=bus, outbox=outbox, clock=ManualClock(), visitor=lambda: made, simulated=True)
        recording_task = asyncio.create_task(recorder.serve(bus))
        await asyncio.sleep(0.1)
        async with sensors.running():
            name = await sensors.start_visit()
            await sensors.devices_finished()
            await sensors.end_visit()
            async with asyncio.timeout(30):
                await sensors.sender.drained()
        recording_task.cancel()
        await asyncio.gather(recording_task, return_exceptions=True)
    stored = load(database, name)
    assert [mark.text for mark in stored.marks if not mark.text.startswith("end of")] == [
        each[2] for each in annotations
    ]
    after = contrast(stored)
    assert after.value == pytest.approx(before.value, rel=1e-6)
    database.close()


def test_what_ends_a_mark_contradicts_nothing_that_begins_then() -> None:
    def told(*marks: Mark) -> list[tuple[int, str]]:
        return [(mark.time, mark.text) for mark in _ends(marks)]

    second = 10**9
    closed = Mark(0, "eyes closed", 20.0)
    assert told(closed) == [(20 * second, "end of eyes closed")]
    assert told(closed, Mark(20 * second, "eyes open")) == []
    assert told(closed, Mark(20 * second, "a cough")) == [(20 * second - 1, "end of eyes closed")]
    assert told(Mark(5, "a cough")) == []
