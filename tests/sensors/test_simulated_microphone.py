"""The simulated microphone: rows of the real listener, of a talk that is known, at times that are the same again."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.messages import SECOND, Origin
from kiosk.signals import SIGNALS, VOICE_CHANNELS
from sensors.clock import ManualClock
from sensors.driver import Block, Visit
from sensors.drivers.simulated import Person
from sensors.drivers.simulated.microphone import SimulatedMicrophone
from sensors.drivers.simulated.talk import KEPT, PAUSE, PHRASE, PHRASES, SPAN, TALKS, Talks, score_channels
from sensors.sound.emotion import Emotions

MAN = Person(seed=3, sex="male")
WOMAN = Person(seed=3, sex="female")


def channel(name: str, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return samples[:, VOICE_CHANNELS.index(name)]


def heard(person: Person, seconds: int, *, late: int = 0) -> list[Block]:
    """What the microphone tells in the seconds after the `late`-th of a visit."""
    clock = ManualClock()
    visit = Visit("s1", Origin(clock.utc(), clock.now(), clock.boot_id), simulated=True)

    async def told() -> list[Block]:
        await clock.advance(late)
        microphone = SimulatedMicrophone(person, visit, clock)
        blocks: list[Block] = []

        async def listen() -> None:
            async for item in microphone.items():
                assert isinstance(item, Block)
                blocks.append(item)

        listening = asyncio.create_task(listen())
        await clock.advance(seconds)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return blocks

    TALKS.of(person)
    return asyncio.run(told())


def test_the_ports_are_those_of_the_real_listener() -> None:
    clock = ManualClock()
    visit = Visit("s1", Origin(clock.utc(), clock.now(), clock.boot_id), simulated=True)
    microphone = SimulatedMicrophone(MAN, visit, clock)
    assert microphone.simulated
    channels = {port.signal: port.channels for port in microphone.ports}
    assert channels["voice_functionals"] == VOICE_CHANNELS
    assert score_channels() == Emotions(None).channels == channels.get("voice_scores", ())
    assert all(SIGNALS[port.signal].accepts_rate(port.rate) for port in microphone.ports)


def test_every_second_has_its_row_and_speech_is_where_the_talk_is() -> None:
    blocks = heard(MAN, 2 * SPAN)
    rows = [block for block in blocks if block.signal == "voice_functionals"]
    times = np.concatenate([block.times for block in rows if block.times is not None])
    np.testing.assert_array_equal(np.diff(times), SECOND)
    assert len(rows) == 2 * SPAN
    assert all(block.times is not None and block.read_at == block.times[0] for block in blocks)
    samples = np.concatenate([block.samples for block in rows]).astype(np.float32)
    np.testing.assert_array_equal(samples[:SPAN], samples[SPAN:])
    spoken = channel("speech", samples[:SPAN])
    ends = int(np.ceil(PHRASES * (PHRASE + PAUSE)))
    assert spoken.sum() == pytest.approx(PHRASES * PHRASE, rel=0.15)
    assert not spoken[ends:].any()
    assert np.isnan(channel("f0_p50", samples[ends:SPAN])).all()
    scores = [block for block in blocks if block.signal == "voice_scores"]
    assert scores, "nobody heard what was said"
    # probabilities, and last how familiar the sound was
    assert all(float(block.samples[:, :-1].sum()) == pytest.approx(1, abs=1e-3) for block in scores)
    assert all(0.4 < float(block.samples[0, -1]) < 0.7 for block in scores)


def test_a_voice_belongs_to_its_person() -> None:
    def pitch(person: Person) -> float:
        rows = [row.values for row in TALKS.of(person) if row.signal == "voice_functionals"]
        return float(np.nanmedian(channel("f0_p50", np.array(rows))))

    assert pitch(WOMAN) > 1.3 * pitch(MAN)
    again = Talks().of(MAN)
    known = TALKS.of(replace(MAN, heart_rate=90.0))
    assert [(row.signal, row.time) for row in again] == [(row.signal, row.time) for row in known]
    assert all(a.values.tobytes() == b.values.tobytes() for a, b in zip(again, known, strict=True))


def test_who_comes_later_hears_the_same_talk_from_there_on() -> None:
    late = 7
    whole, part = heard(MAN, 2 * SPAN), heard(MAN, 2 * SPAN - late, late=late)
    begin = min(int(block.times[0]) for block in part if block.times is not None)
    rest = [block for block in whole if block.times is not None and block.times[0] >= begin]
    assert [block.read_at for block in part] == [block.read_at for block in rest]
    assert all(a.samples.tobytes() == b.samples.tobytes() for a, b in zip(part, rest, strict=True))
    # of no second that began before it listened
    assert begin == ManualClock().now() + (late + 1) * SECOND


def test_only_the_latest_voices_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.drivers.simulated.talk._heard", lambda seed, sex: ())
    talks = Talks()
    for seed in range(KEPT + 3):
        talks.of(Person(seed=seed))
    assert talks.known(Person(seed=KEPT + 2)) is not None
    assert talks.known(Person(seed=0)) is None
