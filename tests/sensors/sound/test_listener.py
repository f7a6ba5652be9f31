"""The listener: rows at whole seconds, the same whatever the pieces, and the voice network asked when it should be."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kiosk.errors import DriverFailed
from kiosk.messages import SECOND
from kiosk.signals import VOICE_CHANNELS
from sensors.drivers.simulated.voice import speech
from sensors.listener import FUNCTIONALS, SCORES, Heard, Listener
from sensors.sound.emotion import HOP, LEAST, LONGEST

Sound = NDArray[np.float32]
START = 7 * SECOND


class Network:
    """A voice network that says how much it was given."""

    channels = ("net.calm", "net.anger")

    def __init__(self) -> None:
        self.asked: list[Sound] = []

    def scores(self, samples: Sound) -> Sound:
        self.asked.append(samples.copy())
        return np.array([len(samples) / 100_000, float(np.abs(samples).mean())], np.float32)


class Nothing(Network):
    """None is installed."""

    channels = ()  # type: ignore[assignment]


def heard(
    sound: NDArray[np.floating], rate: int = 16_000, *, cuts: list[int] | None = None, network: Network | None = None,
    models: Path | None = None,
) -> list[Heard]:  # fmt: skip
    listener = Listener(models, rate, network=network or Nothing())
    found, at = [], 0
    for piece in np.split(sound, sorted(cuts or [])):
        found += listener.feed(piece, START + round(at * SECOND / rate))
        at += len(piece)
    return found + listener.finish()


def same(one: list[Heard], other: list[Heard]) -> bool:
    return len(one) == len(other) and all(
        (a.signal, a.time) == (b.signal, b.time) and a.values.tobytes() == b.values.tobytes()
        for a, b in zip(one, other, strict=True)
    )


SPOKEN = speech(6.4, seed=5).samples


def test_rows_come_at_whole_seconds_of_the_stream() -> None:
    found = heard(SPOKEN)
    assert [each.signal for each in found] == [FUNCTIONALS] * 6
    assert [each.time for each in found] == [START + k * SECOND for k in range(1, 7)]
    assert all(each.values.shape == (len(VOICE_CHANNELS),) for each in found)


@settings(max_examples=6)
@given(st.lists(st.integers(0, 40_000), max_size=8), st.sampled_from((8_000, 11_025, 16_000)))
def test_any_pieces_give_the_same_rows_bit_for_bit(cuts: list[int], rate: int) -> None:
    sound = SPOKEN[:40_000]
    assert same(heard(sound, rate, cuts=cuts, network=Network()), heard(sound, rate, network=Network()))


def test_single_samples_give_the_same_rows_too() -> None:
    sound = SPOKEN[:17_000]
    assert same(heard(sound, 4_000, cuts=[*range(1, 3_000), *range(8_000, 8_500)]), heard(sound, 4_000))


def test_the_speech_network_changes_nothing_of_that(networks: Path) -> None:
    whole = heard(SPOKEN, models=networks)
    assert same(heard(SPOKEN, models=networks, cuts=[100, 5_000, 16_001, 33_333, 80_000]), whole)
    speaks = [each.values[VOICE_CHANNELS.index("speech")] for each in whole]
    ours = [each.values[VOICE_CHANNELS.index("speech")] for each in heard(SPOKEN)]
    assert speaks != ours
    assert np.mean(np.abs(np.subtract(speaks, ours))) < 0.2
    assert Listener(networks, 16_000, network=Nothing()).name == "silero_vad"


def test_two_channels_are_one_voice() -> None:
    both = np.column_stack([SPOKEN, SPOKEN])
    assert same(heard(both), heard(SPOKEN))


def test_a_second_recording_rate_tells_the_same() -> None:
    up = np.repeat(SPOKEN, 3).astype(np.float32)  # crude, and told apart only above 8 kHz
    for one, other in zip(heard(up, 48_000), heard(SPOKEN), strict=True):
        for name in ("f0_p50", "syllables", "speech"):
            place = VOICE_CHANNELS.index(name)
            assert one.values[place] == pytest.approx(other.values[place], rel=0.02, abs=0.05, nan_ok=True), name


def test_clipped_samples_are_counted_where_they_were_clipped() -> None:
    rate = 48_000
    sound = np.zeros((3 * rate, 2), np.float32)
    sound[rate : rate + 480, 1] = 1.0
    shares = [each.values[VOICE_CHANNELS.index("clipped")] for each in heard(sound, rate)]
    assert shares == [0, pytest.approx(0.01), 0]


def test_a_gap_begins_a_stream_of_its_own() -> None:
    listener = Listener(None, 16_000, network=Nothing())
    first, rest = SPOKEN[:40_000], SPOKEN[40_000:80_000]
    found = listener.feed(first, START)
    found += listener.feed(rest, START + 5 * SECOND)
    found += listener.finish()
    alone = heard(rest)
    assert [each.time - START for each in found] == [SECOND, 2 * SECOND, 6 * SECOND, 7 * SECOND]
    assert [each.values.tobytes() for each in found[2:]] == [each.values.tobytes() for each in alone]


def test_a_clock_that_drifts_moves_the_rows_and_loses_none() -> None:
    listener = Listener(None, 16_000, network=Nothing())
    piece, found = 1_600, []
    for number in range(64):
        start = START + round(number * 0.1 * SECOND * (1 + 2e-4))
        found += listener.feed(SPOKEN[number * piece : (number + 1) * piece], start)
    assert len(found) == 6 - 0
    assert found[-1].time == pytest.approx(START + 6 * SECOND * (1 + 2e-4), abs=1e6)
    assert [each.values.tobytes() for each in found] == [each.values.tobytes() for each in heard(SPOKEN)[: len(found)]]


def test_a_stream_after_the_end_follows_nothing() -> None:
    listener = Listener(None, 16_000, network=Nothing())
    first = listener.feed(SPOKEN, START) + listener.finish()
    assert same(first, listener.feed(SPOKEN, START) + listener.finish())
    assert listener.finish() == []


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([0.1, np.nan], np.float32), np.array([np.inf], np.float32), np.zeros((4, 2, 2), np.float32),
        np.zeros(100, np.int16), np.zeros((10, 33), np.float32), np.zeros((10, 0), np.float32),
    ],
    ids=["nan", "infinite", "three axes", "integers", "33 channels", "no channel"],
)  # fmt: skip
def test_what_is_no_sound_is_refused(wrong: NDArray[np.floating]) -> None:
    with pytest.raises(DriverFailed):
        Listener(None, 16_000, network=Nothing()).feed(wrong, 0)


def test_nothing_is_heard_in_nothing() -> None:
    listener = Listener(None, 16_000, network=Nothing())
    assert listener.feed(np.zeros(0, np.float32), 0) == []
    assert listener.finish() == []
    assert heard(SPOKEN[:15_999]) == []


# --- the voice network

TALK = speech(20, phrase=18.5, pause=0.4, seed=1).samples


def scored(found: list[Heard]) -> list[float]:
    return [(each.time - START) / SECOND for each in found if each.signal == SCORES]


@pytest.mark.parametrize("seconds", [1.0, 1.7, 2.0, 3.6])
def test_a_short_clip_gives_one_row_over_all_of_it(seconds: float) -> None:
    network = Network()
    clip = TALK[: round(seconds * 16_000)]
    assert scored(heard(clip, network=network)) == [pytest.approx(seconds)]
    assert np.array_equal(network.asked[0], clip)


def test_a_padded_clip_gives_one_row_over_all_of_it() -> None:
    network = Network()
    clip = np.concatenate([TALK[8_000:24_000], np.zeros(16_000, np.float32)])
    assert scored(heard(clip, network=network)) == [2]
    assert np.array_equal(network.asked[0], clip)


def test_while_somebody_speaks_the_network_is_asked_at_every_hop() -> None:
    network = Network()
    times = scored(heard(TALK[: 15 * 16_000], network=network))
    assert times[:4] == [LONGEST + k * HOP for k in range(4)]
    assert all(len(each) == LONGEST * 16_000 for each in network.asked)
    assert times[-1] == 15


def test_after_somebody_spoke_the_network_is_asked_for_the_rest_and_silence_is_not_asked_about() -> None:
    network = Network()
    silence = np.random.default_rng(1).normal(size=10 * 16_000).astype(np.float32) * 1e-4
    sound = np.concatenate([silence, TALK[8_000 : 8_000 + 32_000], silence])
    times = scored(heard(sound, network=network))
    assert len(times) == 1
    assert 12 <= times[0] <= 15
    assert len(network.asked[0]) <= 5 * 16_000
    quiet = Network()
    assert scored(heard(silence, network=quiet)) == []
    assert quiet.asked == []


def test_a_network_that_hears_nothing_says_nothing() -> None:
    class Deaf(Network):
        def scores(self, samples: Sound) -> Sound:
            return np.full(2, np.nan, np.float32)

    assert scored(heard(TALK[:80_000], network=Deaf())) == []


def test_the_network_is_asked_at_16_khz_whatever_the_rate() -> None:
    network = Network()
    heard(np.repeat(TALK[:32_000], 3), 48_000, network=network)
    assert [len(each) for each in network.asked] == [32_000]
    assert LEAST < LONGEST
