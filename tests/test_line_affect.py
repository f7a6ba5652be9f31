"""Brain, voice and face along the line: from simulated devices to live readings, and to the stored answer."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from analytics.registry import EEG, FACE, FUSED, LIVE_MEASURES, VOICE
from analytics.router import FUSION
from analytics.service import serve as serve_analytics
from analytics.session import FinalReading
from analytics.session import session as analysed
from api.closing import Closer, context_of, load
from api.recorder import Recorder
from api.store import readings
from api.tables import ReadingRow
from kiosk import topics
from kiosk.bus import Bus, MemoryBus, Subscription
from kiosk.measures import BANDS
from kiosk.messages import SECOND, Chunk, Reading, decode
from kiosk.mqtt import MqttBus
from kiosk.settings import Settings
from sensors.clock import ManualClock
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.driver import camera_factory, microphone_factory, signal_factory
from sensors.drivers.simulated.talk import TALKS
from sensors.outbox import Outbox
from sensors.service import Sensors
from tests import databases
from tests.brokers import find, mosquitto
from tests.conftest import require

SECONDS = 40
PERSON = Person(seed=11, sex="female", talking=0.3)
SCORES = LIVE_MEASURES["voice_scores"]
OTHERS = ("heart_rate", "respiration_rate")
"""What the camera tells besides."""
SIGNALS = {"eeg", "rgb", "face_motion", "face_units", "voice_functionals", "voice_scores"}


@pytest.fixture(params=["memory", "mosquitto"])
async def buses(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Bus]]:
    """Three connections: of the sensors, of the analytics, of the recorder."""
    if request.param == "memory":
        yield [MemoryBus()] * 3
        return
    require(find() is not None, "mosquitto")
    async with AsyncExitStack() as stack:
        host, port = stack.enter_context(mosquitto(tmp_path))
        made = [await stack.enter_async_context(MqttBus(host=host, port=port, name=f"affect-{n}")) for n in range(3)]
        for bus in made:
            await bus.wait_first_connection(10)
        yield list(made)


async def overheard(arriving: Subscription, told: list[Reading], sent: dict[str, list[Chunk]]) -> None:
    async for delivery in arriving:
        _, message = decode(*delivery)
        if isinstance(message, Reading):
            told.append(message)
        elif isinstance(message, Chunk):
            sent[message.stream.signal].append(message)


@pytest.mark.timeout(120)
async def test_brain_voice_and_face_are_live_and_their_stored_answer_is_the_analysis(
    buses: list[Bus], tmp_path: Path
) -> None:
    # what the visitor says is known beforehand: how many rows there are does not hang on this machine's speed
    TALKS.of(PERSON)
    database = databases.database(tmp_path)
    database.migrate()
    clock, recorder = ManualClock(), Recorder(database)
    told: list[Reading] = []
    sent: dict[str, list[Chunk]] = defaultdict(list)
    devices = [signal_factory("eeg", person=PERSON), camera_factory(person=PERSON), microphone_factory(person=PERSON)]
    sensors_bus, analytics_bus, recorder_bus = buses
    with Outbox(tmp_path / "outbox.sqlite", "k1", limit=10**9) as outbox:
        sensors = Sensors(
            kiosk="k1", bus=sensors_bus, outbox=outbox, clock=clock, visitor=lambda: devices, simulated=True
        )
        async with recorder_bus.subscribe(topics.pattern("reading"), topics.pattern("chunk")) as arriving:
            background = [
                asyncio.create_task(work)
                for work in (
                    recorder.serve(recorder_bus), serve_analytics(analytics_bus), overheard(arriving, told, sent)
                )
            ]  # fmt: skip
            await asyncio.sleep(0.3)
            async with sensors.running():
                session = await sensors.start_visit()
                for _ in range(SECONDS):
                    await clock.advance(1)
                    await asyncio.sleep(0.01)
                async with asyncio.timeout(30):
                    # while it runs: the visit has not ended when the first of them are there
                    while not {"eeg_alpha", "voice_pitch", "valence"} <= {each.measure for each in told}:
                        await asyncio.sleep(0.02)
                await sensors.end_visit()
                async with asyncio.timeout(30):
                    await sensors.sender.drained()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)

    _assert_live(told)
    recording = load(database, session)
    stored = {track.signal: track for track in recording.tracks}
    assert set(stored) == SIGNALS
    for signal, chunks in sent.items():
        assert stored[signal].samples.tobytes() == b"".join(chunk.samples for chunk in chunks), signal
    seconds = stored["voice_functionals"].times
    # from the one after its run began, without a gap
    assert len(seconds) >= SECONDS - 5
    assert set(np.diff(seconds).tolist()) == {SECOND}

    with ThreadPoolExecutor(1) as inline:
        assert await Closer(database, Settings(data=tmp_path, close_after=600)).sweep(inline) == 1
    again = analysed(recording, context_of(database, session)).readings
    with database.reading() as db:
        kept = readings.of_session(db, session, (1,), scope="recording")
    assert [_of(each) for each in kept] == [_of(each) for each in again]
    for one, other in zip(kept, again, strict=True):
        assert _numbers(one) == pytest.approx(_numbers(other), rel=1e-9, abs=1e-9), one.measure
    values = {each.measure for each in again if each.value is not None}
    assert {
        "eeg_alpha",
        "eeg_alpha_peak",
        "voice_pitch",
        "speech_rate",
        "face_happiness",
        "valence",
        "arousal",
    } <= values
    database.close()


def _assert_live(told: list[Reading]) -> None:
    """What appeared while the visitor sat there."""
    valued = [each for each in told if each.value is not None and each.scope == "live"]
    measures = {each.measure for each in valued}
    assert {f"eeg_{band}_relative" for band in BANDS} <= measures <= {*EEG, *FACE, *VOICE, *SCORES, *FUSED, *OTHERS}
    assert {"voice_pitch", "speech_rate", "speech_share", "face_happiness"} <= measures
    assert set(SCORES) & measures, "what the voice network heard"
    assert {"valence", "arousal"} <= measures
    fused = [each for each in valued if each.measure in FUSED]
    assert {each.source for each in fused} == {FUSION}
    # an interval that was not validated is none
    assert all(each.low is None and each.high is None for each in fused)
    of_band = [each for each in valued if each.measure.endswith("_relative")]
    # all shares of one moment together are the whole
    for end in {each.end for each in of_band}:
        assert sum(each.value or 0 for each in of_band if each.end == end) == pytest.approx(1, abs=1e-6)


def _of(reading: ReadingRow | FinalReading) -> tuple[str, str, str, str, str | None, bool, str, str]:
    """What must be alike to the letter."""
    return (
        reading.measure, reading.source, reading.scope, reading.method, reading.absent, reading.preferred,
        reading.note, reading.note_ru,
    )  # fmt: skip


def _numbers(reading: ReadingRow | FinalReading) -> list[float]:
    """What must be alike to 1e-9."""
    values = (reading.value, reading.low, reading.high, reading.quality)
    return [-1e9 if each is None else each for each in values]
