"""A microphone by PortAudio, with a stand-in for its package: true times, overflows, unplugging, absence."""

import asyncio
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from sensors.clock import ManualClock
from sensors.drivers.microphone.driver import Microphone
from sensors.drivers.microphone.soundcard import NO_LIBRARY, Soundcard, problem
from sensors.drivers.microphone.waiting import Piece, Timeline, Waiting
from tests.sensors.hearing import CLOCK, Sound, items_of, listener

# --- PortAudio, by a stand-in


class Card(ModuleType):
    """The sounddevice package with one microphone in it."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self, *, rate: float = 48_000.0, channels: int = 2) -> None:
        super().__init__("sounddevice")
        self.rate, self.count = rate, channels
        self.looked, self.closed, self.aborted = 0, 0, 0
        self.stream: SimpleNamespace | None = None
        self.asked: dict[str, object] = {}

    def _terminate(self) -> None:
        self.looked += 1

    def _initialize(self) -> None:
        pass

    def query_devices(self, device: object = None, kind: str | None = None) -> object:
        if device not in (None, 0, "Array"):
            raise ValueError(f"No input device matching {device!r}")
        found = {"name": "Array", "default_samplerate": self.rate, "max_input_channels": self.count}
        return found if kind else [found]

    def InputStream(self, **asked: object) -> SimpleNamespace:  # noqa: N802
        self.asked = asked
        self.stream = SimpleNamespace(samplerate=self.rate, start=lambda: None, abort=self._abort, close=self._close)
        return self.stream

    def _abort(self) -> None:
        self.aborted += 1

    def _close(self) -> None:
        self.closed += 1

    def say(self, samples: Sound, age: float = 0.02, *, adc: bool = True, lost: bool = False) -> None:
        """PortAudio's thread calls back."""
        callback = self.asked["callback"]
        assert callable(callback)
        times = SimpleNamespace(currentTime=77.0, inputBufferAdcTime=77.0 - age if adc else 0.0)
        callback(samples, len(samples), times, SimpleNamespace(input_overflow=lost))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


async def taken(source: Soundcard, say: Callable[[], None], clock: ManualClock) -> list[Piece]:
    """What a source puts in while `say` makes the card say something."""
    into = Waiting()
    async with source:
        feeding = asyncio.create_task(source.feed(into))
        for _ in range(3):
            await asyncio.sleep(0.01)
        say()
        feeding.cancel()
        await asyncio.wait([feeding])
    into.end()
    found = []
    while (piece := into.get()) is not None:
        found.append(piece)
    return found


async def test_a_block_has_the_time_at_which_it_was_converted(card: Card) -> None:
    clock = ManualClock()
    block = np.ones((4800, 2), np.float32)

    def say() -> None:
        card.say(block, age=0.25)
        block[:] = 0  # PortAudio uses its memory again

    [piece] = await taken(Soundcard(None, clock), say, clock)
    assert piece.start == clock.now() - SECOND // 4
    assert (piece.rate, piece.samples.shape, float(piece.samples.min())) == (48_000, (4800, 2), 1)
    assert card.asked["channels"] == 2
    assert (card.looked, card.aborted, card.closed) == (1, 1, 1)


async def test_blocks_that_are_handed_over_late_keep_their_places(card: Card) -> None:
    clock, late = ManualClock(), np.random.default_rng(1).uniform(0.0, 0.06, 50)
    source = Soundcard(0, clock)
    began = clock.now()

    def say() -> None:
        for number in range(50):
            # the machine was busy: the callback comes late, and PortAudio's clock tells
            clock._now = began + round((0.1 * number + 0.1 + late[number]) * SECOND)
            card.say(np.zeros((4800, 1), np.float32), age=0.1 + late[number])

    found = await taken(source, say, clock)
    assert [round((piece.start - began) / SECOND, 4) for piece in found] == [round(0.1 * n, 4) for n in range(50)]
    assert source.trouble == ""


async def test_without_times_of_its_own_a_card_says_so_and_blocks_follow_each_other(card: Card) -> None:
    clock, late = ManualClock(), np.random.default_rng(1).uniform(0.0, 0.06, 50)
    source = Soundcard("Array", clock)
    began = clock.now()

    def say() -> None:
        for number in range(50):
            clock._now = began + round((0.1 * number + 0.1 + late[number]) * SECOND)
            card.say(np.zeros((4800, 1), np.float32), adc=False)

    found = await taken(source, say, clock)
    steps = np.diff([piece.start for piece in found]) / SECOND
    assert np.abs(steps - 0.1).max() < 0.005
    assert "does not say when" in source.trouble


async def test_an_overflow_leaves_a_gap_where_sound_is_missing(card: Card) -> None:
    clock = ManualClock()
    began = clock.now()

    def say() -> None:
        for at, lost in ((0.1, False), (0.2, False), (0.38, True)):
            clock._now = began + round(at * SECOND)
            card.say(np.zeros((4800, 1), np.float32), age=0.1, lost=lost)

    found = await taken(Soundcard(None, clock), say, clock)
    assert [round((piece.start - began) / SECOND, 3) for piece in found] == [0, 0.1, 0.28]


async def test_a_microphone_that_goes_away_fails_and_is_given_back(card: Card) -> None:
    driver = Microphone(CLOCK, lambda clock: Soundcard(None, clock), listener)

    async def unplug() -> None:
        while "finished_callback" not in card.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        gone = card.asked["finished_callback"]
        assert callable(gone)
        await asyncio.to_thread(gone)

    pulling = asyncio.create_task(unplug())
    with pytest.raises(DriverFailed, match="the microphone went away"):
        await asyncio.wait_for(items_of(driver), 5)
    await pulling
    assert card.closed == 1


async def test_a_microphone_that_falls_silent_for_good_fails(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.drivers.microphone.soundcard.SILENT", 0.2)
    with pytest.raises(DriverFailed, match=r"microphone 0 has sent no sound for 0\.2 s"):
        await asyncio.wait_for(items_of(Microphone(CLOCK, lambda clock: Soundcard(0, clock), listener)), 5)


async def test_what_cannot_be_opened_is_said_in_words(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(where: int | str | None) -> None:
        async with Soundcard(where, CLOCK):
            pass

    with pytest.raises(DriverFailed, match="microphone Other is not there, or is in use: No input device"):
        await opened("Other")
    card.rate = 2_000
    with pytest.raises(DriverFailed, match="2000 samples a second"):
        await opened(None)
    assert problem() == ""
    card.count = 0
    assert problem() == "there is no microphone"

    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(DriverFailed, match="apt-get install libportaudio2"):
        await opened(None)
    assert problem() == NO_LIBRARY


def test_a_timeline_follows_drift_and_believes_jumps() -> None:
    line = Timeline()
    found = [line.place(round(number * 0.1 * SECOND * (1 + 1e-4)), 0.1) for number in range(600)]
    assert abs(found[-1] - 59.9 * SECOND * (1 + 1e-4)) < 1e6
    later = found[-1] + 5 * SECOND
    assert line.place(later, 0.1) == later
